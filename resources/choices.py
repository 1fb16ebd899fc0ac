"""Consents that open several companies: they wait, sealed, for a person's choice.

The choice is guarded like the consent itself: by its state, by the browser that began it, and once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from resources.oauth import TokenOwner, TokenSet
from resources.spec import CompanyFacts, ProviderSpec
from resources.store.database import Database
from resources.vault import SealBroken, Vault
from sync.clock import Clock
from sync.errors import InvalidInput, StateExpired, StateMismatch

# How long a consent, and then a choice, may take.
STATE_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to authorise a connection."""

    builder_id: UUID
    id: UUID
    provider: str
    verifier: str
    redirect_uri: str
    requested_by: str
    # When the provider's answer came: what it gave may wait for a choice.
    consented_at: datetime


class Choices:
    """Holds consents until somebody has chosen."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def hold(self, attempt: Attempt, tokens: TokenSet, choices: Sequence[CompanyFacts]) -> None:
        """Keep a consent with its tokens sealed until a person has chosen."""
        place = {
            "builder_id": str(attempt.builder_id),
            "connection_id": str(attempt.id),
            "field": "choice_tokens",
        }
        with self._database.builder_tx(attempt.builder_id) as transaction:
            transaction.run(
                "oauth_choice_add",
                builder_id=attempt.builder_id,
                id=attempt.id,
                choices={one.company_id: one.name for one in choices},
                tokens=self._vault.seal(_tokens_text(tokens), **place),
                expires_at=self._clock.now() + timedelta(minutes=STATE_MINUTES),
            )

    def take(
        self, spec: ProviderSpec, state: str, *, company_id: str, browser: str
    ) -> tuple[Attempt, TokenSet, CompanyFacts]:
        """Return the consent a choice belongs to, its tokens and the chosen company; each consent is taken once."""
        with self._database.scheduler_tx() as transaction:
            found = transaction.row("oauth_attempt_builder", state_hash=hash_of(state))
        if found is None:
            raise StateMismatch(provider=spec.title)
        builder, attempt_id = found["builder_id"], found["id"]
        with self._database.builder_tx(builder) as transaction:
            row = transaction.row("oauth_choice_read", builder_id=builder, id=attempt_id)
            if (
                row is None
                or row["provider"] != spec.key
                or not secrets.compare_digest(row["browser_hash"], hash_of(browser))
            ):
                raise StateMismatch(provider=spec.title)
            if row["choice_expires_at"] < self._clock.now():
                raise StateExpired(provider=spec.title, minutes=STATE_MINUTES)
            if company_id not in row["choices"]:
                # The consent goes on waiting: a wrong word is no choice.
                raise InvalidInput(
                    what=f"The {spec.company_word}", reason="it is not one of those the consent opens"
                )
            transaction.run("oauth_choice_use", builder_id=builder, id=attempt_id)
        place = {"builder_id": str(builder), "connection_id": str(attempt_id), "field": "choice_tokens"}
        try:
            tokens = _tokens_of(self._vault.open(row["choice_tokens_encrypted"], **place))
        except SealBroken:
            raise StateMismatch(provider=spec.title) from None
        attempt = Attempt(
            builder_id=builder,
            id=attempt_id,
            provider=spec.key,
            verifier="",
            redirect_uri=row["redirect_uri"],
            requested_by=row["requested_by"],
            consented_at=row["used_at"],
        )
        return attempt, tokens, CompanyFacts(company_id, name=row["choices"][company_id])


def hash_of(text: str) -> str:
    """Return what is stored of a state or a browser's token."""
    return hashlib.sha256(text.encode()).hexdigest()


def _tokens_text(tokens: TokenSet) -> str:
    ends = tokens.refresh_expires_at
    return json.dumps(
        {
            "access": tokens.access_token,
            "refresh": tokens.refresh_token,
            "expires_at": tokens.expires_at.isoformat(),
            "refresh_expires_at": ends.isoformat() if ends is not None else None,
            "owner": None if tokens.owner is None else [tokens.owner.app, tokens.owner.person],
        }
    )


def _tokens_of(text: str) -> TokenSet:
    told = json.loads(text)
    ends = told["refresh_expires_at"]
    return TokenSet(
        access_token=told["access"],
        refresh_token=told["refresh"],
        expires_at=datetime.fromisoformat(told["expires_at"]),
        refresh_expires_at=datetime.fromisoformat(ends) if ends is not None else None,
        owner=TokenOwner(*told["owner"]) if told.get("owner") else None,
    )

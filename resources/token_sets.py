"""Where a connection's tokens lie, sealed: in its own row, or in the token set of the person who consented.

Where one token set opens every company a person gave us (Xero), renewing it replaces it for all of them: it is a row of
its own, connections refer to it, and that row is the lock under which it is renewed. Elsewhere a connection's own row
is both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
import structlog

from resources.oauth import TokenOwner, TokenSet
from resources.store.database import Database, Transaction
from resources.vault import SealBroken, Vault
from sync.clock import Clock
from sync.errors import AccessExpired, NotFound, ProviderUnavailable

# No builder has this in place of an id: what is sealed for a token set opens in no connection's row.
TOKEN_SET = "token-set"  # noqa: S105 - a word, no secret
JOINS_MAX = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """Which connection of which builder."""

    builder_id: UUID
    connection_id: UUID
    provider: str
    title: str


@dataclass(frozen=True, slots=True)
class Held:
    """A connection as it stands, and the row that holds its tokens."""

    row: sa.RowMapping
    tokens: sa.RowMapping

    @property
    def set_id(self) -> UUID | None:
        """The token set it lives from; None when its tokens are its own."""
        found: UUID | None = self.row["token_set_id"]
        return found


class StoredTokens:
    """Reads, seals and stores tokens; every method works in the caller's transaction."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self.vault = vault
        self._clock = clock

    def read(self, transaction: Transaction, key: ConnectionKey) -> Held:
        """Return a connection and its sealed tokens as they are."""
        return self._held(transaction, key, "connection_read", "token_set_read")

    def hold(self, transaction: Transaction, key: ConnectionKey) -> Held:
        """Return the same, locked: the connection's row first and then what it shares, always in this order."""
        return self._held(transaction, key, "connection_hold", "token_set_hold")

    def _held(self, transaction: Transaction, key: ConnectionKey, connection: str, token_set: str) -> Held:
        row = transaction.row(connection, **ids(key))
        if row is None:
            raise NotFound(what="connection", id=str(key.connection_id))
        if row["token_set_id"] is None:
            return Held(row, row)
        # A statement of its own: after a wait it sees what whoever held the lock stored.
        tokens = transaction.row(token_set, token_set=row["token_set_id"])
        return Held(row, row if tokens is None else tokens)

    def open(self, key: ConnectionKey, held: Held) -> TokenSet:
        """Open sealed tokens, or raise AccessExpired when the connection holds none."""
        row, tokens = held.row, held.tokens
        if row["status"] in ("disconnected", "expired") or tokens["refresh_token_encrypted"] is None:
            raise not_open(key.title, row)
        place = _place(key, held.set_id)
        try:
            return TokenSet(
                access_token=self.vault.open(tokens["access_token_encrypted"], field="access_token", **place),
                refresh_token=self.vault.open(
                    tokens["refresh_token_encrypted"], field="refresh_token", **place
                ),
                expires_at=tokens["token_expires_at"],
                refresh_expires_at=tokens["refresh_expires_at"],
            )
        except SealBroken as error:
            raise AccessExpired(
                provider=key.title, reason="its stored access cannot be opened any more"
            ) from error

    def keep_refreshed(
        self, transaction: Transaction, key: ConnectionKey, held: Held, tokens: TokenSet
    ) -> None:
        """Store what a refresh gave in place of what it was given for."""
        if held.set_id is not None:
            self._store(transaction, held.set_id, tokens, consented_at=held.tokens["consented_at"])
        elif tokens.owner is not None:
            # Stored before token sets were shared: from now on it lives from its person's.
            consented_at = held.row["connected_at"] or self._clock.now()
            self._join(transaction, key, tokens, owner=tokens.owner, consented_at=consented_at)
        else:
            self._keep_own(transaction, key, tokens)
        transaction.run("connection_refresh_worked", **ids(key), now=self._clock.now())

    def keep_consented(
        self, transaction: Transaction, key: ConnectionKey, tokens: TokenSet, *, consented_at: datetime
    ) -> None:
        """Store what a consent gave; a person's newest consent is what all of that person's connections live from."""
        held = self.hold(transaction, key)
        if tokens.owner is None:
            self.leave(transaction, key, held)
            self._keep_own(transaction, key, tokens)
            return
        self._join(transaction, key, tokens, owner=tokens.owner, consented_at=consented_at, left=held)

    def _join(
        self,
        transaction: Transaction,
        key: ConnectionKey,
        tokens: TokenSet,
        *,
        owner: TokenOwner,
        consented_at: datetime,
        left: Held | None = None,
    ) -> None:
        of_person = {"provider": key.provider, "app": owner.app, "person": owner.person}
        now = self._clock.now()
        for _ in range(JOINS_MAX):
            with self._database.scheduler_tx() as scheduler:
                found: UUID | None = scheduler.value("token_set_of_person", **of_person)
            set_id = found or uuid4()
            if left is not None and left.set_id not in (None, set_id):
                self.leave(transaction, key, left)
            left = None
            # It has to refer to the set before it may see it, or make it.
            transaction.run("connection_live_from", token_set=set_id, **ids(key), now=now)
            present = transaction.row("token_set_hold", token_set=set_id)
            if present is not None:
                if not consented_at < present["consented_at"] <= now:
                    self._store(transaction, set_id, tokens, consented_at=consented_at)
                return
            values = {**self._sealed(key, set_id, tokens), "consented_at": consented_at, "now": now}
            if transaction.run("token_set_add", token_set=set_id, **of_person, **values):
                return
        raise ProviderUnavailable(
            provider=key.title, reason="several consents of one person were completed at once"
        )

    def _store(
        self, transaction: Transaction, set_id: UUID, tokens: TokenSet, *, consented_at: datetime
    ) -> None:
        values = {
            **self._sealed(None, set_id, tokens),
            "consented_at": consented_at,
            "now": self._clock.now(),
        }
        transaction.run("token_set_store", token_set=set_id, **values)

    def _keep_own(self, transaction: Transaction, key: ConnectionKey, tokens: TokenSet) -> None:
        values = self._sealed(key, None, tokens)
        transaction.run("connection_store_tokens", **values, **ids(key), now=self._clock.now())

    def rewrap(self, transaction: Transaction, key: ConnectionKey, held: Held) -> bool:
        """Wrap tokens by the newest key; False when there are none that open."""
        if held.tokens["refresh_token_encrypted"] is None:
            return False
        place = _place(key, held.set_id)
        try:
            wrapped = {
                name: self.vault.rewrap(
                    held.tokens[f"{name}_token_encrypted"], field=f"{name}_token", **place
                )
                for name in ("access", "refresh")
            }
        except SealBroken as error:
            log.warning("rewrap_failed", connection=str(key.connection_id), reason=str(error))
            return False
        now = self._clock.now()
        if held.set_id is None:
            transaction.run("connection_rewrap_tokens", **wrapped, **ids(key), now=now)
        else:
            transaction.run("token_set_rewrap", **wrapped, token_set=held.set_id, now=now)
        return True

    def leave(self, transaction: Transaction, key: ConnectionKey, held: Held) -> None:
        """Remove a held connection's token set unless others live from it; the caller ends the reference to it."""
        if held.set_id is not None and not self.others(key, held.set_id):
            transaction.run("token_set_remove", token_set=held.set_id)

    def others(self, key: ConnectionKey, set_id: UUID) -> Sequence[sa.RowMapping]:
        """Return the other connections, of whichever builders, that live from a token set."""
        with self._database.scheduler_tx() as scheduler:
            return scheduler.rows("token_set_others", token_set=set_id, id=key.connection_id)

    def _sealed(self, key: ConnectionKey | None, set_id: UUID | None, tokens: TokenSet) -> dict[str, Any]:
        place = _place(key, set_id)
        return {
            "access": self.vault.seal(tokens.access_token, field="access_token", **place),
            "refresh": self.vault.seal(tokens.refresh_token, field="refresh_token", **place),
            "expires_at": tokens.expires_at,
            "refresh_expires_at": tokens.refresh_expires_at,
        }


def not_open(title: str, row: sa.RowMapping) -> AccessExpired:
    """Say why a connection cannot be used at all."""
    if row["status"] == "expired" and row["status_reason"]:
        return AccessExpired(row["status_reason"])
    reason = "its access ended" if row["status"] == "expired" else "it was disconnected"
    return AccessExpired(provider=title, reason=reason)


def ids(key: ConnectionKey) -> dict[str, Any]:
    """Return what the queries about one connection ask for."""
    return {"builder_id": key.builder_id, "id": key.connection_id}


def _place(key: ConnectionKey | None, set_id: UUID | None) -> dict[str, str]:
    if set_id is not None:
        return {"builder_id": TOKEN_SET, "connection_id": str(set_id)}
    assert key is not None, "tokens that nobody shares lie in a connection's row"
    return {"builder_id": str(key.builder_id), "connection_id": str(key.connection_id)}

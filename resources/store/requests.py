"""Answers to requests that may come twice: a request with an Idempotency-Key is carried out once.

The answer is kept sealed for a day, because it may hold a secret that is shown once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from resources.store.database import Database
from resources.vault import Vault
from sync.refusals import KeyReused, StillAtWork

KEPT_FOR = timedelta(hours=24)
# No request takes longer; one that is older belonged to a process that died.
ABANDONED_AFTER = timedelta(minutes=5)
_FIELD = "idempotent_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, the headers worth repeating, and the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that came for the first time and is now carried out."""

    builder_id: UUID
    key_hash: str
    started_at: datetime


class Requests:
    """Remembers requests of all builders by their keys."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Keep rows in this database, sealed by this vault."""
        self._database = database
        self._vault = vault

    def begin(
        self, builder_id: UUID, *, caller: str, key: str, request_hash: str, now: datetime
    ) -> Begun | Answer:
        """Take a request on, or return what it was answered before; raises KeyReused and StillAtWork."""
        key_hash = hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
        with self._database.builder_tx(builder_id) as tx:
            tx.run("request_forget_old", now=now, key_hash=key_hash, abandoned_before=now - ABANDONED_AFTER)
            is_new = tx.value(
                "request_begin",
                key_hash=key_hash,
                request_hash=request_hash,
                now=now,
                expires_at=now + KEPT_FOR,
            )
            if is_new is not None:
                return Begun(builder_id, key_hash, now)
            row = tx.row("request_read", key_hash=key_hash)
        if row is None:
            # Given back by another request in this very moment.
            raise StillAtWork
        if row["request_hash"] != request_hash:
            raise KeyReused
        if row["status"] is None:
            raise StillAtWork
        kept = json.loads(
            self._vault.open(
                row["answer_encrypted"], builder_id=str(builder_id), connection_id=key_hash, field=_FIELD
            )
        )
        return Answer(row["status"], tuple((name, value) for name, value in kept["headers"]), kept["body"])

    def answered(self, begun: Begun, answer: Answer) -> None:
        """Keep the answer for whoever asks again."""
        text = json.dumps({"headers": answer.headers, "body": answer.body})
        sealed = self._vault.seal(
            text, builder_id=str(begun.builder_id), connection_id=begun.key_hash, field=_FIELD
        )
        with self._database.builder_tx(begun.builder_id) as tx:
            tx.run(
                "request_answered",
                key_hash=begun.key_hash,
                started_at=begun.started_at,
                status=answer.status,
                answer_encrypted=sealed,
            )

    def give_back(self, begun: Begun) -> None:
        """Forget a request that did nothing, so that it may come again."""
        with self._database.builder_tx(begun.builder_id) as tx:
            tx.run("request_give_back", key_hash=begun.key_hash, started_at=begun.started_at)

"""The evidence pack of one record: one read of everything that an accountant may ask about it.

What ours says, what was sent when and under which mapping version and hash, who accepted it, what the ledger has under
which id, and everything that changed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.store.database import Transaction
from sync.errors import NotFound
from sync.requests import payload_hash

Row = dict[str, Any]

CHANGES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known about one record; lists are oldest first."""

    record: Row
    ledgers: list[Row]
    attempts: list[Row]
    changes: list[Row]

    @property
    def sent_at(self) -> datetime | None:
        """When the ledger last took it from us."""
        done = [each["settled_at"] for each in self.attempts if each["state"] == "done"]
        return max((each for each in done if each is not None), default=None)


def evidence_of(tx: Transaction, *, entity: str, record_id: UUID) -> Evidence:
    """Gather the evidence of one record; raises NotFound where the platform never had it."""
    wanted = {"entity": entity, "record_id": record_id}
    record = tx.row("evidence_record", **wanted)
    if record is None:
        raise NotFound(what=entity.replace("_", " "), id=str(record_id))
    attempts = [
        # Recomputed from what is kept, so that the pack says by itself that nobody touched it.
        {**row, "is_intact": payload_hash(row["payload"]) == row["payload_hash"]}
        for row in tx.rows("evidence_attempts", **wanted)
    ]
    pack = Evidence(
        record=dict(record),
        ledgers=[dict(row) for row in tx.rows("evidence_links", **wanted)],
        attempts=attempts,
        changes=[],
    )
    sent_at = pack.sent_at
    for row in tx.rows("evidence_changes", **wanted, rows_max=CHANGES_MAX):
        is_later = sent_at is not None and row["at"] > sent_at
        pack.changes.append({**row, "is_after_last_send": is_later})
    return pack

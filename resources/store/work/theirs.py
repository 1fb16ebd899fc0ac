"""Theirs in one transaction: the mirror of the provider's records, and how far it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from resources.store.database import json_text
from resources.store.work.part import WorkPart
from sync.records import DELETED_CHECKSUM, Entity, RemoteRecord

SYNCED_ENTITIES = [entity.value for entity in Entity]


class TheirsPart(WorkPart):
    """Writes the mirror and moves its cursors."""

    def save_mirror(self, records: Sequence[RemoteRecord]) -> int:
        """Store what was read; return how many differ from the copy we had."""
        # The same record twice in one page (it moved while we read) counts once, the last copy.
        newest = {(record.entity, record.remote_id): record for record in records}
        present = [record for record in newest.values() if record.state != "deleted"]
        gone = [record for record in newest.values() if record.state == "deleted"]
        changed = 0
        if present:
            rows = json_text([_mirror_row(record) for record in present])
            changed += self._tx.value(
                "save_mirror", **self._connection, rows=rows, synced=SYNCED_ENTITIES, now=self._now
            )
        if gone:
            rows = json_text(
                [
                    {
                        "entity": record.entity,
                        "remote_id": record.remote_id,
                        "checksum": DELETED_CHECKSUM,
                        "changed_at": record.changed_at,
                    }
                    for record in gone
                ]
            )
            changed += self._tx.value("mark_mirror_deleted", **self._connection, rows=rows, now=self._now)
        self._session.rows_written += changed
        return changed

    def seen_before(self, entity: Entity, remote_ids: Sequence[str], *, moment: datetime) -> frozenset[str]:
        """Return which records were read before a moment and have not changed since."""
        if not remote_ids:
            return frozenset()
        rows = self._tx.rows(
            "seen_before", **self._connection, entity=entity, remote_ids=list(remote_ids), moment=moment
        )
        return frozenset(row["remote_id"] for row in rows)

    def cursor(self, stream: str) -> str | None:
        """Return how far a stream was read; all of them are read with the first."""
        if stream in self._session.moved_cursors:
            # The transaction that moved it may have been taken back.
            position: str | None = self._tx.value("read_cursor", **self._connection, stream=stream)
            return position
        if self._session.cursors is None:
            rows = self._tx.rows("read_cursors", **self._connection)
            self._session.cursors = {row["stream"]: row["position"] for row in rows}
        return self._session.cursors.get(stream)

    def move_cursor(self, stream: str, position: str) -> None:
        """Remember how far a stream was read."""
        self._session.moved_cursors.add(stream)
        self._tx.run("move_cursor", **self._connection, stream=stream, position=position, now=self._now)


def _mirror_row(record: RemoteRecord) -> dict[str, Any]:
    return {
        "entity": record.entity,
        "remote_id": record.remote_id,
        "version": record.version,
        "state": record.state,
        "canonical": record.canonical,
        "checksum": record.checksum,
        "natural_key": record.natural_key,
        "label": record.label,
        "document_date": record.document_date,
        "total": record.total,
        "balance": record.balance,
        "currency": record.currency,
        "marker": record.marker,
        "raw": dict(record.raw),
        "merged_into": record.merged_into,
        "changed_at": record.changed_at,
    }

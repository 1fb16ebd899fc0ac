"""Ours in one transaction: the platform's changes on their way to the links, and the ledger's values on theirs here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from resources.store.canonical import load_ours
from resources.store.database import json_text
from resources.store.platform import PlatformWriter, constraint_sentence
from resources.store.work.part import WorkPart
from sync.records import DELETED_CHECKSUM, Entity
from sync.stored import Apply

CLOCKS_APART_MAX = timedelta(minutes=5)
LOCKS: Mapping[Entity, str] = {
    Entity.ACCOUNT: "lock_account",
    Entity.CUSTOMER: "lock_customer",
    Entity.VENDOR: "lock_vendor",
    Entity.INVOICE: "lock_invoice",
    Entity.BILL: "lock_bill",
    Entity.JOURNAL_ENTRY: "lock_journal_entry",
    Entity.PAYMENT: "lock_payment",
    Entity.BILL_PAYMENT: "lock_bill_payment",
    Entity.DEPOSIT: "lock_deposit",
}


@dataclass(frozen=True, slots=True)
class Noted:
    """When a record was last changed, and whether a large import did it and nobody else since."""

    at: datetime
    is_bulk: bool = False


class OursPart(WorkPart):
    """Reads and writes the platform's records."""

    def absorb(self, entity: Entity, record_ids: Collection[str] | None = None) -> int:
        """Bring noted (or given) platform changes into canonical form and onto the links."""
        noted: dict[str, Noted] = {}
        if record_ids is None:
            noted = self._noted(entity)
            wanted = list(noted)
        else:
            wanted = list(record_ids)
            self._tx.run("forget_changes", **self._builder, entity=entity, record_ids=wanted)
        if not wanted:
            return 0
        found = load_ours(self._tx, entity, builder_id=self._session.facts.builder_id, record_ids=wanted)
        gone = sorted(set(wanted) - {record.record_id for record in found})
        if gone:
            self._tx.run(
                "mark_records_deleted",
                **self._builder,
                entity=entity,
                record_ids=gone,
                checksum=DELETED_CHECKSUM,
                now=self._now,
            )
        rows = [
            {
                "id": record.record_id,
                "state": record.state,
                "canonical": record.canonical,
                "checksum": record.checksum,
                "natural_key": record.natural_key,
                "label": record.label,
                "document_date": record.document_date,
                "total": record.total,
                "currency": record.currency,
                "changed_at": self._changed_at(record.changed_at, noted.get(record.record_id)),
                "is_bulk": record.record_id in noted and noted[record.record_id].is_bulk,
            }
            for record in found
        ]
        changed = (
            self._tx.value(
                "save_records", **self._builder, entity=entity, rows=json_text(rows), now=self._now
            )
            if rows
            else 0
        )
        self._session.rows_written += len(rows)
        return int(changed) + len(gone)

    def _noted(self, entity: Entity) -> dict[str, Noted]:
        """Take the records that changed since sync last looked off the list, by record id."""
        noted = self._tx.rows(
            "noted_changes", **self._builder, entity=entity, takes_bulk=self._session.takes_bulk
        )
        return {row["record_id"]: Noted(row["changed_at"], row["is_bulk"]) for row in noted}

    def _changed_at(self, stamped: datetime, noted: Noted | None) -> datetime:
        """Say when a record changed: not every client moves `updated_at`, and a line has none, but all are noted.

        A note from the future is not believed: the database's clock is another than the one this sync lives by.
        """
        if noted is None or noted.at > self._now + CLOCKS_APART_MAX:
            return stamped
        return max(stamped, noted.at)

    def note_all(self, entity: Entity) -> None:
        """Have every platform record of an entity looked at again, whatever the change notes say."""
        self._tx.run("note_all_records", **self._builder, entity=entity)

    def apply(self, entity: Entity, rows: Sequence[Apply]) -> dict[str, str | None]:
        """Write the ledger's values into the platform's tables and absorb them; the rows that were not written."""
        refused: dict[str, str | None] = dict.fromkeys(self._edited_meanwhile(entity, rows))
        rows = [row for row in rows if row.record_id not in refused]
        broken: dict[str, str] = {}
        if rows and not self._write_here(entity, rows, broken) and len(rows) > 1:
            broken.clear()
            for row in rows:
                # One row that breaks a rule must not keep the others out.
                self._write_here(entity, [row], broken)
        self.absorb(entity, [row.record_id for row in rows if row.record_id not in broken])
        return {**refused, **broken}

    def _edited_meanwhile(self, entity: Entity, rows: Sequence[Apply]) -> list[str]:
        """Lock the platform's rows, and name those with an edit that this sync has not looked at yet."""
        ids = [row.record_id for row in rows]
        self._tx.rows(LOCKS[entity], **self._builder, record_ids=ids)
        found = self._tx.rows("changes_among", **self._builder, entity=entity, record_ids=ids)
        return [row["record_id"] for row in found]

    def _write_here(self, entity: Entity, rows: Sequence[Apply], refused: dict[str, str]) -> bool:
        writer = PlatformWriter(self._tx, builder_id=self._session.facts.builder_id, now=self._now)
        try:
            with self._tx.connection.begin_nested():
                writer.write(entity, rows)
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            reason = constraint_sentence(error)
            refused.update({row.record_id: reason for row in rows})
            return False
        return True

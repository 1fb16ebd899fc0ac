"""`sync.store` on PostgreSQL: the database as one sync of one connection sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from resources.store.canonical import load_ours
from resources.store.database import Database, Transaction, json_text
from resources.store.link_rows import attempt_view, link_view, outcome_row
from resources.store.mappings import load_mapping
from resources.store.platform import PlatformWriter, constraint_sentence
from sync import requests
from sync.clock import Clock
from sync.compare import Strategy
from sync.errors import Category
from sync.mapping import MappingTable
from sync.outgoing import APPLIED_TO, PARTY, Reference
from sync.ports import Operation
from sync.records import DEFAULT_DIRECTION, Entity, RemoteRecord, checksum
from sync.store import (
    Apply,
    AttemptView,
    Audit,
    Block,
    ConnectionFacts,
    EntitySetting,
    LinkView,
    LogDirection,
    NewAttempt,
    Outcome,
    Settlement,
    Trigger,
)
from sync.summary import TieOut, TieOutLine

# As many rows at once make plans made before them useless, long before autovacuum looks.
STATISTICS_ROWS_MIN = 250
SYNCED_ENTITIES = [entity.value for entity in Entity]
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
CLOCKS_APART_MAX = timedelta(minutes=5)
DELETED_CHECKSUM = checksum({}, state="deleted")
RECEIPT_OF = {target: (receipt, key) for receipt, (key, target) in APPLIED_TO.items()}


class PostgresStore:
    """One connection of one builder, for the length of one sync run."""

    def __init__(
        self,
        database: Database,
        *,
        facts: ConnectionFacts,
        sync_run_id: str,
        trigger: Trigger,
        clock: Clock,
        actor: str,
    ) -> None:
        """Take what every transaction of this sync needs to know."""
        self._database = database
        self._facts = facts
        self.sync_run_id = sync_run_id
        self.trigger: Trigger = trigger
        self._clock = clock
        self.actor = actor
        self.rows_written = 0
        self._statistics_due = STATISTICS_ROWS_MIN
        self.logs: dict[tuple[Entity, LogDirection], str] = {}

    @property
    def facts(self) -> ConnectionFacts:
        """The connection's settings as they were when this sync began."""
        return self._facts

    @contextmanager
    def work(self) -> Iterator[PostgresWork]:
        """Open one transaction; it commits when the block ends well."""
        with self._database.builder_tx(UUID(self._facts.builder_id)) as tx:
            yield PostgresWork(tx, self, now=self._clock.now())
        if self.rows_written >= self._statistics_due:
            # Twice as many until the next time, so that the cost stays in proportion.
            self._statistics_due = 2 * self.rows_written
            with self._database.builder_tx(UUID(self._facts.builder_id)) as tx:
                tx.value("refresh_statistics")

    def new_id(self) -> str:
        """Return a new record id (UUID, version 7)."""
        return str(uuid7())


class PostgresWork:
    """Everything that happens in one transaction of a sync; the methods are described in `sync.store.Work`."""

    def __init__(self, tx: Transaction, store: PostgresStore, *, now: datetime) -> None:
        self._tx = tx
        self._store = store
        self._now = now
        self._builder = {"builder_id": store.facts.builder_id}
        self._connection = {**self._builder, "connection_id": store.facts.connection_id}

    # ------------------------------------------------------------------ ours

    def absorb(self, entity: Entity, record_ids: Collection[str] | None = None) -> int:
        """Bring noted (or given) platform changes into canonical form and onto the links."""
        noted_at: dict[str, datetime] = {}
        if record_ids is None:
            noted = self._tx.rows("noted_changes", **self._builder, entity=entity)
            noted_at = {row["record_id"]: row["changed_at"] for row in noted}
            wanted = list(noted_at)
        else:
            wanted = list(record_ids)
            self._tx.run("forget_changes", **self._builder, entity=entity, record_ids=wanted)
        if not wanted:
            return 0
        found = load_ours(self._tx, entity, builder_id=self._store.facts.builder_id, record_ids=wanted)
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
                "changed_at": self._changed_at(record.changed_at, noted_at.get(record.record_id)),
            }
            for record in found
        ]
        changed = (
            self._tx.value("save_records", **self._builder, entity=entity, rows=json_text(rows))
            if rows
            else 0
        )
        self._store.rows_written += len(rows)
        return int(changed) + len(gone)

    def _changed_at(self, stamped: datetime, noted: datetime | None) -> datetime:
        """Say when a record changed: not every client moves `updated_at`, and a line has none, but all are noted.

        A note from the future is not believed: the database's clock is another than the one this sync lives by.
        """
        if noted is None or noted > self._now + CLOCKS_APART_MAX:
            return stamped
        return max(stamped, noted)

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
        writer = PlatformWriter(self._tx, builder_id=self._store.facts.builder_id, now=self._now)
        try:
            with self._tx.connection.begin_nested():
                writer.write(entity, rows)
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            reason = constraint_sentence(error)
            refused.update({row.record_id: reason for row in rows})
            return False
        return True

    # ------------------------------------------------------------------ theirs

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
        self._store.rows_written += changed
        return changed

    def cursor(self, stream: str) -> str | None:
        """Return how far a stream was read."""
        position: str | None = self._tx.value("read_cursor", **self._connection, stream=stream)
        return position

    def move_cursor(self, stream: str, position: str) -> None:
        """Remember how far a stream was read."""
        self._tx.run("move_cursor", **self._connection, stream=stream, position=position, now=self._now)

    # ------------------------------------------------------------------ links

    def match(self, entity: Entity) -> int:
        """Pair records that exist on both sides and are not linked yet; by marker first, then by natural key."""
        made = self._pair_all(self._tx.rows("match_by_marker", **self._connection, entity=entity))
        if entity in (Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR):
            return made + self._pair_all(self._tx.rows("match_by_name", **self._connection, entity=entity))
        party = PARTY.get(entity)
        if entity in (Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY):
            rows = self._tx.rows("match_by_number", **self._connection, entity=entity, party_entity=party)
            made += self._pair_all(rows)
        if party is not None:
            rows = self._tx.rows("match_by_amount", **self._connection, entity=entity, party_entity=party)
            made += self._pair_all(rows)
        return made

    def _pair_all(self, rows: Sequence[Mapping[Any, Any]]) -> int:
        if rows:
            pairs = json_text(
                [{"link_id": str(row["link_id"]), "remote_id": row["remote_id"]} for row in rows]
            )
            # First the halves, because a provider record stands on one link only.
            self._tx.run("drop_waiting_halves", **self._connection, rows=pairs)
            self._tx.run("pair_links", **self._builder, rows=pairs)
        return len(rows)

    def pair(self, link_id: str, remote_id: str) -> None:
        """Put a provider record on our half of a link, taking over the half that was waiting for it."""
        self._pair_all([{"link_id": link_id, "remote_id": remote_id}])

    def pair_new(self, records: Mapping[str, str | None]) -> None:
        """Give links that had only their side records of ours which are about to be written; None takes one back."""
        if records:
            rows = json_text([{"link_id": link, "record_id": record} for link, record in records.items()])
            self._tx.run("pair_new_records", **self._builder, rows=rows)

    def different(self, entity: Entity, *, now: datetime) -> list[str]:
        """List the links on which something has to be decided now, oldest document first."""
        self._tx.rows("read_by_index", is_free="off")
        found = self._tx.rows("different_links", **self._connection, entity=entity, now=now)
        self._tx.rows("read_by_index", is_free="on")
        if not found:
            return []
        ids = [row["id"] for row in found]
        return [row["id"] for row in self._tx.rows("links_in_order", **self._builder, link_ids=ids)]

    def links(self, link_ids: Sequence[str]) -> list[LinkView]:
        """Load links with both sides, in the order asked."""
        return [
            link_view(row) for row in self._tx.rows("load_links", **self._builder, link_ids=list(link_ids))
        ]

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Move the base of links on which both sides agree."""
        if settlements:
            rows = json_text(
                [
                    {
                        "link_id": each.link_id,
                        "ours_checksum": each.ours_checksum,
                        "theirs_checksum": each.theirs_checksum,
                        "base_ours": each.base_ours,
                        "base_theirs": each.base_theirs,
                        "linked_by": each.linked_by,
                        "mapping_version_id": each.mapping_version_id,
                    }
                    for each in settlements
                ]
            )
            self._tx.run("settle_links", **self._builder, rows=rows, now=self._now)

    def leave(self, link_ids: Sequence[str]) -> None:
        """Take note of links about which nothing is done, until one of their sides changes."""
        if link_ids:
            self._tx.run("leave_links", **self._builder, link_ids=list(link_ids))

    def block(self, blocks: Sequence[Block]) -> None:
        """Take note of why links cannot go on, with the checksums they were judged by."""
        if blocks:
            # A link may have been stopped twice in one batch: the last reason counts.
            rows = [asdict(each) for each in {each.link_id: each for each in blocks}.values()]
            self._tx.run("block_links", **self._builder, rows=json_text(rows))

    def open_link(self, link_id: str) -> None:
        """Let a link be looked at again, whatever blocked it."""
        self._tx.run("open_link", **self._builder, link_id=link_id)

    def remote_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map our records to the provider's ids, where linked."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("remote_ids_of", **self._connection, entity=entity, record_ids=ids)
            found.update({(entity, row["record_id"]): row["remote_id"] for row in rows})
        return found

    def record_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map provider records to our ids, where linked."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("record_ids_of", **self._connection, entity=entity, remote_ids=ids)
            found.update({(entity, row["remote_id"]): row["record_id"] for row in rows})
        return found

    def our_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of our records."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("our_labels", **self._builder, entity=entity, record_ids=ids)
            found.update({(entity, row["id"]): row["label"] for row in rows})
        return found

    def their_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of the provider's records."""
        found: dict[Reference, str] = {}
        for entity, ids in _by_entity(references).items():
            rows = self._tx.rows("their_labels", **self._connection, entity=entity, remote_ids=ids)
            found.update({(entity, row["remote_id"]): row["label"] for row in rows})
        return found

    def reopen_receipts(self, entity: Entity, remote_ids: Sequence[str]) -> None:
        """Look again at payments that pay documents which have just been linked."""
        if entity in RECEIPT_OF and remote_ids:
            receipt, key = RECEIPT_OF[entity]
            self._tx.run(
                "reopen_receipts",
                **self._connection,
                receipt_entity=receipt,
                document_key=key,
                remote_ids=list(remote_ids),
            )

    # ------------------------------------------------------------------ mapping and settings

    def mapping(self) -> MappingTable:
        """Return the mapping as it is now."""
        return load_mapping(self._tx, self._store.facts.connection_id)

    def code_names(self) -> dict[str, str]:
        """Return cost code id → code and name, for sentences."""
        return {row["id"]: row["name"] for row in self._tx.rows("code_names", **self._builder)}

    def entity_setting(self, entity: Entity) -> EntitySetting:
        """Return how this entity is synced; without a row of its own, the defaults of the requirement."""
        row = self._tx.row("read_entity_setting", **self._connection, entity=entity)
        default = self._store.facts.strategy
        if row is None:
            return EntitySetting(
                entity, is_enabled=True, direction=DEFAULT_DIRECTION[entity], strategy=default
            )
        strategy = Strategy(row["conflict_strategy"]) if row["conflict_strategy"] else default
        return EntitySetting(
            entity, is_enabled=row["is_enabled"], direction=row["direction"], strategy=strategy
        )

    # ------------------------------------------------------------------ attempts

    def serials(self, requests: Sequence[tuple[str, int, Operation]]) -> dict[str, int]:
        """Return link id → how many attempts of this revision and operation have ended."""
        rows = json_text([{"link_id": i, "revision": r, "operation": o} for i, r, o in requests])
        return {
            row["link_id"]: row["serial"]
            for row in self._tx.rows("attempt_serials", **self._builder, rows=rows)
        }

    def stage(self, entity: Entity, attempts: Sequence[NewAttempt]) -> None:
        """Store attempts as `sending` before the call."""
        if not attempts:
            return
        rows = [
            {
                "link_id": each.link_id,
                "record_id": each.record_id,
                "revision": each.revision,
                "operation": each.operation,
                "serial": each.serial,
                "request_id": each.request_id,
                "marker": each.marker,
                "payload_hash": requests.payload_hash(each.canonical),
                "payload": each.canonical,
                "remote_id": each.remote_id,
                "remote_version": each.remote_version,
                "mapping_version_id": each.mapping_version_id,
                "details": each.evidence,
            }
            for each in attempts
        ]
        self._tx.run(
            "stage_attempts",
            **self._connection,
            entity=entity,
            sync_run_id=self._store.sync_run_id,
            rows=json_text(rows),
            now=self._now,
        )

    def settle_attempt(
        self,
        request_id: str,
        *,
        state: Literal["done", "rejected", "moved", "unknown"],
        message: str | None = None,
        code: str | None = None,
        category: Category | None = None,
        remote_id: str | None = None,
        remote_version: str | None = None,
    ) -> None:
        """Store how an attempt ended."""
        self._tx.run(
            "settle_attempt",
            **self._connection,
            request_id=request_id,
            state=state,
            message=message,
            code=code,
            category=category,
            remote_id=remote_id,
            remote_version=remote_version,
            now=self._now,
        )

    def unsettled(self, entity: Entity) -> list[AttemptView]:
        """List attempts whose outcome nobody knows."""
        rows = self._tx.rows("unsettled_attempts", **self._connection, entity=entity)
        return [attempt_view(row) for row in rows]

    # ------------------------------------------------------------------ outcomes

    def open_log(self, entity: Entity, direction: LogDirection) -> str:
        """Begin a row of v2_sync_log for this run and return its id; the same row when asked again."""
        key = (entity, direction)
        if key not in self._store.logs:
            log_id = self._store.new_id()
            self._tx.run(
                "open_sync_log",
                **self._connection,
                log_id=log_id,
                sync_type=self._store.trigger,
                entity=entity,
                direction=direction,
                sync_run_id=self._store.sync_run_id,
                now=self._now,
            )
            self._store.logs[key] = log_id
        return self._store.logs[key]

    def close_log(
        self, log_id: str, *, succeeded: int, failed: int, summary: Mapping[str, Any], error: str | None
    ) -> None:
        """Finish a row of v2_sync_log."""
        self._tx.run(
            "close_sync_log",
            **self._builder,
            log_id=log_id,
            succeeded=succeeded,
            failed=failed,
            summary=json_text(summary),
            error=error,
            now=self._now,
        )

    def close(self, link_ids: Sequence[str]) -> None:
        """Close the queue entries of links that need nothing any more, where there are any."""
        self._tx.run(
            "close_open_records", **self._builder, link_ids=list(link_ids), resolution="synced", now=self._now
        )

    def record(self, log_id: str, outcomes: Sequence[Outcome]) -> None:
        """Write v2_sync_records: one row per record; an open row of the same link is updated or closed."""
        entity = outcomes[0].link.entity
        through = [each for each in outcomes if each.status == "synced"]
        # A link may have gone through more than once in a batch, and may have ended in trouble after that.
        stuck = {each.link.id: each for each in outcomes if each.status != "synced"}
        settled = sorted({each.link.id for each in through})
        if settled:
            self._tx.run(
                "close_open_records", **self._builder, link_ids=settled, resolution="synced", now=self._now
            )
        told = [outcome_row(each) for each in through]
        where = {**self._connection, "log_id": log_id, "entity": entity, "now": self._now}
        if told:
            self._tx.run("insert_sync_records", **where, rows=json_text(told))
        if stuck:
            rows = json_text([outcome_row(each) for each in stuck.values()])
            self._tx.run("upsert_open_records", **where, rows=rows)

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log."""
        if entries:
            rows = [
                {
                    "action": each.action,
                    "reason": each.reason,
                    "link_id": each.link.id,
                    "entity": each.link.entity,
                    "record_id": each.link.record_id,
                    "remote_id": each.link.remote_id,
                    "before": each.before,
                    "after": each.after,
                }
                for each in entries
            ]
            self._tx.run(
                "append_audit",
                **self._connection,
                actor=self._store.actor,
                rows=json_text(rows),
                now=self._now,
            )

    # ------------------------------------------------------------------ tie-out

    def tie_out_sums(self) -> dict[str, Decimal]:
        """Return the sums and balances of both sides that a tie-out compares, by name."""
        sums: dict[str, Decimal] = {}
        for row in self._tx.rows("sum_linked_documents", **self._connection):
            sums[f"ours.{row['entity']}_total"] = row["ours_total"]
            sums[f"theirs.{row['entity']}_total"] = row["theirs_total"]
            if row["entity"] in ("invoice", "bill"):
                sums[f"ours.{row['entity']}_open"] = row["ours_open"]
                sums[f"theirs.{row['entity']}_open"] = row["theirs_open"]
        ledger = {row["entity"]: row for row in self._tx.rows("sum_ledger_documents", **self._connection)}
        journal = {
            row["type"]: row["amount"]
            for row in self._tx.rows("sum_journal_on_control_accounts", **self._connection)
        }
        zero = Decimal(0)

        def part(entity: str, name: str) -> Decimal:
            found: Decimal = ledger[entity][name] if entity in ledger else zero
            return found

        sums["receivable.documents"] = (
            part("invoice", "open_balance")
            - part("payment", "unapplied")
            + journal.get("accounts_receivable", zero)
        )
        sums["payable.documents"] = (
            part("bill", "open_balance")
            - part("bill_payment", "unapplied")
            - journal.get("accounts_payable", zero)
        )
        for row in self._tx.rows("control_accounts", **self._connection):
            sums[f"account.{row['remote_id']}"] = Decimal(row["side"])
        return sums

    def last_tie_out(self) -> TieOut | None:
        """Return the newest tie-out if nothing was written or read since; None where a new one is due."""
        row = self._tx.row("last_valid_tie_out", **self._connection)
        if row is None:
            return None
        lines = tuple(
            TieOutLine(line["name"], Decimal(line["ours"]), Decimal(line["theirs"]), line["explanation"])
            for line in row["lines"]
        )
        return TieOut(lines, is_fresh=False)

    def save_tie_out(self, tie_out: TieOut) -> None:
        """Keep a tie-out as evidence."""
        lines = [
            {
                "name": line.name,
                "ours": f"{line.ours:f}",
                "theirs": f"{line.theirs:f}",
                "difference": f"{line.difference:f}",
                "explanation": line.explanation,
            }
            for line in tie_out.lines
        ]
        self._tx.run(
            "save_tie_out",
            **self._connection,
            sync_run_id=self._store.sync_run_id,
            is_tied=tie_out.is_tied,
            difference=tie_out.difference,
            lines=json_text(lines),
            now=self._now,
        )


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
        "changed_at": record.changed_at,
    }


def _by_entity(references: Iterable[Reference]) -> dict[Entity, list[str]]:
    grouped: dict[Entity, set[str]] = {}
    for entity, identifier in references:
        grouped.setdefault(entity, set()).add(identifier)
    return {entity: sorted(ids) for entity, ids in grouped.items()}

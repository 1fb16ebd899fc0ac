"""Writing the ledger's values into the platform's tables, set by set; the counterpart of `canonical`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resources.store.database import Transaction, json_text
from sync.records import Entity
from sync.stored import Apply


class PlatformWriter:
    """Writes canonical records of ours into the platform's tables in one transaction of one builder."""

    def __init__(self, tx: Transaction, *, builder_id: str, now: datetime) -> None:
        self._tx = tx
        self._builder_id = builder_id
        self._now = now

    def write(self, entity: Entity, rows: Sequence[Apply]) -> None:
        """Write records with their lines or applications, and refresh what was paid and deposited by them."""
        match entity:
            case Entity.ACCOUNT:
                self._headers("apply_accounts", rows)
            case Entity.CUSTOMER:
                self._headers("apply_customers", rows)
            case Entity.VENDOR:
                self._headers("apply_vendors", rows)
            case Entity.INVOICE:
                self._headers("apply_invoices", rows)
                self._lines("drop_invoice_lines", "apply_invoice_lines", rows, jobs_query=None)
                self._paid("invoice", rows)
            case Entity.BILL:
                self._headers("apply_bills", rows)
                self._lines("drop_bill_lines", "apply_bill_lines", rows, jobs_query="lines_jobs")
                self._paid("bill", rows)
            case Entity.JOURNAL_ENTRY:
                self._headers("apply_journal_entries", rows)
                self._lines(
                    "drop_journal_entry_lines",
                    "apply_journal_entry_lines",
                    rows,
                    jobs_query="journal_lines_jobs",
                )
            case Entity.PAYMENT:
                self._headers("apply_payments", rows)
                self._applications("payment", "invoice", rows)
            case Entity.BILL_PAYMENT:
                self._headers("apply_bill_payments", rows)
                self._applications("bill_payment", "bill", rows)
            case Entity.DEPOSIT:
                self._headers("apply_deposits", rows)
                self._deposit_lines(rows)

    def _headers(self, query: str, rows: Sequence[Apply]) -> None:
        flat = [{**row.canonical, "id": row.record_id, "state": row.state} for row in rows]
        self._run(query, flat, now=self._now)

    def _lines(self, drop: str, write: str, rows: Sequence[Apply], *, jobs_query: str | None) -> None:
        ids = [row.record_id for row in rows]
        jobs: dict[str, str] = {}
        if jobs_query is not None:
            found = self._tx.rows(jobs_query, builder_id=self._builder_id, record_ids=ids)
            jobs = {line["id"]: line["job_id"] for line in found}
        self._tx.run(drop, builder_id=self._builder_id, record_ids=ids)
        lines = [
            {**line, "record_id": row.record_id, "position": position, "job": jobs.get(line["key"])}
            for row in rows
            for position, line in enumerate(row.canonical["lines"], start=1)
        ]
        self._run(write, lines)

    def _paid(self, document: str, rows: Sequence[Apply]) -> None:
        """Another total is another answer to whether a document is paid."""
        ids = [row.record_id for row in rows]
        self._tx.run(f"refresh_{document}s_paid", builder_id=self._builder_id, document_ids=ids)

    def _applications(self, receipt: str, document: str, rows: Sequence[Apply]) -> None:
        ids = [row.record_id for row in rows]
        before = self._tx.rows(f"drop_{receipt}_applications", builder_id=self._builder_id, record_ids=ids)
        # A voided payment pays nothing any more, but stays as a row with its date and reference.
        items = [
            {"record_id": row.record_id, "document_id": item[document], "amount": item["amount"]}
            for row in rows
            if row.state == "active"
            for item in row.canonical.get("applications") or []
        ]
        self._run(f"apply_{receipt}_applications", items)
        touched = {line["document_id"] for line in before} | {item["document_id"] for item in items}
        self._tx.run(f"refresh_{document}s_paid", builder_id=self._builder_id, document_ids=sorted(touched))

    def _deposit_lines(self, rows: Sequence[Apply]) -> None:
        ids = [row.record_id for row in rows]
        before = self._tx.rows("drop_deposit_lines", builder_id=self._builder_id, record_ids=ids)
        lines = [
            {**line, "record_id": row.record_id, "position": position}
            for row in rows
            if row.state == "active"
            for position, line in enumerate(row.canonical.get("lines") or [], start=1)
        ]
        self._run("apply_deposit_lines", lines)
        touched = {line["document_id"] for line in before if line["document_id"]}
        touched |= {line["payment"] for line in lines if line.get("payment")}
        self._tx.run("refresh_payments_deposited", builder_id=self._builder_id, document_ids=sorted(touched))

    def _run(self, query: str, rows: Sequence[Mapping[str, Any]], **more: Any) -> None:
        if rows:
            self._tx.run(query, builder_id=self._builder_id, rows=json_text(list(rows)), **more)


# What a broken rule of the platform's tables means to the person who has to do something about it.
_CONSTRAINTS: Mapping[str, str] = {
    "v2_clients_builder_id_name_key": "another client already has this name; rename one of the two",
    "v2_vendors_builder_id_name_key": "another vendor already has this name; rename one of the two",
}


def constraint_sentence(error: sa.exc.DBAPIError) -> str:
    """Say in words which rule of the platform's tables a row breaks."""
    diagnosis = getattr(error.orig, "diag", None)
    name = str(getattr(diagnosis, "constraint_name", None) or "")
    if name in _CONSTRAINTS:
        return _CONSTRAINTS[name]
    return f"the rule {name or 'of its table'} does not allow it; correct the record in the ledger"

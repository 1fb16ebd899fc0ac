"""A checked stage into the platform's tables, chunk by chunk: each chunk is one transaction, there whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resources.imports.staging import Staged
from resources.imports.statements import STATEMENTS
from resources.imports.work import Progress, Work
from resources.store.audit import AuditEntry, write_audit
from resources.store.database import BuilderSession, Transaction
from resources.store.queries import named_query
from sync.clock import Clock
from sync.imports.formats import ImportEntity

# An import of more records than this goes out in the bulk lane; fewer are a person's work of the day.
BULK_DOCUMENTS = 50


@dataclass(slots=True)
class Written:
    """What went into the tables."""

    documents: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """One transaction's share: what begins in (after, until] of the file."""

    number: int
    after: int
    until: int
    # Whether the import is a large one: what it brings is sent behind everything else.
    is_bulk: bool = False


def chunks_of(staged: Staged, *, written_before: int, chunk_rows: int, shares: int) -> list[Chunk]:
    """Cut what is to be written into chunks, one for each share of the file; numbers go on where an earlier try stopped."""
    if not staged.documents:
        return []
    span = chunk_rows * shares
    starts = range(staged.first_place - 1, staged.last_place, span)
    return [
        Chunk(number, after, after + span, is_bulk=staged.documents > BULK_DOCUMENTS)
        for number, after in enumerate(
            (start for start in starts for _ in range(shares)), start=written_before + 1
        )
    ]


def write_staged(
    sessions: Sequence[BuilderSession], work: Work, staged: Staged, *, progress: Progress, clock: Clock
) -> Written:
    """Write a stage; raises ImportCancelled between two chunks, never inside one.

    Each session writes its own share of the file, all at a time: the work is the database's, and one session keeps
    only one of its processors busy. Changes of what is here are written one after the other, because two of them may
    mean the same record.
    """
    with sessions[0].transaction() as transaction:
        before = transaction.value("import_chunk_last", builder_id=work.builder_id, import_id=work.import_id)
    chunks = chunks_of(
        staged, written_before=before, chunk_rows=progress.pace.chunk_rows, shares=len(sessions)
    )
    written = Written()
    has_updates = bool(staged.updated)

    def write(session: BuilderSession, chunk: Chunk) -> tuple[int, int]:
        with session.transaction() as transaction:
            transaction.run("import_session_writes")
            return write_chunk(transaction, work, chunk, has_updates=has_updates, now=clock.now())

    with ThreadPoolExecutor(max_workers=1 if has_updates else len(sessions)) as writers:
        for first in range(0, len(chunks), len(sessions)):
            progress.look("writing", written.rows, staged.rows_to_write)
            pairs = zip(sessions, chunks[first : first + len(sessions)], strict=True)
            for one in [writers.submit(write, session, chunk) for session, chunk in pairs]:
                documents, rows = one.result()
                written.documents += documents
                written.rows += rows
    return written


def write_chunk(
    transaction: Transaction, work: Work, chunk: Chunk, *, has_updates: bool, now: datetime
) -> tuple[int, int]:
    """Write one chunk in the transaction at hand; return how many documents and rows it was."""
    table = STATEMENTS[work.format.entity].table
    given: dict[str, Any] = {
        "builder_id": work.builder_id,
        "import_id": work.import_id,
        "after": chunk.after,
        "until": chunk.until,
        "now": now,
        "stated": _stated(work),
    }
    documents = 0
    if chunk.is_bulk:
        transaction.run("import_in_bulk")
    if has_updates:
        _run(transaction, f"import_before_{table}", given)
        documents += _run(transaction, f"import_update_{table}", given)
        if work.format.has_lines:
            _run(transaction, f"import_drop_{table}_lines", given)
        _audit_changes(transaction, work, now=now)
    documents += _run(transaction, f"import_insert_{table}", given)
    rows = documents
    if work.format.has_lines:
        rows = _run(transaction, f"import_insert_{table}_lines", given)
    if work.format.entity is ImportEntity.PAYMENTS:
        rows = documents
        _refresh_paid(transaction, given)
    if documents:
        transaction.run(
            "import_chunk_add" if work.format.has_lines else "import_chunk_add_names",
            builder_id=work.builder_id,
            import_id=work.import_id,
            number=chunk.number,
            documents=documents,
            rows_written=rows,
            after=chunk.after,
            until=chunk.until,
            now=now,
        )
    return documents, rows


def finish(transaction: Transaction, work: Work, written: Written) -> None:
    """Say in the audit log who imported what, and tell the database's planner of many new names."""
    if written.documents > BULK_DOCUMENTS and STATEMENTS[work.format.entity].own_register is not None:
        transaction.value("import_refresh_statistics")
    write_audit(
        transaction,
        AuditEntry(
            actor=work.imported_by,
            action="import.written",
            reason=f"{work.source.name} ({work.import_id})",
            entity=work.format.entity.value,
            after={"import_id": work.import_id, "documents": written.documents, "rows": written.rows},
        ),
    )


def _audit_changes(transaction: Transaction, work: Work, *, now: datetime) -> None:
    transaction.run(
        "import_audit_changes",
        builder_id=work.builder_id,
        import_id=work.import_id,
        actor=work.imported_by,
        reason=f"{work.source.name} ({work.import_id})",
        entity=STATEMENTS[work.format.entity].synced_as or work.format.entity.value,
        now=now,
    )


def _refresh_paid(transaction: Transaction, given: dict[str, Any]) -> None:
    """Payments change what is open on their invoices."""
    paid = transaction.rows("import_payments_invoices", after=given["after"], until=given["until"])
    if paid:
        _run(
            transaction,
            "refresh_invoices_paid",
            {**given, "document_ids": [row["invoice_id"] for row in paid]},
        )


def _stated(work: Work) -> list[str]:
    names = {"client": "client_id"} if not work.format.has_lines else {}
    return [
        names.get(each.name, each.name)
        for each in work.format.fields
        if each.name in work.survey.columns or each.name in work.survey.fixed
    ]


def _run(transaction: Transaction, statement: str, given: dict[str, Any]) -> int:
    wanted = named_query(statement).parameters
    return transaction.run(statement, **{name: value for name, value in given.items() if name in wanted})

"""A checked stage into the platform's tables, chunk by chunk: each chunk is one transaction, there whole or not at all."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
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


def chunks_of(staged: Staged, *, written_before: int, chunk_rows: int) -> list[Chunk]:
    """Cut what is to be written into chunks; their numbers go on where an earlier try stopped."""
    if not staged.documents:
        return []
    starts = range(staged.first_place - 1, staged.last_place, chunk_rows)
    return [
        Chunk(number, after, after + chunk_rows, is_bulk=staged.documents > BULK_DOCUMENTS)
        for number, after in enumerate(starts, start=written_before + 1)
    ]


def write_staged(
    session: BuilderSession, work: Work, staged: Staged, *, progress: Progress, clock: Clock
) -> Written:
    """Write a stage; raises ImportCancelled between two chunks, never inside one.

    Two chunks are written at a time: the work is the database's, and one session keeps only one of its processors busy.
    """
    with session.transaction() as transaction:
        before = transaction.value("import_chunk_last", builder_id=work.builder_id, import_id=work.import_id)
        transaction.run("import_stage_lent")
    chunks = chunks_of(staged, written_before=before, chunk_rows=progress.pace.chunk_rows)
    written = Written()
    has_updates = bool(staged.updated)
    # Two payments on one invoice must see each other, and so must two changes; names are too few to be worth it.
    may_lend = work.format.has_lines and not has_updates and work.format.entity is not ImportEntity.PAYMENTS
    with ThreadPoolExecutor(max_workers=1) as beside:
        while chunks:
            progress.look("writing", written.rows, staged.rows_to_write)
            own, *chunks = chunks
            lent = None
            if chunks and may_lend:
                lent = _lend(session, work, chunks.pop(0), progress=progress, clock=clock, beside=beside)
            with session.transaction() as transaction:
                done = write_chunk(transaction, work, own, has_updates=has_updates, now=clock.now())
            for documents, rows in (done, *((lent.result(),) if lent else ())):
                written.documents += documents
                written.rows += rows
    return written


def _lend(
    session: BuilderSession,
    work: Work,
    chunk: Chunk,
    *,
    progress: Progress,
    clock: Clock,
    beside: ThreadPoolExecutor,
) -> Future[tuple[int, int]]:
    """Hand a chunk to a session of its own, which writes it while this one goes on."""
    with session.transaction() as transaction:
        transaction.run("import_lend", after=chunk.after, until=chunk.until)
        documents = _copied(transaction, "import_lent_documents_out")
        rows = _copied(transaction, "import_lent_rows_out")
        transaction.run("import_lend_nothing")

    def write() -> tuple[int, int]:
        statements = STATEMENTS[work.format.entity]
        assert statements.gather is not None, "documents are gathered"
        with (
            progress.database.builder_session(work.builder_id) as other,
            other.transaction() as transaction,
        ):
            transaction.run(statements.stage)
            # Over no rows it makes the empty table.
            transaction.run(statements.gather)
            _filled(transaction, "import_lent_documents_in", documents)
            _filled(transaction, "import_lent_rows_in", rows)
            transaction.run("import_index_rows")
            transaction.run("import_measure_rows")
            transaction.run("import_measure_documents")
            return write_chunk(transaction, work, chunk, has_updates=False, now=clock.now())

    return beside.submit(write)


def _copied(transaction: Transaction, statement: str) -> list[bytes]:
    with transaction.cursor() as cursor, cursor.copy(named_query(statement).text) as copy:
        return [bytes(piece) for piece in copy]


def _filled(transaction: Transaction, statement: str, pieces: list[bytes]) -> None:
    with transaction.cursor() as cursor, cursor.copy(named_query(statement).text) as copy:
        for piece in pieces:
            copy.write(piece)


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


def audit_import(transaction: Transaction, work: Work, written: Written) -> None:
    """Say in the audit log who imported what."""
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

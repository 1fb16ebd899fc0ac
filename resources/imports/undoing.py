"""An import taken back: what it added goes, what it changed is as it was; all of it, or a sentence about what stands in the way.

Nothing is taken back of which an accounting system may have a copy: that would leave the two sides with different
books. While it happens, no connection of the builder can sync.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from uuid import UUID

from resources.imports import ledger
from resources.imports.statements import STATEMENTS, Statements
from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Database, Transaction
from resources.store.queries import named_query
from sync.counting import counted
from sync.errors import SyncBusy
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.refusals import ImportBusy, ImportMovedOn, ImportNotUndoable

UNDOABLE = frozenset({"done", "cancelled", "failed"})
NAMED_MAX = 10
_INSTEAD = "Correct or void the records one by one instead."


def undo_import(
    database: Database, builder_id: UUID, import_id: str, *, actor: str, now: datetime
) -> tuple[int, int]:
    """Take an import back; return how many records went and how many are as they were.

    Raises ImportMovedOn where there is nothing to take back, ImportNotUndoable with the records that stand in the way,
    SyncBusy while a sync is under way, ImportBusy while another import of the builder is.
    """
    row = ledger.get(database, builder_id, import_id)
    _require_undoable(row, row["status"])
    with ExitStack() as held:
        if not held.enter_context(
            database.session_lock("import_try_lock", "import_unlock", builder_id=builder_id)
        ):
            raise ImportBusy
        with database.builder_tx(builder_id) as transaction:
            connections = [
                each["id"] for each in transaction.rows("import_undo_connections", builder_id=builder_id)
            ]
        for connection_id in connections:
            if not held.enter_context(
                database.session_lock("lock_connection", "unlock_connection", connection_id=connection_id)
            ):
                raise SyncBusy(company="this builder")
        with (
            database.builder_session(builder_id) as session,
            session.transaction() as transaction,
        ):
            # From here on nobody resumes it: whoever wants to waits, and then sees that it is undone.
            _require_undoable(
                row, transaction.value("import_file_hold", builder_id=builder_id, import_id=row["id"])
            )
            return _undo(transaction, builder_id, row, actor=actor, now=now)


def _require_undoable(row: ledger.Row, status: str) -> None:
    if status not in UNDOABLE or row["repeats"]:
        raise ImportMovedOn(file=row["file_name"], done="undone", status=status)


def _undo(
    transaction: Transaction, builder_id: UUID, row: ledger.Row, *, actor: str, now: datetime
) -> tuple[int, int]:
    statements = STATEMENTS[ImportEntity(row["entity"])]
    transaction.run("import_stage_undone")
    transaction.run("import_fill_undone", builder_id=builder_id, import_id=row["id"])
    transaction.run("import_measure_undone")
    _check(transaction, builder_id, row, statements)
    table = statements.table
    given = {"builder_id": builder_id, "now": now}
    paid = []
    if table == "payments":
        paid = [
            each["invoice_id"]
            for each in transaction.rows("import_undo_invoices_paid", builder_id=builder_id)
        ]
    if FORMATS[ImportEntity(row["entity"])].has_lines:
        _run(transaction, f"import_undo_drop_{table}_lines", given)
    removed = _run(transaction, f"import_undo_added_{table}", given)
    restored = _run(transaction, f"import_undo_updated_{table}", given)
    if FORMATS[ImportEntity(row["entity"])].has_lines:
        _run(transaction, f"import_undo_{table}_lines", given)
    if paid:
        _run(transaction, "refresh_invoices_paid", {**given, "document_ids": paid})
    transaction.run(
        "import_file_end", builder_id=builder_id, import_id=row["id"], status="undone", error=None, now=now
    )
    entry = AuditEntry(
        actor=actor,
        action="import.undone",
        reason=f"{row['file_name']} ({row['id']})",
        entity=row["entity"],
        after={"import_id": row["id"], "removed": removed, "restored": restored},
    )
    write_audit(transaction, entry)
    return removed, restored


def _check(transaction: Transaction, builder_id: UUID, row: ledger.Row, statements: Statements) -> None:
    """Raise ImportNotUndoable if anything of the import went on since."""
    table = statements.table
    if statements.synced_as is not None:
        pushed = [
            each["record_id"]
            for each in transaction.rows(
                "import_undo_pushed", builder_id=builder_id, entity=statements.synced_as
            )
        ]
        if pushed:
            labels = [
                each["label"]
                for each in transaction.rows(
                    f"import_undo_labels_{table}", builder_id=builder_id, record_ids=pushed
                )
            ]
            _refuse(row, labels, "an accounting system has, or may have,", remedy=_INSTEAD)
    needed = [
        each["label"] for each in transaction.rows(f"import_undo_blocked_{table}", builder_id=builder_id)
    ]
    if needed:
        remedy = "Undo the imports that came after it first, the newest first, or remove what refers to them."
        _refuse(row, needed, "other records refer to", remedy=remedy)
    changed = [
        each["label"] for each in transaction.rows(f"import_undo_changed_{table}", builder_id=builder_id)
    ]
    if changed:
        _refuse(row, changed, "somebody has changed since", remedy=_INSTEAD)


def _refuse(row: ledger.Row, labels: list[str | None], why: str, *, remedy: str) -> None:
    names = [label or "one without a number" for label in labels]
    listed = ", ".join(sorted(names)[:NAMED_MAX])
    more = f" and {len(names) - NAMED_MAX:,} more" if len(names) > NAMED_MAX else ""
    reason = f"{why} {counted(len(names), 'record')} of it: {listed}{more}"
    raise ImportNotUndoable(file=row["file_name"], reason=reason, remedy=remedy, records=sorted(names))


def _run(transaction: Transaction, statement: str, given: dict[str, object]) -> int:
    wanted = named_query(statement).parameters
    return transaction.run(statement, **{name: value for name, value in given.items() if name in wanted})

"""What a person may do with an import between its steps: put columns right, confirm, cancel, resume; and saved columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.imports import ledger
from resources.imports.work import SILENCE
from resources.store.database import Database, json_text
from resources.store.views import After
from sync.errors import NotFound
from sync.imports.formats import ImportEntity
from sync.imports.options import ImportOptions
from sync.imports.problems import ImportProblem, rejection
from sync.imports.refusals import ImportMovedOn

WORKING = frozenset({"received", "checking", "writing"})


@dataclass(frozen=True, slots=True)
class Saved:
    """Columns that a builder keeps under a name."""

    entity: ImportEntity
    name: str
    columns: Mapping[str, str | None]
    fixed: Mapping[str, str]


def choose(
    database: Database, builder_id: UUID, import_id: str, *, options: ImportOptions, now: datetime
) -> None:
    """Take other columns or another policy for an import that is not written yet; it has to be checked again.

    Raises InvalidInput for a field or template that does not exist, ImportMovedOn once it is written.
    """
    row = ledger.get(database, builder_id, import_id)
    incoming = ledger.Incoming(
        builder_id, ImportEntity(row["entity"]), row["file_name"], row["sha256"], row["size_bytes"], options, ""
    )  # fmt: skip
    ledger.column_choices(database, builder_id, incoming)
    with database.builder_tx(builder_id) as transaction:
        chosen = transaction.run(
            "import_file_choose",
            builder_id=builder_id,
            import_id=import_id,
            options=json_text(options.as_json()),
            now=now,
        )
    if not chosen:
        raise ImportMovedOn(file=row["file_name"], done="read in another way", status=row["status"])


def confirm(database: Database, builder_id: UUID, import_id: str, *, is_partial: bool, now: datetime) -> None:
    """Say yes to what was shown; raises ImportRejected where there are problems and a part was not asked for."""
    row = ledger.get(database, builder_id, import_id)
    options = replace(ImportOptions.from_json(row["options"]), is_partial=is_partial)
    if row["status"] == "ready" and row["problem_count"] and not is_partial:
        problems = [ImportProblem(**problem) for problem in row["problems"]]
        raise rejection(row["file_name"], problems, count=row["problem_count"])
    with database.builder_tx(builder_id) as transaction:
        is_confirmed = transaction.run(
            "import_file_confirm",
            builder_id=builder_id,
            import_id=import_id,
            options=json_text(options.as_json()),
            now=now,
        )
    if not is_confirmed:
        raise ImportMovedOn(file=row["file_name"], done="confirmed", status=row["status"])


def cancel(database: Database, builder_id: UUID, import_id: str, *, now: datetime) -> None:
    """Stop an import: at once where nobody is at work on it, else before its next chunk."""
    row = ledger.get(database, builder_id, import_id)
    with database.builder_tx(builder_id) as transaction:
        is_cancelled = transaction.run(
            "import_file_cancel", builder_id=builder_id, import_id=import_id, now=now
        )
    if not is_cancelled:
        raise ImportMovedOn(file=row["file_name"], done="cancelled", status=row["status"])


def resume(database: Database, builder_id: UUID, import_id: str, *, now: datetime) -> None:
    """Let an import go on that broke off, was cancelled while it was written, or whose process is gone."""
    row = ledger.get(database, builder_id, import_id)
    with database.builder_tx(builder_id) as transaction:
        is_resumed = transaction.run(
            "import_file_resume",
            builder_id=builder_id,
            import_id=import_id,
            silent_since=now - SILENCE,
            now=now,
        )
    if not is_resumed:
        raise ImportMovedOn(file=row["file_name"], done="resumed", status=row["status"])


def still_waits(database: Database, builder_id: UUID, import_id: str, *, now: datetime) -> None:
    """Say of an import that waits for its turn that it is not forgotten."""
    with database.builder_tx(builder_id) as transaction:
        transaction.run("import_file_waits", builder_id=builder_id, import_id=import_id, now=now)


def is_waiting(row: Mapping[str, Any]) -> bool:
    """Say whether an import waits for a process to begin with it."""
    return bool(row["status"] == "received" or (row["status"] == "ready" and row["is_confirmed"]))


def is_silent(row: Mapping[str, Any], *, now: datetime) -> bool:
    """Say whether the process that worked on an import seems to be gone."""
    return bool(row["status"] in WORKING and row["worked_at"] and row["worked_at"] < now - SILENCE)


def newest(
    database: Database,
    builder_id: UUID,
    *,
    entity: str | None,
    status: str | None,
    after: After | None,
    rows_max: int,
) -> Sequence[ledger.Row]:
    """Return a page of imports, newest first."""
    with database.builder_tx(builder_id) as transaction:
        return transaction.rows(
            "import_files_newest",
            builder_id=builder_id,
            entity=entity,
            status=status,
            after_at=None if after is None else after.at,
            after_id=None if after is None else after.id,
            rows_max=rows_max,
        )


def save_template(database: Database, builder_id: UUID, saved: Saved, *, actor: str, now: datetime) -> str:
    """Keep columns under a name for the next file with the same headings; return their id."""
    with database.builder_tx(builder_id) as transaction:
        return str(
            transaction.value(
                "import_template_save",
                builder_id=builder_id,
                entity=saved.entity,
                name=saved.name,
                columns=json_text(dict(saved.columns)),
                fixed=json_text(dict(saved.fixed)),
                created_by=actor,
                now=now,
            )
        )


def templates(database: Database, builder_id: UUID, *, entity: str | None = None) -> Sequence[ledger.Row]:
    """Return a builder's saved columns."""
    with database.builder_tx(builder_id) as transaction:
        return transaction.rows("import_templates", builder_id=builder_id, entity=entity)


def delete_template(database: Database, builder_id: UUID, template_id: str) -> None:
    """Forget saved columns; raises NotFound."""
    with database.builder_tx(builder_id) as transaction:
        if not transaction.run("import_template_delete", builder_id=builder_id, template_id=template_id):
            raise NotFound(what="template", id=template_id)

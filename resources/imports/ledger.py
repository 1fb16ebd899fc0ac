"""The rows that say how imports stand: received, checking, ready, writing, done; and what may be done with each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from resources.imports.staging import Staged
from resources.imports.work import SILENCE, Work
from resources.store.database import Database, json_text
from sync.errors import ImportRejected, InvalidInput, NotFound
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.layouts import PROVIDER_LAYOUTS, ColumnChoices, Layout
from sync.imports.options import ImportOptions
from sync.imports.problems import ImportReport
from sync.imports.refusals import ImportMovedOn

Row = sa.RowMapping


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that came in, and what was said about it."""

    builder_id: UUID
    entity: ImportEntity
    file_name: str
    sha256: str
    size_bytes: int
    options: ImportOptions
    imported_by: str


@dataclass(frozen=True, slots=True)
class End:
    """How an import ended, for good or for now."""

    status: str
    error: str | None = None
    problems: ImportRejected | None = None


def add(
    database: Database, incoming: Incoming, *, import_id: str, now: datetime, status: str = "received"
) -> None:
    """Make the row of a new import; raises NotFound for a builder that does not exist."""
    with database.builder_tx(incoming.builder_id) as transaction:
        if transaction.value("import_builder", builder_id=incoming.builder_id) is None:
            raise NotFound(what="builder", id=incoming.builder_id)
        transaction.run(
            "import_file_add",
            builder_id=incoming.builder_id,
            import_id=import_id,
            entity=incoming.entity,
            file_name=incoming.file_name,
            sha256=incoming.sha256,
            size_bytes=incoming.size_bytes,
            status=status,
            options=json_text(incoming.options.as_json()),
            imported_by=incoming.imported_by,
            now=now,
        )


def take_up(database: Database, incoming: Incoming, *, now: datetime) -> str:
    """Return the import of this very file that broke off, or the id of a new one; it is at work now."""
    with database.builder_tx(incoming.builder_id) as transaction:
        broken = transaction.value(
            "import_broken_off",
            builder_id=incoming.builder_id,
            entity=incoming.entity,
            sha256=incoming.sha256,
            silent_since=now - SILENCE,
        )
        if broken is not None:
            transaction.run(
                "import_file_resume", builder_id=incoming.builder_id, import_id=broken,
                silent_since=now - SILENCE, now=now,
            )  # fmt: skip
    import_id = broken or str(uuid7())
    if broken is None:
        add(database, incoming, import_id=import_id, now=now)
    begin(database, incoming.builder_id, get(database, incoming.builder_id, import_id), now=now)
    with database.builder_tx(incoming.builder_id) as transaction:
        transaction.run("import_file_said_yes", builder_id=incoming.builder_id, import_id=import_id)
    return str(import_id)


def get(database: Database, builder_id: UUID, import_id: str) -> Row:
    """Return an import as it stands; raises NotFound."""
    with database.builder_tx(builder_id) as transaction:
        row = transaction.row("import_file", builder_id=builder_id, import_id=import_id)
    if row is None:
        raise NotFound(what="import", id=import_id)
    return row


def begin(database: Database, builder_id: UUID, row: Row, *, now: datetime) -> None:
    """Note that somebody works on an import; raises ImportMovedOn where there is nothing to do."""
    with database.builder_tx(builder_id) as transaction:
        begun = transaction.run(
            "import_file_begin",
            builder_id=builder_id,
            import_id=row["id"],
            status="checking",
            from_statuses=["received", "ready"] if row["is_confirmed"] else ["received"],
            now=now,
        )
    if not begun:
        raise ImportMovedOn(file=row["file_name"], done="worked on", status=row["status"])


def known(database: Database, work: Work) -> Row | None:
    """Return the finished import of the same file read in the same way, if there is one."""
    with database.builder_tx(work.builder_id) as transaction:
        return transaction.row(
            "import_file_known",
            builder_id=work.builder_id,
            import_id=work.import_id,
            entity=work.format.entity,
            sha256=work.source.sha256,
            mapping_key=mapping_key(work),
        )


def mapping_key(work: Work) -> str:
    """Return what tells two ways of reading one file apart."""
    text = json_text(
        {
            "columns": sorted(work.survey.columns.items()),
            "fixed": sorted(work.survey.fixed.items()),
            "duplicates": work.options.duplicates.value,
            "match": work.options.match.value,
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


def note_checked(
    database: Database, work: Work, staged: Staged, *, status: str, columns: Mapping[str, str], now: datetime
) -> None:
    """Keep what the checks found, for whoever looks."""
    with database.builder_tx(work.builder_id) as transaction:
        transaction.run(
            "import_file_checked",
            builder_id=work.builder_id,
            import_id=work.import_id,
            status=status,
            mapping_key=mapping_key(work),
            rows_read=staged.rows_read,
            rows_to_write=staged.rows_to_write,
            skipped=staged.skipped,
            problem_count=staged.problems.count,
            problems=json_text([problem.as_json() for problem in staged.problems.in_order()]),
            columns=json_text(dict(columns)),
            headings=json_text([heading for heading in work.survey.headings if heading]),
            layout=work.survey.layout,
            notes=json_text(staged.notes),
            preview=json_text(staged.preview),
            repeats=None,
            now=now,
        )


def note_repeated(
    database: Database, work: Work, *, earlier_id: str, report: ImportReport, now: datetime
) -> None:
    """Say that this file was imported before and nothing was done."""
    with database.builder_tx(work.builder_id) as transaction:
        transaction.run(
            "import_file_checked",
            builder_id=work.builder_id,
            import_id=work.import_id,
            status="done",
            mapping_key=mapping_key(work),
            rows_read=report.rows_read,
            rows_to_write=0,
            skipped=report.skipped,
            problem_count=0,
            problems="[]",
            columns=json_text(dict(report.columns)),
            headings=json_text([heading for heading in work.survey.headings if heading]),
            layout=work.survey.layout,
            notes=json_text([report.sentence]),
            preview="[]",
            repeats=earlier_id,
            now=now,
        )
    end(database, work.builder_id, work.import_id, End("done"), now=now)


def end(database: Database, builder_id: UUID, import_id: str, how: End, *, now: datetime) -> None:
    """Note how an import ended."""
    with database.builder_tx(builder_id) as transaction:
        transaction.run(
            "import_file_end",
            builder_id=builder_id,
            import_id=import_id,
            status=how.status,
            error=how.error,
            now=now,
        )
        if how.problems is not None:
            transaction.run(
                "import_file_refuse",
                builder_id=builder_id,
                import_id=import_id,
                problems=json_text(how.problems.details["problems"]),
                problem_count=how.problems.details["count"],
            )


def column_choices(database: Database, builder_id: UUID, incoming: Incoming) -> ColumnChoices:
    """Return what is known about the columns: what was said, the builder's saved layouts, the providers' own.

    Raises InvalidInput for a field or a template that does not exist.
    """
    options = incoming.options
    names = {each.name for each in FORMATS[incoming.entity].fields}
    unknown = sorted((options.columns.keys() | options.fixed.keys()) - names)
    if unknown:
        raise InvalidInput(
            f"There is no field {', '.join(unknown)} of {incoming.entity.value}. Choose from {', '.join(sorted(names))}."
        )
    with database.builder_tx(builder_id) as transaction:
        saved = transaction.rows("import_templates", builder_id=builder_id, entity=incoming.entity)
    named = next((row for row in saved if row["name"] == options.template), None)
    if options.template is not None and named is None:
        there = ", ".join(row["name"] for row in saved) or "none"
        raise InvalidInput(
            f"There is no template {options.template} for {incoming.entity.value}; there is: {there}."
        )
    layouts = tuple(Layout(row["name"], incoming.entity, row["columns"], fixed=row["fixed"]) for row in saved)
    return ColumnChoices(
        chosen={**(named["columns"] if named else {}), **options.columns},
        fixed={**(named["fixed"] if named else {}), **options.fixed},
        layouts=(*layouts, *PROVIDER_LAYOUTS),
    )

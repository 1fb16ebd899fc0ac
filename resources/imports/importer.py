"""One file into the platform's tables: everything or nothing, in one transaction.

A file is known again by its fingerprint, so that importing it twice changes nothing; a file that had problems may be
brought again once their causes are gone, and then only adds what is still missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from resources.imports.checks import StageChecks, run_checks
from resources.imports.sources import Source, open_source
from resources.imports.statements import REGISTERS, STATEMENTS
from resources.store.database import Database, Transaction, json_text
from resources.store.queries import named_query
from sync.clock import Clock
from sync.errors import InvalidInput, NotFound
from sync.imports.formats import FORMATS, Format, ImportEntity
from sync.imports.problems import ImportReport, ProblemList, rejection
from sync.imports.references import References
from sync.imports.rows import Reading, RowReader, StagedRow
from sync.imports.survey import Survey, survey


@dataclass(frozen=True, slots=True)
class _File:
    """One file on its way in."""

    builder_id: UUID
    format: Format
    source: Source
    survey: Survey
    imported_by: str
    allow_partial: bool


class Imports:
    """The product's way in for files."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def import_file(
        self,
        builder_id: UUID,
        entity: ImportEntity | str,
        content: Path | bytes,
        *,
        name: str | None = None,
        imported_by: str,
        allow_partial: bool = False,
    ) -> ImportReport:
        """Import one file and report; raises ImportRejected, with every problem found, when nothing was imported.

        With `allow_partial`, documents without a problem are imported and the others reported.
        """
        format_ = FORMATS[import_entity(entity)]
        file_name = name or (content.name if isinstance(content, Path) else format_.entity.value)
        source = open_source(content, name=file_name, format_=format_)
        looked_at = survey(source.rows(), format_, file_name=file_name)
        file = _File(builder_id, format_, source, looked_at, imported_by, allow_partial)
        with self._database.builder_tx(builder_id) as transaction:
            transaction.value("import_lock", builder_id=builder_id)
            return self._import(transaction, file)

    def _import(self, transaction: Transaction, file: _File) -> ImportReport:
        entity = file.format.entity
        known = transaction.row(
            "import_file_known", builder_id=file.builder_id, entity=entity, sha256=file.source.sha256
        )
        if known is not None and not known["problems"]:
            return ImportReport(
                entity, file.source.name, known["rows_read"], 0, 0, known["rows_read"],
                columns=_columns(file), is_repeated=True,
            )  # fmt: skip
        problems = ProblemList()
        references = _references(transaction, file)
        reading = Reading(file.format, file.survey, references, _currency(transaction, file.builder_id))
        reader = RowReader(reading, problems=problems)
        _stage(transaction, file, reader, references=references)
        checks = StageChecks(
            transaction, str(file.builder_id), file.format, file.survey, problems,
            faulty_before=None if known is None else {problem["line"] for problem in known["problems"]},
        )  # fmt: skip
        run_checks(checks)
        if problems.count and not file.allow_partial:
            raise rejection(file.source.name, problems.in_order(), count=problems.count)
        documents, rows = _write(transaction, file)
        report = ImportReport(
            entity=entity,
            file_name=file.source.name,
            rows_read=reader.rows_read,
            rows_written=rows,
            documents_written=documents,
            skipped=checks.skipped,
            problems=problems.in_order(),
            problem_count=problems.count,
            notes=[*file.source.notes, *reader.notes],
            columns=_columns(file),
            is_repeated=known is not None and rows == 0,
        )
        self._remember(transaction, file, report)
        return report

    def _remember(self, transaction: Transaction, file: _File, report: ImportReport) -> None:
        transaction.run(
            "import_file_add",
            builder_id=file.builder_id,
            entity=report.entity,
            file_name=report.file_name,
            sha256=file.source.sha256,
            rows_read=report.rows_read,
            rows_written=report.rows_written,
            problems=json_text([problem.as_json() for problem in report.problems]),
            imported_by=file.imported_by,
            now=self._clock.now(),
        )


def import_entity(name: str) -> ImportEntity:
    """Return the entity a name means; raises InvalidInput with the names there are."""
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    for entity in ImportEntity:
        if wanted in (entity.value, FORMATS[entity].noun.replace(" ", "_")):
            return entity
    names = ", ".join(entity.value for entity in ImportEntity)
    raise InvalidInput(f"There is no import of {name}. Choose one of {names}.")


def _columns(file: _File) -> dict[str, str]:
    return {name: file.survey.headings[position] for name, position in file.survey.columns.items()}


def _currency(transaction: Transaction, builder_id: UUID) -> str:
    currency = transaction.value("import_builder", builder_id=builder_id)
    if currency is None:
        raise NotFound(what="builder", id=builder_id)
    return str(currency)


def _references(transaction: Transaction, file: _File) -> References:
    """Load the registers that this format's fields refer to, and its own for names."""
    references = References()
    own = STATEMENTS[file.format.entity].own_register
    kinds = {field.reference for field in file.format.fields if field.reference} | ({own} if own else set())
    for kind in kinds:
        register = references.of(kind)
        for row in transaction.rows(REGISTERS[kind], builder_id=file.builder_id):
            register.add(row["id"], names=row["names"])
    return references


def _stage(transaction: Transaction, file: _File, reader: RowReader, *, references: References) -> None:
    """Copy the file's rows into their stage, leave out what could not be read, and gather documents."""
    statements = STATEMENTS[file.format.entity]
    transaction.run(statements.stage)
    transaction.run("import_stage_rejected")
    rows: Iterable[StagedRow] = reader.read(file.source.rows())
    if statements.own_register is not None:
        rows = _with_existing(rows, file.format, references.of(statements.own_register).first)
    _copy(transaction, statements.copy, rows)
    _copy(transaction, "import_copy_rejected", ((document,) for document in reader.problems.rejected))
    transaction.run("import_rows_drop_rejected")
    transaction.run("import_index_rows")
    transaction.run("import_measure_rows")
    if statements.gather is not None:
        transaction.run(statements.gather)


def _with_existing(
    rows: Iterable[StagedRow], format_: Format, existing: dict[str, str]
) -> Iterable[StagedRow]:
    """Add to each name's row the id of the record that is here already; a row's document is its name's key."""
    assert len(format_.key) == 1, f"{format_.noun} is known by one name"
    for row in rows:
        yield (*row, existing.get(row[2]))


def _copy(transaction: Transaction, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    with transaction.cursor() as cursor, cursor.copy(named_query(statement).text) as copy:
        for row in rows:
            copy.write_row(row)


def _write(transaction: Transaction, file: _File) -> tuple[int, int]:
    """Insert what is left in the stage; return how many documents and how many rows."""
    statements = STATEMENTS[file.format.entity]
    documents = transaction.run(statements.insert, builder_id=file.builder_id)
    if statements.insert_lines is None:
        return documents, documents
    return documents, transaction.run(statements.insert_lines, builder_id=file.builder_id)

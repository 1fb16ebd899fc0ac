"""A file into its stage: the builder's registers, every row read and copied, what could not be read left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from resources.imports.checks import StageChecks, run_checks
from resources.imports.statements import REGISTERS, STATEMENTS
from resources.imports.work import Progress, Work
from resources.store.database import Transaction
from resources.store.queries import named_query
from sync.errors import NotFound
from sync.imports.cells import Reading
from sync.imports.formats import Format
from sync.imports.options import Match
from sync.imports.problems import ImportProblem, ProblemList
from sync.imports.references import References
from sync.imports.rows import RowReader, StagedRow
from sync.imports.survey import SourceRow
from sync.imports.texts import Cell

PREVIEW_ROWS_MAX = 200


@dataclass(slots=True)
class Staged:
    """What reading and checking a file gave; the rows themselves are in the session's stage."""

    rows_read: int
    problems: ProblemList
    skipped: int
    left_alone: int
    updated: int
    documents: int
    rows_to_write: int
    first_place: int
    last_place: int
    notes: list[str]
    faulty_lines: set[int]
    preview: list[dict[str, Any]] = field(default_factory=list)


def stage(transaction: Transaction, work: Work, progress: Progress) -> Staged:
    """Read a file into the session's stage and check it there; raises ImportCancelled."""
    problems = ProblemList()
    references = _references(transaction, work)
    reading = Reading(work.format, work.survey, references, _currency(transaction, work))
    reader = RowReader(reading, problems=problems)
    preview = _Preview(work.format, reader)
    _fill(transaction, work, preview.tapped(progress.reading(work.source.rows())), preview, references)
    progress.rows_read = reader.rows_read
    progress.tell("checking", reader.rows_read, reader.rows_read)
    checks = StageChecks(transaction, str(work.builder_id), work.format, work.survey, problems, work.options)
    _leave_out_unread(transaction, checks)
    gather = STATEMENTS[work.format.entity].gather
    if work.format.entity.value == "payments":
        transaction.run("import_payments_apply_whole")
    if gather is not None:
        transaction.run(gather)
    run_checks(checks)
    _mark_updates(transaction, work, checks)
    span = transaction.row("import_span_of_documents" if gather else "import_span_of_names")
    assert span is not None, "an aggregate has one row"
    if gather is not None:
        transaction.run("import_index_documents")
        transaction.run("import_measure_documents")
    notes = [*work.source.notes, *reader.notes]
    if checks.left_alone:
        notes.append(f"Here already with other values and left as they are: {checks.left_alone:,}.")
    return Staged(
        rows_read=reader.rows_read,
        problems=problems,
        skipped=checks.skipped,
        left_alone=checks.left_alone,
        updated=len(checks.updates),
        notes=notes,
        faulty_lines=checks.faulty_lines,
        preview=preview.finished(problems),
        **span,
    )


def _fill(
    transaction: Transaction, work: Work, rows: Iterable[SourceRow], preview: _Preview, references: References
) -> None:
    statements = STATEMENTS[work.format.entity]
    transaction.run(statements.stage)
    transaction.run("import_stage_rejected")
    transaction.run("import_stage_own")
    transaction.run(
        "import_fill_own",
        builder_id=work.builder_id,
        import_id=work.import_id,
        entity=work.format.entity,
        sha256=work.source.sha256,
    )
    staged: Iterable[StagedRow] = preview.shown(preview.reader.read(rows))
    if statements.own_register is not None:
        staged = _with_existing(staged, work, references)
    _copy(transaction, statements.copy, staged)
    transaction.run("import_index_rows")
    transaction.run("import_measure_rows")


def _leave_out_unread(transaction: Transaction, checks: StageChecks) -> None:
    """Forget the rows of what could not be read, and remember where they stand."""
    _copy(transaction, "import_copy_rejected", ((document,) for document in checks.problems.rejected))
    checks.faulty_lines.update(row["line"] for row in transaction.rows("import_lines_of_rejected"))
    transaction.run("import_rows_drop_rejected")


def _mark_updates(transaction: Transaction, work: Work, checks: StageChecks) -> None:
    """Give documents that change a record the record's id; names have it already, or are new."""
    if checks.updates and work.format.has_lines:
        transaction.run(
            "import_mark_updates",
            documents=list(checks.updates),
            record_ids=list(checks.updates.values()),
        )


def _currency(transaction: Transaction, work: Work) -> str:
    currency = transaction.value("import_builder", builder_id=work.builder_id)
    if currency is None:
        raise NotFound(what="builder", id=work.builder_id)
    return str(currency)


def _references(transaction: Transaction, work: Work) -> References:
    """Load the registers that this format's fields refer to, and its own for names."""
    references = References()
    own = STATEMENTS[work.format.entity].own_register
    kinds = {each.reference for each in work.format.fields if each.reference} | ({own} if own else set())
    for kind in kinds:
        register = references.of(kind)
        for row in transaction.rows(REGISTERS[kind], builder_id=work.builder_id):
            register.add(row["id"], names=row["names"])
            if kind == own and row["names"][-1]:
                register.external[row["names"][-1]] = row["id"]
    return references


def _with_existing(rows: Iterable[StagedRow], work: Work, references: References) -> Iterable[StagedRow]:
    """Add to each name's row the id of the record that is here already; a row's document is its name's key."""
    own = STATEMENTS[work.format.entity].own_register
    assert own is not None, "names have a register"
    assert len(work.format.key) == 1, f"{work.format.noun} is known by one name"
    register = references.of(own)
    by_external_id = work.options.match is Match.EXTERNAL_ID
    place = 3 + [each.name for each in work.format.fields].index("external_id")
    for row in rows:
        if by_external_id and row[place]:
            yield (*row, register.external.get(row[place]))
        else:
            yield (*row, register.first.get(row[2]))


def _copy(transaction: Transaction, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    with transaction.cursor() as cursor, cursor.copy(named_query(statement).text) as copy:
        write = copy.write_row
        for row in rows:
            write(row)


class _Preview:
    """The first rows of a file as they were understood."""

    def __init__(self, format_: Format, reader: RowReader) -> None:
        self.reader = reader
        self._fields = [
            (place, each, reader.survey.columns[each.name])
            for place, each in enumerate(format_.fields, start=3)
            if each.name in reader.survey.columns
        ]
        self._last: SourceRow | None = None
        self._rows: list[dict[str, Any]] = []

    def tapped(self, rows: Iterable[SourceRow]) -> Iterator[SourceRow]:
        """Pass rows on, remembering the one at hand while there is something to show."""
        for row in rows:
            self._last = row
            yield row

    def shown(self, rows: Iterable[StagedRow]) -> Iterator[StagedRow]:
        """Pass rows on; the first of them are kept for showing."""
        iterator = iter(rows)
        for row in iterator:
            self._keep(row)
            yield row
            if len(self._rows) >= PREVIEW_ROWS_MAX:
                break
        yield from iterator

    def _keep(self, row: StagedRow) -> None:
        assert self._last is not None, "a row was read"
        cells = self._last.cells
        values = {}
        for place, each, position in self._fields:
            value = row[place]
            if each.kind == "reference" or value is None:
                cell = cells[position] if position < len(cells) else None
                values[each.name] = _text(cell)
            else:
                values[each.name] = str(value)
        self._rows.append({"line": row[1], "values": values})

    def finished(self, problems: ProblemList) -> list[dict[str, Any]]:
        """The rows with what is wrong with each."""
        of_rows = problems.of_rows() if self._rows else {}
        return [
            {**row, "problems": [_as_shown(problem) for problem in of_rows.get(row["line"], [])]}
            for row in self._rows
        ]


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _as_shown(problem: ImportProblem) -> dict[str, Any]:
    return {"column": problem.column, "problem": problem.problem, "suggestion": problem.suggestion}

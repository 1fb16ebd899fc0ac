"""A file into its stage: the builder's registers, every row read and copied, what could not be read left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from resources.imports.checks import StageChecks, run_checks
from resources.imports.statements import REGISTERS, STATEMENTS
from resources.imports.work import Pace, Progress, Work
from resources.store.database import Transaction
from resources.store.queries import named_query
from sync.errors import NotFound
from sync.imports.cells import Reading
from sync.imports.formats import Format, ImportEntity
from sync.imports.options import Match
from sync.imports.problems import ImportProblem, ProblemList
from sync.imports.references import References
from sync.imports.rows import RowReader, StagedRow
from sync.imports.survey import SourceRow
from sync.imports.texts import Cell

PREVIEW_ROWS_MAX = 200
# Over how many sessions a large file is spread, so that more than one of the database's processors works on it.
SHARES_MAX = 2


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


def shares_of(work: Work, pace: Pace) -> int:
    """Return over how many sessions a file is spread: a small one, and one whose rows must see each other, over one."""
    must_see = not work.format.has_lines or work.format.entity is ImportEntity.PAYMENTS
    return 1 if must_see or work.source.size_bytes < pace.shared_from_bytes else SHARES_MAX


def stage(transactions: Sequence[Transaction], work: Work, progress: Progress) -> Staged:
    """Read a file into the stages of one or several sessions and check it there; raises ImportCancelled.

    All rows of a document are in one stage, so that every check finds in its own stage all that it needs.
    """
    problems = ProblemList()
    references = _references(transactions[0], work)
    reading = Reading(work.format, work.survey, references, _currency(transactions[0], work))
    reader = RowReader(reading, problems=problems)
    preview = _Preview(work.format, reader)
    _fill(transactions, work, preview.tapped(progress.reading(work.source.rows())), preview, references)
    progress.rows_read = reader.rows_read
    progress.tell("checking", reader.rows_read, reader.rows_read)
    given = (str(work.builder_id), work.format, work.survey, problems, work.options)
    checks = [StageChecks(transaction, *given) for transaction in transactions]
    _in_each(lambda share: _gather(share, work), checks)
    for share in checks:
        run_checks(share)
        _mark_updates(share.transaction, work, share)
    _in_each(lambda share: _settle(share, work), checks)
    left_alone = sum(share.left_alone for share in checks)
    notes = [*work.source.notes, *reader.notes]
    if left_alone:
        notes.append(f"Here already with other values and left as they are: {left_alone:,}.")
    return Staged(
        rows_read=reader.rows_read,
        problems=problems,
        skipped=sum(share.skipped for share in checks),
        left_alone=left_alone,
        updated=sum(len(share.updates) for share in checks),
        notes=notes,
        faulty_lines=set().union(*(share.faulty_lines for share in checks)),
        preview=preview.finished(problems),
        **_span(checks),
    )


def _fill(
    transactions: Sequence[Transaction],
    work: Work,
    rows: Iterable[SourceRow],
    preview: _Preview,
    references: References,
) -> None:
    statements = STATEMENTS[work.format.entity]
    for transaction in transactions:
        transaction.run("import_session")
        transaction.run(statements.stage)
        transaction.run("import_stage_rejected")
        transaction.run("import_stage_fresh_ids")
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
    if len(transactions) == 1:
        _copy(transactions[0], statements.copy, staged)
    else:
        _copy_shared(transactions, statements.copy, staged)


def _gather(checks: StageChecks, work: Work) -> None:
    """Make a stage fit to be asked: indexes, one row per document, and nothing of what could not be read."""
    transaction = checks.transaction
    transaction.run("import_index_rows")
    transaction.run("import_measure_rows")
    _leave_out_unread(transaction, checks)
    gather = STATEMENTS[work.format.entity].gather
    if work.format.entity is ImportEntity.PAYMENTS:
        transaction.run("import_payments_apply_whole")
    if gather is not None:
        transaction.run("import_index_places")
        transaction.run(gather)


def _settle(checks: StageChecks, work: Work) -> None:
    """Make what passed the checks fit to be written."""
    if STATEMENTS[work.format.entity].gather is not None:
        checks.transaction.run("import_index_documents")
        checks.transaction.run("import_measure_documents")


def _span(checks: Sequence[StageChecks]) -> dict[str, int]:
    """Return where in the file what is to be written begins and ends, and how much it is."""
    span = "import_span_of_documents" if checks[0].format.has_lines else "import_span_of_names"
    found = [row for row in (share.transaction.row(span) for share in checks) if row and row["documents"]]
    return {
        "documents": sum(row["documents"] for row in found),
        "rows_to_write": sum(row["rows_to_write"] for row in found),
        "first_place": min((row["first_place"] for row in found), default=0),
        "last_place": max((row["last_place"] for row in found), default=0),
    }


def _in_each(work: Callable[[StageChecks], None], checks: Sequence[StageChecks]) -> None:
    """Do something in every share of a file at a time."""
    with ThreadPoolExecutor(max_workers=len(checks)) as threads:
        list(threads.map(work, checks))


def _leave_out_unread(transaction: Transaction, checks: StageChecks) -> None:
    """Forget the rows of what could not be read, and remember where they stand."""
    if not checks.problems.rejected:
        return
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


def _copy_shared(
    transactions: Sequence[Transaction], statement: str, rows: Iterable[tuple[object, ...]]
) -> None:
    """Spread rows over the stages, those of one document to the same one wherever in the file they stand."""
    text = named_query(statement).text
    with ExitStack() as open_ones:
        cursors = [open_ones.enter_context(transaction.cursor()) for transaction in transactions]
        writers = [open_ones.enter_context(cursor.copy(text)).write_row for cursor in cursors]
        last, write = None, writers[0]
        for row in rows:
            document = row[2]
            if document != last:
                last, write = document, writers[crc32(str(document).encode()) % len(writers)]
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
        iterator = iter(rows)
        for row in iterator:
            self._last = row
            yield row
            if len(self._rows) >= PREVIEW_ROWS_MAX:
                break
        yield from iterator

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

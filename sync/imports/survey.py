"""The first look at a file: where its headings are, which column is which field, and how it writes dates and amounts.

A file is read twice, first for this and then for its rows, so that a file of any length is judged as a whole without
being kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from sync.errors import ImportRejected
from sync.imports.amounts import Mark, MarkEvidence
from sync.imports.columns import Recognition, heading_key, likely_entity, nearest_heading, recognise
from sync.imports.dates import Order, OrderEvidence
from sync.imports.formats import Field, Format
from sync.imports.formulas import ID_HEADING, PROBLEM_HEADING
from sync.imports.layouts import ColumnChoices
from sync.imports.problems import ImportProblem, UnreadableValue, rejection
from sync.imports.texts import Cell, cell_text, clean_text

# Headings stand within the first rows, under a title or the company's name.
HEADING_ROWS_MAX = 30
SEEN_MAX = 50_000
_OUR_KEYS = frozenset({heading_key(PROBLEM_HEADING), heading_key(ID_HEADING)})
EVIDENCE_KINDS = frozenset({"amount", "price", "quantity"})


class SourceRow(NamedTuple):
    """One row of a file: its line (sheet row, record) counted from 1, and its cells.

    `is_continued` is said where the file itself says which rows are one document (nested JSON), else None.
    """

    line: int
    cells: Sequence[Cell]
    is_continued: bool | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first look found."""

    heading_line: int
    headings: tuple[str, ...]
    columns: Mapping[str, int]
    unused: tuple[str, ...]
    date_orders: Mapping[str, Order | None]
    mark: Mark | None
    # Values for fields that have no column of their own.
    fixed: Mapping[str, str] = field(default_factory=dict)
    layout: str | None = None

    @property
    def is_correction(self) -> bool:
        """Whether this is a file of ours that comes back: a file of problems, corrected, or an export."""
        return any(_is_ours(heading) for heading in self.headings)

    @property
    def is_export(self) -> bool:
        """Whether this is an export of ours: what looks like a formula in it was a text all along."""
        return any(heading_key(heading) == heading_key(ID_HEADING) for heading in self.headings)

    def heading(self, of: Field) -> str:
        """Return the file's own heading of a field, or the field's title where the file has no such column."""
        position = self.columns.get(of.name)
        return self.headings[position] if position is not None else of.title


def survey(
    rows: Iterable[SourceRow], format_: Format, *, file_name: str, choices: ColumnChoices | None = None
) -> Survey:
    """Look through a whole file once; raises ImportRejected when its headings cannot be used."""
    given = choices or ColumnChoices()
    iterator = iter(rows)
    first = list(islice(iterator, HEADING_ROWS_MAX))
    if not any(_texts(row) for row in first):
        raise _rejected(
            file_name, line=1, problem="the file is empty", suggestion="Choose the file that has the rows."
        )
    heading_line, headings, found = _headings(first, format_, given)
    _check_chosen(headings, given, file_name=file_name, line=heading_line)
    _check_headings(headings, found, format_, file_name=file_name, line=heading_line)
    orders, marks = _evidence(
        [row for row in first if row.line > heading_line], iterator, found.columns, format_
    )
    return Survey(
        heading_line=heading_line,
        headings=tuple(headings),
        columns=found.columns,
        unused=tuple(headings[position] for position in found.unused if not _is_ours(headings[position])),
        date_orders=orders,
        mark=marks,
        fixed={**(found.layout.fixed if found.layout else {}), **given.fixed},
        layout=found.layout.name if found.layout else None,
    )


def fit(first: Sequence[SourceRow], format_: Format) -> int:
    """Say how well the first rows of a sheet fit a format, for choosing among the sheets of a workbook."""
    return (
        _headings(first, format_, ColumnChoices())[2].score
        if any(_texts(row) for row in first)
        else -len(format_.fields)
    )


def _headings(
    first: Sequence[SourceRow], format_: Format, choices: ColumnChoices
) -> tuple[int, list[str], Recognition]:
    """Return the row that reads most like headings; of two rows under merged cells, both together."""
    best: tuple[int, list[str], Recognition] | None = None
    for index, row in enumerate(first):
        candidates = [(row.line, _row_headings(row))]
        if index + 1 < len(first):
            candidates.append((first[index + 1].line, _joined(row, first[index + 1])))
        for line, headings in candidates:
            found = recognise(headings, format_, choices)
            if best is None or found.score > best[2].score:
                best = (line, headings, found)
    assert best is not None, "an empty file was refused before"
    if not best[2].columns:
        row = next(row for row in first if _texts(row))
        return row.line, _row_headings(row), recognise(_row_headings(row), format_, choices)
    return best


def _row_headings(row: SourceRow) -> list[str]:
    return [clean_text(cell) if isinstance(cell, str) else "" for cell in row.cells]


def _joined(upper: SourceRow, lower: SourceRow) -> list[str]:
    """Join two rows of headings: a merged heading above ("Amount") belongs to each one below it."""
    above, below = _row_headings(upper), _row_headings(lower)
    width = max(len(above), len(below))
    above += [""] * (width - len(above))
    below += [""] * (width - len(below))
    spread, last = [], ""
    for over, under in zip(above, below, strict=True):
        last = over or (last if under else "")
        spread.append(f"{last} {under}".strip())
    return spread


def _check_chosen(headings: Sequence[str], choices: ColumnChoices, *, file_name: str, line: int) -> None:
    """Refuse a file that does not have a column that somebody named."""
    there = {heading_key(heading) for heading in headings}
    names = ", ".join(f'"{heading}"' for heading in headings if heading)
    problems = [
        ImportProblem(line, heading, f'there is no column "{heading}"', f"Choose one of {names}.")
        for heading in choices.chosen.values()
        if heading is not None and heading_key(heading) not in there
    ]
    if problems:
        raise rejection(file_name, problems)


def _is_ours(heading: str) -> bool:
    return heading_key(heading) in _OUR_KEYS


def _check_headings(
    headings: Sequence[str], found: Recognition, format_: Format, *, file_name: str, line: int
) -> None:
    if not found.missing:
        return
    entity = likely_entity(headings, other_than=format_.entity)
    free = [headings[position] for position in found.unused]
    problems = []
    for absent in found.missing:
        alike = nearest_heading(absent, free)
        if alike is not None:
            suggestion = f'If the column "{alike}" is meant, rename it to "{absent.title}".'
        elif entity is not None:
            suggestion = f"The headings look like a file of {entity.replace('_', ' ')}: import it as that."
        else:
            there = ", ".join(f'"{heading}"' for heading in headings if heading)
            suggestion = f'Add a column "{absent.title}"; the columns found are {there or "none"}.'
        problems.append(
            ImportProblem(
                line,
                absent.title,
                f'no column for "{absent.title}" of {_article(format_.noun)} was found',
                suggestion,
            )
        )
    raise rejection(file_name, problems)


def _evidence(
    first: Sequence[SourceRow], rest: Iterable[SourceRow], columns: Mapping[str, int], format_: Format
) -> tuple[dict[str, Order | None], Mark | None]:
    """Look at every date and amount for what they show about the file's way of writing them."""
    dates = {
        field.name: OrderEvidence()
        for field in format_.fields
        if field.kind == "date" and field.name in columns
    }
    marks = MarkEvidence()
    noters = [(columns[name], evidence.note, set[str]()) for name, evidence in dates.items()]
    noters += [
        (columns[field.name], marks.note, set[str]())
        for field in format_.fields
        if field.kind in EVIDENCE_KINDS and field.name in columns
    ]
    for rows in (first, rest):
        for row in rows:
            cells = row.cells
            for position, note, seen in noters:
                cell = cells[position] if position < len(cells) else None
                # What was seen shows nothing new; most cells of a long file repeat.
                if cell and isinstance(cell, str) and cell not in seen:
                    note(_evident_text(cell))
                    if len(seen) < SEEN_MAX:
                        seen.add(cell)
    return {name: evidence.order for name, evidence in dates.items()}, marks.mark


def _evident_text(cell: str) -> str:
    try:
        return cell_text(cell)
    except UnreadableValue:
        return ""


def _texts(row: SourceRow) -> list[str]:
    return [cell for cell in row.cells if isinstance(cell, str) and heading_key(cell)]


def _rejected(file_name: str, *, line: int, problem: str, suggestion: str) -> ImportRejected:
    return rejection(file_name, [ImportProblem(line, "", problem, suggestion)])


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"

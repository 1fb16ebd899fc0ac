"""The second look at a file: every row into the values of its stage, every unreadable cell into a problem.

A row that belongs to the document above may leave the document's own cells empty, as merged cells and most exports
do. Blank rows, repeated headings and totals rows are left out; a totals row is compared with the rows above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sync.counting import counted
from sync.imports.cells import FieldReader, Reading, field_readers
from sync.imports.columns import heading_key
from sync.imports.formats import Format
from sync.imports.formulas import restored
from sync.imports.problems import ImportProblem, ProblemList, UnreadableValue
from sync.imports.survey import SourceRow
from sync.imports.texts import Cell, PlainText, cell_text, clean_text
from sync.imports.totals import TotalsCheck, is_totals_row
from sync.money import AMOUNT_MAX, round_cents
from sync.records import name_key

StagedRow = tuple[Any, ...]
_UNREAD: Any = object()
_ZERO = Decimal(0)


class RowReader:
    """Reads the rows of one file in order; afterwards it knows how many there were and what was left out."""

    def __init__(self, reading: Reading, *, problems: ProblemList) -> None:
        """Prepare one reader per field, so that a row costs no decisions."""
        self.format = reading.format
        self.survey = reading.survey
        self.problems = problems
        self.rows_read = 0
        self.notes: list[str] = []
        self._totals = TotalsCheck(reading.format, reading.survey)
        readers = field_readers(reading)
        self._readers: Mapping[str, FieldReader] = {each.field.name: each for each in readers}
        self._index = {each.field.name: each.index for each in readers}
        self._of_document = [each for each in readers if not each.field.is_of_line]
        self._of_line = [each for each in readers if each.field.is_of_line]
        self._lines_here = [each for each in self._of_line if each.position is not None]
        absent = [_value_of_absent(each) for each in readers]
        self._template = [None if value is _UNREAD else value for value in absent]
        self._document_cells = [each for each in self._of_document if absent[each.index] is _UNREAD]
        # The line's fields that have a column, or whose absence is a problem of the row.
        self._line_cells = [
            (each.index, each.position, each.memory, each)
            for each in self._of_line
            if absent[each.index] is _UNREAD
        ]
        self._has_price = "unit_price" in self._index
        self._has_sides = "debit" in self._index
        self._summed = [self._index[name] for name in self._totals.names]
        self._heading_keys = tuple(heading_key(heading) for heading in self.survey.headings)
        self._first_heading = next(place for place, key in enumerate(self._heading_keys) if key)
        self._own_columns = [
            (each.field.name, each.position) for each in self._of_document if each.position is not None
        ]
        own_positions = [position for _, position in self._own_columns]
        self._own_cells = itemgetter(*own_positions) if own_positions else tuple
        # The document the last row belonged to: its key, its key cells, its values, and its cells as they stood.
        self._key = ""
        self._key_cells: dict[str, str] = {}
        self._values: list[Any] = self._template.copy()
        self._last_own: Any = None
        self._repeated_headings = 0

    def read(self, rows: Iterable[SourceRow]) -> Iterator[StagedRow]:
        """Yield (place, line, document, every field's value in the format's order) for each row; bad cells as None."""
        headings = len(self._heading_keys)
        for row in self._restored(rows) if self.survey.is_correction else rows:
            cells = row.cells
            if row.line <= self.survey.heading_line or _is_blank(cells):
                continue
            if self._is_same_document(row):
                self.rows_read += 1
                yield self._staged(row, key=self._key, values=self._values.copy())
            else:
                texts = self._texts(row)
                if not any(texts.values()) and not self._has_line(row):
                    continue
                if self._is_heading(row):
                    self._repeated_headings += 1
                    continue
                if is_totals_row(self.format, texts, cells) or self._is_sum_of_entry(row):
                    self._totals.note_totals_row(row.line, self._amounts(row))
                    continue
                self.rows_read += 1
                yield self._read_row(row, texts)
            if len(cells) > headings and not _is_blank(cells[headings:]):
                self._too_many_cells(row)
        self._finish()

    # ------------------------------------------------------------------ one row

    def _restored(self, rows: Iterable[SourceRow]) -> Iterator[SourceRow]:
        kind = PlainText if self.survey.is_export else str
        for row in rows:
            cells = [
                kind(restored(cell)) if isinstance(cell, str) and not isinstance(cell, PlainText) else cell
                for cell in row.cells
            ]
            yield SourceRow(row.line, cells, row.is_continued)

    def _is_same_document(self, row: SourceRow) -> bool:
        """Say whether the document's own cells stand exactly as on the row above, which spares reading them again."""
        if self._last_own is None or row.is_continued is not None:
            return False
        cells = row.cells
        if len(cells) < len(self._heading_keys):
            return False
        return bool(self._own_cells(cells) == self._last_own)

    def _read_row(self, row: SourceRow, texts: Mapping[str, str]) -> StagedRow:
        if self._continues(row, texts):
            key = self._key
            values = self._values.copy()
            fields_here = [each for each in self._of_document if texts[each.field.name]]
        else:
            key = self._new_key(row.line, texts)
            values = self._template.copy()
            fields_here = self._document_cells
        for each in fields_here:
            values[each.index] = self._read_cell(row, each, key=key)
        self._key, self._values = key, values.copy()
        self._remember(row, texts)
        return self._staged(row, key=key, values=values)

    def _remember(self, row: SourceRow, texts: Mapping[str, str]) -> None:
        """Keep the document's cells for comparing, where equal cells are sure to mean the same document."""
        is_sure = (
            self.format.has_lines
            and bool(texts.get("number"))
            and bool(texts.get("date"))
            and all(texts.get(name) for name in self.format.key)
            and len(row.cells) >= len(self._heading_keys)
        )
        self._last_own = self._own_cells(row.cells) if is_sure else None

    def _staged(self, row: SourceRow, *, key: str, values: list[Any]) -> StagedRow:
        """Read the line's own values into the document's and check the row as a whole."""
        cells = row.cells
        width = len(cells)
        for index, position, memory, each in self._line_cells:
            cell = cells[position] if position is not None and position < width else None
            # Only texts are remembered, so that a cell of another kind is never found.
            value = memory.get(cell, _UNREAD)  # type: ignore[arg-type]
            values[index] = self._read_cell(row, each, key=key) if value is _UNREAD else value
        if self._has_price:
            self._complete_amount(row.line, values, key=key)
        elif self._has_sides:
            self._complete_sides(row.line, values, key=key)
        self._totals.add([values[index] for index in self._summed])
        return (self.rows_read, row.line, key, *values)

    def _too_many_cells(self, row: SourceRow) -> None:
        """Refuse a row that is wider than the headings: its values have moved to the wrong columns."""
        count = len(self._heading_keys)
        problem = ImportProblem(
            row.line, "", f"the row has more values than the {count} headings",
            "A separator inside a value needs quotes around the value; correct the row.",
        )  # fmt: skip
        self.problems.add(problem, document=self._key)
        self._totals.spoil()

    def _continues(self, row: SourceRow, texts: Mapping[str, str]) -> bool:
        """Say whether a row belongs to the document of the row above."""
        if not self.format.has_lines or not self._key:
            return False
        if row.is_continued is not None:
            return row.is_continued
        key_texts = [texts[name] for name in ("number", "party", "date") if name in texts]
        if not any(key_texts):
            return True
        number = texts.get("number", "")
        if not number or name_key(number) != self._key_cells.get("number"):
            return False
        return all(
            not texts[name] or name_key(texts[name]) == self._key_cells.get(name) for name in self.format.key
        )

    def _new_key(self, line: int, texts: Mapping[str, str]) -> str:
        self._key_cells = {name: name_key(texts[name]) for name in self.format.key}
        if all(self._key_cells.values()):
            return "|".join(self._key_cells[name] for name in self.format.key)
        return f"line {line}" if "date" not in self.format.key else "day of the file"

    def _read_cell(self, row: SourceRow, each: FieldReader, *, key: str) -> Any:
        position = each.position
        cell = row.cells[position] if position is not None and position < len(row.cells) else None
        try:
            return each.read(cell)
        except UnreadableValue as error:
            heading = self.survey.heading(each.field)
            self.problems.add(ImportProblem(row.line, heading, error.problem, error.suggestion), document=key)
            self._totals.spoil()
            return None

    def _complete_amount(self, line: int, values: list[Any], *, key: str) -> None:
        """Check quantity times price against the amount, or work the amount out where only those two are given."""
        index = self._index
        amount, quantity, price = (
            values[index["amount"]], values[index["quantity"]], values[index["unit_price"]],
        )  # fmt: skip
        if amount is not None and (quantity is None or price is None):
            return
        if key in self.problems.rejected:
            return
        if quantity is not None and price is not None:
            if abs(quantity * price) >= AMOUNT_MAX:
                problem = f"{quantity:f} × {price:f} is more than can be kept"
                self._problem(line, "quantity", problem, "Correct the quantity or the price.", key=key)
                return
            product = round_cents(quantity * price)
            if amount is None:
                values[index["amount"]] = product
            elif abs(product - amount) > Decimal("0.01"):
                self._problem(
                    line, "amount", f"{quantity:f} × {price:f} is {product}, not {amount}",
                    "Correct the quantity, the price or the amount.", key=key,
                )  # fmt: skip
        else:
            self._problem(
                line, "amount", "the amount is missing", "Enter it, 0.00 if there is none.", key=key
            )

    def _complete_sides(self, line: int, values: list[Any], *, key: str) -> None:
        """Give a journal line exactly one side; a negative debit is a credit."""
        if key in self.problems.rejected:
            return
        index = self._index
        debit, credit = values[index["debit"]] or _ZERO, values[index["credit"]] or _ZERO
        account = values[index["account"]]
        code = values[index["cost_code"]] if "cost_code" in index else None
        if debit and credit:
            self._problem(
                line, "debit", "the line has both a debit and a credit", "Give each its own line.", key=key
            )
        elif not debit and not credit:
            self._problem(
                line, "debit", "the line has neither a debit nor a credit", "Enter one of them.", key=key
            )
        elif account is None and code is None:
            said = "neither an account nor a cost code" if "cost_code" in index else "no account"
            self._problem(line, "account", f"the line names {said}", "Enter one of them.", key=key)
        signed = debit - credit
        values[index["debit"]], values[index["credit"]] = max(signed, _ZERO), max(-signed, _ZERO)

    def _problem(self, line: int, field: str, problem: str, suggestion: str, *, key: str) -> None:
        heading = self.survey.heading(self.format.of(field))
        self.problems.add(ImportProblem(line, heading, problem, suggestion), document=key)
        self._totals.spoil()

    # ------------------------------------------------------------------ what kind of row it is

    def _texts(self, row: SourceRow) -> dict[str, str]:
        """Return the document's own cells as texts, for deciding what kind of row it is."""
        texts = dict.fromkeys((each.field.name for each in self._of_document), "")
        for name, position in self._own_columns:
            cell = row.cells[position] if position < len(row.cells) else None
            if cell is not None and cell != "":
                texts[name] = _known_text(cell) if isinstance(cell, str) else _plain_text(cell)
        return texts

    def _has_line(self, row: SourceRow) -> bool:
        """Say whether a row has a line's values; what stands outside the known columns is no line."""
        return any(
            each.position is not None
            and each.position < len(row.cells)
            and _is_filled(row.cells[each.position])
            for each in self._lines_here
        )

    def _is_sum_of_entry(self, row: SourceRow) -> bool:
        """Say whether a row sums up a journal entry, as reports print it: equal debit and credit, and nothing else."""
        if "credit" not in self.survey.columns or "debit" not in self._index:
            return False
        sides = (self._readers["debit"].position, self._readers["credit"].position)
        filled = {place for place, cell in enumerate(row.cells) if _is_filled(cell)}
        if not filled or not filled.issubset(sides) or len(filled) < 2:
            return False
        found = self._amounts(row)
        return len(found) == 2 and found["debit"] == found["credit"]

    def _amounts(self, row: SourceRow) -> dict[str, Decimal]:
        found = {}
        for name in self._totals.names:
            position = self.survey.columns[name]
            cell = row.cells[position] if position < len(row.cells) else None
            try:
                value = self._readers[name].read(cell)
            except UnreadableValue:
                continue
            if value is not None:
                found[name] = value
        return found

    def _is_heading(self, row: SourceRow) -> bool:
        # Rows are many and headings few: the first heading alone decides for nearly all of them.
        first = row.cells[self._first_heading] if self._first_heading < len(row.cells) else None
        if not isinstance(first, str) or _known_key(first) != self._heading_keys[self._first_heading]:
            return False
        keys = [heading_key(cell) if isinstance(cell, str) else "" for cell in row.cells]
        return tuple(keys[: len(self._heading_keys)]) == self._heading_keys[: len(keys)]

    def _finish(self) -> None:
        if self.survey.layout:
            self.notes.append(f"Read as {self.survey.layout}.")
        if self._repeated_headings:
            self.notes.append(
                f"The headings are repeated on {counted(self._repeated_headings, 'row')}; left out."
            )
        if self.survey.unused:
            names = ", ".join(f'"{name}"' for name in self.survey.unused)
            self.notes.append(f"Columns that were not used: {names}.")
        self.notes += self._totals.notes
        for problem in self._totals.problems():
            self.problems.add(problem, document=None)


def _value_of_absent(each: FieldReader) -> Any:
    """Return what every row has in a field without a column; _UNREAD for one with a column, or that must have one."""
    if each.position is not None:
        return _UNREAD
    try:
        return each.read(None)
    except UnreadableValue:
        return _UNREAD


def _is_blank(cells: Sequence[Cell]) -> bool:
    # A zero is a value, though it counts as false.
    return not any(cells) and all(cell in (None, "") for cell in cells)


def _is_filled(cell: Cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


@lru_cache(maxsize=20_000)
def _known_text(cell: str) -> str:
    return _plain_text(cell)


@lru_cache(maxsize=20_000)
def _known_key(cell: str) -> str:
    return heading_key(clean_text(cell))


def _plain_text(cell: Cell) -> str:
    try:
        return cell_text(cell)
    except UnreadableValue:
        return str(cell)


def stage_columns(format_: Format) -> Sequence[str]:
    """Return the names of the values that `RowReader.read` yields, in order."""
    return ("place", "line", "document", *(field.name for field in format_.fields))

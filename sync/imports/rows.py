"""The second look at a file: every row into the values of its stage, every unreadable cell into a problem.

A row that belongs to the document above may leave the document's own cells empty, as merged cells and most exports
do. Blank rows, repeated headings and totals rows are left out; a totals row is compared with the rows above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sync.imports.amounts import exact, read_number
from sync.imports.columns import heading_key
from sync.imports.dates import read_date
from sync.imports.formats import Field, Format
from sync.imports.problems import ImportProblem, ProblemList, UnreadableValue, counted
from sync.imports.references import References
from sync.imports.survey import SourceRow, Survey
from sync.imports.texts import Cell, cell_text, shown
from sync.imports.totals import TotalsCheck, is_totals_row
from sync.money import AMOUNT_MAX, round_cents
from sync.records import name_key

StagedRow = tuple[Any, ...]
Reader = Callable[[Cell], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file is read with."""

    format: Format
    survey: Survey
    references: References
    currency: str


class RowReader:
    """Reads the rows of one file in order; afterwards it knows how many there were and what was left out."""

    def __init__(self, reading: Reading, *, problems: ProblemList) -> None:
        """Prepare one reader per field, so that a row costs no decisions."""
        self.format = reading.format
        self.survey = reading.survey
        self.problems = problems
        self.rows_read = 0
        self.notes: list[str] = []
        self._reading = reading
        self._currency = reading.currency
        self._totals = TotalsCheck(reading.format, reading.survey)
        self._of_document = [field for field in self.format.fields if not field.is_of_line]
        self._of_line = [field for field in self.format.fields if field.is_of_line]
        self._readers: Mapping[str, Reader] = {
            field.name: self._reader(field) for field in self.format.fields
        }
        self._heading_keys = tuple(heading_key(heading) for heading in self.survey.headings)
        self._first_heading = next(place for place, key in enumerate(self._heading_keys) if key)
        self._own_names = [field.name for field in self._of_document]
        self._own_columns = [
            (name, self.survey.columns[name]) for name in self._own_names if name in self.survey.columns
        ]
        self._line_columns = [
            self.survey.columns[field.name] for field in self._of_line if field.name in self.survey.columns
        ]
        # The document the last row belonged to: its key, its key cells, and its values.
        self._key = ""
        self._key_cells: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._repeated_headings = 0

    def read(self, rows: Iterable[SourceRow]) -> Iterator[StagedRow]:
        """Yield (place, line, document, every field's value in the format's order) for each row; bad cells as None."""
        for row in rows:
            if row.line <= self.survey.heading_line or not any(cell not in (None, "") for cell in row.cells):
                continue
            texts = self._texts(row)
            if not any(texts.values()) and not self._has_line(row):
                continue
            if self._is_heading(row):
                self._repeated_headings += 1
                continue
            if is_totals_row(self.format, texts, row.cells):
                self._totals.note_totals_row(row.line, self._amounts(row))
                continue
            self.rows_read += 1
            yield self._read_row(row, texts)
            if any(cell not in (None, "") for cell in row.cells[len(self._heading_keys) :]):
                self._too_many_cells(row)
        self._finish()

    # ------------------------------------------------------------------ one row

    def _read_row(self, row: SourceRow, texts: Mapping[str, str]) -> StagedRow:
        if self._continues(row, texts):
            key = self._key
            document = self._values
            fields_here = [field for field in self._of_document if texts[field.name]]
        else:
            key = self._new_key(row.line, texts)
            document = {}
            fields_here = self._of_document
        values: dict[str, Any] = dict(document)
        for field in fields_here:
            value = self._read_cell(row, field, key=key)
            values[field.name] = value
        self._key, self._values = key, dict(values)
        for field in self._of_line:
            values[field.name] = self._read_cell(row, field, key=key)
        if "amount" in values and "quantity" in values:
            self._complete_amount(row.line, values, key=key)
        if "debit" in values:
            self._complete_sides(row.line, values, key=key)
        self._totals.add(values)
        return (self.rows_read, row.line, key, *(values[field.name] for field in self.format.fields))

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
        return f"line {line}"

    def _read_cell(self, row: SourceRow, field: Field, *, key: str) -> Any:
        position = self.survey.columns.get(field.name)
        cell = row.cells[position] if position is not None and position < len(row.cells) else None
        try:
            return self._readers[field.name](cell)
        except UnreadableValue as error:
            problem = ImportProblem(row.line, self.survey.heading(field), error.problem, error.suggestion)
            self.problems.add(problem, document=key)
            self._totals.spoil()
            return None

    def _complete_amount(self, line: int, values: dict[str, Any], *, key: str) -> None:
        """Check quantity times price against the amount, or work the amount out where only those two are given."""
        amount, quantity, price = values["amount"], values["quantity"], values["unit_price"]
        if key in self.problems.rejected:
            return
        if quantity is not None and price is not None:
            if abs(quantity * price) >= AMOUNT_MAX:
                problem = f"{quantity:f} × {price:f} is more than can be kept"
                self._problem(line, "quantity", problem, "Correct the quantity or the price.", key=key)
                return
            product = round_cents(quantity * price)
            if amount is None:
                values["amount"] = product
            elif abs(product - amount) > Decimal("0.01"):
                self._problem(
                    line, "amount", f"{quantity:f} × {price:f} is {product}, not {amount}",
                    "Correct the quantity, the price or the amount.", key=key,
                )  # fmt: skip
        elif amount is None:
            self._problem(
                line, "amount", "the amount is missing", "Enter it, 0.00 if there is none.", key=key
            )

    def _complete_sides(self, line: int, values: dict[str, Any], *, key: str) -> None:
        """Give a journal line exactly one side; a negative debit is a credit."""
        if key in self.problems.rejected:
            return
        debit, credit = values["debit"] or Decimal(0), values["credit"] or Decimal(0)
        if debit and credit:
            self._problem(
                line, "debit", "the line has both a debit and a credit", "Give each its own line.", key=key
            )
        elif not debit and not credit:
            self._problem(
                line, "debit", "the line has neither a debit nor a credit", "Enter one of them.", key=key
            )
        elif values["account"] is None and values["cost_code"] is None:
            self._problem(
                line,
                "account",
                "the line names neither an account nor a cost code",
                "Enter one of them.",
                key=key,
            )
        signed = debit - credit
        values["debit"], values["credit"] = max(signed, Decimal(0)), max(-signed, Decimal(0))

    def _problem(self, line: int, field: str, problem: str, suggestion: str, *, key: str) -> None:
        heading = self.survey.heading(self.format.of(field))
        self.problems.add(ImportProblem(line, heading, problem, suggestion), document=key)
        self._totals.spoil()

    # ------------------------------------------------------------------ cells

    def _texts(self, row: SourceRow) -> dict[str, str]:
        """Return the document's own cells as texts, for deciding what kind of row it is."""
        texts = dict.fromkeys(self._own_names, "")
        for name, position in self._own_columns:
            cell = row.cells[position] if position < len(row.cells) else None
            if cell is not None and cell != "":
                texts[name] = _known_text(cell) if isinstance(cell, str) else _plain_text(cell)
        return texts

    def _has_line(self, row: SourceRow) -> bool:
        """Say whether a row has a line's values; what stands outside the known columns is no line."""
        return any(
            position < len(row.cells) and _is_filled(row.cells[position]) for position in self._line_columns
        )

    def _amounts(self, row: SourceRow) -> dict[str, Decimal]:
        found = {}
        for name in self._totals.names:
            position = self.survey.columns[name]
            cell = row.cells[position] if position < len(row.cells) else None
            try:
                value = self._readers[name](cell)
            except UnreadableValue:
                continue
            if value is not None:
                found[name] = value
        return found

    def _is_heading(self, row: SourceRow) -> bool:
        # Rows are many and headings few: the first heading alone decides for nearly all of them.
        first = row.cells[self._first_heading] if self._first_heading < len(row.cells) else None
        if not isinstance(first, str) or heading_key(first) != self._heading_keys[self._first_heading]:
            return False
        keys = [heading_key(cell) if isinstance(cell, str) else "" for cell in row.cells]
        return tuple(keys[: len(self._heading_keys)]) == self._heading_keys[: len(keys)]

    def _reader(self, field: Field) -> Reader:
        """Return the function that reads a cell of this field; it remembers what it read, most cells repeat."""
        read = self._typed_reader(field)
        is_required = field.is_required and field.name not in ("amount", "debit", "credit")
        is_a_name = field.name in self.format.key or field.kind == "reference"
        title = field.title.lower()
        default = self._currency if field.kind == "currency" else field.default
        memory: dict[str, Any] = {}

        def reader(cell: Cell) -> Any:
            if isinstance(cell, str) and cell in memory:
                return memory[cell]
            if is_a_name and isinstance(cell, date):
                raise UnreadableValue(
                    f"the cell holds the date {cell_text(cell)}, not a {title}",
                    "A workbook turns numbers like 3-12 into dates: format the column as text and enter it again.",
                )
            text = cell_text(cell)
            if not text:
                if is_required:
                    raise UnreadableValue(f"the {title} is missing", "Enter it.")
                return default
            value = read(cell, text)
            if isinstance(cell, str) and len(memory) < 50_000:
                memory[cell] = value
            return value

        return reader

    def _typed_reader(self, field: Field) -> Callable[[Cell, str], Any]:
        if field.kind in ("amount", "price", "quantity"):
            kind, mark = field.kind, self.survey.mark
            # With a column of currencies, a sign is measured against nothing: each row has its own.
            currency = None if "currency" in self.survey.columns else self._currency

            def number(cell: Cell, text: str) -> Decimal:
                if isinstance(cell, Decimal):
                    return exact(cell, kind=kind, written=text)
                return read_number(text, kind=kind, mark=mark, currency=currency)

            return number
        if field.kind == "date":
            order = self.survey.date_orders.get(field.name)
            return lambda cell, text: read_date(cell if not isinstance(cell, str) else text, order=order)
        if field.kind == "choice":
            return lambda _, text: _choice(field, text)
        if field.kind == "currency":
            return lambda _, text: _currency(text)
        if field.kind == "reference":
            kind_named = field.reference
            assert kind_named is not None, "a reference says to what"
            return lambda _, text: self._reading.references.resolve(kind_named, text)
        return lambda _, text: _bounded(field, text)

    def _finish(self) -> None:
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


def _is_filled(cell: Cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


@lru_cache(maxsize=20_000)
def _known_text(cell: str) -> str:
    return _plain_text(cell)


def _plain_text(cell: Cell) -> str:
    try:
        return cell_text(cell)
    except UnreadableValue:
        return str(cell)


def _choice(field: Field, text: str) -> str:
    kept = field.choices.get(heading_key(text))
    if kept is None:
        words = ", ".join(sorted({choice.replace("_", " ") for choice in field.choices.values()}))
        raise UnreadableValue(f'"{shown(text)}" is no {field.title.lower()}', f"Use one of: {words}.")
    return kept


def _currency(text: str) -> str:
    code = text.upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise UnreadableValue(
            f'"{shown(text)}" is no currency', "Use a code of three letters, for example USD."
        )
    return code


def _bounded(field: Field, text: str) -> str:
    if len(text) > field.length_max:
        raise UnreadableValue(
            f"the {field.title.lower()} has {len(text)} characters",
            f"Shorten it to {field.length_max} or fewer.",
        )
    return text


def stage_columns(format_: Format) -> Sequence[str]:
    """Return the names of the values that `RowReader.read` yields, in order."""
    return ("place", "line", "document", *(field.name for field in format_.fields))

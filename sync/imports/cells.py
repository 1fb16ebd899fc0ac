"""One cell into one value: a reader per field, made once per file, that remembers what it read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sync.imports.amounts import exact, read_number
from sync.imports.columns import heading_key
from sync.imports.dates import read_date
from sync.imports.formats import Field, Format
from sync.imports.problems import UnreadableValue
from sync.imports.references import References
from sync.imports.survey import Survey
from sync.imports.texts import Cell, cell_text, shown

Reader = Callable[[Cell], Any]

REMEMBERED_MAX = 50_000
# What may be empty though its column must be there: the row as a whole is judged.
_JUDGED_BY_ROW = frozenset({"amount", "debit", "credit"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file is read with."""

    format: Format
    survey: Survey
    references: References
    currency: str


@dataclass(slots=True)
class FieldReader:
    """Reads the cells of one field. `memory` holds what texts turned out to be, for those who look there first."""

    field: Field
    # Where the field's value stands among the values of a row, and where its cell stands in the file.
    index: int
    position: int | None
    read: Reader
    memory: dict[str, Any] = dataclasses.field(default_factory=dict)


def field_readers(reading: Reading) -> list[FieldReader]:
    """Return one reader per field, in the order of the format."""
    readers = []
    for index, each in enumerate(reading.format.fields):
        memory: dict[str, Any] = {}
        read = _remembering(each, reading, memory=memory)
        readers.append(FieldReader(each, index, reading.survey.columns.get(each.name), read, memory))
    return readers


def _remembering(of: Field, reading: Reading, *, memory: dict[str, Any]) -> Reader:
    typed = _typed_reader(of, reading)
    is_required = of.is_required and of.name not in _JUDGED_BY_ROW
    is_a_name = of.name in reading.format.key or of.kind == "reference"
    title = of.title.lower()
    fixed = reading.survey.fixed.get(of.name) if of.name not in reading.survey.columns else None
    default = reading.currency if of.kind == "currency" else of.default

    def reader(cell: Cell) -> Any:
        if cell is None and fixed is not None:
            cell = fixed
        if isinstance(cell, str) and cell in memory:
            return memory[cell]
        if is_a_name and of.kind != "date" and isinstance(cell, date):
            raise UnreadableValue(
                f"the cell holds the date {cell_text(cell)}, not a {title}",
                "A workbook turns numbers like 3-12 into dates: format the column as text and enter it again.",
            )
        text = cell_text(cell)
        if not text:
            if is_required:
                raise UnreadableValue(f"the {title} is missing", "Enter it.")
            if isinstance(cell, str) and len(memory) < REMEMBERED_MAX:
                memory[cell] = default
            return default
        value = typed(cell, text)
        if isinstance(cell, str) and len(memory) < REMEMBERED_MAX:
            memory[cell] = value
        return value

    return reader


def _typed_reader(of: Field, reading: Reading) -> Callable[[Cell, str], Any]:
    survey = reading.survey
    if of.kind in ("amount", "price", "quantity"):
        kind, mark = of.kind, survey.mark
        # With a column of currencies, a sign is measured against nothing: each row has its own.
        currency = None if "currency" in survey.columns else reading.currency

        def number(cell: Cell, text: str) -> Decimal:
            if isinstance(cell, Decimal):
                return exact(cell, kind=kind, written=text)
            return read_number(text, kind=kind, mark=mark, currency=currency)

        return number
    if of.kind == "date":
        order = survey.date_orders.get(of.name)
        return lambda cell, text: read_date(cell if not isinstance(cell, str) else text, order=order)
    if of.kind == "choice":
        return lambda _, text: _choice(of, text)
    if of.kind == "currency":
        return lambda _, text: _currency(text)
    if of.kind == "reference":
        kind_named = of.reference
        assert kind_named is not None, "a reference says to what"
        return lambda _, text: reading.references.resolve(kind_named, text)
    return lambda _, text: _bounded(of, text)


def _choice(of: Field, text: str) -> str:
    kept = of.choices.get(heading_key(text))
    if kept is None:
        words = ", ".join(sorted({choice.replace("_", " ") for choice in of.choices.values()}))
        raise UnreadableValue(f'"{shown(text)}" is no {of.title.lower()}', f"Use one of: {words}.")
    return kept


def _currency(text: str) -> str:
    code = text.upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise UnreadableValue(
            f'"{shown(text)}" is no currency', "Use a code of three letters, for example USD."
        )
    return code


def _bounded(of: Field, text: str) -> str:
    if len(text) > of.length_max:
        raise UnreadableValue(
            f"the {of.title.lower()} has {len(text)} characters",
            f"Shorten it to {of.length_max} or fewer.",
        )
    return text

"""Tables of a made-up builder as files: CSV as different programs write it, workbooks, JSON and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import simplejson
import xlsxwriter

from assets.demo.making.plan import Document, Entry, EntryLine, Line

Cell = str | Decimal | date | None
Style = Callable[[Any], str]
QUANTITIES = frozenset({"Qty", "Quantity"})


@dataclass(slots=True)
class Made:
    """A file, what it holds, and the problems an import of it must report: no more, no fewer."""

    name: str
    entity: str
    content: bytes
    problems: list[dict[str, Any]] = field(default_factory=list)
    # Numbers of documents that the mistakes keep out, or that a made-up person numbered otherwise.
    left_out: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Table:
    """Headings and rows; `line` of a row counts from the first line of the file."""

    headings: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    lines_above: int = 0

    def line_after(self, count: int = 0) -> int:
        """The line that the next row but `count` will have."""
        return self.lines_above + 1 + len(self.rows) + 1 + count

    def find(self, heading: str, text: str) -> int:
        """The line of the first row with this text under a heading."""
        column = list(self.headings).index(heading)
        return (
            self.lines_above + 2 + next(place for place, row in enumerate(self.rows) if row[column] == text)
        )


def problem(line: int, column: str, said: str, suggestion: str) -> dict[str, Any]:
    """One problem the import must report."""
    return {"line": line, "column": column, "problem": said, "suggestion": suggestion}


# ------------------------------------------------------------------ writing


def plain(amount: Decimal) -> str:
    """1234.5 → 1234.50"""
    return f"{amount:.2f}"


def dollars(amount: Decimal) -> str:
    """1234.5 → $1,234.50, negative in parentheses"""
    return f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}"


def thousands(amount: Decimal) -> str:
    """1234.5 → 1,234.50"""
    return f"{amount:,.2f}"


def counts(quantity: Decimal) -> str:
    """12.50 → 12.5"""
    return f"{quantity.normalize():f}"


def comma(amount: Decimal) -> str:
    """1234.5 → 1.234,50"""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def us_date(day: date) -> str:
    """3/31/2026"""
    return f"{day.month}/{day.day}/{day.year}"


def day_first(day: date) -> str:
    """31.03.2026 with slashes"""
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def csv_bytes(
    table: Table,
    *,
    separator: str = ",",
    encoding: str = "utf-8",
    amounts: Style = plain,
    dates: Style = date.isoformat,
    above: Sequence[str] = (),
) -> bytes:
    """A text file, with the line ends Windows programs write."""
    text = io.StringIO()
    for line in above:
        text.write(line + "\r\n")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(table.headings)
    for row in table.rows:
        writer.writerow(
            [
                _written(cell, counts if heading in QUANTITIES else amounts, dates)
                for heading, cell in zip(table.headings, row, strict=True)
            ]
        )
    return text.getvalue().encode(encoding)


def _written(cell: Cell, amounts: Style, dates: Style) -> str:
    if isinstance(cell, Decimal):
        return amounts(cell)
    if isinstance(cell, date):
        return dates(cell)
    return cell or ""


def workbook_bytes(
    table: Table,
    *,
    sheet: str,
    above: Sequence[Sequence[str]] = (),
    merged: Sequence[tuple[int, int, str]] = (),
) -> bytes:
    """A workbook of one table, after a sheet of notes; `above` are the rows over the headings.

    Cells that begin with "=" become formulas without a calculated value, as programs write them.
    """
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 11, 20)})  # noqa: DTZ001 - a workbook knows no zones
        notes = book.add_worksheet("Notes")
        notes.write(0, 0, "Exported for the bookkeeper")
        page = book.add_worksheet(sheet)
        page.activate()
        as_date = book.add_format({"num_format": "mm/dd/yyyy"})
        as_amount = book.add_format({"num_format": "#,##0.00"})
        for place, words in enumerate(above):
            page.write_row(place, 0, words)
        top = len(above)
        for first, last, words in merged:
            page.merge_range(top - 1, first, top - 1, last, words)
        page.write_row(top, 0, table.headings)
        for place, row in enumerate(table.rows, start=top + 1):
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    page.write(place, column, cell, as_amount)
                elif isinstance(cell, date):
                    page.write_datetime(place, column, datetime(cell.year, cell.month, cell.day), as_date)  # noqa: DTZ001
                elif cell and cell.startswith("="):
                    page.write_formula(place, column, cell, None, "")
                elif cell:
                    page.write_string(place, column, cell)
    return content.getvalue()


def json_bytes(records: Sequence[Any], *, key: str) -> bytes:
    """A JSON document; amounts are numbers, digit by digit."""
    return (simplejson.dumps({key: records}, use_decimal=True, indent=1, ensure_ascii=False) + "\n").encode()


def json_lines_bytes(records: Sequence[Any]) -> bytes:
    """JSON Lines."""
    return "".join(
        simplejson.dumps(record, use_decimal=True, ensure_ascii=False) + "\n" for record in records
    ).encode()


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The manifest, readable for people."""
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


# ------------------------------------------------------------------ rows


def document_rows(
    document: Document, columns: Sequence[str], *, is_repeated: bool = False
) -> list[list[Cell]]:
    """A document's rows: its own values on the first one, or on all."""
    return [
        [_cell(document, line, column, is_first=is_repeated or not place) for column in columns]
        for place, line in enumerate(document.lines)
    ]


_KIND = {"draw": "Draw request", "invoice": "Invoice"}
_ROLES = {"work": "", "retainage": "Retainage", "stored_materials": "Stored materials"}


def _cell(document: Document, line: Line, column: str, *, is_first: bool) -> Cell:
    own: dict[str, Cell] = {
        "number": document.number, "party": document.party, "date": document.on, "due": document.due,
        "memo": document.memo, "total": document.total, "kind": _KIND.get(document.kind, ""),
        "order": document.purchase_order, "job": document.job,
    }  # fmt: skip
    if column in own:
        return own[column] if is_first else None
    of_line: dict[str, Cell] = {
        "description": line.description, "code": line.code, "role": _ROLES[line.role], "quantity": line.quantity,
        "price": line.price, "amount": line.amount, "line job": line.job,
    }  # fmt: skip
    return of_line[column]


def document_record(document: Document, *, party: str) -> dict[str, Any]:
    """A document as an object with its lines inside."""
    record: dict[str, Any] = {
        "number": document.number,
        party: document.party,
        "date": document.on.isoformat(),
    }
    if document.due is not None:
        record["dueDate"] = document.due.isoformat()
    if document.memo:
        record["memo"] = document.memo
    if document.purchase_order:
        record["purchaseOrder"] = document.purchase_order
    if document.kind != "bill":
        record["job"] = document.job
    record["total"] = document.total
    record["lines"] = [_line_record(line, with_job=document.kind == "bill") for line in document.lines]
    return record


def _line_record(line: Line, *, with_job: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"description": line.description}
    if line.code:
        record["costCode"] = line.code
    if with_job and line.job:
        record["job"] = line.job
    if line.role != "work":
        record["lineType"] = line.role.replace("_", " ")
    if line.quantity is not None:
        record |= {"quantity": line.quantity, "unitPrice": line.price}
    return record | {"amount": line.amount}


ENTRY_HEADINGS = ("Entry No.", "Date", "Type", "Memo", "Account", "Cost Code", "Customer", "Job", "Line Memo", "Debit", "Credit")  # fmt: skip


def entry_rows(entry: Entry) -> list[list[Cell]]:
    """A journal entry's rows, its own values on the first one."""
    rows = []
    for place, line in enumerate(entry.lines):
        own: list[Cell] = (
            [entry.number, entry.on, entry.kind, entry.memo]
            if not place
            else [entry.number, None, None, None]
        )
        rows.append([*own, *_entry_line(line)])
    return rows


def _entry_line(line: EntryLine) -> list[Cell]:
    return [
        line.account, line.code, line.client, line.job, line.description, line.debit or None, line.credit or None,
    ]  # fmt: skip

"""One export into one file: CSV by PostgreSQL's own COPY, Excel and JSON Lines row by row; memory stays flat.

Amounts are written digit by digit. What a spreadsheet would run as a formula is made harmless
(`sync.imports.formulas`), and is itself again when the file is imported.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import simplejson
import xlsxwriter
from psycopg import sql
from simplejson.encoder import encode_basestring

from resources.store.database import Transaction
from resources.store.queries import named_query
from sync.errors import InvalidInput
from sync.exports.datasets import Column, ColumnKind, Dataset
from sync.imports.formulas import neutralised

OnRows = Callable[[int], None]
# A column's name in the query, how its member begins, and how a value that is there is written.
JsonColumn = tuple[str, str, Callable[[Any], str]]

ROWS_PER_CALL = 10_000
PAGE_ROWS = 2_000
# Excel's own limit, headings included.
SHEET_ROWS_MAX = 1_048_576
CELL_LENGTH_MAX = 32_767
# Excel keeps 15 digits; a longer amount is written as text.
DIGITS_EXACT_MAX = 15

# How PostgreSQL writes each kind as text; the same as `_text` below.
_SQL: Mapping[ColumnKind, str] = {
    "text": "case when {c} ~ E'^[=+@\\t\\r-]' and {c} !~ '^[+-]?[0-9][0-9.,]*$' or left({c}, 1) = '''' "
    "then '''' || {c} else {c} end",
    "amount": "case when scale(trim_scale({c})) <= 2 then round({c}, 2) else trim_scale({c}) end::text",
    "number": "trim_scale({c})::text",
    "date": "to_char({c}, 'YYYY-MM-DD')",
    "moment": "to_char({c} at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    "flag": "case when {c} then 'yes' else 'no' end",
    "json": "{c}::text",
    "count": "{c}::text",
}
_WIDTHS: Mapping[ColumnKind, int] = {
    "text": 24, "amount": 14, "number": 12, "date": 12, "moment": 20, "flag": 8, "json": 40, "count": 10,
}  # fmt: skip


def write_csv(
    tx: Transaction, dataset: Dataset, parameters: Mapping[str, Any], *, path: Path, on_rows: OnRows
) -> int:
    """Write a CSV file with a byte order mark, so that Excel reads it as UTF-8; return the number of rows."""
    statement = _as_csv(dataset)
    rows = 0
    with path.open("wb") as file:
        headings = io.StringIO()
        csv.writer(headings, lineterminator="\n").writerow([column.title for column in dataset.columns])
        file.write(b"\xef\xbb\xbf" + headings.getvalue().encode())
        with tx.cursor() as cursor, cursor.copy(statement, parameters) as copy:
            for block in copy:
                file.write(block)
                rows += 1
                if rows % ROWS_PER_CALL == 0:
                    on_rows(rows)
    return rows


def write_jsonl(
    tx: Transaction, dataset: Dataset, parameters: Mapping[str, Any], *, path: Path, on_rows: OnRows
) -> int:
    """Write JSON Lines, a document with its lines per line; return the number of rows."""
    own = _json_columns(each for each in dataset.columns if not each.is_of_line)
    of_line = _json_columns(each for each in dataset.columns if each.is_of_line)
    rows = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        document, lines = "", list[str]()
        for rows, row in enumerate(tx.stream(_query_of(dataset), page_rows=PAGE_ROWS, **parameters), start=1):
            if not (dataset.has_lines and row["line_number"] > 1):
                _write_document(file, document, lines)
                document, lines = _json_members(row, own), []
            if any(row[name] is not None for name, _, _ in of_line):
                lines.append(_json_members(row, of_line))
            if rows % ROWS_PER_CALL == 0:
                on_rows(rows)
        _write_document(file, document, lines)
    return rows


def write_xlsx(
    tx: Transaction, dataset: Dataset, parameters: Mapping[str, Any], *, path: Path, on_rows: OnRows
) -> int:
    """Write one sheet with typed cells, frozen headings and widths, row by row to disk; return the number of rows.

    Raises InvalidInput where a sheet cannot hold the rows.
    """
    book = xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    sheet = book.add_worksheet(dataset.name[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    styles = {
        "amount": book.add_format({"num_format": "#,##0.00;[Red]-#,##0.00"}),
        "number": book.add_format({"num_format": "#,##0.####"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }
    for place, column in enumerate(dataset.columns):
        sheet.set_column(place, place, max(_WIDTHS[column.kind], len(column.title) + 2))
        sheet.write_string(0, place, column.title, bold)
    sheet.freeze_panes(1, 0)
    rows = 0
    try:
        for rows, row in enumerate(_rows(tx, dataset, parameters), start=1):
            if rows >= SHEET_ROWS_MAX:
                raise InvalidInput(
                    f"An Excel sheet holds {SHEET_ROWS_MAX - 1:,} rows and there are more. Export a shorter time, or CSV."
                )
            _write_row(sheet, rows, row, dataset=dataset, styles=styles)
            if rows % ROWS_PER_CALL == 0:
                on_rows(rows)
        sheet.autofilter(0, 0, max(rows, 1), len(dataset.columns) - 1)
    finally:
        book.close()
    return rows


def _write_row(
    sheet: Any, number: int, row: Mapping[str, Any], *, dataset: Dataset, styles: Mapping[str, Any]
) -> None:
    is_continued = dataset.has_lines and row["line_number"] > 1 and not row["has_key"]
    for place, column in enumerate(dataset.columns):
        value = row[column.name]
        if value is None or (is_continued and not column.is_of_line):
            continue
        style = styles.get(column.kind)
        if isinstance(value, Decimal) and len(value.as_tuple().digits) <= DIGITS_EXACT_MAX:
            # The library writes the digits it is given; a file of numbers has no other form.
            sheet.write_number(number, place, value, style)
        elif isinstance(value, datetime):
            sheet.write_datetime(number, place, value.astimezone(UTC).replace(tzinfo=None), style)
        elif isinstance(value, date):
            sheet.write_datetime(number, place, datetime(value.year, value.month, value.day), style)  # noqa: DTZ001 - a day
        elif isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(number, place, value)
        else:
            sheet.write_string(number, place, neutralised(_text(value, column))[:CELL_LENGTH_MAX])


def _rows(tx: Transaction, dataset: Dataset, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    # SQLAlchemy's row has a dict's ways; one page of it is held at a time.
    for row in tx.stream(_query_of(dataset), page_rows=PAGE_ROWS, **parameters):
        yield dict(row)


def _query_of(dataset: Dataset) -> str:
    return f"export_{dataset.name}"


def _as_csv(dataset: Dataset) -> sql.Composed:
    """Return the statement that writes a dataset as CSV: every column as the text that stands in the file."""
    shown = []
    for column in dataset.columns:
        expression = _SQL[column.kind].format(c=f"q.{column.name}")
        if dataset.has_lines and not column.is_of_line:
            expression = f"case when q.line_number = 1 or q.has_key then {expression} end"
        shown.append(sql.SQL(expression))
    query = named_query(_query_of(dataset)).text.rstrip().rstrip(";")
    wrapper = named_query("export_as_csv").text.rstrip().rstrip(";")
    # Our own queries and names; what anybody wrote travels as parameters.
    return sql.SQL(wrapper).format(columns=sql.SQL(", ").join(shown), query=sql.SQL(query))


def _text(value: Any, column: Column) -> str:
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "json":
        return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, default=str)
    if isinstance(value, Decimal):
        return f"{_plain(value):f}" if column.kind == "amount" else f"{value.normalize():f}"
    return str(value)


def _json_columns(columns: Iterable[Column]) -> Sequence[JsonColumn]:
    """Return for each column its name in the query, how its member begins, and how its value is written."""
    return [(each.name, f"{encode_basestring(each.key)}: ", _JSON.get(each.kind, _json)) for each in columns]


def _json_members(row: Mapping[Any, Any], columns: Sequence[JsonColumn]) -> str:
    # Written out member by member: a million rows through an encoder's objects take three times as long.
    return ", ".join(
        begins + ("null" if (value := row[name]) is None else write(value)) for name, begins, write in columns
    )


def _json(value: Any) -> str:
    if isinstance(value, str):
        return str(encode_basestring(value))
    if isinstance(value, datetime):
        return f'"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False))


def _json_amount(value: Any) -> str:
    if not isinstance(value, Decimal):
        return _json(value)
    text = str(value)
    # As PostgreSQL gives nearly all of them: four places, of which two are cents.
    return text[:-2] if text[-5:-4] == "." and text[-2:] == "00" else str(_plain(value))


def _json_number(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else _json(value)


_JSON: Mapping[ColumnKind, Callable[[Any], str]] = {"amount": _json_amount, "number": _json_number}


def _plain(amount: Decimal) -> Decimal:
    """Return an amount with its cents, and with more places only where it has them."""
    places = -int(amount.normalize().as_tuple().exponent)
    return amount.quantize(Decimal("0.01")) if places <= 2 else amount.normalize()


def _write_document(file: IO[str], members: str, lines: Sequence[str]) -> None:
    if not members:
        return
    listed = ", ".join(f"{{{each}}}" for each in lines)
    file.write(f'{{{members}, "lines": [{listed}]}}\n' if lines else f"{{{members}}}\n")


def headings_of(dataset: Dataset) -> Sequence[str]:
    """Return the headings of an export's file."""
    return [column.title for column in dataset.columns]

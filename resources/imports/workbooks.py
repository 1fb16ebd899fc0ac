"""Excel workbooks through calamine, with what calamine does not tell read from the sheet itself.

A number in a workbook is a binary number that Excel shows with 15 digits; those 15 digits are what is read, so that
a computed 0.30000000000000004 is the 0.30 its author saw. A formula counts as its last calculated value; one that
was never calculated, or ended in an error, is left for the reader to refuse as the formula it is.
"""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import IO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from resources.imports.refusals import refused
from sync.errors import ImportRejected
from sync.imports.formats import Format
from sync.imports.survey import HEADING_ROWS_MAX, SourceRow, fit
from sync.imports.texts import Cell

WORKBOOK_BYTES_MAX = 32 * 1024 * 1024
UNPACKED_BYTES_MAX = 250 * 1024 * 1024
SHEET_ROWS_MAX = 250_000
# So many, over all sheets, keep an import within 500 MB of memory: 1.6 million were measured to take 450 and less.
CELLS_MAX = 1_800_000
COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
# A locked .xlsx is one encrypted stream inside an old container; calamine only says that it does not know it.
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
EXCEL_DIGITS = Context(prec=15)

Opener = Callable[[], IO[bytes]]
_CELL = re.compile(rb"<c ([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_ROW = re.compile(rb'<row [^>]*?\br="([0-9]+)"')
_PLACE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_VALUE = re.compile(rb"<v>([^<]*)</v>")


def workbook_rows(
    opener: Opener, *, name: str, format_: Format
) -> tuple[Callable[[], Iterator[SourceRow]], tuple[str, ...]]:
    """Choose the sheet that fits the format best; return what yields its rows, and what there is to say."""
    with opener() as stream:
        content = stream.read(WORKBOOK_BYTES_MAX + 1)
    with _undamaged(name):
        _refuse_too_large(content, name=name)
    if content.startswith(COMPOUND_FILE) and ENCRYPTED_STREAM in content:
        raise _locked(name)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            sheets = _sheets(workbook)
    except PasswordError as error:
        raise _locked(name) from error
    except CalamineError as error:
        raise refused(name, "this is no Excel workbook", "Open it in Excel and save it as .xlsx.") from error
    filled = {position: rows for position, (_, rows) in sheets.items() if rows}
    if not filled:
        raise refused(name, "the workbook has no filled sheet", "Choose the file that has the rows.")
    chosen = max(filled, key=lambda position: (fit(filled[position][:HEADING_ROWS_MAX], format_), -position))
    rows = filled[chosen]
    with _undamaged(name):
        _put_formulas_back(rows, content, position=chosen)
    notes = (f'Read from the sheet "{sheets[chosen][0]}".',) if len(filled) > 1 else ()
    return lambda: iter(rows), notes


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    """Say in one sentence what the standard library says in seven ways about a broken archive."""
    try:
        yield
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, OSError,
        RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise refused(name, "the workbook is damaged", "Open it in Excel and save it again.") from error


def _locked(name: str) -> ImportRejected:
    return refused(name, "the workbook is locked with a password", "Save it without a password.")


def _sheets(workbook: CalamineWorkbook) -> dict[int, tuple[str, list[SourceRow]]]:
    """Return the rows of every visible sheet by its position in the workbook."""
    found = {}
    for position, about in enumerate(workbook.sheets_metadata):
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible:
            found[position] = (about.name, _rows(workbook.get_sheet_by_index(position)))
    return found


def _rows(sheet: CalamineSheet) -> list[SourceRow]:
    # Row by row: all of a sheet twice would be half of the memory. Only empty columns on the left are left out by that.
    left_out = sheet.start[1] if sheet.start else 0
    rows = [
        SourceRow(line, [_cell(value) for value in (*[""] * left_out, *values)])
        for line, values in enumerate(sheet.iter_rows(), start=1)
    ]
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or []:
        # A text merged downwards holds for every row it spans; an amount stands once, or it would be doubled.
        if not isinstance(
            rows[top].cells[left] if top < len(rows) and left < len(rows[top].cells) else None, (str, date)
        ):
            continue
        for line in range(top + 1, min(bottom + 1, len(rows))):
            cells = rows[line].cells
            if isinstance(cells, list) and left < len(cells) and cells[left] is None:
                cells[left] = rows[top].cells[left]
    return rows


def _cell(value: object) -> Cell:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return EXCEL_DIGITS.create_decimal(repr(value))
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, (date, datetime)):
        return value
    if isinstance(value, (time, timedelta)):
        return str(value)
    return str(value) or None


def _put_formulas_back(rows: list[SourceRow], content: bytes, *, position: int) -> None:
    """Write "=formula" or "=#DIV/0!" into cells whose formula has no usable value; calamine leaves them empty."""
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        path = _sheet_path(archive, position=position)
        if path is None:
            return
        xml = archive.read(path)
    if b"<f" not in xml and b't="e"' not in xml:
        return
    for found in _CELL.finditer(xml):
        about, inside = found[1], found[2] or b""
        is_error = b't="e"' in about
        if not is_error and (b"<f" not in inside or _has_value(inside)):
            continue
        place = _PLACE.search(about)
        if place is None:
            continue
        column, line = _column_index(place[1]), int(place[2])
        cells = rows[line - 1].cells if line <= len(rows) else None
        if isinstance(cells, list) and column < len(cells) and cells[column] is None:
            value = _VALUE.search(inside)
            cells[column] = (
                f"={value[1].decode()}" if is_error and value else "=formula without a calculated value"
            )


def _has_value(inside: bytes) -> bool:
    value = _VALUE.search(inside)
    return value is not None and bool(value[1])


def _sheet_path(archive: zipfile.ZipFile, *, position: int) -> str | None:
    """Return where the sheet at a position of the workbook is kept."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets = re.findall(rb"<sheet [^>]*?r:id=\"([^\"]+)\"", archive.read("xl/workbook.xml"))
    relations = archive.read("xl/_rels/workbook.xml.rels")
    if position >= len(sheets):
        return None
    for relation in re.findall(rb"<Relationship [^>]*>", relations):
        if b'Id="' + sheets[position] + b'"' in relation:
            target = re.search(rb'Target="([^"]+)"', relation)
            path = target[1].decode().lstrip("/") if target else ""
            path = path if path.startswith("xl/") else f"xl/{path}"
            return path if path in names else None
    return None


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - ord("A") + 1
    return index - 1


def _refuse_too_large(content: bytes, *, name: str) -> None:
    """Refuse what is too large before unpacking it: a small archive can hide gigabytes."""
    if len(content) > WORKBOOK_BYTES_MAX:
        raise refused(
            name, f"the workbook is larger than {WORKBOOK_BYTES_MAX // 2**20} MB", "Save it as CSV."
        )
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > UNPACKED_BYTES_MAX:
            raise refused(name, f"the workbook unpacks to {unpacked // 2**20:,} MB", "Save it as CSV.")
        _refuse_too_wide(archive, name=name)


def _refuse_too_wide(archive: zipfile.ZipFile, *, name: str) -> None:
    """Refuse a sheet whose far corner makes it huge: calamine keeps every cell up to the last one, empty ones too."""
    cells = 0
    for path in archive.namelist():
        if not path.startswith("xl/worksheets/") or not path.endswith(".xml"):
            continue
        rows, columns = _extent(archive.read(path))
        if rows > SHEET_ROWS_MAX:
            raise refused(
                name,
                f"a sheet has more than {SHEET_ROWS_MAX:,} rows",
                "Save it as CSV; CSV has no such limit.",
            )
        cells += rows * columns
        if cells > rows * columns and cells > CELLS_MAX:
            raise refused(
                name,
                f"the sheets of the workbook have {cells:,} cells and more, {CELLS_MAX:,} can be read at once",
                "Save the sheet with the rows as CSV, or as a workbook of its own.",
            )
        if rows * columns > CELLS_MAX:
            raise refused(
                name,
                f"a sheet reaches to row {rows:,} and column {columns:,}",
                f"Delete what stands far outside the table, or save it as CSV: {CELLS_MAX:,} cells can be read at once.",
            )


def _extent(xml: bytes) -> tuple[int, int]:
    """Return the last row and the last column with a value; cells in any order, as a careless program writes them."""
    rows = max((int(found[1]) for found in _ROW.finditer(xml)), default=0)
    columns = 0
    for found in _PLACE.finditer(xml):
        rows = max(rows, int(found[2]))
        columns = max(columns, _column_index(found[1]) + 1)
    if rows <= SHEET_ROWS_MAX and rows * columns <= CELLS_MAX:
        return rows, columns
    # Empty cells far out are only somebody's formatting; what has a value counts.
    filled = [_PLACE.search(cell[1]) for cell in _CELL.finditer(xml) if cell[2] and b"<" in cell[2]]
    if any(place is None for place in filled):
        return rows, columns
    places = [place for place in filled if place is not None]
    return (
        max((int(place[2]) for place in places), default=0),
        max((_column_index(place[1]) + 1 for place in places), default=0),
    )

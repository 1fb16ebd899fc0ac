"""Files of every kind give the same rows; what is no table is refused with a sentence."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from resources.imports.sources import open_source
from resources.imports.statements import STATEMENTS
from resources.imports.workbooks import UNPACKED_BYTES_MAX
from resources.store.queries import named_query
from sync.errors import ImportRejected
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.rows import stage_columns
from sync.imports.texts import Cell, cell_text

BILLS = FORMATS[ImportEntity.BILLS]
TEXT = "Vendor,Date,Amount\r\nPeña Brothers,2026-01-02,12.50\r\n"
STAGE_NAMES = {
    "party": "party_id", "job": "job_id", "purchase_order": "purchase_order_id", "date": "on_date",
    "total": "stated_total", "cost_code": "cost_code_id", "client": "client_id", "vendor": "vendor_id",
    "account": "account_id", "invoice": "invoice_id",
}  # fmt: skip


def rows(content: bytes | str, name: str = "file.csv") -> list[tuple[int, list[Cell]]]:
    data = content.encode() if isinstance(content, str) else content
    return [(row.line, list(row.cells)) for row in open_source(data, name=name, format_=BILLS).rows()]


def refusal(content: bytes | str | Path, name: str = "file.csv") -> dict[str, Any]:
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(ImportRejected) as refused:
        list(open_source(data, name=name, format_=BILLS).rows())
    (problem,) = refused.value.details["problems"]
    assert refused.value.user_message.startswith(f"Nothing was imported from {name}")
    found: dict[str, Any] = problem
    return found


def workbook(*sheets: list[list[Any]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet in sheets:
            page = book.add_worksheet()
            for line, cells in enumerate(sheet):
                for column, cell in enumerate(cells):
                    if isinstance(cell, date):
                        page.write_datetime(line, column, cell, day)
                    else:
                        page.write(line, column, cell)
    return content.getvalue()


def locked_workbook() -> bytes:
    """The outer container of a workbook with a password: a compound file with one encrypted stream in it."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack(
        "<109I", 0, *[free] * 108
    )
    sectors = struct.pack("<128I", fat, end, *[n + 1 for n in range(2, 9)], end, *[free] * 118)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    directory = entry("Root Entry", 5, 1, end, 0) + entry("EncryptedPackage", 2, free, 2, 4096)
    directory = directory.ljust(512, b"\0")
    return header + sectors + directory + bytes(4096)


def test_a_workbook_with_a_password_is_said_to_be_locked() -> None:
    assert refusal(locked_workbook(), "file.xlsx")["problem"] == "the workbook is locked with a password"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_any_usual_encoding_gives_the_same_rows(encoding: str) -> None:
    assert rows(TEXT.encode(encoding))[1] == (2, ["Peña Brothers", "2026-01-02", "12.50"])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_gives_the_same_rows(separator: str) -> None:
    assert rows(TEXT.replace(",", separator))[1][1] == ["Peña Brothers", "2026-01-02", "12.50"]


def test_the_separator_line_that_excel_writes_is_obeyed() -> None:
    assert rows("sep=;\r\nVendor;Date;Amount\r\nA, B and C;2026-01-02;1,50\r\n")[1] == (
        3,
        ["A, B and C", "2026-01-02", "1,50"],
    )


def test_commas_inside_amounts_do_not_make_the_comma_the_separator() -> None:
    content = "Vendor;Date;Amount\n" + "A;2026-01-02;1.250,50\n" * 20
    assert rows(content)[1][1] == ["A", "2026-01-02", "1.250,50"]


def test_a_cell_may_have_line_breaks_and_lines_keep_their_numbers() -> None:
    found = rows('Vendor,Date,Amount\n"One\nTwo",2026-01-02,1\nB,2026-01-03,2\n')
    assert [line for line, _ in found] == [1, 2, 4]


def test_a_quote_that_is_never_closed_is_refused_at_its_line() -> None:
    assert refusal('Vendor,Date,Amount\nA,2026-01-02,1\n"B,2026-01-03,2\n')["line"] == 3


def test_a_workbook_gives_dates_and_exact_numbers() -> None:
    content = workbook(
        [["Vendor", "Date", "Amount"], ["A", date(2026, 1, 2), 1234.56], ["B", date(2026, 1, 3), 100]]
    )
    assert rows(content, "file.xlsx")[1:] == [
        (2, ["A", date(2026, 1, 2), Decimal("1234.56")]),
        (3, ["B", date(2026, 1, 3), Decimal(100)]),
    ]


def test_a_computed_number_is_the_one_excel_shows() -> None:
    content = workbook([["Vendor", "Amount"], ["A", 0.1 + 0.2], ["B", 1234567.89 * 3]])
    patched = content  # what 0.1 + 0.2 leaves behind, with all its digits
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out := io.BytesIO(), "w") as new:
        for member in old.infolist():
            data = old.read(member)
            new.writestr(member, data.replace(b"<v>0.3</v>", b"<v>0.30000000000000004</v>"))
    patched = out.getvalue()
    assert b"0.30000000000000004" in zipfile.ZipFile(io.BytesIO(patched)).read("xl/worksheets/sheet1.xml")
    assert [cells[1] for _, cells in rows(patched, "file.xlsx")[1:]] == [
        Decimal("0.3"),
        Decimal("3703703.67"),
    ]


def test_a_formula_counts_as_its_last_value_and_one_without_stays_a_formula() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Vendor", "Date", "Amount"])
        page.write_formula(1, 2, "=1+1", None, 2)
        page.write_formula(2, 2, "=1+1", None, "")
        page.write_formula(3, 2, "=1/0", None, "#DIV/0!")
        page.write(3, 0, "A")
    found = [cells[2] for _, cells in rows(content.getvalue(), "file.xlsx")[1:]]
    assert found == [Decimal(2), "=formula without a calculated value", "=#DIV/0!"]


def test_the_sheet_that_fits_is_the_one_that_is_read() -> None:
    content = workbook([["Read me"]], [["Vendor", "Date", "Amount"], ["A", "2026-01-02", 5]])
    source = open_source(content, name="file.xlsx", format_=BILLS)
    assert len(list(source.rows())) == 2
    assert source.notes == ('Read from the sheet "Sheet2".',)


def test_a_text_merged_downwards_holds_for_each_of_its_rows_and_an_amount_does_not() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Vendor", "Amount", "Memo"])
        page.merge_range("A2:A3", "Sparrow Electric")
        page.merge_range("B2:B3", 10)
        page.write_row("C2", ["x"])
        page.write_row("C3", ["y"])
    assert [cells[:2] for _, cells in rows(content.getvalue(), "file.xlsx")[1:]] == [
        ["Sparrow Electric", Decimal(10)], ["Sparrow Electric", None],
    ]  # fmt: skip


def test_json_numbers_are_taken_digit_by_digit() -> None:
    found = rows('[{"vendor": "A", "date": "2026-01-02", "amount": 1234567890123.4567}]', "file.json")
    assert found[1] == (1, ["A", "2026-01-02", Decimal("1234567890123.4567")])


def test_nested_lines_become_rows_under_their_document() -> None:
    found = rows(
        '{"bills": [{"vendor": {"name": "A", "id": 7}, "date": "2026-01-02", "amount": 3,'
        ' "lines": [{"amount": 1}, {"amount": 2}]}]}',
        "file.json",
    )
    assert [cells for _, cells in found] == [
        ["vendor", "vendor id", "date", "document amount", "line amount"],
        ["A", Decimal(7), "2026-01-02", Decimal(3), Decimal(1)],
        [None, None, None, None, Decimal(2)],
    ]


@pytest.mark.parametrize("name", ["file.jsonl", "file.json", "file.txt"])
def test_json_lines_are_told_from_json(name: str) -> None:
    content = '{"vendor": "A", "amount": 1.10}\n\n{"vendor": "B", "date": "2026-01-02"}\n'
    assert rows(content.replace("\n\n", "\n"), name)[2][1] == ["B", None, "2026-01-02"]
    assert [line for line, _ in rows(content, "file.jsonl")] == [0, 1, 3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"  \n ", "the file is empty"),
        (b"%PDF-1.7 ...", "this is a PDF"),
        (b"<html><table><tr><td>Vendor</td></tr></table></html>", "this is a web page with another ending"),
        (b"PK\x03\x04 not really", "the workbook is damaged"),
        (b"\xd0\xcf\x11\xe0 not really", "this is no Excel workbook"),
        (b"Vendor,Amount\n\x00\x01\x02", "this is no text file"),
        (b'[{"vendor": }]', "this is no valid JSON"),
        (b'[{"amount": NaN}]', "NaN is no number"),
        (b"[]", "the file has no records"),
        (b"[1, 2]", "record 1 is no JSON object"),
        (b'{"a": 1}\n{"a": 2\n', "this is no valid JSON"),
        (b"[" * 100_000, "nested without end"),
        (b"Vendor,Amount\nPe\x81a,5\n", "this is no text file"),
        (b"\xff\xfeV\x00e\x00n", "this is no text file"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    problem = refusal(content)
    assert said in problem["problem"]
    assert problem["suggestion"].endswith(".")


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (UNPACKED_BYTES_MAX + 1))
    assert len(content.getvalue()) < 1_000_000
    assert "unpacks to" in refusal(content.getvalue(), "bomb.xlsx")["problem"]


def far_corner(place: str) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Vendor", "Date", "Amount"])
        page.write(place, "x")
    return content.getvalue()


def test_a_workbook_with_a_value_in_its_far_corner_is_refused_before_it_is_loaded() -> None:
    assert "more than 250,000 rows" in refusal(far_corner("A1048576"), "far.xlsx")["problem"]
    assert "row 240,000 and column 16,384" in refusal(far_corner("XFD240000"), "far.xlsx")["problem"]


def test_sheets_that_only_together_are_too_many_cells_are_refused() -> None:
    book = Workbook()
    for number in range(2):
        sheet = book.create_sheet(f"Part {number}")
        sheet["A1"], sheet["E240000"] = "Name", "far"
    content = io.BytesIO()
    book.save(content)
    assert "2,400,000 cells" in refusal(content.getvalue(), "parts.xlsx")["problem"]


def test_a_table_that_begins_in_the_middle_of_a_sheet_keeps_its_columns_and_lines() -> None:
    book = Workbook()
    assert book.active is not None
    book.active["C3"], book.active["C4"], book.active["D4"] = "Name", "Acme", "x"
    content = io.BytesIO()
    book.save(content)
    source = open_source(content.getvalue(), name="v.xlsx", format_=FORMATS[ImportEntity.VENDORS])
    rows = [(row.line, list(row.cells)) for row in source.rows()]
    assert [(line, cells[2:]) for line, cells in rows if any(cells)] == [
        (3, ["Name", None]),
        (4, ["Acme", "x"]),
    ]


def test_formatting_far_outside_the_table_is_no_matter() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Vendor", "Date", "Amount"])
        page.write_blank("XFD1048576", None, book.add_format({"bold": True}))
    assert rows(content.getvalue(), "file.xlsx") == [(1, ["Vendor", "Date", "Amount"])]


def test_a_number_too_large_to_write_out_is_one_bad_cell() -> None:
    found = rows('[{"vendor": 1E+999999999, "amount": 1E+999999999}]', "file.json")
    assert cell_text(found[1][1][0]) == "1E+999999999"


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "gone.csv")["problem"]


@pytest.mark.parametrize("entity", ImportEntity)
def test_the_stage_has_a_column_for_every_field_in_the_same_order(entity: ImportEntity) -> None:
    copied = named_query(STATEMENTS[entity].copy).text
    columns = [name.strip() for name in copied[copied.index("(") + 1 : copied.index(")")].split(",")]
    expected = [STAGE_NAMES.get(name, name) for name in stage_columns(FORMATS[entity])]
    assert [column for column in columns if column != "existing_id"] == expected

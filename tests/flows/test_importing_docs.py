"""docs/importing.md says what is true: its example imports, its report is the demo's, its words are the importer's."""

from __future__ import annotations

import re

import pytest

from assets.demo import demo_file, demo_manifest
from resources.imports.workbooks import CELLS_MAX, SHEET_ROWS_MAX, WORKBOOK_BYTES_MAX
from resources.store.database import Database
from sync.imports.formats import FORMATS, ImportEntity
from tests.support.imports import Books
from tests.support.repository import ROOT

TEXT = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
SLUG = "larkspur-custom-homes"


def block(beginning: str) -> str:
    (found,) = [text for text in BLOCKS if text.startswith(beginning)]
    return found


@pytest.mark.parametrize("entity", ImportEntity)
def test_every_kind_of_file_is_in_the_table_with_what_it_must_have(entity: ImportEntity) -> None:
    (row,) = re.findall(rf"^\| \d+ \| `{entity}` \|.*\| (.*) \| .* \|$", TEXT, re.MULTILINE)
    required = {field.title.lower() for field in FORMATS[entity].fields if field.is_required}
    assert required <= set(re.split(r", (?:and an? )?| or a ", row))


def test_the_example_imports(database: Database) -> None:
    books = Books(database)
    books.bring("vendors", "Name\nRafter & Sill Framing\n")
    books.bring("cost_codes", "Code,Name\n04-100,Framing crew\n")
    report = books.bring("bills", block("Bill No,Vendor"))
    assert (report.documents_written, report.rows_written) == (1, 3)


def test_the_report_shown_is_what_the_demo_file_reports(database: Database) -> None:
    books = Books(database)
    for file in demo_manifest(SLUG)["files"]:
        report = books.bring(file["entity"], demo_file(SLUG, file["file"]), allow_partial=True)
        if file["file"] == "bills_jan_jun.csv":
            break
    said = [report.sentence, *(f"  {problem.sentence}" for problem in report.problems)]
    assert block("1").splitlines() == said


def test_the_limits_are_the_ones_that_are_kept() -> None:
    assert f"up to {SHEET_ROWS_MAX:,} rows and {WORKBOOK_BYTES_MAX // 2**20} MB" in TEXT
    assert f"{CELLS_MAX:,} cells" in TEXT

"""`tieout import` tells what went in and what did not, in words, and by its status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from resources.settings import Settings
from resources.store.database import Database
from tests.support.imports import Books
from tests.support.repository import ROOT

Import = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def books(fresh_database: Database) -> Books:
    return Books(fresh_database, name="Quillon & Sons")


@pytest.fixture
def run(fresh_settings: Settings, tmp_path: Path) -> Import:
    """Runs the command on files of the given content, over the test's database."""

    def run(
        entity: str, *contents: str, builder: str, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        files = []
        for number, content in enumerate(contents, start=1):
            file = tmp_path / f"file{number}.csv"
            file.write_text(content)
            files.append(str(file))
        environment = os.environ | {
            "TIEOUT_HOME": str(fresh_settings.home),
            "TIEOUT_DATABASE_URL": fresh_settings.database_url.get_secret_value(),
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.run(
            [sys.executable, "-m", "api.cli", "import", entity, *files, "--builder", builder, *options],
            check=False, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=100,
        )  # fmt: skip

    return run


def test_a_good_file_is_imported_for_the_builder_with_that_name(books: Books, run: Import) -> None:
    done = run("vendors", "Vendor,Colour\nSparrow Electric,red\n", builder="quillon & sons")
    assert done.returncode == 0, done.stderr
    assert done.stdout == '1 row read from file1.csv, 1 added.\n  Columns that were not used: "Colour".\n'
    assert books.value("select name from v2_vendors") == "Sparrow Electric"


def test_a_bad_file_lists_its_problems_and_does_not_stop_the_others(books: Books, run: Import) -> None:
    done = run(
        "vendors", "Vndr\nSparrow Electric\n", "Vendor\nCedar Hollow Lumber\n", builder=str(books.builder_id)
    )
    assert done.returncode == 1
    assert "Nothing was imported from file1.csv" in done.stdout
    assert 'Line 1, Name: no column for "Name" of a vendor was found' in done.stdout
    assert "1 row read from file2.csv, 1 added." in done.stdout


def test_in_part_the_rest_is_reported_and_the_status_is_good(books: Books, run: Import) -> None:
    done = run(
        "vendors", "Vendor,Phone\nA Co,1\nA Co,2\n", builder=str(books.builder_id), options=("--partial",)
    )
    assert done.returncode == 0
    assert "Line 3, Vendor: it stands on line 2 too, with another phone." in done.stdout


@pytest.mark.parametrize(
    ("entity", "builder", "said"),
    [
        ("vendors", "Quilon & Son", "There is no builder Quilon & Son. Did you mean Quillon & Sons?"),
        ("timesheets", "Quillon & Sons", "There is no import of timesheets. Choose one of cost_codes"),
    ],
)
def test_what_was_mistyped_ends_in_one_sentence(
    books: Books, run: Import, entity: str, builder: str, said: str
) -> None:
    done = run(entity, "Vendor\nA Co\n", builder=builder)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_two_builders_have_needs_the_id(books: Books, run: Import) -> None:
    twin = Books(books.database, name="Quillon & Sons")
    done = run("vendors", "Vendor\nA Co\n", builder="Quillon & Sons")
    assert done.returncode == 1
    assert str(twin.builder_id) in done.stderr
    assert run("vendors", "Vendor\nA Co\n", builder=str(twin.builder_id)).returncode == 0
    assert (
        books.value("select count(*) from v2_vendors"),
        twin.value("select count(*) from v2_vendors"),
    ) == (0, 1)

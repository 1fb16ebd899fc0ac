"""Twenty files of different origins go in through all three ways; what cannot go in is said, and stops nothing else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.imports import DROPPED_FILES, import_assets
from resources.dagster.wired import WiredDesk
from resources.imports.drop_folder import DONE, LEFT, builder_folders, take_in, waiting
from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from tests.api.world import World, exact
from tests.support.imports import Books
from tests.support.messy import Messy, lay_out, messy_files
from tests.support.postgres import settings_for
from tests.support.repository import ROOT

CHUNKS = "select count(*) from import_chunks where import_id in (select id from import_files where entity = 'bills')"
LATER = 4_000_000_000.0
# What the books hold when all that is right went in, whichever way it came.
EXPECTED = [
    ("v2_cost_codes", 2), ("v2_clients", 2), ("v2_vendors", 4), ("v2_jobs", 2), ("v2_accounts", 4),
    ("v2_purchase_orders", 1), ("v2_invoices", 2), ("v2_bills", 2), ("v2_journal_entries", 2), ("v2_payments", 1),
]  # fmt: skip
SUMS = "select (select sum(total) from v2_bills)::text, (select sum(total) from v2_invoices)::text"


def stands(books: Books) -> list[tuple[str, int]]:
    return [(table, books.value(f"select count(*) from {table}")) for table, _ in EXPECTED]


def test_there_are_twenty_files_and_every_trap_is_noted() -> None:
    files = messy_files()
    assert len({each.name for each in files}) == 20
    assert all(each.trap for each in files)


@pytest.mark.slow
def test_the_folder_goes_in_through_the_drop_folder_and_dagster(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    books = Books(database, name="Messy & Sons")
    files = lay_out(tmp_path / "messy & sons")
    for file in (tmp_path / "messy & sons").iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))
    given = settings_for(settings.database_url.get_secret_value(), tmp_path / "home", drop_folder=tmp_path)
    with Tieout(given, database=database) as tieout, dg.DagsterInstance.ephemeral() as instance:
        desk = WiredDesk(tieout)
        assert [each.builder_id for each in desk.dropped_files()] == [str(books.builder_id)]
        instance.add_dynamic_partitions("builders", [str(books.builder_id)])
        run = dg.materialize(
            import_assets(),
            partition_key=str(books.builder_id),
            resources={"tieout": desk},
            instance=instance,
        )
        assert desk.dropped_files() == []
        metadata = run.asset_materializations_for_node("imports__dropped_files")[0].metadata
        checks = {each.check_name: each.passed for each in run.get_asset_check_evaluations()}
    assert (metadata["files"].value, metadata["imported"].value) == (20, 14)
    assert checks == {"every_file_went_in": False, "imported_entries_balance": True}
    assert DROPPED_FILES.path == ["imports", "dropped_files"]
    assert stands(books) == EXPECTED
    assert books.rows(SUMS) == [("2134.5000", "1000.3000")]
    folder = tmp_path / "messy & sons"
    for each in files:
        report = folder / (LEFT if each.refused_with else DONE) / f"{each.name}.txt"
        assert (each.refused_with or "read from") in report.read_text(), each.name
    to_correct = {path.name for path in (folder / LEFT).glob("*.problems.csv")}
    assert {"bills ambiguous.problems.csv", "journal_entries unbalanced.problems.csv"} <= to_correct


@pytest.mark.slow
def test_the_folder_goes_in_through_the_api(settings: Settings, database: Database) -> None:
    with asyncio.Runner() as runner:
        world = World(settings, database, runner)
        house = world.a_house()
        client = house.client("bookkeeper")
        for each in messy_files():
            sent = client.call(
                "POST", "/imports", files={"file": (each.name, each.content)}, data={"entity": each.entity}
            )
            path = f"/imports/{exact(sent)['id']}"
            if each.refused_with is None:
                exact(client.post(f"{path}/confirm"))
            _check(each, exact(client.get(path)))
        found = [(table, house.one(f"select count(*) from {table}")) for table, _ in EXPECTED]
    assert found == EXPECTED


def _check(each: Messy, shown: dict[str, Any]) -> None:
    if each.refused_with is None:
        assert (shown["status"], shown["problem_count"]) == ("done", 0), each.name
    else:
        assert shown["status"] in ("ready", "refused"), each.name
        assert any(each.refused_with in problem["problem"] for problem in shown["problems"]), each.name


@pytest.mark.slow
def test_the_folder_goes_in_through_the_command_line(
    fresh_settings: Settings, fresh_database: Database, tmp_path: Path
) -> None:
    books = Books(fresh_database)
    files = lay_out(tmp_path / "files")
    said = ""
    for entity, group in groupby(files, key=lambda each: each.entity):
        names = [str(tmp_path / "files" / each.name) for each in group]
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", "import", entity, *names, "--builder", str(books.builder_id),
             "--problems", str(tmp_path / "to correct")],
            check=False, capture_output=True, text=True, env=environment(fresh_settings), cwd=tmp_path, timeout=100,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        said += done.stdout
    assert stands(books) == EXPECTED
    for each in files:
        assert (each.refused_with or f"read from {each.name}") in said, each.name
    assert (tmp_path / "to correct" / "bills ambiguous.problems.csv").exists()


@pytest.mark.slow
def test_a_killed_import_leaves_whole_chunks_and_completes_when_it_comes_again(
    fresh_settings: Settings, fresh_database: Database, tmp_path: Path
) -> None:
    books = Books(fresh_database)
    books.bring("vendors", "Name\nSparrow Electric\n")
    rows = 90_000
    file = tmp_path / "bills.csv"
    with file.open("w") as out:
        out.write("Bill No,Vendor,Date,Amount\n")
        out.writelines(f"K-{n // 2},Sparrow Electric,2026-03-31,{n % 97}.25\n" for n in range(rows))
    command = [
        sys.executable, "-m", "api.cli", "import", "bills", str(file), "--builder", str(books.builder_id),
    ]  # fmt: skip
    with subprocess.Popen(
        command, env=environment(fresh_settings), cwd=tmp_path, stdout=subprocess.DEVNULL
    ) as process:
        while books.value(CHUNKS) == 0 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    written, lines = books.rows(
        "select coalesce(sum(documents), 0), coalesce(sum(rows_written), 0) from import_chunks where import_id ="
        " (select id from import_files where entity = 'bills')"
    )[0]
    assert 0 < written < rows // 2, "the process was killed between its first chunk and its last"
    assert books.value("select count(*) from v2_bills") == written
    assert books.value("select count(*) from v2_bill_lines") == lines == 2 * written
    books.change("update import_files set worked_at = worked_at - interval '1 hour' where entity = 'bills'")
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment(fresh_settings), cwd=tmp_path, timeout=200
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert books.value("select count(*) from v2_bills") == rows // 2
    assert books.value("select count(*) from v2_bill_lines") == rows
    assert books.value("select count(*) from import_files where entity = 'bills'") == 1


def environment(settings: Settings) -> dict[str, str]:
    return os.environ | {
        "TIEOUT_HOME": str(settings.home),
        "TIEOUT_DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(ROOT),
    }


# ------------------------------------------------------------------ the folder itself


@pytest.fixture
def books(database: Database) -> Iterator[Books]:
    return Books(database)


def test_a_file_that_is_still_being_copied_waits(books: Books, tmp_path: Path) -> None:
    file = tmp_path / "vendors.csv"
    file.write_text("Name\nAcme\n")
    assert waiting(tmp_path, now=file.stat().st_mtime + 1) == []
    assert [each.path for each in waiting(tmp_path, now=LATER)] == [file]
    assert [each.is_imported for each in take_in(books.imports, books.builder_id, tmp_path, now=LATER)] == [
        True
    ]


def test_a_file_that_says_nowhere_what_it_holds_is_left_with_a_sentence(books: Books, tmp_path: Path) -> None:
    (tmp_path / "march.csv").write_text("Name\nAcme\n")
    (report,) = take_in(books.imports, books.builder_id, tmp_path, now=LATER)
    assert "nothing says what it holds" in report.sentence
    assert (tmp_path / LEFT / "march.csv").exists()


def test_a_folder_says_what_its_files_hold_and_names_are_never_overwritten(
    books: Books, tmp_path: Path
) -> None:
    for name in ("Acme", "Bolt"):
        (tmp_path / "vendors").mkdir(exist_ok=True)
        (tmp_path / "vendors" / "march.csv").write_text(f"Name\n{name}\n")
        take_in(books.imports, books.builder_id, tmp_path, now=LATER)
    assert {path.name for path in (tmp_path / DONE).glob("*.csv")} == {"march.csv", "march (2).csv"}


def test_a_folder_belongs_to_the_builder_with_that_id_or_name(tmp_path: Path) -> None:
    for name in ("Larkspur Custom Homes", "nobody"):
        (tmp_path / name).mkdir()
    assert builder_folders(tmp_path, {"b-1": "Larkspur custom homes"}) == {
        "b-1": tmp_path / "Larkspur Custom Homes"
    }
    assert builder_folders(tmp_path / "missing", {}) == {}


def test_a_folder_named_as_two_builders_are_belongs_to_neither(tmp_path: Path) -> None:
    for name in ("Larch Homes", "b-2"):
        (tmp_path / name).mkdir()
    builders = {"b-1": "Larch Homes", "b-2": "LARCH  HOMES"}
    assert builder_folders(tmp_path, builders) == {"b-2": tmp_path / "b-2"}

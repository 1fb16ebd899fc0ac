"""The two commands of the README, as a newcomer would run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.processes import free_port
from resources.postgres import stop_embedded
from resources.settings import load_settings

# Minutes, not seconds: another's machine may be slow. What was measured is in docs/dagster.md.
FIRST_SECONDS_MAX = 180
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True, slots=True)
class Demo:
    """One home and its ports, and what both runs of the demo said."""

    home: Path
    environment: dict[str, str]
    first: subprocess.CompletedProcess[str]
    first_seconds: float
    second: subprocess.CompletedProcess[str]


def surroundings(home: Path) -> dict[str, str]:
    ports = ("API", "DAGSTER", "QUICKBOOKS_SANDBOX", "XERO_SANDBOX")
    taken = {f"TIEOUT_{name}_PORT": str(free_port()) for name in ports}
    return {**os.environ, **taken, "TIEOUT_HOME": str(home)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "api.cli", "demo", *arguments]


def once(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("--once"), env=environment, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    # Not below pytest's own folder: each pytest of the same user closes that to PostgreSQL's user when it starts.
    home = Path(tempfile.mkdtemp(prefix="tieout-demo-"))
    environment = surroundings(home)
    began = time.monotonic()
    first = once(environment)
    seconds = time.monotonic() - began
    second = once(environment) if first.returncode == 0 else first
    yield Demo(home, environment, first, seconds, second)
    left = stop_embedded(load_settings(_env_file=None, home=home))
    shutil.rmtree(home)
    assert not left, "the demo left PostgreSQL running"


def said(process: subprocess.CompletedProcess[str]) -> str:
    """What was said, with line breaks of the page taken out."""
    return " ".join(process.stdout.split())


def told(process: subprocess.CompletedProcess[str], table: str) -> dict[str, list[str]]:
    """The rows of one table, by their first cell."""
    text = process.stdout.split(f"\n{table}", 1)[1].split("\n└", 1)[0]
    cells = [
        [cell.strip() for cell in line.strip("│┃").split("│")] for line in text.splitlines() if "│" in line
    ]
    return {row[0]: row[1:] for row in cells}


BUILDERS = ("Halvorsen Pike Contractors", "Larkspur Custom Homes")


def test_the_first_demo_ends_well_and_in_time(demo: Demo) -> None:
    assert demo.first.returncode == 0, demo.first.stdout + demo.first.stderr
    assert demo.first_seconds < FIRST_SECONDS_MAX


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_first_sync_sends_links_and_holds_as_the_files_say(demo: Demo, builder: str) -> None:
    rows = told(demo.first, f"{builder}: first sync")
    pushed, _pulled, linked, held, conflicts, failed = rows["All"]
    assert int(pushed.split()[0]) > 250
    assert linked.startswith("3 ")
    assert int(held.split()[0]) >= 5
    assert conflicts == "·"
    assert int(failed.split()[0]) in (1, 2)


@pytest.mark.parametrize("builder", BUILDERS)
def test_what_the_bookkeeper_entered_comes_back_and_one_bill_is_in_conflict(demo: Demo, builder: str) -> None:
    rows = told(demo.first, f"{builder}: second sync")
    assert rows["All"][0] == "·", "nothing was sent a second time"
    for entity in ("Payments received", "Bill payments", "Bank deposits"):
        assert int(rows[entity][1].split()[0]) > 20
    assert rows["Bills"][4].startswith("1 ")


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_books_tie_out_but_for_the_conflict(demo: Demo, builder: str) -> None:
    rows = told(demo.first, f"{builder}: tie-out")
    in_ledger = [row for name, row in rows.items() if "trial balance" in name.lower()]
    assert len(in_ledger) == 3
    assert all(row[2] == "0.00" for row in in_ledger)
    differences = {row[2] for row in rows.values()} - {"0.00", "difference"}
    assert differences == {"165.50"}
    assert "Both sides tie out to the cent, but for the 165.50 of the conflict below." in said(demo.first)
    assert "debits less credits 0.00" in said(demo.first)


def test_the_summary_names_what_is_unmapped_held_and_in_conflict(demo: Demo) -> None:
    text = said(demo.first)
    assert (
        "Unmapped cost codes: 05-130 Stone veneer, 06-170 Solar and battery, 12-140 Equipment rental" in text
    )
    assert "cost code 552 Storefront and curtain wall has no expense account" in text
    assert "has 22 characters and QuickBooks takes 21" in text
    assert text.count("was changed on both sides; somebody has to choose") == len(BUILDERS)


def test_the_second_demo_pushes_nothing_and_costs_few_calls(demo: Demo) -> None:
    assert demo.second.returncode == 0, demo.second.stdout + demo.second.stderr
    for builder in BUILDERS:
        assert told(demo.second, f"{builder}: sync")["All"][0] == "·"
    in_xero, in_quickbooks = (
        int(calls) for calls in re.findall(r"(\d+) calls? to the provider", demo.second.stdout)
    )
    # What changed, the trial balance and the bank's two reports; the rest reads again what lies within the overlap of the
    # cursor. Seen: 5 and 8. No census is due, which alone would take nine.
    assert 1 <= in_quickbooks <= 10
    # One per list; the first run's money lies within the overlap of the cursor, and its receipts are asked for whole.
    # Twenty and twenty-one were seen.
    assert 11 <= in_xero <= 24


def test_one_builder_keeps_its_books_in_each_system(demo: Demo) -> None:
    text = said(demo.first)
    assert "Halvorsen Pike Contractors: books in Xero" in text
    assert "Larkspur Custom Homes: books in QuickBooks" in text
    assert "connected to Halvorsen Pike Contractors" in text, (
        "of two organisations the consent opens, its own"
    )
    assert "posts to accounts receivable (1100 Accounts Receivable (A/R)), which Xero does not take" in text


def test_only_its_owner_can_read_the_keys_the_demo_keeps(demo: Demo) -> None:
    file = demo.home / "demo.json"
    assert file.stat().st_mode & 0o077 == 0
    builders = json.loads(file.read_text())["builders"]
    assert len(builders) == len(BUILDERS)
    keys = [state["api_key"] for state in builders.values()]
    assert not [key for key in keys if key in demo.first.stdout + demo.second.stdout]


def test_a_port_in_use_ends_in_one_sentence_before_anything_is_started(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", int(demo.environment["TIEOUT_DAGSTER_PORT"]))):
        ended = once(demo.environment)
    assert ended.returncode == 1
    port = demo.environment["TIEOUT_DAGSTER_PORT"]
    assert ended.stderr.strip() == (
        f"Port {port} on 127.0.0.1, wanted for Dagster, is in use by another program;"
        " stop that program or set TIEOUT_DAGSTER_PORT to a free port."
    )
    assert ended.stdout == ""


def test_an_interrupted_demo_stops_everything_it_started(demo: Demo) -> None:
    process = subprocess.Popen(
        command(), env=demo.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Sandboxes and API" in line:
            break
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert "Stopped." in rest
    for name in ("API", "DAGSTER", "QUICKBOOKS_SANDBOX", "XERO_SANDBOX"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(demo.environment[f"TIEOUT_{name}_PORT"]))) != 0, name

"""`tieout sync` as an operator runs it: a program of its own, against both sandboxes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from tests.support.office import Office
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow


def tieout(office: Office, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command over the same database, data folder and sandbox."""
    given = office.tieout.settings.model_dump(exclude_defaults=True)
    shown: dict[str, Any] = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in given.items()
    }
    variables = {f"TIEOUT_{name.upper()}": str(value) for name, value in shown.items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "sync", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment | variables | {"PYTHONPATH": str(ROOT)},
        cwd=office.tieout.settings.home,
        timeout=100,
    )


def test_a_rehearsal_tells_and_the_sync_does(office: Office) -> None:
    office.bill(office.vendor(), amounts=("60.00", "40.25"))
    rehearsed = tieout(office, office.builder_id, "--rehearse")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "created in the ledger" in rehearsed.stdout
    assert "100.25" in rehearsed.stdout
    assert "nothing was written to either book" in rehearsed.stdout
    assert office.books.documents("bill") == []

    told = json.loads(tieout(office, office.builder_id, "--rehearse", "--json", "--entity", "bill").stdout)
    (record,) = [each for each in told["records"] if each["entity"] == "bill"]
    # Its vendor is new and was left out.
    assert (record["outcome"], record["amount"]) == ("held", "100.2500")

    done = tieout(office, office.builder_id)
    assert done.returncode == 0, done.stderr
    assert "1 pushed (100.25)" in done.stdout
    assert "both sides agree to the cent" in done.stdout
    assert [bill.number for bill in office.books.valid("bill")] == ["B-1"]


def test_a_wrong_word_ends_in_a_sentence(office: Office) -> None:
    wrong = tieout(office, office.builder_id, "--entity", "bils")
    assert wrong.returncode == 1
    assert "There is no kind of record called bils" in wrong.stderr
    assert "Traceback" not in wrong.stderr

"""The command line teaches, ends in sentences, and loads no more than it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.repository import ROOT

Tieout = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tieout(tmp_path: Path) -> Iterator[Tieout]:
    """Runs the command in an installation of its own; its server is stopped at the end."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"TIEOUT_HOME": str(tmp_path / "home"), "COLUMNS": "100"} | variables
        environment["PYTHONPATH"] = str(ROOT)
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=100,
        )

    yield run
    run("db", "stop")


def test_help_names_every_command_and_how_to_begin(tieout: Tieout) -> None:
    result = tieout("--help")
    assert result.returncode == 0
    for word in ("migrate", "doctor", "serve", "demo", "sandbox", "db", "tieout demo --once"):
        assert word in result.stdout


def test_a_new_installation_is_migrated_and_found_healthy(tieout: Tieout) -> None:
    assert tieout("db", "status").returncode == 3
    migrated = tieout("migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert "applied 0001_first" in migrated.stdout
    assert "applied" not in tieout("migrate").stdout
    assert "already runs" in tieout("db", "start").stdout
    assert "psql 'postgresql://postgres@/tieout?host=" in tieout("db", "status").stdout
    examined = tieout("doctor")
    assert examined.returncode == 0, examined.stdout
    assert "Row-level security applies to tieout_app." in examined.stdout
    assert "The database is up to date." in examined.stdout
    assert "PostgreSQL stopped." in tieout("db", "stop").stdout
    assert "was not running" in tieout("db", "stop").stdout


def test_the_doctor_tells_a_database_that_waits_for_migrations(tieout: Tieout) -> None:
    tieout("db", "start")
    result = tieout("doctor")
    assert result.returncode == 1
    assert "not applied yet; run 'tieout migrate'." in result.stdout


def test_the_api_does_not_start_over_a_schema_that_waits_for_migrations(tieout: Tieout) -> None:
    result = tieout("serve")
    assert result.returncode == 1
    assert "The database waits for 0001_first" in result.stderr
    assert "run 'tieout migrate' first." in result.stderr


@pytest.mark.parametrize("command", [["migrate"], ["doctor"], ["db", "start"], ["serve"]])
def test_a_wrong_setting_ends_in_a_sentence_and_no_traceback(tieout: Tieout, command: list[str]) -> None:
    result = tieout(*command, TIEOUT_API_PORT="eighty")
    assert result.returncode == 1
    assert result.stderr.startswith("TIEOUT_API_PORT is wrong: ")
    assert "Traceback" not in result.stderr


def test_a_database_that_is_down_ends_in_a_sentence(tieout: Tieout) -> None:
    result = tieout("migrate", TIEOUT_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/books")
    assert result.returncode == 1
    assert "Connection refused" in result.stderr
    assert "Check TIEOUT_DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr


def test_a_misspelt_setting_is_pointed_out(tieout: Tieout) -> None:
    assert "did you mean TIEOUT_API_PORT?" in tieout("doctor", TIEOUT_API_PROT="1").stdout


def test_the_sandbox_answers_for_itself(tieout: Tieout) -> None:
    result = tieout("sandbox", "--help")
    assert result.returncode == 0
    assert "--port" in result.stdout


def test_the_command_line_loads_neither_dagster_nor_a_sandbox() -> None:
    code = "import sys, api.cli; print([m for m in ('dagster', 'sandbox', 'fastapi', 'sqlalchemy') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert result.stdout.strip() == "[]"

"""`tieout export` writes a file that `tieout import` takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from resources.settings import Settings
from resources.store.database import Database
from tests.support.imports import Books
from tests.support.repository import ROOT


def run(settings: Settings, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "TIEOUT_HOME": str(settings.home),
        "TIEOUT_DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        check=False, capture_output=True, text=True, env=environment, cwd=folder, timeout=100,
    )  # fmt: skip


def test_an_exported_file_can_be_imported_and_changes_nothing(
    fresh_settings: Settings, fresh_database: Database, tmp_path: Path
) -> None:
    Books(fresh_database, name="Quillon & Sons").bring("vendors", "Name,City\nCedar Hollow Lumber,Bend\n")
    done = run(fresh_settings, tmp_path, "export", "vendors", "--builder", "Quillon & Sons", "-o", "v.csv")
    assert (done.returncode, done.stdout) == (0, "1 rows written to v.csv.\n"), done.stderr
    back = run(fresh_settings, tmp_path, "import", "vendors", "v.csv", "--builder", "Quillon & Sons")
    assert back.returncode == 0, back.stderr
    assert "0 vendors" in back.stdout or "already" in back.stdout, back.stdout


def test_a_wrong_word_ends_in_one_sentence(
    fresh_settings: Settings, fresh_database: Database, tmp_path: Path
) -> None:
    Books(fresh_database, name="Quillon & Sons")
    for arguments, sentence in (
        (("export", "cheques"), "There is no export called cheques"),
        (("export", "bills", "--format", "pdf"), "There is no format called pdf"),
        (("export", "bills", "--entity", "bill"), "cannot be filtered by entity"),
    ):
        done = run(fresh_settings, tmp_path, *arguments, "--builder", "Quillon & Sons")
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("*.csv")) == []

"""A backup of the embedded server's product database into one file, and back, with the programs Tieout brings.

Dagster's own database is left out: it holds what ran when, nothing that a sync needs. So is the key file, on purpose:
whoever gets hold of a backup alone cannot open the tokens in it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from resources.postgres.embedded import program, start_embedded
from resources.postgres.errors import PostgresError
from resources.postgres.urls import database_urls, for_psycopg
from resources.settings import Settings


def back_up(settings: Settings, file: Path) -> int:
    """Write the product's database to a file that must not exist yet; its size in bytes."""
    if file.exists():
        raise PostgresError(f"{file} exists already; choose another name, or move it away.")
    _require_folder(file)
    start_embedded(settings)
    unfinished = file.with_name(f"{file.name}.unfinished")
    _run("pg_dump", settings, "--format=custom", f"--file={unfinished}")
    unfinished.chmod(0o600)
    # By rename, so that a file of this name is always a whole backup.
    unfinished.rename(file)
    return file.stat().st_size


def restore(settings: Settings, file: Path) -> None:
    """Replace the product's database by a backup, wholly or not at all."""
    if not file.is_file():
        raise PostgresError(f"There is no file {file}; give the path of a backup made by 'tieout db backup'.")
    start_embedded(settings)
    _run(
        "pg_restore", settings, "--clean", "--if-exists", "--single-transaction", "--exit-on-error", str(file)
    )


def _run(name: str, settings: Settings, *arguments: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    command = [program(name), f"--dbname={for_psycopg(database_urls(settings).admin)}", *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        said = result.stderr.strip().splitlines()
        raise PostgresError(f"{name} failed and changed nothing: {said[0] if said else 'it gave no reason'}.")


def _require_folder(file: Path) -> None:
    if not file.absolute().parent.is_dir():
        raise PostgresError(f"There is no folder {file.absolute().parent}; make it first.")

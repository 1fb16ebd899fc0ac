"""Imports in the background: a process of its own per import, so that a large file never slows or fills the API's.

`python -m resources.imports.worker BUILDER IMPORT` does what is next for one import and ends. Killed at any moment it
leaves whole chunks; the import's row says so after a minute of silence, and it may be resumed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol
from uuid import UUID

import structlog

from resources.settings import Settings, load_settings
from sync.clock import SystemClock
from sync.errors import SyncError

log = structlog.get_logger(__name__)


class ImportWorkers(Protocol):
    """Whoever does the work of imports in the background."""

    def start(self, builder_id: UUID, import_id: str) -> None:
        """Begin what is next for an import, and return at once."""
        ...


class ProcessWorkers:
    """Starts a process for each import."""

    def __init__(self, settings: Settings) -> None:
        """The processes get the same settings by the same environment."""
        self._settings = settings
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, builder_id: UUID, import_id: str) -> None:
        """Begin what is next for an import, and return at once."""
        # Looking at them takes ended ones off the system's list.
        self._running = [process for process in self._running if process.poll() is None]
        command = [sys.executable, "-m", "resources.imports.worker", str(builder_id), import_id]
        environment = {**os.environ, "TIEOUT_HOME": str(self._settings.home)}
        self._running.append(
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        )


def main(arguments: list[str]) -> int:
    """Do what is next for one import; how it ended is in its row."""
    from resources.imports.importer import Imports
    from resources.imports.spool import Spool
    from resources.logging import configure_logging
    from resources.postgres import database_urls
    from resources.store.database import Database

    builder_id, import_id = UUID(arguments[0]), arguments[1]
    settings = load_settings()
    configure_logging(settings)
    with Database(database_urls(settings)) as database:
        imports = Imports(database, clock=SystemClock(), spool=Spool(settings.import_folder))
        try:
            report = imports.work(builder_id, import_id)
        except SyncError as error:
            log.info("import.ended", import_id=import_id, code=error.code)
            return 1
    log.info("import.worked", import_id=import_id, rows=report.rows_written, problems=report.problem_count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

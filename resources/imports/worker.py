"""Imports in the background: a process of its own per import, so that a large file never slows or fills the API's.

`python -m resources.imports.worker BUILDER IMPORT` does what is next for one import and ends. Killed at any moment it
leaves whole chunks; the import's row says so after a minute of silence, and it may be resumed. No more such processes
run at once, over all processes of the API, than the setting says: the others wait, and their rows say that too.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol
from uuid import UUID

import structlog

from resources.imports.importer import Imports
from resources.imports.steps import still_waits
from resources.settings import Settings, load_settings
from sync.clock import SystemClock
from sync.errors import SyncError

log = structlog.get_logger(__name__)

# How often a waiting import looks for a free place, and says that it is not forgotten.
LOOK_SECONDS = 0.5
TOLD_SECONDS = 15.0


class ImportWorkers(Protocol):
    """Whoever does the work of imports in the background."""

    def start(self, builder_id: UUID, import_id: str) -> None:
        """Begin what is next for an import, and return at once."""
        ...


Command = Callable[[UUID, str], Sequence[str]]


def _command(builder_id: UUID, import_id: str) -> Sequence[str]:
    return [sys.executable, "-m", "resources.imports.worker", str(builder_id), import_id]


class ProcessWorkers:
    """Starts a process for each import, as many at once as the setting allows."""

    def __init__(self, settings: Settings, imports: Imports, *, command: Command = _command) -> None:
        """The processes get the same settings by the same environment."""
        self._environment = {**os.environ, "TIEOUT_HOME": str(settings.home)}
        self._imports = imports
        self._places = settings.import_processes_max
        self._command = command
        self._waiting: queue.SimpleQueue[tuple[UUID, str]] = queue.SimpleQueue()
        self._queued: set[tuple[UUID, str]] = set()
        self._lock = threading.Lock()
        self._threads = 0
        # Never set: only its waiting is wanted.
        self._pause = threading.Event()

    def start(self, builder_id: UUID, import_id: str) -> None:
        """Begin what is next for an import as soon as a place is free, and return at once."""
        with self._lock:
            if (builder_id, import_id) in self._queued:
                return
            self._queued.add((builder_id, import_id))
            self._waiting.put((builder_id, import_id))
            if self._threads < self._places:
                self._threads += 1
                threading.Thread(target=self._serve, name="imports", daemon=True).start()

    def _serve(self) -> None:
        while True:
            one = self._waiting.get()
            try:
                with self._place():
                    with self._lock:
                        self._queued.discard(one)
                    self._run(*one)
            except Exception:
                # At the edge of a thread: the import can be resumed, and the next one must have its turn.
                log.exception("import.not_started", import_id=one[1])
                with self._lock:
                    self._queued.discard(one)

    def _run(self, builder_id: UUID, import_id: str) -> None:
        process = subprocess.Popen(
            self._command(builder_id, import_id),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        while True:
            try:
                process.wait(TOLD_SECONDS)
            except subprocess.TimeoutExpired:
                self._say_that_they_wait()
            else:
                return

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Wait for a place among all processes of the API and hold it; it is free again when whoever holds it is gone."""
        database, looks = self._imports.database, 0
        while True:
            for place in range(self._places):
                with ExitStack() as held:
                    if held.enter_context(
                        database.session_lock("import_place_lock", "import_place_unlock", place=place)
                    ):
                        yield
                        return
            looks += 1
            if looks % int(TOLD_SECONDS / LOOK_SECONDS) == 0:
                self._say_that_they_wait()
            self._pause.wait(LOOK_SECONDS)

    def _say_that_they_wait(self) -> None:
        with self._lock:
            queued = list(self._queued)
        for builder_id, import_id in queued:
            still_waits(self._imports.database, builder_id, import_id, now=self._imports.clock.now())


def main(arguments: list[str]) -> int:
    """Do what is next for one import; how it ended is in its row."""
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

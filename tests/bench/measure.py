"""Timing, CPU and memory of this process and of PostgreSQL, and the one JSON line per figure."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from resources.settings import Settings
from resources.store.database import Database
from tests.support.postgres import SessionServer, release_home, reserve_home, session_server, settings_for

TICKS = os.sysconf("SC_CLK_TCK")


def figure(name: str, value: float, unit: str, **beside: Any) -> None:
    """Print one figure, with its peer, floor or conditions beside it."""
    shown = {key: round(each, 3) if isinstance(each, float) else each for key, each in beside.items()}
    sys.stdout.write(json.dumps({"figure": name, "value": round(value, 3), "unit": unit, **shown}) + "\n")
    sys.stdout.flush()


@dataclass
class Measured:
    """What one block took; filled when the block ends."""

    wall: float = 0.0
    cpu: float = 0.0
    postgres_cpu: float = 0.0
    # Seconds in which this process's threads, or PostgreSQL's processes, could have run and had no processor: what a
    # busy machine adds to the wall time.
    queued: float = 0.0
    postgres_queued: float = 0.0


@dataclass
class Bench:
    """A database of its own on a server of its own, and a QuickBooks sandbox in a process of its own."""

    settings: Settings
    database: Database
    server: SessionServer
    sandbox_url: str
    _stack: ExitStack = field(repr=False)

    @contextmanager
    def measure(self) -> Iterator[Measured]:
        """Measure a block: wall, this process's CPU, and the CPU of PostgreSQL's processes."""
        measured = Measured()
        wall, cpu, server = time.perf_counter(), time.process_time(), self._postgres_seconds()
        queued, server_queued = _queued(os.getpid()), self._postgres_queued()
        yield measured
        measured.wall = time.perf_counter() - wall
        measured.cpu = time.process_time() - cpu
        measured.postgres_cpu = self._postgres_seconds() - server
        # Of those that still live; one that ended takes its figure along.
        measured.queued = max(_queued(os.getpid()) - queued, 0.0)
        measured.postgres_queued = max(self._postgres_queued() - server_queued, 0.0)

    def another_database(self) -> tuple[Settings, Database]:
        """Return settings and database of a second installation on the same server."""
        from resources.postgres import database_urls

        url = self._stack.enter_context(self.server.fresh_database())
        settings = settings_for(url, self.settings.home)
        return settings, self._stack.enter_context(Database(database_urls(settings)))

    def _postgres_seconds(self) -> float:
        """CPU of the postmaster, its ended children and its living ones."""
        postmaster = self._postmaster()
        ticks = sum(_stat(postmaster)[11:15])
        return (ticks + sum(sum(_stat(child)[11:13]) for child in self._children(postmaster))) / TICKS

    def _postgres_queued(self) -> float:
        return sum(_queued(int(child)) for child in self._children(self._postmaster()))

    def _postmaster(self) -> str:
        pid_files = list(Path(self.server.settings.home).rglob("postmaster.pid"))
        return pid_files[0].read_text().split("\n", 1)[0]

    @staticmethod
    def _children(postmaster: str) -> list[str]:
        names = [folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [name for name in names if _stat(name)[1:2] == [int(postmaster)]]


def memory_mb() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def bench() -> Iterator[Bench]:
    """Bring up PostgreSQL and the sandbox, and take both down again."""
    from resources.postgres import database_urls

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    reserve_home()
    with ExitStack() as stack:
        stack.callback(release_home)
        server = session_server()
        url = stack.enter_context(server.fresh_database())
        settings = settings_for(url, server.settings.home / "bench")
        database = stack.enter_context(Database(database_urls(settings)))
        sandbox_url = stack.enter_context(sandbox("quickbooks"))
        yield Bench(settings, database, server, sandbox_url, stack)


@contextmanager
def sandbox(name: str) -> Iterator[str]:
    """Serve a sandbox from a process of its own."""
    command = [sys.executable, "-m", "sandbox", name, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found is not None, "the sandbox did not start"
            yield found[0]
        finally:
            process.terminate()


def _stat(pid: str) -> list[int]:
    """The numbers of /proc/<pid>/stat after the state; index 1 is the parent, 11 and 12 its own ticks."""
    try:
        text = Path("/proc", pid, "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # Index 0 stands for the state letter, so that the places are those of the manual less three.
    return [0, *(int(part) for part in text.rsplit(")", 1)[1].split()[1:])]


def _queued(pid: int) -> float:
    """Seconds in which the threads of a process waited for a processor so far; 0 where the system does not tell."""
    waited = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            waited += int(file.read_text().split()[1])
    return waited / 1e9

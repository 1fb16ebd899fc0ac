"""Child processes: started in groups of their own, watched until they answer, and stopped in order.

Nothing here may leave a process behind, whichever step fails: a child is remembered before it is waited for, and
`Household` stops what it started, the last first. Each child's output goes to a file of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 15.0
PROBE_SECONDS = 0.1
LOG_LINES_SHOWN = 12


class ProcessError(Exception):
    """Something that runs beside us is not as it must be; the text says what and what to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to run: what it is called in sentences, its command, and how to tell that it answers."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    # It loads its modules and then waits for `Household.go`: loading is what takes long.
    waits_for_go: bool = False
    # Children of one group are stopped at once, and each group before the one started earlier.
    group: str = ""


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    log: Path


class Household:
    """The child processes of one command, stopped together at its end."""

    def __init__(self, log_folder: Path, *, environment: Mapping[str, str]) -> None:
        self._log_folder = log_folder
        self._environment = dict(environment)
        self._running: list[_Running] = []

    def start(self, child: Child) -> None:
        """Start a child; whether it answers is asked later, so that several can start at once."""
        self._log_folder.mkdir(parents=True, exist_ok=True)
        log = self._log_folder / f"{child.name.lower().replace(' ', '-')}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(child.command),
                stdin=subprocess.PIPE if child.waits_for_go else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**self._environment, **child.environment},
                # A group of its own: Ctrl-C in the terminal reaches us alone, and we stop children in order.
                start_new_session=True,
            )
        self._running.append(_Running(child, process, log))

    def go(self, name: str) -> None:
        """Let a child that waits for it begin."""
        for running in self._running:
            if running.child.name == name and running.process.stdin is not None:
                # One that has ended instead is found, with its last words, by whoever waits for it.
                with suppress(BrokenPipeError):
                    running.process.stdin.close()

    def wait(self, *names: str, seconds: float = START_SECONDS_MAX) -> None:
        """Wait until the named children answer; one that ends instead shows its last words."""
        deadline = time.monotonic() + seconds
        for running in [each for each in self._running if each.child.name in names]:
            while not running.child.is_ready():
                self.check()
                if time.monotonic() > deadline:
                    raise ProcessError(
                        f"{running.child.name} has not answered for {seconds:.0f} seconds."
                        f" Its log, {running.log}, ends with:\n{last_lines(running.log)}"
                    )
                time.sleep(PROBE_SECONDS)

    def check(self) -> None:
        """Raise when a child has ended by itself."""
        for running in self._running:
            status = running.process.poll()
            if status is not None:
                raise ProcessError(
                    f"{running.child.name} ended by itself (status {status})."
                    f" Its log, {running.log}, ends with:\n{last_lines(running.log)}"
                )

    def stop(self) -> None:
        """Stop every child with all that it started, group by group, the last started first."""
        while self._running:
            group = self._running[-1].child.group
            ending: list[_Running] = []
            while self._running and self._running[-1].child.group == group:
                ending.append(self._running.pop())
                _end(ending[-1].process)
            for running in ending:
                try:
                    running.process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    _signal_group(running.process, signal.SIGKILL)
                    running.process.wait()
                # What a child started itself (a run's process) shares its group and may outlive it.
                _signal_group(running.process, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def stop_on_signals() -> None:
    """Make SIGTERM and SIGINT end this process as Ctrl-C does, even where the shell had them ignored.

    A shell starts background jobs with SIGINT ignored, children inherit that, and Dagster then ignores SIGTERM too;
    a handler of our own is reset to the default in each child.
    """

    def interrupt(_number: int, _frame: object) -> None:
        # One is enough: a second one must not cut the orderly stop short.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this very Python."""
    return [sys.executable, "-m", module, *arguments]


def answers(url: str) -> Callable[[], bool]:
    """Return a probe that is true once a web server answers there without an error of its own."""

    def probe() -> bool:
        try:
            return httpx.get(url, timeout=2).status_code < 500
        except httpx.HTTPError:
            return False

    return probe


def listens(port: int, *, host: str = "127.0.0.1") -> Callable[[], bool]:
    """Return a probe that is true once something takes connections on a port."""

    def probe() -> bool:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
        return False

    return probe


def lives() -> bool:
    """Probe for a child that answers nobody: it counts as ready while it runs (`Household.check` watches it)."""
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody uses at this moment."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])


def require_free_ports(wanted: Iterable[tuple[str, str, int, str]]) -> None:
    """Check (what for, host, port, setting) before anything is started; the sentence names all that are taken."""
    taken = [
        f"Port {port} on {host}, wanted for {what}, is in use by another program;"
        f" stop that program or set {setting} to a free port."
        for what, host, port, setting in wanted
        if not _is_free(host, port)
    ]
    if taken:
        raise ProcessError("\n".join(taken))


def last_lines(log: Path, *, count: int = LOG_LINES_SHOWN) -> str:
    """Return the end of a log, indented."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()[-count:]
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        # As servers do it: a port that only waits for its last packets counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    _signal_group(process, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)

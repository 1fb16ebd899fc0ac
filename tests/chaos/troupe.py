"""Processes that are killed with -9 and come back, as under any supervisor; each kill is counted by kind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from resources.postgres import PostgresError, embedded_status, start_embedded, stop_embedded
from resources.settings import Settings

POSTGRES, RUN = "Postgres", "Dagster run"
# A supervisor waits a moment, so that one that cannot start does not take the whole machine.
RESTART_SECONDS = 1.0
LOOK_SECONDS = 0.2
LOADING_SECONDS = 6.0
# Nobody to kill for so long means that nobody comes back any more.
KILLING_SECONDS_MAX = 300.0


@dataclass(frozen=True)
class Actor:
    """One process: its command, how to tell that it answers, and how often it is chosen to be killed."""

    name: str
    command: Sequence[str]
    answers: Callable[[], bool]
    weight: int
    # It loads its modules and then waits for its input to end.
    waits_for_go: bool = False


@dataclass
class _Running:
    actor: Actor
    process: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)

    def is_at_work(self) -> bool:
        """Whether it has come up: killing only what still loads its modules would let nothing ever work."""
        return time.monotonic() - self.began > LOADING_SECONDS and self.actor.answers()


class Troupe:
    """Starts the actors, brings back whoever dies, and kills on demand."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], random: Random) -> None:
        self.kills: Counter[str] = Counter()
        self.deaths_of_their_own: Counter[str] = Counter()
        self._settings = settings
        self._environment = dict(environment)
        self._random = random
        self._running: dict[str, _Running] = {}
        self._groups: set[int] = set()
        self._actors: list[Actor] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="supervisor", daemon=True)

    def start(self, actors: Sequence[Actor]) -> None:
        """Start all of them (Postgres runs already) and watch over them from now on."""
        self._actors = list(actors)
        self._settings.home.joinpath("logs").mkdir(parents=True, exist_ok=True)
        with self._lock:
            for actor in actors:
                self._begin(actor)
        self._keeper.start()

    def wait(self, *, seconds: float = 120.0) -> None:
        """Wait until everybody answers."""
        deadline = time.monotonic() + seconds
        for actor in self._actors:
            while not actor.answers():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{actor.name} has not answered for {seconds:.0f} seconds")
                time.sleep(LOOK_SECONDS)

    @property
    def kinds(self) -> list[str]:
        """Who can be killed."""
        return [*(actor.name for actor in self._actors), POSTGRES, RUN]

    def kill_one(self, chosen: str | None = None) -> str:
        """Kill somebody with -9, Postgres and runs of Dagster included; return who it was."""
        names = self.kinds
        weights = [actor.weight for actor in self._actors] + [3, 4]
        deadline = time.monotonic() + KILLING_SECONDS_MAX
        while True:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{chosen or 'anybody'} has not come up for {KILLING_SECONDS_MAX:.0f} seconds"
                )
            name = chosen or self._random.choices(names, weights)[0]
            pid = self._pid_of(name)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.kills[name] += 1
                    return name
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """End everything that was started, and everything that that started."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join(30)
        for group in self._groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for running in self._running.values():
            running.process.wait()
        stop_embedded(self._settings)

    # ------------------------------------------------------------------ inside

    def _pid_of(self, name: str) -> int | None:
        if name == POSTGRES:
            status = embedded_status(self._settings)
            return status.pid if status is not None else None
        with self._lock:
            if name == RUN:
                hosts = [
                    each.process.pid for each in self._running.values() if "code server" in each.actor.name
                ]
                runs = [pid for host in hosts for pid in _descendants(host)]
                return self._random.choice(runs) if runs else None
            running = self._running.get(name)
            if running is None or running.process.poll() is not None or not running.is_at_work():
                return None
            return running.process.pid

    def _begin(self, actor: Actor) -> None:
        log = self._settings.home / "logs" / f"{actor.name.lower().replace(' ', '-')}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(actor.command),
                stdin=subprocess.PIPE if actor.waits_for_go else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        if process.stdin is not None:
            process.stdin.close()
        self._groups.add(process.pid)
        self._running[actor.name] = _Running(actor, process)

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if embedded_status(self._settings) is None:
                time.sleep(RESTART_SECONDS)
                # One that is killed while it starts is started once more.
                with suppress(PostgresError):
                    start_embedded(self._settings)
            with self._lock:
                for running in list(self._running.values()):
                    status = running.process.poll()
                    if status is None or time.monotonic() - running.began < RESTART_SECONDS:
                        continue
                    if status != -signal.SIGKILL:
                        self.deaths_of_their_own[running.actor.name] += 1
                    self._begin(running.actor)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in task.joinpath("children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    return found

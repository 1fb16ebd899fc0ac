"""`python -m tests.simulation`: run many worlds, or replay one; prints violations, fault points struck and the rate."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import structlog

from resources.postgres import database_urls
from resources.settings import Settings
from resources.store.database import Database
from tests.simulation.faults import Fault
from tests.simulation.planted import PLANTED
from tests.simulation.run import WorldResult, run_world
from tests.support.postgres import release_home, reserve_home, session_server, settings_for

REPLAY = "python -m tests.simulation --seed {seed} --worlds 1 --tell{bug}"
CHUNK_WORLDS = 25


def main() -> int:
    """Run what the command line asks for; 0 when every promise held (or every planted bug was found)."""
    asked = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    reserve_home()
    try:
        with session_server().fresh_database() as url:
            settings = settings_for(url, Path(url.rsplit("=", 1)[-1]).parent / "home")
            if asked.planted == "all":
                return _hunt_all(settings, asked)
            return _hunt_none(settings, asked)
    finally:
        release_home()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--worlds", type=int, default=200, help="how many worlds")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--tell", action="store_true", help="tell the story of each world that broke a promise"
    )
    parser.add_argument(
        "--planted", choices=["all", *PLANTED], help="plant one bug, or each in turn, and look for it"
    )
    return parser.parse_args()


def _hunt_none(settings: Settings, asked: argparse.Namespace) -> int:
    began, broken, struck, worlds, deaths, syncs = time.monotonic(), 0, Counter[Fault](), 0, 0, 0
    for result in _worlds(settings, asked):
        worlds, deaths, syncs = worlds + 1, deaths + result.deaths, syncs + result.syncs
        struck.update(result.struck)
        if result.broken:
            broken += 1
            _show(result, asked)
        if worlds % 500 == 0:
            _say(f"… {worlds} worlds, {broken} with a broken promise, {time.monotonic() - began:.0f} s")
    seconds = time.monotonic() - began
    _say(
        f"{worlds} worlds in {seconds:.0f} s: {syncs} syncs, {deaths} deaths, {struck.total()} faults; {broken} broke a promise"
    )
    for fault in Fault:
        _say(f"  {struck[fault]:7}  {fault.value}")
    return 1 if broken else 0


def _hunt_all(settings: Settings, asked: argparse.Namespace) -> int:
    missed = []
    for name in PLANTED:
        asked.planted = name
        found = next((result for result in _worlds(settings, asked) if result.broken), None)
        if found is None:
            missed.append(name)
            _say(f"NOT FOUND in {asked.worlds} worlds: {name}")
        else:
            _say(f"found by seed {found.seed}: {name}: {found.broken[0]}")
    _say(f"{len(PLANTED) - len(missed)} of {len(PLANTED)} planted bugs found")
    return 1 if missed else 0


def _worlds(settings: Settings, asked: argparse.Namespace) -> Iterator[WorldResult]:
    seeds = range(asked.seed, asked.seed + asked.worlds)
    chunks = [seeds[i : i + CHUNK_WORLDS] for i in range(0, len(seeds), CHUNK_WORLDS)]
    work = partial(_chunk, settings=settings, bug=asked.planted)
    if asked.processes == 1 or len(chunks) == 1 or asked.planted:
        for chunk in chunks:
            yield from work(chunk)
        return
    with ProcessPoolExecutor(asked.processes) as pool:
        for results in pool.map(work, chunks):
            yield from results


def _chunk(seeds: range, *, settings: Settings, bug: str | None) -> list[WorldResult]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    results = []
    with _opened(settings) as database, PLANTED[bug]() if bug else nullcontext():
        for seed in seeds:
            results.append(run_world(database, seed))
            if bug and results[-1].broken:
                break
    return results


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    with Database(database_urls(settings)) as database:
        yield database


def _show(result: WorldResult, asked: argparse.Namespace) -> None:
    bug = f" --planted {asked.planted}" if asked.planted else ""
    for sentence in result.broken:
        _say(f"seed {result.seed}: {sentence}")
    _say(f"    replay: {REPLAY.format(seed=result.seed, bug=bug)}")
    if asked.tell:
        for line in result.story:
            _say(f"    {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())

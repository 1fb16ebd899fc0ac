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

from pipelines.processes import stop_on_signals
from resources.postgres import database_urls
from tests.simulation.database import SimDatabase
from tests.simulation.faults import Fault
from tests.simulation.planted import NEEDS_PAPERWORK, PLANTED
from tests.simulation.run import CRASHED, WorldResult, run_world
from tests.simulation.shrink import shrink
from tests.simulation.world import SHAPES
from tests.support.postgres import release_home, reserve_home, session_server, settings_for

REPLAY = "python -m tests.simulation --seed {seed} --worlds 1 --tell{more}"
# A chunk has a database of its own, so that no table grows for long.
CHUNK_WORLDS = 100
HUNT_WORLDS = 400
# From how many worlds on a run must carry over its share of documents, and strike with every fault.
ENDS_ASKED_FROM, FAULTS_ASKED_FROM = 500, 2000
CARRIED_OVER_SHARE_MIN = 0.75


def main() -> int:
    """Run what the command line asks for; 0 when every promise held and was put to the test (or every planted bug was found)."""
    asked = _arguments()
    stop_on_signals()
    _be_quiet()
    reserve_home()
    try:
        session_server()
        return _hunt_all(asked) if asked.planted == "all" else _hunt(asked)
    finally:
        release_home()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument(
        "--worlds", type=int, help="how many worlds (200, or at most 400 for each planted bug)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    parser.add_argument("--shape", choices=list(SHAPES), help="every world with this provider, or with both")
    parser.add_argument(
        "--paperwork",
        action="store_true",
        default=None,
        help="every world with drafts, acceptances and closed books (else the seed says so)",
    )
    parser.add_argument(
        "--tell", action="store_true", help="tell the story of each world that broke a promise"
    )
    parser.add_argument(
        "--shrink",
        action="store_true",
        help="first leave out every step that the broken promise does not need",
    )
    parser.add_argument(
        "--planted", choices=["all", *PLANTED], help="plant one bug, or each in turn, and look for it"
    )
    return parser.parse_args()


def _hunt(asked: argparse.Namespace) -> int:
    began, broken, worlds, deaths, syncs = time.monotonic(), 0, 0, 0, 0
    struck, passed, shapes = Counter[tuple[Fault, str]](), Counter[str](), Counter[str]()
    ends = Counter[str]()
    for result in _worlds(asked, asked.worlds or 200):
        worlds, deaths, syncs = worlds + 1, deaths + result.deaths, syncs + result.syncs
        struck.update(result.struck)
        passed.update(result.passed)
        ends.update(result.ends)
        shapes[result.shape] += 1
        if result.broken:
            broken += 1
            _show(result, asked)
        if worlds % 500 == 0:
            _say(f"… {worlds} worlds, {broken} with a broken promise, {time.monotonic() - began:.0f} s")
    told = ", ".join(f"{count} {shape}" for shape, count in sorted(shapes.items()))
    _say(
        f"{worlds} worlds ({told}) in {time.monotonic() - began:.0f} s:"
        f" {syncs} syncs, {deaths} deaths, {struck.total()} faults; {broken} broke a promise"
    )
    _show_coverage(struck, passed)
    vacuous = _vacuities(worlds, ends, struck)
    for sentence in vacuous:
        _say(f"proves nothing: {sentence}")
    return 1 if broken or vacuous else 0


def _vacuities(worlds: int, ends: Counter[str], struck: Counter[tuple[Fault, str]]) -> list[str]:
    """Show how the documents ended; a product that only asked people would keep every promise, as would a calm world."""
    links = ends.total() - ends["merged"]
    told = ", ".join(f"{count} {state}" for state, count in ends.most_common() if state != "merged")
    _say(f"links of documents at the end: {told}; {ends['merged']} merges of two people's changes")
    found = []
    if worlds >= ENDS_ASKED_FROM and ends["open"] < CARRIED_OVER_SHARE_MIN * links:
        found.append(f"only {ends['open']} of {links} links of documents were carried over")
    if worlds >= ENDS_ASKED_FROM and not ends["merged"]:
        found.append("nothing was ever merged")
    if worlds >= FAULTS_ASKED_FROM:
        seen = {fault for fault, _ in struck}
        found += [f"“{fault.value}” never struck" for fault in Fault if fault not in seen]
    return found


def _show_coverage(struck: Counter[tuple[Fault, str]], passed: Counter[str]) -> None:
    for fault in Fault:
        points = {point: count for (found, point), count in struck.items() if found is fault}
        ordered = sorted(points.items(), key=lambda item: (-item[1], item[0]))
        _say(f"{sum(points.values()):8}  {fault.value}")
        _say(f"            {', '.join(f'{point} {count}' for point, count in ordered)}")
    never = sorted(point for point in passed if not any(found == point for _, found in struck))
    if never:
        _say(f"passed and never struck: {', '.join(f'{point} ({passed[point]})' for point in never)}")


def _hunt_all(asked: argparse.Namespace) -> int:
    worlds = asked.worlds or HUNT_WORLDS
    hunts = [
        argparse.Namespace(
            **{**vars(asked), "planted": name, "worlds": worlds, "paperwork": name in NEEDS_PAPERWORK or None}
        )
        for name in PLANTED
    ]
    missed = 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        for name, found in zip(PLANTED, pool.map(_hunt_one, hunts), strict=True):
            has_crashed = found is not None and found.broken[0].startswith(CRASHED)
            missed += found is None or has_crashed
            if found is None:
                _say(f"NOT FOUND in {worlds} worlds: {name}")
            elif has_crashed:
                _say(f"DOES NOT FIT the product any more (seed {found.seed}): {name}: {found.broken[0]}")
            else:
                at = found.seed - asked.seed + 1
                more = ", --paperwork" if name in NEEDS_PAPERWORK else ""
                _say(
                    f"found in world {at} (seed {found.seed}, {found.shape}{more}): {name}: {found.broken[0]}"
                )
    _say(f"{len(PLANTED) - missed} of {len(PLANTED)} planted bugs found")
    return 1 if missed else 0


def _hunt_one(asked: argparse.Namespace) -> WorldResult | None:
    return next((result for result in _worlds(asked, asked.worlds) if result.broken), None)


def _worlds(asked: argparse.Namespace, count: int) -> Iterator[WorldResult]:
    seeds = range(asked.seed, asked.seed + count)
    chunks = [seeds[i : i + CHUNK_WORLDS] for i in range(0, len(seeds), CHUNK_WORLDS)]
    work = partial(_chunk, asked=asked)
    if asked.jobs == 1 or len(chunks) == 1 or asked.planted:
        for chunk in chunks:
            yield from work(chunk)
        return
    with ProcessPoolExecutor(asked.jobs) as pool:
        for results in pool.map(work, chunks):
            yield from results


def _chunk(seeds: range, *, asked: argparse.Namespace) -> list[WorldResult]:
    _be_quiet()
    results = []
    live = partial(run_world, shape=asked.shape, has_paperwork=asked.paperwork)
    planted = PLANTED.get(asked.planted, nullcontext)
    with _opened() as database:
        for seed in seeds:
            with planted():
                result = live(database, seed)
            if asked.planted and result.broken and live(database, seed).broken:
                # Broken without the bug as well: that is no proof of it.
                continue
            if result.broken and asked.shrink:
                result = _smaller(database, result, asked)
            results.append(result)
            if asked.planted and result.broken:
                break
    return results


def _smaller(database: SimDatabase, result: WorldResult, asked: argparse.Namespace) -> WorldResult:
    def run(left_out: frozenset[int], quiet: frozenset[int]) -> WorldResult:
        with PLANTED.get(asked.planted, nullcontext)():
            return run_world(
                database,
                result.seed,
                shape=asked.shape,
                has_paperwork=asked.paperwork,
                left_out=left_out,
                quiet=quiet,
            )

    found = shrink(result, run)
    kept = [step for step in range(result.steps) if step not in found.left_out]
    loud = [step for step in kept if step not in found.quiet]
    found.result.story.insert(0, f"made smaller in {found.tries} tries: steps {kept}, faults only in {loud}")
    return found.result


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@contextmanager
def _opened() -> Iterator[SimDatabase]:
    with session_server().fresh_database() as url:
        settings = settings_for(url, Path(url.rsplit("=", 1)[-1]).parent / "home")
        with SimDatabase(database_urls(settings)) as database:
            yield database


def _show(result: WorldResult, asked: argparse.Namespace) -> None:
    more = f" --planted {asked.planted}" if asked.planted else ""
    more += f" --shape {asked.shape}" if asked.shape else ""
    more += " --paperwork" if asked.paperwork else ""
    for sentence in result.broken:
        _say(f"seed {result.seed} ({result.shape}): {sentence}")
    _say(f"    replay: {REPLAY.format(seed=result.seed, more=more)}")
    if asked.tell:
        for line in result.story:
            _say(f"    {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())

"""Worlds in which everything goes wrong at random: whatever happens, the promises of docs/guarantees.md hold.

`make simulate` runs 10,000 of them and hunts for every planted bug; here are the first ones, and the quick hunts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from resources.store.database import Database
from tests.simulation.run import run_world

WORLDS_PER_TEST = 10
FIRST_SEEDS = range(0, 200, WORLDS_PER_TEST)


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("first", FIRST_SEEDS)
def test_no_promise_is_broken_whatever_goes_wrong(database: Database, first: int) -> None:
    results = [run_world(database, seed) for seed in range(first, first + WORLDS_PER_TEST)]
    broken = {result.seed: result.broken for result in results if result.broken}
    assert not broken, f"{broken}\nreplay: python -m tests.simulation --seed {min(broken)} --worlds 1 --tell"


def test_the_same_seed_gives_the_same_world(database: Database) -> None:
    first, second = run_world(database, 7), run_world(database, 7)
    assert [line.split("  ", 1)[0] for line in first.story] == [
        line.split("  ", 1)[0] for line in second.story
    ]
    assert first.struck == second.struck

"""Worlds in which everything goes wrong at random: whatever happens, the promises of docs/guarantees.md hold.

`make simulate` runs 10,000 of them and hunts for every planted bug; here are the first ones, and the quick hunts.
"""

from __future__ import annotations

import pytest

from tests.simulation.database import SimDatabase
from tests.simulation.run import run_world
from tests.simulation.shrink import shrink
from tests.simulation.world import SHAPES

WORLDS_PER_TEST = 10
FIRST_SEEDS = range(0, 200, WORLDS_PER_TEST)


@pytest.mark.parametrize("first", FIRST_SEEDS)
def test_no_promise_is_broken_whatever_goes_wrong(worlds: SimDatabase, first: int) -> None:
    results = [run_world(worlds, seed) for seed in range(first, first + WORLDS_PER_TEST)]
    broken = {result.seed: result.broken for result in results if result.broken}
    assert not broken, f"{broken}\nreplay: python -m tests.simulation --seed {min(broken)} --worlds 1 --tell"


@pytest.mark.parametrize("shape", list(SHAPES))
def test_the_same_seed_gives_the_same_world_to_the_last_word(worlds: SimDatabase, shape: str) -> None:
    first = run_world(worlds, 7, shape=shape, has_paperwork=True)
    run_world(worlds, 8, shape=shape)
    second = run_world(worlds, 7, shape=shape, has_paperwork=True)
    assert first.story == second.story
    assert (first.struck, first.passed, first.broken) == (second.struck, second.passed, second.broken)


def test_a_failing_world_is_made_smaller_as_long_as_the_same_promise_breaks(worlds: SimDatabase) -> None:
    whole = run_world(worlds, 3)
    whole.broken = ["doubled: made up"]
    needed = {2, 5} & set(range(whole.steps))

    def run(left_out: frozenset[int], quiet: frozenset[int]) -> object:
        breaks = not needed & left_out and 5 not in quiet
        return type(whole)(3, whole.shape, ["doubled: made up"] if breaks else [], [], whole.steps)

    found = shrink(whole, run)  # type: ignore[arg-type]
    assert set(range(whole.steps)) - found.left_out == needed
    assert found.quiet == frozenset({2})

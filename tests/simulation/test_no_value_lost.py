"""Random edits on both sides of a real sandbox, any strategy, any answer: no value is in neither ledger nor audit log.

`VALUE_STORIES=1000 python -m pytest tests/simulation/test_no_value_lost.py` tells a thousand other stories per provider.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from resources.postgres import database_urls
from resources.settings import Settings
from sync.compare import Strategy
from tests.simulation.books import KINDS
from tests.simulation.database import SimDatabase
from tests.simulation.planted import PLANTED
from tests.simulation.value_story import ACTS, ANSWERS, Act, Answer, Step, ValueStory

STORIES = int(os.environ.get("VALUE_STORIES", "0"))
STORIES_IN_SUITE = 12
# A part has a database of its own, so that no table grows for long.
STORIES_PER_PART = 50
PARTS = range(max(1, -(-STORIES // STORIES_PER_PART)))
SHAPES = ("quickbooks", "xero")
STEPS = st.builds(Step, st.sampled_from(ACTS), st.sampled_from(KINDS), st.integers(0, 5))
Round = tuple[list[Step], Answer]
ROUNDS: st.SearchStrategy[list[Round]] = st.lists(
    st.tuples(st.lists(STEPS, min_size=2, max_size=6), st.sampled_from(ANSWERS)), min_size=2, max_size=4
)


@pytest.fixture
def own(fresh_settings: Settings) -> Iterator[SimDatabase]:
    with SimDatabase(database_urls(fresh_settings)) as opened:
        yield opened


def told(database: SimDatabase, shape: str, strategy: Strategy, rounds: list[Round]) -> ValueStory:
    """Live through a story: in each round people do things, a sync, an answer to what waits, a sync."""
    story = ValueStory(database, shape=shape, strategy=strategy)
    for steps, answer in rounds:
        for step in steps:
            story.do(step)
        story.sync()
        story.answer(answer)
        story.sync()
    return story


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("shape", SHAPES)
@settings(
    max_examples=STORIES_PER_PART if STORIES else STORIES_IN_SUITE,
    derandomize=not STORIES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(strategy=st.sampled_from(list(Strategy)), rounds=ROUNDS)
def test_no_value_is_in_neither_book_nor_the_audit_log(
    own: SimDatabase, shape: str, part: int, strategy: Strategy, rounds: list[Round]
) -> None:
    story = told(own, shape, strategy, rounds)
    note("\n".join(story.told))
    assert story.lost() == frozenset()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("strategy", "acts"),
    [
        (Strategy.PLATFORM_WINS, ("their amount",)),
        (Strategy.PROVIDER_WINS, ("our words",)),
        (Strategy.LAST_WRITE_WINS, ("their amount", "our amount")),
    ],
)
def test_a_product_that_writes_nothing_down_is_found_out(
    worlds: SimDatabase, shape: str, strategy: Strategy, acts: tuple[Act, ...]
) -> None:
    rounds: list[Round] = [([Step(act, "bill") for act in acts], "nothing")]
    assert told(worlds, shape, strategy, rounds).lost() == frozenset()
    with PLANTED["overwritten_values_not_kept"]():
        story = told(worlds, shape, strategy, rounds)
    assert len(story.lost()) >= 1, story.told

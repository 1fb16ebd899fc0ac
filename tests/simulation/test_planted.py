"""A simulator that finds no planted bug proves nothing: each of these must break a promise."""

from __future__ import annotations

import pytest

from tests.simulation.database import SimDatabase
from tests.simulation.planted import NEEDS_PAPERWORK, PLANTED
from tests.simulation.run import CRASHED, run_world

# Bugs that come to light within a few worlds, and the seed to begin with; `make simulate` hunts for all of them.
QUICKLY_FOUND = {
    "acceptance_not_asked_for": 2,
    "census_left_out": 13,
    "closed_period_is_an_error": 1,
    "costs_posted_as_income": 1,
    "doubtful_overwrites_not_kept": 2,
    "everything_asked": 1,
    "gives_up_at_once": 3,
    "line_texts_dropped": 1,
    "lock_removed": 6,
    "never_merges": 1,
    "marker_ignored": 1,
    "moved_without_a_word": 1,
    "opened_books_not_noticed": 4,
    "payments_applied_once": 4,
    "renames_not_taken": 21,
    "request_id_dropped": 1,
    "settling_writes_in_a_sync_that_only_reads": 12,
    "tie_out_always_tied": 12,
    "told_again_at_each_sync": 1,
    "tombstone_ignored": 1,
    "unknown_taken_for_rejected": 1,
    "webhook_believed": 21,
    "wrong_party": 3,
}
LOOKED_AT_MAX = 100


@pytest.mark.parametrize(("bug", "first"), QUICKLY_FOUND.items())
def test_a_planted_bug_breaks_a_promise(worlds: SimDatabase, bug: str, first: int) -> None:
    has_paperwork = bug in NEEDS_PAPERWORK or None
    with PLANTED[bug]():
        found = (
            run_world(worlds, seed, has_paperwork=has_paperwork).broken
            for seed in range(first, first + LOOKED_AT_MAX)
        )
        first_broken = next((broken for broken in found if broken), [])
    assert first_broken
    assert not first_broken[0].startswith(CRASHED), "the bug itself no longer fits the product"

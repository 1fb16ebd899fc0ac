"""A simulator that finds no planted bug proves nothing: each of these must break a promise."""

from __future__ import annotations

import pytest

from tests.simulation.database import SimDatabase
from tests.simulation.planted import NEEDS_PAPERWORK, PLANTED
from tests.simulation.run import CRASHED, run_world

# Each planted bug, and the seed of the world that shows it; `make simulate` hunts from the first world on.
FIRST_SHOWN = {
    "acceptance_not_asked_for": 2,
    "acceptance_of_other_values": 15,
    "attempts_of_the_dead_forgotten": 1,
    "base_taken_from_ours_alone": 6,
    "census_left_out": 13,
    "closed_period_is_an_error": 1,
    "costs_posted_as_income": 1,
    "cursor_moved_early": 57,
    "deleted_documents_made_again": 1,
    "deletes_ignored": 1,
    "direction_ignored": 12,
    "doubtful_overwrites_not_kept": 2,
    "draft_edits_sent": 24,
    "drafts_sent": 8,
    "everything_asked": 1,
    "gives_up_at_once": 3,
    "journal_doubled": 36,
    "ledger_changes_overwritten": 2,
    "line_texts_dropped": 1,
    "lock_removed": 9,
    "marker_ignored": 1,
    "merged_changes_not_sent": 12,
    "moved_without_a_word": 1,
    "never_merges": 39,
    "opened_books_not_noticed": 4,
    "overwritten_values_not_kept": 1,
    "payments_applied_once": 4,
    "refused_second_asking_taken_for_not_executed": 17,
    "renames_not_taken": 21,
    "replayed_answer_believed": 17,
    "request_id_dropped": 2,
    "settling_writes_in_a_sync_that_only_reads": 12,
    "stale_versions_sent": 2,
    "tie_out_always_tied": 12,
    "told_again_at_each_sync": 1,
    "tombstone_ignored": 2,
    "unheard_drafts_taken_for_not_executed": 54,
    "unknown_taken_for_rejected": 1,
    "webhook_believed": 2,
    "wrong_party": 3,
    "xero_key_relied_on_beyond_its_memory": 24,
}
LOOKED_AT_MAX = 100


def test_each_planted_bug_is_hunted_here_too() -> None:
    assert set(FIRST_SHOWN) == set(PLANTED)


@pytest.mark.parametrize(("bug", "first"), FIRST_SHOWN.items())
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

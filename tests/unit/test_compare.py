"""The verdict table: every row of architecture §3 and requirement §5, as one pure function."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.compare import Decision, Situation, Strategy, Verdict, decide

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_link(**changes: Any) -> Situation:
    """A linked, settled pair under last-write-wins, with changes."""
    values: dict[str, Any] = {
        "ours": "active",
        "theirs": "active",
        "ours_changed": False,
        "theirs_changed": False,
        "has_base": True,
        "same_values": False,
        "disjoint_fields": False,
        "direction": "both",
        "strategy": Strategy.LAST_WRITE_WINS,
        "ours_changed_at": NOON,
        "theirs_changed_at": NOON - timedelta(hours=1),
        **changes,
    }
    return Situation(**values)


def verdict(**changes: Any) -> Verdict:
    return decide(a_link(**changes)).verdict


def test_what_is_older_than_the_history_that_is_wanted_stays_there() -> None:
    new_there: dict[str, Any] = {"ours": None, "has_base": False, "theirs_changed": True}
    assert verdict(**new_there) is Verdict.APPLY_NEW
    assert verdict(**new_there, is_before_history=True) is Verdict.LEAVE


def test_nothing_changed_is_settled() -> None:
    assert verdict() is Verdict.SETTLE


def test_only_ours_changed_is_pushed() -> None:
    assert verdict(ours_changed=True) is Verdict.UPDATE


def test_only_theirs_changed_is_applied() -> None:
    assert verdict(theirs_changed=True) is Verdict.APPLY


def test_both_changed_to_the_same_is_settled() -> None:
    assert verdict(ours_changed=True, theirs_changed=True, same_values=True) is Verdict.SETTLE


@pytest.mark.parametrize(
    ("strategy", "expected", "lost"),
    [
        (Strategy.LAST_WRITE_WINS, Verdict.UPDATE, "theirs"),
        (Strategy.PLATFORM_WINS, Verdict.UPDATE, "theirs"),
        (Strategy.PROVIDER_WINS, Verdict.APPLY, "ours"),
        (Strategy.MANUAL, Verdict.CONFLICT, None),
    ],
)
def test_both_changed_and_differ_goes_by_the_strategy(
    strategy: Strategy, expected: Verdict, lost: str | None
) -> None:
    decision = decide(a_link(ours_changed=True, theirs_changed=True, strategy=strategy))
    assert (decision.verdict, decision.overwrites) == (expected, lost)


def test_the_later_change_of_the_ledger_wins_over_an_earlier_one_here() -> None:
    later = NOON + timedelta(minutes=1)
    assert verdict(ours_changed=True, theirs_changed=True, theirs_changed_at=later) is Verdict.APPLY


def test_changes_too_close_to_tell_apart_are_left_to_a_person() -> None:
    near = NOON + timedelta(seconds=1)
    assert verdict(ours_changed=True, theirs_changed=True, theirs_changed_at=near) is Verdict.CONFLICT


def test_a_side_that_does_not_say_when_it_changed_is_left_to_a_person() -> None:
    assert verdict(ours_changed=True, theirs_changed=True, theirs_changed_at=None) is Verdict.CONFLICT


@pytest.mark.parametrize("strategy", [Strategy.MANUAL, Strategy.LAST_WRITE_WINS])
def test_different_fields_are_merged(strategy: Strategy) -> None:
    merged = verdict(ours_changed=True, theirs_changed=True, disjoint_fields=True, strategy=strategy)
    assert merged is Verdict.MERGE


def test_the_platform_as_source_of_truth_overwrites_a_change_in_the_ledger() -> None:
    assert verdict(theirs_changed=True, strategy=Strategy.PLATFORM_WINS) is Verdict.UPDATE


def test_the_ledger_as_source_of_truth_overwrites_a_change_here() -> None:
    assert verdict(ours_changed=True, strategy=Strategy.PROVIDER_WINS) is Verdict.APPLY


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("push", Verdict.CREATE), ("both", Verdict.CREATE), ("pull", Verdict.LEAVE)],
)
def test_a_new_record_here_goes_by_the_direction(direction: str, expected: Verdict) -> None:
    assert verdict(theirs=None, has_base=False, ours_changed=True, direction=direction) is expected


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("push", Verdict.LEAVE), ("both", Verdict.APPLY_NEW), ("pull", Verdict.APPLY_NEW)],
)
def test_a_new_record_in_the_ledger_goes_by_the_direction(direction: str, expected: Verdict) -> None:
    assert verdict(ours=None, has_base=False, theirs_changed=True, direction=direction) is expected


@pytest.mark.parametrize("gone", ["void", "deleted", "inactive"])
def test_what_was_never_linked_and_is_gone_is_left_alone(gone: str) -> None:
    assert verdict(ours=gone, theirs=None, has_base=False, ours_changed=True) is Verdict.LEAVE
    assert verdict(ours=None, theirs=gone, has_base=False, theirs_changed=True) is Verdict.LEAVE


@pytest.mark.parametrize("gone", ["void", "deleted", "inactive"])
def test_what_ended_in_the_ledger_ends_here_too(gone: str) -> None:
    assert verdict(theirs=gone, theirs_changed=True) is Verdict.APPLY_VOID


def test_a_document_that_ended_in_the_ledger_waits_for_a_person_under_manual_review() -> None:
    assert verdict(theirs="deleted", theirs_changed=True, strategy=Strategy.MANUAL) is Verdict.CONFLICT


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_payment_that_disappeared_unpays_its_invoice_under_every_strategy(strategy: Strategy) -> None:
    assert (
        verdict(theirs="deleted", theirs_changed=True, strategy=strategy, direction="pull")
        is Verdict.APPLY_VOID
    )


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("ours_changed", [True, False])
@pytest.mark.parametrize("theirs_changed", [True, False])
def test_records_that_are_only_brought_in_are_never_sent(
    strategy: Strategy, ours_changed: bool, theirs_changed: bool
) -> None:
    found = verdict(
        direction="pull", strategy=strategy, ours_changed=ours_changed, theirs_changed=theirs_changed
    )
    assert found in (Verdict.SETTLE, Verdict.APPLY, Verdict.CONFLICT)


@pytest.mark.parametrize("gone", ["void", "deleted", "inactive"])
def test_what_ended_here_ends_in_the_ledger_too(gone: str) -> None:
    assert verdict(ours=gone, ours_changed=True) is Verdict.VOID


def test_a_document_deleted_in_the_ledger_is_never_silently_made_again() -> None:
    for strategy in Strategy:
        for ours_changed in (False, True):
            decision = decide(
                a_link(theirs="deleted", theirs_changed=True, ours_changed=ours_changed, strategy=strategy)
            )
            assert decision.verdict in (Verdict.CONFLICT, Verdict.APPLY_VOID), (strategy, ours_changed)


@pytest.mark.parametrize("strategy", [Strategy.LAST_WRITE_WINS, Strategy.PLATFORM_WINS, Strategy.MANUAL])
@pytest.mark.parametrize("gone", ["void", "deleted"])
def test_an_edit_here_of_what_the_ledger_ended_long_ago_asks_a_person(gone: str, strategy: Strategy) -> None:
    assert verdict(theirs=gone, ours_changed=True, strategy=strategy) is Verdict.CONFLICT


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize(
    ("policy", "expected"),
    [("follow", Verdict.VOID), ("ask", Verdict.CONFLICT), ("keep", Verdict.LEAVE)],
)
def test_what_ended_here_goes_by_its_own_setting_before_the_strategy(
    policy: str, expected: Verdict, strategy: Strategy
) -> None:
    assert verdict(ours="void", ours_changed=True, ended_here=policy, strategy=strategy) is expected


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("gone", ["void", "deleted", "inactive"])
@pytest.mark.parametrize("direction", ["push", "both", "pull"])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [("follow", Verdict.APPLY_VOID), ("ask", Verdict.CONFLICT), ("keep", Verdict.LEAVE)],
)
def test_what_ended_in_the_ledger_goes_by_its_own_setting_before_the_strategy(
    policy: str, expected: Verdict, gone: str, direction: str, strategy: Strategy
) -> None:
    found = verdict(
        theirs=gone, theirs_changed=True, ended_there=policy, strategy=strategy, direction=direction
    )
    assert found is expected


def test_a_ledger_kept_by_setting_does_not_bring_ours_back_to_life() -> None:
    assert verdict(ours="void", theirs_changed=True, ended_here="keep") is Verdict.LEAVE


def test_a_person_who_keeps_ours_of_what_is_only_brought_in_sends_nothing() -> None:
    decided = verdict(theirs="deleted", theirs_changed=True, direction="pull", decision="use_ours")
    assert decided is Verdict.LEAVE


def test_a_sent_document_set_back_to_draft_waits() -> None:
    assert verdict(ours="draft", ours_changed=True) is Verdict.WAIT


def test_records_matched_with_different_values_are_a_conflict_under_every_strategy() -> None:
    for strategy in Strategy:
        assert (
            verdict(has_base=False, ours_changed=True, theirs_changed=True, strategy=strategy)
            is Verdict.CONFLICT
        )


def test_a_persons_choice_is_carried_out() -> None:
    assert verdict(ours_changed=True, theirs_changed=True, decision="use_ours") is Verdict.UPDATE
    assert verdict(ours_changed=True, theirs_changed=True, decision="use_theirs") is Verdict.APPLY
    assert (
        verdict(ours_changed=True, theirs_changed=True, decision='merge:{"date":"provider"}') is Verdict.MERGE
    )
    assert verdict(theirs="deleted", theirs_changed=True, decision="use_ours") is Verdict.CREATE
    assert verdict(theirs="void", theirs_changed=True, decision="use_theirs") is Verdict.APPLY_VOID


OUR_STATES = st.sampled_from([None, "draft", "active", "inactive", "void", "deleted"])
POLICIES = st.sampled_from([None, "follow", "ask", "keep"])
THEIR_STATES = st.sampled_from([None, "active", "inactive", "void", "deleted"])


@given(
    ours=OUR_STATES,
    theirs=THEIR_STATES,
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    direction=st.sampled_from(["push", "pull", "both"]),
    strategy=st.sampled_from(list(Strategy)),
    policies=st.tuples(POLICIES, POLICIES),
)
def test_every_situation_has_a_verdict_that_can_be_carried_out(
    ours: Any,
    theirs: Any,
    flags: tuple[bool, ...],
    direction: Any,
    strategy: Strategy,
    policies: tuple[Any, Any],
) -> None:
    assume(
        ours is not None or theirs is not None
    )  # a link has at least one side, by a constraint of its table
    ours_changed, theirs_changed, has_base, same, disjoint = flags
    decision: Decision = decide(
        a_link(
            ours=ours,
            theirs=theirs,
            ours_changed=ours_changed,
            theirs_changed=theirs_changed,
            has_base=has_base,
            same_values=same,
            disjoint_fields=disjoint,
            direction=direction,
            strategy=strategy,
            ended_here=policies[0],
            ended_there=policies[1],
        )
    )
    match decision.verdict:
        case Verdict.CREATE:
            assert (ours, theirs) == ("active", None)
        case Verdict.UPDATE:
            assert ours == "active"
            assert theirs not in (None, "deleted", "void")
        case Verdict.VOID:
            assert ours in ("inactive", "void", "deleted")
            assert theirs == "active" or ours_changed
        case Verdict.APPLY_NEW:
            assert ours is None
            assert theirs == "active"
        case Verdict.APPLY | Verdict.APPLY_VOID | Verdict.MERGE:
            assert ours is not None
            assert theirs is not None


@pytest.mark.parametrize("theirs", ["inactive", "deleted"])
@given(
    ours=st.sampled_from(["active", "inactive", "deleted"]),
    ours_changed=st.booleans(),
    theirs_changed=st.booleans(),
    strategy=st.sampled_from(Strategy),
    direction=st.sampled_from(["push", "pull", "both"]),
    ended_there=st.sampled_from([None, "follow", "ask", "keep"]),
)
def test_a_name_merged_away_is_never_made_or_made_active_again_by_itself(
    theirs: str, **situation: Any
) -> None:
    decision = decide(a_link(theirs=theirs, merged_into="Ridge Concrete LLC", **situation))
    assert decision.verdict not in {Verdict.CREATE, Verdict.UPDATE, Verdict.MERGE}


def test_an_ending_by_a_merge_says_into_which_name() -> None:
    merged = {"theirs": "inactive", "theirs_changed": True, "merged_into": "Ridge Concrete LLC"}
    assert decide(a_link(**merged)).reason == "it was merged into “Ridge Concrete LLC” in the ledger"
    asked = decide(a_link(**merged, strategy=Strategy.PLATFORM_WINS))
    assert asked.verdict is Verdict.CONFLICT
    assert (
        asked.reason
        == "it was merged into “Ridge Concrete LLC” in the ledger and is never silently made again"
    )


# ---------------------------------------------------------------- one name of theirs that is two of ours

SHARED: dict[str, Any] = {"ours": "inactive", "ours_changed": True, "is_shared": True}


@given(
    ours=st.sampled_from(["void", "deleted", "inactive"]),
    theirs_changed=st.booleans(),
    strategy=st.sampled_from([each for each in Strategy if each is not Strategy.PROVIDER_WINS]),
    ended_here=st.sampled_from([None, "follow", "ask", "keep"]),
    decision=st.sampled_from([None, "use_ours"]),
)
def test_a_name_that_is_another_record_of_ours_too_is_never_ended_in_the_ledger_for_one_of_them(
    **situation: Any,
) -> None:
    assert verdict(**{**SHARED, **situation}) is Verdict.LEAVE


def test_a_shared_name_goes_by_the_ledger_where_that_is_the_truth_and_endings_are_not_set() -> None:
    assert verdict(**SHARED, strategy=Strategy.PROVIDER_WINS) is Verdict.APPLY
    assert verdict(**SHARED, strategy=Strategy.PROVIDER_WINS, ended_here="follow") is Verdict.LEAVE


def test_a_shared_name_that_ended_in_the_ledger_ends_here() -> None:
    assert verdict(theirs="inactive", theirs_changed=True, is_shared=True) is Verdict.APPLY_VOID

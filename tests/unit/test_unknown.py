"""Unknown outcomes: one test per row of the verdict table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.errors import (
    AccessExpired,
    PeriodLocked,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
    SyncError,
)
from sync.ports import Moved, Rejected, Unknown, WriteOutcome
from sync.retry import PROVIDER_TIMEOUT
from sync.unknown import Evidence, UnknownVerdict, judge_unknown, told_by_repeat

YOUNG, OLD = PROVIDER_TIMEOUT - timedelta(seconds=1), PROVIDER_TIMEOUT + timedelta(seconds=1)


@pytest.mark.parametrize("age", [YOUNG, OLD])
def test_one_document_with_our_marker_is_adopted_at_any_age(age: timedelta) -> None:
    assert judge_unknown(Evidence("create", age, with_marker=1, look_alikes=3)) is UnknownVerdict.ADOPT


@pytest.mark.parametrize("age", [YOUNG, OLD])
def test_two_documents_with_our_marker_are_shown_to_a_person(age: timedelta) -> None:
    assert judge_unknown(Evidence("create", age, with_marker=2)) is UnknownVerdict.ASK


def test_nothing_found_soon_after_sending_is_waited_for() -> None:
    assert judge_unknown(Evidence("create", YOUNG)) is UnknownVerdict.WAIT


def test_nothing_found_once_the_provider_must_have_given_up_is_sent_again() -> None:
    assert judge_unknown(Evidence("create", OLD)) is UnknownVerdict.SEND_AGAIN


def test_a_look_alike_without_our_marker_is_shown_to_a_person_and_not_doubled() -> None:
    assert judge_unknown(Evidence("create", OLD, look_alikes=1)) is UnknownVerdict.ASK
    assert judge_unknown(Evidence("create", OLD, unseen_deleted=1)) is UnknownVerdict.ASK


@pytest.mark.parametrize("operation", ["update", "void", "activate", "delete"])
def test_a_change_that_shows_in_the_ledger_happened(operation: str) -> None:
    seen = Evidence(operation, YOUNG, version_moved=True, shows_what_was_sent=True)  # type: ignore[arg-type]
    assert judge_unknown(seen) is UnknownVerdict.ADOPT


def test_a_document_that_moved_to_something_else_is_compared_again() -> None:
    assert judge_unknown(Evidence("update", OLD, version_moved=True)) is UnknownVerdict.COMPARE


def test_an_unmoved_document_is_waited_for_and_then_sent_again() -> None:
    assert judge_unknown(Evidence("update", YOUNG)) is UnknownVerdict.WAIT
    assert judge_unknown(Evidence("update", OLD)) is UnknownVerdict.SEND_AGAIN


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RateLimited(provider="X", wait_seconds=5, provider_code="3001"), "too many calls for now"),
        (AccessExpired(provider="X", reason="the consent was withdrawn"), "the consent was withdrawn"),
        (
            ProviderUnavailable(provider="X", reason="no connection could be made"),
            "no connection could be made",
        ),
        (RejectedByProvider("It was not sent: no item.", text="no item"), "no item"),
        (RejectedByProvider("It was not sent: no tax.", provider_code="not_sent"), "It was not sent: no tax"),
    ],
)
def test_a_second_asking_that_was_not_looked_at_says_nothing_about_the_first(
    error: SyncError, reason: str
) -> None:
    assert told_by_repeat(Rejected(error)) == Unknown(f"it could not be asked again: {reason}")


@pytest.mark.parametrize(
    "outcome",
    [
        Rejected(RejectedByProvider("The date is wrong.", provider_code="2180")),
        Rejected(PeriodLocked(label="B-1", date="x", closed_until="y", provider_code="6210")),
        Moved("somebody else changed it"),
        Unknown("no answer in time"),
    ],
)
def test_an_answer_about_the_record_itself_stands_for_the_first_asking_too(outcome: WriteOutcome) -> None:
    assert told_by_repeat(outcome) is outcome

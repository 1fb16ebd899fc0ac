"""Green, yellow, red, with the reasons in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.health import ConnectionFacts, connection_health, days_until, overall_health

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
FINE = ConnectionFacts(
    title="QuickBooks Online",
    status="connected",
    last_sync_at=NOW - timedelta(minutes=20),
    next_due_at=NOW + timedelta(minutes=40),
    access_ends_at=NOW + timedelta(days=90),
    last_run_status="completed",
    is_tied=True,
)


def test_when_nothing_is_wrong_it_is_green_and_says_nothing() -> None:
    assert (connection_health(FINE, now=NOW).color, connection_health(FINE, now=NOW).reasons) == ("green", ())


@pytest.mark.parametrize(
    ("change", "color", "words"),
    [
        (
            {"status": "error", "status_reason": "Renew the subscription in QuickBooks."},
            "red",
            "Renew the subscription in QuickBooks.",
        ),
        (
            {"status": "expired", "status_reason": "consent withdrawn"},
            "red",
            "(consent withdrawn). Reconnect",
        ),
        ({"errors": 2}, "red", "2 records could not be synced"),
        (
            {"last_run_status": "failed", "last_run_error": "The ledger is down."},
            "red",
            "failed: The ledger is down.",
        ),
        ({"next_due_at": NOW - timedelta(hours=3)}, "red", "due for 3 hours"),
        ({"next_due_at": NOW - timedelta(days=5)}, "red", "due for 5 days"),
        ({"held": 1}, "yellow", "1 record is held"),
        ({"conflicts": 3}, "yellow", "3 records changed on both sides"),
        ({"unmapped": 2}, "yellow", "2 used cost codes have no account"),
        ({"is_tied": False}, "yellow", "found a difference"),
        ({"last_run_status": "partial"}, "yellow", "left something undone"),
        ({"refresh_failures": 2}, "yellow", "failed 2 times"),
        ({"access_ends_at": NOW + timedelta(days=3, hours=1)}, "yellow", "ends in 3 days"),
        ({"last_sync_at": None}, "yellow", "Nothing was synced"),
    ],
)
def test_each_trouble_has_its_colour_and_its_sentence(
    change: dict[str, object], color: str, words: str
) -> None:
    health = connection_health(replace(FINE, **change), now=NOW)
    assert health.color == color
    assert any(words in reason.message for reason in health.reasons), health.reasons


def test_a_sync_a_little_late_is_no_trouble() -> None:
    assert connection_health(replace(FINE, next_due_at=NOW - timedelta(minutes=59)), now=NOW).color == "green"


def test_a_manual_schedule_is_never_late() -> None:
    manual = replace(FINE, next_due_at=None, last_sync_at=NOW - timedelta(days=300))
    assert connection_health(manual, now=NOW).color == "green"


def test_the_worst_reason_comes_first() -> None:
    health = connection_health(replace(FINE, held=1, errors=1), now=NOW)
    assert [reason.color for reason in health.reasons] == ["red", "yellow"]


def test_a_builder_is_as_healthy_as_the_worst_connection() -> None:
    good, bad = connection_health(FINE, now=NOW), connection_health(replace(FINE, errors=1), now=NOW)
    assert (overall_health([good, bad]).color, overall_health([good]).color) == ("red", "green")


def test_without_a_connection_there_is_something_to_do() -> None:
    assert overall_health([]).color == "yellow"


@pytest.mark.parametrize(
    ("left", "days"), [(timedelta(days=3, hours=1), 3), (timedelta(hours=23), 0), (timedelta(days=-2), 0)]
)
def test_days_until_expiry_are_whole_and_never_negative(left: timedelta, days: int) -> None:
    assert days_until(NOW + left, now=NOW) == days
    assert days_until(None, now=NOW) is None

"""When something is tried again: at most 5 tries within 2 hours, further and further apart, never all at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.errors import DocumentInvalid, ProviderUnavailable, RateLimited, SyncError
from sync.retry import (
    GIVE_UP_AFTER,
    PROBE_EVERY_MAX,
    TRIES_MAX,
    is_dead,
    next_probe,
    next_try,
)

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
AWAY = ProviderUnavailable(provider="Fake Books", reason="no answer")


def wait(
    tries: int, *, error: SyncError = AWAY, key: str = "link", after: timedelta = timedelta()
) -> timedelta | None:
    at = next_try(error=error, tries=tries, first_failed_at=NOON - after, now=NOON, key=key)
    return None if at is None else at - NOON


def test_each_try_waits_about_twice_as_long_as_the_one_before() -> None:
    waits = [wait(tries) for tries in range(1, TRIES_MAX)]
    for tries, found in enumerate(waits):
        least = timedelta(minutes=2**tries)
        assert found is not None
        assert least <= found <= least * 1.2


def test_records_that_failed_together_are_not_tried_again_together() -> None:
    assert len({wait(1, key=f"link {number}") for number in range(50)}) > 20


def test_the_fifth_failure_is_the_last_and_so_is_one_after_two_hours() -> None:
    assert wait(TRIES_MAX) is None
    assert wait(2, after=GIVE_UP_AFTER) is None
    assert is_dead(error=AWAY, at=None)


def test_a_time_that_the_provider_asked_for_is_waited_out() -> None:
    asked = RateLimited(provider="Fake Books", wait_seconds=1800)
    found = wait(1, error=asked)
    assert found is not None
    assert found >= timedelta(minutes=30)


def test_what_only_a_person_can_mend_is_not_tried_again_and_is_no_dead_letter() -> None:
    invalid = DocumentInvalid(label="Bill 1", reason="its lines do not add up")
    assert wait(1, error=invalid) is None
    assert not is_dead(error=invalid, at=None)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (500, 30)])
def test_a_connection_that_is_away_is_probed_soon_and_then_less_often(failures: int, minutes: int) -> None:
    assert next_probe(failures, now=NOON) - NOON == timedelta(minutes=minutes)
    assert timedelta(minutes=minutes) <= PROBE_EVERY_MAX

"""Request ids, markers and when something is tried again."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sync.errors import MappingMissing, ProviderUnavailable, RateLimited
from sync.records import Entity
from sync.requests import MARKER_PATTERN, marker, request_id
from sync.retry import GIVE_UP_AFTER, TRIES_MAX, is_dead, next_try

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DOWN = ProviderUnavailable(provider="QuickBooks", reason="no answer")


def an_id(**changes: object) -> str:
    values = {
        "connection_id": "c",
        "entity": Entity.BILL,
        "record_id": "r",
        "revision": 1,
        "operation": "create",
        "serial": 0,
        **changes,
    }
    return request_id(**values)  # type: ignore[arg-type]


def test_a_retry_is_the_same_request_and_an_edit_is_a_new_one() -> None:
    assert an_id() == an_id()
    different = [an_id(revision=2), an_id(serial=1), an_id(operation="update"), an_id(connection_id="d")]
    assert len({an_id(), *different}) == 5


def test_a_request_id_fits_the_narrowest_provider_limit() -> None:
    assert len(an_id()) == 32


def test_a_marker_is_one_per_record_and_can_be_recognised() -> None:
    record_id = str(uuid4())
    assert marker(record_id) == marker(record_id)
    assert MARKER_PATTERN.fullmatch(marker(record_id))
    assert marker(record_id) != marker(str(uuid4()))


def _waits(error: Exception) -> list[float]:
    waits, at = [], NOW
    for tries in range(1, TRIES_MAX + 2):
        due = next_try(error=error, tries=tries, first_failed_at=NOW, now=at, key="k")  # type: ignore[arg-type]
        if due is None:
            break
        waits.append((due - at).total_seconds())
        at = due
    return waits


def test_an_outage_is_tried_five_times_with_growing_waits_inside_two_hours() -> None:
    waits = _waits(DOWN)
    assert len(waits) == TRIES_MAX - 1, "the first try and four more are five"
    assert all(later > earlier for earlier, later in itertools.pairwise(waits))
    assert timedelta(seconds=sum(waits)) < GIVE_UP_AFTER


def test_a_provider_that_names_its_wait_is_given_that_long() -> None:
    slow = RateLimited(provider="QuickBooks", wait_seconds=900)
    due = next_try(error=slow, tries=1, first_failed_at=NOW, now=NOW, key="k")
    assert due is not None
    assert due - NOW >= timedelta(seconds=900)


def test_a_permanent_error_is_not_tried_again_and_is_no_dead_letter() -> None:
    wrong = MappingMissing(label="Bill 1", subject="cost code 1", profile="expense", key="1")
    assert next_try(error=wrong, tries=1, first_failed_at=NOW, now=NOW, key="k") is None
    assert not is_dead(error=wrong, at=None)


def test_two_hours_after_the_first_failure_the_record_goes_to_the_dead_letters() -> None:
    late = NOW + GIVE_UP_AFTER
    assert next_try(error=DOWN, tries=2, first_failed_at=NOW, now=late, key="k") is None
    assert is_dead(error=DOWN, at=None)


def test_different_records_do_not_all_come_back_at_the_same_instant() -> None:
    dues = {next_try(error=DOWN, tries=1, first_failed_at=NOW, now=NOW, key=str(n)) for n in range(20)}
    assert len(dues) > 10

"""When a connection is due again after a sync: never without pause, whatever waits and whatever the provider answers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.office import Office

API_ANY = "/[va][3p]*"


@pytest.fixture
def waiting(office: Office) -> Office:
    """A builder synced daily; the edit of a bill failed for a passing reason a moment ago, and its next try is due."""
    office.run("update v2_integration_connections set sync_schedule = 'daily'")
    bill = office.bill(office.vendor())
    assert office.scheduled() is None
    office.run("update v2_bill_lines set amount = 120 where bill_id = %s", bill)
    office.change("v2_bills", bill, total=120)
    now = office.books.clock.now()
    office.run(
        "update links set state = 'failed', cause = 'provider.unavailable', tries = 1, first_failed_at = %s,"
        " next_try_at = %s, ours_checksum = 'x', decided_ours_checksum = 'x',"
        " decided_theirs_checksum = theirs_checksum where entity = 'bill'",
        now,
        now + timedelta(minutes=1),
    )
    office.later(minutes=3)
    return office


def in_the_ledger(office: Office) -> Decimal | None:
    (bill,) = office.books.valid("bill")
    return bill.total


def test_an_outage_parks_a_connection_on_which_a_failed_record_is_to_be_tried_again(waiting: Office) -> None:
    waiting.books.fault("status", status=503, path=API_ANY, count=None)
    waits = []
    for _ in range(6):
        assert waiting.scheduled() is not None
        waits.append(waiting.due_in())
        waiting.later(minutes=waits[-1])
    assert waits == [2, 4, 8, 16, 30, 30], "a try that came due long ago brings no probe sooner"
    waiting.run("update v2_integration_connections set sync_schedule = 'manual'")
    assert waiting.scheduled() is not None
    assert waiting.due_in() == 30, "nor without a schedule, where only that try brings one at all"
    waiting.books.control("DELETE", "/faults")
    assert waiting.scheduled() is None
    assert in_the_ledger(waiting) == Decimal("120.00")


def test_what_waits_in_an_entity_that_is_switched_off_brings_no_sync_sooner(waiting: Office) -> None:
    waiting.run("update entity_settings set is_enabled = false where entity = 'bill'")
    assert waiting.scheduled() is None
    assert waiting.due_in() > 60, "tomorrow's turn, and not at once for ever"
    assert in_the_ledger(waiting) == Decimal("100.00")


def test_a_try_that_came_due_during_a_sync_is_made_a_minute_later(waiting: Office) -> None:
    soon = waiting.books.clock.now() + timedelta(seconds=20)
    waiting.run("update links set next_try_at = %s where entity = 'bill'", soon)
    run_id = waiting.add(
        "sync_runs", connection_id=waiting.connection_id, trigger="scheduled", requested_by="schedule"
    )
    with waiting.tieout.sync(waiting.builder_id, waiting.connection_id, run_id) as sync:
        sync.pull_changes()
        waiting.later(minutes=5)
        sync.finish()
    assert waiting.due_in() == 1, "neither in the past nor only at tomorrow's turn"
    waiting.later(minutes=1)
    assert waiting.scheduled() is None
    assert in_the_ledger(waiting) == Decimal("120.00")


def test_a_sync_that_waits_in_vain_for_a_long_import_is_no_outage(office: Office) -> None:
    office.run("update v2_integration_connections set sync_schedule = 'daily'")
    with office.database.session_lock(
        "lock_connection", "unlock_connection", connection_id=office.connection_id
    ):
        for trigger in ("scheduled", "scheduled", "manual", "scheduled", "manual"):
            office.later(minutes=4)
            sentence = office.scheduled(trigger=trigger, patience_seconds=0)
            assert sentence is not None
            assert "is under way" in sentence
            assert office.due_in() == 2, "each comes again soon, however often it had to wait"
    assert office.rows("select kind from notifications") == []
    ended = "select trigger, status from sync_runs where requested_by = 'schedule'"
    assert office.rows(ended) == [("manual", "failed")] * 2, (
        "who asked for one is told; nobody else had asked"
    )
    office.books.fault("status", status=503, path=API_ANY, count=None)
    office.later(minutes=4)
    assert office.scheduled() is not None
    assert office.rows("select kind from notifications") == [], "the first failure of its own"
    office.books.control("DELETE", "/faults")
    assert office.scheduled() is None
    assert office.due_in() > 60

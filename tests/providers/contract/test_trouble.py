"""What a provider must survive: two hands on one record, lost answers, throttling, outages, and a taken-back consent."""

from __future__ import annotations

import contextlib
import threading
from decimal import Decimal

import pytest

from sync.errors import AccessExpired, AlreadyDone, ConsentDenied, ProviderUnavailable, RateLimited
from sync.records import Entity
from tests.support.office import BROWSER, Office


def test_changes_on_both_sides_are_a_conflict_and_overwrite_nothing(office: Office) -> None:
    office.run("update v2_integration_connections set conflict_strategy = 'manual'")
    bill = office.bill(office.vendor())
    office.sync()
    office.books.reprice("bill", office.books.valid("bill")[0].id, "90.00")
    office.run("update v2_bill_lines set amount = 120 where bill_id = %s", bill)
    office.change("v2_bills", bill, total=120)
    done = office.sync()
    assert done.count(Entity.BILL, "conflict") == 1
    assert office.books.valid("bill")[0].total == Decimal("90.00")
    assert office.value("select total from v2_bills") == Decimal("120.0000")


def test_an_edit_between_our_look_and_our_write_is_seen_and_not_overwritten(office: Office) -> None:
    office.run("update v2_integration_connections set conflict_strategy = 'manual'")
    bill = office.bill(office.vendor())
    office.sync()
    office.settled()
    office.run("update v2_bill_lines set amount = 120 where bill_id = %s", bill)
    office.change("v2_bills", bill, total=120)
    office.later(minutes=3)
    run_id = office.add(
        "sync_runs",
        connection_id=office.connection_id,
        trigger="manual",
        requested_by="test",
        status="queued",
    )
    with office.tieout.sync(office.builder_id, office.connection_id, run_id) as sync:
        sync.pull_changes()
        office.books.reprice("bill", office.books.valid("bill")[0].id, "90.00")
        summary = sync.sync_entity(Entity.BILL)
    assert summary.tallies["conflict"].count == 1
    assert office.books.valid("bill")[0].total == Decimal("90.00")


@pytest.mark.parametrize("kind", ["drop_after", "cut_body", "status_after"])
def test_a_write_whose_answer_is_lost_is_found_and_not_sent_twice(office: Office, kind: str) -> None:
    vendor = office.vendor()
    office.sync()
    office.bill(vendor, number=None)
    office.books.fault(kind, method="P*", path=API_WRITES, status=502)
    first = office.sync()
    assert first.count(Entity.BILL, "pushed") == 0
    for _ in range(4):
        office.sync()
    (bill,) = office.books.valid("bill")
    assert bill.total == Decimal("100.00")
    assert office.linked(Entity.BILL) == 1
    assert office.queue("error") == []


def test_a_write_that_never_arrived_is_sent_once_it_cannot_arrive_any_more(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    office.bill(vendor, number=None)
    office.books.fault("drop_before", method="P*", path=API_WRITES)
    office.sync()
    assert office.books.valid("bill") == []
    office.later(minutes=30)
    for _ in range(3):
        office.sync()
    assert len(office.books.valid("bill")) == 1


def test_a_request_that_was_lost_is_put_to_nobody_because_of_another_vendors_bill(office: Office) -> None:
    if office.books.key == "quickbooks_online":
        # As a company that is not warned of numbers used twice.
        office.books.control("POST", "/switches", {"duplicate_numbers": "allow"})
    ridge, summit = office.vendor("Ridge"), office.vendor("Summit")
    office.sync()
    office.bill(ridge, number="1001")
    office.settled()
    office.bill(summit, number="1001", amounts=("77.00",))
    office.books.fault("drop_before", method="P*", path=API_WRITES)
    office.sync()
    for _ in range(3):
        office.sync()
    assert sorted(one.total for one in office.books.valid("bill")) == [Decimal("77.00"), Decimal("100.00")]
    assert office.queue("error") == []


@pytest.mark.parametrize("made_by", ["us", "the bookkeeper"])
def test_a_request_that_was_lost_is_put_to_nobody_because_of_a_bill_that_was_there_before(
    office: Office, made_by: str
) -> None:
    office.set_direction(Entity.BILL, "both")
    vendor = office.vendor()
    if made_by == "us":
        office.bill(vendor, number=None)
    office.settled()
    if made_by == "the bookkeeper":
        (party,) = office.rows(
            "select remote_id from links where entity = 'vendor' and record_id = %s", vendor
        )
        office.books.enter("bill", party[0], number="", amount="100.00")
        office.settled()
    office.bill(vendor, number=None)
    office.books.fault("drop_before", method="P*", path=API_WRITES)
    office.sync()
    for _ in range(3):
        office.sync()
    assert len(office.books.valid("bill")) == 2
    assert office.queue("error") == []


def test_being_asked_to_slow_down_loses_and_doubles_nothing(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    office.bill(vendor)
    office.books.fault("status", status=429, path=API_ANY, options={"wait": 1})
    office.books.fault("status", status=429, method="P*", path=API_WRITES, options={"wait": 1})
    for _ in range(3):
        with contextlib.suppress(RateLimited):
            office.sync()
    assert len(office.books.valid("bill")) == 1


def test_an_outage_leaves_the_differences_for_the_next_sync(office: Office) -> None:
    office.bill(office.vendor())
    office.books.fault("status", status=503, path=API_ANY, count=None)
    with pytest.raises(ProviderUnavailable):
        office.sync()
    office.books.control("DELETE", "/faults")
    office.sync()
    assert len(office.books.valid("bill")) == 1


def test_an_outage_parks_the_connection_probes_it_and_is_told_once(office: Office) -> None:
    office.run("update v2_integration_connections set sync_schedule = 'daily'")
    office.bill(office.vendor())
    office.books.fault("status", status=503, path=API_ANY, count=None)
    waits = []
    for _ in range(6):
        office.later(minutes=45)
        assert office.scheduled() is not None
        waits.append(office.due_in())
    assert waits == [2, 4, 8, 16, 30, 30], "probed soon, then less often, and never only at tomorrow's turn"
    told = office.rows("select kind, resolved_at is null from notifications order by created_at")
    assert told == [("outage_began", True)]
    assert office.value("select count(*) from v2_sync_records where resolved_at is null") == 0, (
        "no record is blamed"
    )
    office.books.control("DELETE", "/faults")
    office.later(minutes=45)
    assert office.scheduled() is None
    assert len(office.books.valid("bill")) == 1, "what had waited goes out with the first look that works"
    told = office.rows("select kind, resolved_at is null from notifications order by created_at")
    assert told == [("outage_began", False), ("outage_ended", True)]
    assert office.due_in() > 60, "and the schedule is the schedule again"


def test_a_fresh_consent_releases_what_the_lost_one_had_refused(office: Office) -> None:
    office.bill(office.vendor())
    office.sync()
    bill = office.value("select id from v2_bills")
    office.change("v2_bills", bill, total="120.00")
    office.run("update v2_bill_lines set amount = 120.00 where bill_id = %s", bill)
    office.refused_for_lost_access(Entity.BILL)
    office.connect()
    office.sync()
    assert office.books.valid("bill")[0].total == Decimal("120.00")
    assert office.value("select count(*) from v2_sync_records where resolved_at is null") == 0


def test_two_processes_refresh_the_access_once(office: Office) -> None:
    office.later(minutes=90)
    before = office.books.live_refresh_calls()
    names: list[str] = []

    def open_one() -> None:
        company = office.tieout.connections.open(office.builder_id, office.connection_id).company()
        names.append(company.name)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 4
    assert office.books.live_refresh_calls() - before == 1


def test_disconnecting_leaves_no_token_and_keeps_history(office: Office) -> None:
    office.bill(office.vendor())
    office.sync()
    office.later(minutes=90)
    ended = office.tieout.connections.disconnect(
        office.builder_id, office.connection_id, requested_by="owner"
    )
    assert ended.notice is None
    tokens = "select access_token_encrypted, refresh_token_encrypted, status from v2_integration_connections"
    assert office.rows(tokens) == [(None, None, "disconnected")]
    assert office.linked(Entity.BILL) == 1
    with pytest.raises(AccessExpired):
        office.tieout.connections.open(office.builder_id, office.connection_id)
    with pytest.raises(AlreadyDone):
        office.tieout.connections.disconnect(office.builder_id, office.connection_id, requested_by="owner")


def test_reconnecting_the_same_company_doubles_nothing(office: Office) -> None:
    office.bill(office.vendor())
    office.sync()
    office.tieout.connections.disconnect(office.builder_id, office.connection_id, requested_by="owner")
    office.connect()
    done = office.sync()
    assert done.failed == []
    assert len(office.books.valid("bill")) == 1
    assert done.proof.is_tied, done.differences


def test_a_consent_that_was_not_given_leaves_nothing(newcomer: Office) -> None:
    params = {**newcomer.books.browse(newcomer.begin(), sandbox_consent="deny")}
    with pytest.raises(ConsentDenied):
        newcomer.tieout.connections.complete(newcomer.books.key, params=params, browser=BROWSER)
    assert newcomer.value("select count(*) from v2_integration_connections") == 0


# Writes and reads of the accounting APIs, whose addresses begin alike enough for one pattern each.
API_WRITES = "/[va][3p]*"
API_ANY = "/[va][3p]*"

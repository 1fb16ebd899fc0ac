"""A write that is never confirmed and never found: sent five times by itself, then left to a person, at both ledgers."""

from __future__ import annotations

from uuid import UUID

import pytest

from resources.store import queue
from sync.records import Entity
from sync.retry import TRIES_MAX
from tests.support.office import Office

API_WRITES = "/[va][3p]*"


@pytest.fixture
def unheard(office: Office) -> Office:
    """The office with a bill whose every sending has ended in nothing; the last sync has just given it up."""
    vendor = office.vendor()
    office.sync()
    office.bill(vendor, number="P-1")
    office.books.fault("status", status=500, method="P*", path=API_WRITES, count=None)
    for _ in range(TRIES_MAX + 1):
        office.sync()
    return office


def _sendings(office: Office) -> int:
    return sum(call.method != "GET" for call in office.books.calls())


def test_a_write_that_always_got_a_server_error_was_sent_again_for_ever(unheard: Office) -> None:
    ((label, told),) = unheard.queue("error")
    assert "P-1" in label
    assert f"not once in {TRIES_MAX} tries" in told
    assert "press Retry" in told
    before = _sendings(unheard)
    for _ in range(3):
        unheard.sync()
    assert _sendings(unheard) == before
    assert unheard.queue("error") == [(label, told)], "it is told once"
    assert unheard.rows("select kind, records from notifications where resolved_at is null") == [
        ("dead_letters", 1)
    ]


def test_retry_asks_the_ledger_and_sends_it_once_more(unheard: Office) -> None:
    _press_retry(unheard)
    before = _sendings(unheard)
    unheard.sync()
    assert _sendings(unheard) == before + 1
    unheard.sync()
    assert "press Retry" in unheard.queue("error")[0][1], "once more, and again it is a person's turn"
    unheard.books.control("DELETE", "/faults")
    _press_retry(unheard)
    unheard.sync()
    unheard.sync()
    assert [bill.number for bill in unheard.books.valid("bill")] == ["P-1"]
    assert unheard.queue("error") == []


def test_what_was_given_up_and_arrives_late_is_found_and_not_sent_again(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    office.bill(vendor, number="P-1")
    office.books.fault("status", status=500, method="P*", path=API_WRITES, count=TRIES_MAX - 1)
    for _ in range(TRIES_MAX - 1):
        office.sync()
    # The last one is executed, and its answer is lost.
    office.books.fault("drop_after", method="P*", path=API_WRITES)
    for _ in range(3):
        office.sync()
    assert len(office.books.valid("bill")) == 1
    assert office.linked(Entity.BILL) == 1
    assert office.queue("error") == []


def test_an_edit_of_what_was_given_up_is_sent(unheard: Office) -> None:
    unheard.books.control("DELETE", "/faults")
    bill = str(unheard.value("select id from v2_bills"))
    unheard.change("v2_bills", bill, memo="Second floor")
    for _ in range(3):
        unheard.sync()
    ((number, memo),) = [(each.number, each.memo) for each in unheard.books.valid("bill")]
    assert number == "P-1"
    assert unheard.queue("error") == []
    assert unheard.books.key == "xero" or memo.startswith("Second floor")


def _press_retry(office: Office) -> None:
    record = office.value("select id from v2_sync_records where status = 'error' and resolved_at is null")
    with office.database.builder_tx(UUID(office.builder_id)) as tx:
        queue.retry(tx, record, actor="test")

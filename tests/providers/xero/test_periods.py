"""Closed periods at Xero: a lock that it does not report, and what a moved bill says of itself."""

from __future__ import annotations

from decimal import Decimal

from sync.records import Entity
from tests.support.office import Office
from tests.support.xero_books import XeroBooks

CLOSED, FIRST_OPEN = "2026-05-31", "2026-06-01"
WAITING = "select code, error_message from v2_sync_records where resolved_at is null"


def setting(office: Office, closed_period: str) -> None:
    office.run(
        "update entity_settings set closed_period = %s where connection_id = %s",
        closed_period,
        office.connection_id,
    )


def test_a_bill_posted_on_the_first_open_day_says_why_in_its_history(
    office: Office, books: XeroBooks
) -> None:
    setting(office, "first_open_day")
    books.close_until(CLOSED)
    office.bill(office.vendor())
    office.bill(office.vendor("Open Supply"), number="B-2", bill_date="2026-06-02")
    assert office.sync().failed == []
    notes = {one.number: books.history(one.id) for one in books.valid("bill")}
    sentence = f"Dated 2026-05-20; posted {FIRST_OPEN} because the books are closed until {CLOSED}."
    assert sentence in notes["B-1"]
    assert not any("posted" in note for note in notes["B-2"])
    office.settled()


def test_a_bill_stands_though_its_history_could_not_be_written(office: Office, books: XeroBooks) -> None:
    setting(office, "first_open_day")
    books.close_until(CLOSED)
    office.bill(office.vendor())
    books.fault("status", status=503, method="PUT", path="/api.xro/2.0/Invoices/*/History")
    assert office.sync().failed == []
    assert [one.date for one in books.valid("bill")] == [FIRST_OPEN]
    office.settled()


def test_a_lock_that_is_not_reported_holds_and_is_asked_about_once_a_day(
    office: Office, books: XeroBooks
) -> None:
    setting(office, "first_open_day")
    books.control("POST", "/switches", {"lock_dates": "untold"})
    books.close_until(CLOSED)
    office.bill(office.vendor())
    done = office.sync()
    assert done.failed == []
    ((code, sentence),) = office.rows(WAITING)
    assert code == "hold.period_locked"
    assert "closed up to a day that Xero does not tell" in sentence
    assert books.valid("bill") == []
    writes = written(books)
    for _ in range(3):
        office.sync()
    assert written(books) == writes, "it is not sent again as long as the refusal is fresh"
    books.close_until(None)
    office.later(hours=21)
    assert office.sync().failed == []
    assert [(one.number, one.date, one.total) for one in books.valid("bill")] == [
        ("B-1", "2026-05-20", Decimal("100.00"))
    ]
    assert office.rows(WAITING) == []
    assert office.linked(Entity.BILL) == 1


def written(books: XeroBooks) -> int:
    return sum(entry.method in ("PUT", "POST") and "Invoices" in entry.path for entry in books.calls())

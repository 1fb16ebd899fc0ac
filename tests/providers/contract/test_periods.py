"""Closed periods, through the API and read back from the ledger: held, moved with a memo, or asked; never silent."""

from __future__ import annotations

from decimal import Decimal

from sync.records import Entity
from tests.api.world import problem
from tests.support.office import Office
from tests.support.office_api import OfficeApi

CLOSED = "2026-05-31"
FIRST_OPEN = "2026-06-01"


def posted(office: Office, kind: str = "bill") -> list[tuple[str | None, str, Decimal]]:
    """Number, day and total of what is in the ledger."""
    return [(one.number, one.date, one.total) for one in office.books.valid(kind)]


def close(office: Office, day: str | None = CLOSED) -> None:
    office.books.close_until(day)


def test_a_document_of_a_closed_period_is_held_and_goes_out_when_the_period_is_opened(
    office: Office, api: OfficeApi
) -> None:
    office.bill(office.vendor())
    office.bill(office.vendor("Open Supply"), number="B-2", bill_date="2026-06-02")
    close(office)
    api.sync()
    assert api.held() == [("Bill B-1 (Ridge Concrete)", "hold.period_locked")]
    assert posted(office) == [("B-2", "2026-06-02", Decimal("100.00"))]
    close(office, None)
    api.sync()
    assert api.held() == []
    assert ("B-1", "2026-05-20", Decimal("100.00")) in posted(office)


def test_it_is_posted_on_the_first_open_day_with_a_line_in_its_memo(office: Office, api: OfficeApi) -> None:
    api.setting("invoice", closed_period="first_open_day")
    invoice = office.invoice(office.client(), memo="Draw 3")
    close(office)
    api.sync()
    ((number, day, total),) = posted(office, "invoice")
    assert (number, day, total) == ("I-1", FIRST_OPEN, Decimal("500.00"))
    memo = office.books.valid("invoice")[0].memo
    assert memo.startswith("Draw 3")
    assert f"Dated 2026-05-21; posted {FIRST_OPEN} because the books are closed until {CLOSED}." in memo
    ours = office.rows("select invoice_date::text, memo from v2_invoices where id = %s", invoice)
    assert ours == [("2026-05-21", "Draw 3")]
    reason = office.value("select reason from audit_log where action = 'push.create' and entity = 'invoice'")
    assert f"posted on {FIRST_OPEN}, the first open day" in reason
    office.settled()


def test_a_document_that_was_moved_stays_where_it_is_when_either_side_edits_it(
    office: Office, api: OfficeApi
) -> None:
    api.setting("invoice", closed_period="first_open_day")
    invoice = office.invoice(office.client(), memo="Draw 3")
    close(office)
    api.sync()
    office.change("v2_invoices", invoice, memo="Draw 3, corrected")
    api.sync()
    assert [one[1] for one in posted(office, "invoice")] == [FIRST_OPEN]
    memo = office.books.valid("invoice")[0].memo
    assert memo.startswith("Draw 3, corrected")
    assert "Dated 2026-05-21" in memo
    office.later(minutes=5)
    office.books.reprice("invoice", office.books.valid("invoice")[0].id, "510.00")
    api.sync()
    ours = office.rows("select invoice_date::text, memo, total from v2_invoices where id = %s", invoice)
    assert ours == [("2026-05-21", "Draw 3, corrected", Decimal("510.0000"))]
    office.settled()


def test_a_person_is_asked_and_decides_document_by_document(office: Office, api: OfficeApi) -> None:
    api.setting("bill", closed_period="ask")
    vendor = office.vendor()
    office.bill(vendor)
    office.bill(vendor, number="B-2", amounts=("20.00",))
    close(office)
    api.sync()
    waiting = {each["label"]: each for each in api.items("/sync/errors", status="held")}
    assert {each["code"] for each in waiting.values()} == {"hold.period_question"}
    assert FIRST_OPEN in waiting["Bill B-1 (Ridge Concrete)"]["error_message"]
    first, second = (waiting[f"Bill {number} (Ridge Concrete)"]["id"] for number in ("B-1", "B-2"))
    api.post(f"/sync/errors/{second}/closed-period", {"choice": "hold", "reason": "next month"})
    api.post(
        f"/sync/errors/{first}/closed-period",
        {"choice": "first_open_day", "reason": "agreed with the accountant", "start_sync": True},
    )
    assert posted(office) == [("B-1", FIRST_OPEN, Decimal("100.00"))]
    assert [label for label, _ in api.held()] == ["Bill B-2 (Ridge Concrete)"]
    chosen = office.rows(
        "select reason, after ->> 'choice' from audit_log where action = 'period.chosen' order by 1"
    )
    assert chosen == [("agreed with the accountant", "first_open_day"), ("next month", "hold")]


def test_a_choice_about_values_that_were_edited_since_is_stale(office: Office, api: OfficeApi) -> None:
    api.setting("bill", closed_period="ask")
    bill = office.bill(office.vendor())
    close(office)
    api.sync()
    (waiting,) = api.items("/sync/errors", status="held")
    api.post(f"/sync/errors/{waiting['id']}/closed-period", {"choice": "first_open_day"})
    office.change("v2_bills", bill, memo="another one")
    api.sync()
    # What was chosen was chosen for other values.
    assert posted(office) == []
    assert [code for _, code in api.held()] == ["hold.period_question"]


def test_what_is_posted_in_a_closed_period_is_neither_edited_nor_voided(
    office: Office, api: OfficeApi
) -> None:
    api.setting("bill", closed_period="first_open_day")
    vendor = office.vendor()
    edited, ended = office.bill(vendor), office.bill(vendor, number="B-2", amounts=("20.00",))
    api.sync()
    close(office)
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s", edited)
    office.change("v2_bills", edited, total=75)
    office.change("v2_bills", ended, status="void")
    api.sync()
    assert {code for _, code in api.held()} == {"hold.period_posted"}
    assert {one[0]: one[2] for one in posted(office)} == {"B-1": Decimal("100.00"), "B-2": Decimal("20.00")}
    (first, *_) = api.items("/sync/errors", status="held")
    body = {"choice": "first_open_day"}
    problem(api.client.post(f"/sync/errors/{first['id']}/closed-period", body), 422, "input.invalid")
    close(office, None)
    api.sync()
    assert {one[0]: one[2] for one in posted(office)} == {"B-1": Decimal("75.00")}


def test_what_the_bookkeeper_changed_in_a_period_that_was_closed_is_taken_and_said(
    office: Office, api: OfficeApi
) -> None:
    bill = office.bill(office.vendor())
    api.sync()
    office.later(minutes=5)
    office.books.reprice("bill", office.books.valid("bill")[0].id, "90.00")
    close(office)
    # Something else goes out first, so that the closing date is known.
    office.invoice(office.client(), invoice_date="2026-06-03")
    api.sync()
    assert office.value("select total from v2_bills where id = %s", bill) == Decimal("90.0000")
    (entry,) = office.rows("select reason from audit_log where action = 'sync.apply' and entity = 'bill'")
    assert f"lies in the period that is closed until {CLOSED}" in entry[0]


def _closed_meanwhile(office: Office) -> None:
    """Sync as far as the look at the closing date, let the books be closed, and send the rest."""
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
        for entity in (Entity.VENDOR, Entity.CUSTOMER, Entity.INVOICE):
            sync.sync_entity(entity)
        close(office)
        sync.sync_entity(Entity.BILL)
        sync.finish()


def test_a_period_closed_during_a_sync_is_judged_by_the_setting_and_no_error(
    office: Office, api: OfficeApi
) -> None:
    api.setting("bill", closed_period="first_open_day")
    office.invoice(office.client(), invoice_date="2026-06-03")
    office.bill(office.vendor())
    _closed_meanwhile(office)
    assert api.items("/sync/errors", status="error") == []
    api.sync()
    assert posted(office) == [("B-1", FIRST_OPEN, Decimal("100.00"))]
    assert api.held() == []
    reason = office.value("select reason from audit_log where action = 'push.create' and entity = 'bill'")
    assert f"posted on {FIRST_OPEN}, the first open day" in reason
    office.settled()


def test_a_period_closed_during_a_sync_holds_or_asks_where_the_setting_says_so(
    office: Office, api: OfficeApi
) -> None:
    office.invoice(office.client(), invoice_date="2026-06-03")
    office.bill(office.vendor())
    _closed_meanwhile(office)
    assert api.held() == [("Bill B-1 (Ridge Concrete)", "hold.period_locked")]
    api.setting("bill", closed_period="ask")
    api.sync()
    assert api.held() == [("Bill B-1 (Ridge Concrete)", "hold.period_question")]
    assert posted(office) == []


def test_a_rehearsal_foresees_a_move(office: Office, api: OfficeApi) -> None:
    api.setting("bill", closed_period="first_open_day")
    office.bill(office.vendor())
    close(office)
    started = api.post("/rehearsals")
    records = api.items(f"/rehearsals/{started['id']}/records", entity="bill")
    assert [(each["outcome"], each["book"]) for each in records] == [("created", "ledger")]
    assert {"date": FIRST_OPEN}.items() <= {f["field"]: f["after"] for f in records[0]["fields"]}.items()
    assert f"posted on {FIRST_OPEN}" in records[0]["reason"]
    assert posted(office) == []

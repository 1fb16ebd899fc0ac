"""What the feeds of both providers never told, found by their own lists."""

from __future__ import annotations

from sync.records import Entity
from tests.support.office import Office


def census_done(office: Office) -> None:
    for _ in range(8):
        office.sync()
        place = office.value("select position::jsonb ->> 'is_finished' from cursors where stream = 'census'")
        if (
            place == "true"
            and office.value("select (position::jsonb ->> 'round')::int from cursors where stream = 'census'")
            > 1
        ):
            return
    raise AssertionError("the census does not end")


def test_a_census_of_books_that_nobody_touched_finds_nothing(office: Office) -> None:
    office.invoice(office.client())
    office.bill(office.vendor())
    office.sync()
    invoice = office.books.valid("invoice")[0].id
    office.books.pay("invoice", {invoice: "200.00"}, reference="CHK 1")
    office.books.deposit("42.50", memo="Scrap sold")
    office.settled()
    before = office.rows("select entity, remote_id, state, checksum from mirror order by 1, 2")
    office.later(days=8)
    census_done(office)
    assert office.rows("select entity, remote_id, state, checksum from mirror order by 1, 2") == before
    listed = {row[0] for row in office.rows("select distinct entity from census where number > 0")}
    assert {"account", "customer", "vendor", "invoice", "bill", "payment", "deposit"} <= listed
    assert office.value("select count(*) from census where checked_number is not null") == 0, (
        "nothing was read again"
    )


def test_an_ending_that_was_never_told_is_found_by_the_census(office: Office) -> None:
    office.invoice(office.client())
    office.bill(office.vendor())
    office.settled()
    # As if the feed had told and the answer were lost: the mirror shows documents that the ledger does not have.
    office.books.end("invoice", office.books.valid("invoice")[0].id)
    office.books.end("bill", office.books.valid("bill")[0].id)
    skip_the_feed(office)
    census_done(office)
    assert office.value("select status from v2_invoices") == "void"
    assert office.value("select status from v2_bills") == "void"
    assert office.books.valid("bill") == []


def test_a_payment_that_vanished_unseen_unpays_its_invoice(office: Office) -> None:
    office.invoice(office.client())
    office.sync()
    office.books.pay("invoice", {office.books.valid("invoice")[0].id: "500.00"}, reference="CHK 118")
    office.settled()
    assert office.value("select payment_status from v2_invoices") == "paid"
    office.books.unpay("invoice", "CHK 118")
    skip_the_feed(office)
    census_done(office)
    assert office.value("select payment_status from v2_invoices") == "unpaid"


def test_a_record_that_was_never_told_comes_in(office: Office) -> None:
    office.set_direction(Entity.VENDOR, "both")
    office.settled()
    office.books.vendor("Quiet Trade")
    if office.books.key == "xero":
        office.books.enter("bill", office.books.vendor("Quiet Trade 2"), number="Q-1", amount="5.00")
    skip_the_feed(office)
    census_done(office)
    wanted = "Quiet Trade" if office.books.key != "xero" else "Quiet Trade 2"
    assert office.value("select count(*) from v2_vendors where name = %s", wanted) == 1


def test_a_document_that_always_answers_with_a_fault_keeps_no_other_from_being_found(office: Office) -> None:
    bill, invoice = office.bill(office.vendor()), office.invoice(office.client())
    office.settled()
    ids = {kind: office.books.valid(kind)[0].id for kind in ("bill", "invoice")}
    for kind, remote_id in ids.items():
        office.books.end(kind, remote_id)
    skip_the_feed(office)
    office.books.fault("status", status=500, method="GET", path=f"*/{ids['bill']}", count=None)
    census_done(office)
    states = (
        "select (select status from v2_bills where id = %s), (select status from v2_invoices where id = %s)"
    )
    assert office.rows(states, bill, invoice) == [("approved", "void")]
    place = office.value("select position::jsonb from cursors where stream = 'census'")
    assert place["told"] == ["bill"]
    office.books.control("DELETE", "/faults")
    office.later(hours=25)
    for _ in range(4):
        office.sync()
    assert office.rows(states, bill, invoice) == [("void", "void")], "a day later, also where a week is usual"
    assert office.value("select position::jsonb -> 'told' from cursors where stream = 'census'") == []


def skip_the_feed(office: Office) -> None:
    """Move the cursor of the changes past everything, as a feed does that tells nothing; then let a census come due."""
    office.later(days=8)
    now = office.books.clock.now().isoformat()
    if office.books.key == "xero":
        office.run(
            "update cursors set position = jsonb_build_object('since', %s::text, 'swept', %s::text)::text where stream = 'changes'",
            now,
            now,
        )
    else:
        office.run("update cursors set position = %s where stream = 'changes'", now)

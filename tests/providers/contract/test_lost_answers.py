"""A write whose answer was lost and that nobody touched afterwards: ours stays as it was, whatever the ledger cannot keep."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.providers.contract.test_trouble import API_WRITES
from tests.support.office import Office


def account_of(office: Office, kind: str) -> str:
    """Our record of one of the ledger's accounts."""
    found: str = office.value(
        "select record_id::text from links where entity = 'account' and remote_id = %s and connection_id = %s",
        office.books.account(kind),
        office.connection_id,
    )
    return found


def journal(office: Office, client: str) -> None:
    """A posted entry whose first line names a client."""
    entry = office.add(
        "v2_journal_entries", number="J-1", entry_date="2026-05-20", memo="accrual", status="posted"
    )
    sides = [("cost", "10.00", "0.00", client), ("clearing", "0.00", "10.00", None)]
    for position, (kind, debit, credit, named) in enumerate(sides, start=1):
        office.add(
            "v2_journal_entry_lines",
            journal_entry_id=entry,
            position=position,
            description=f"Line {position}",
            debit=debit,
            credit=credit,
            account_id=account_of(office, kind),
            client_id=named,
        )


def taken_from_the_ledger(office: Office) -> int:
    """How many documents of ours were changed by the ledger."""
    count: int = office.value("select count(*) from audit_log where action = 'sync.apply'")
    return count


def lost(office: Office, answers: int) -> None:
    """Lose the answers to what is sent next, then sync until nothing is left to do."""
    office.books.fault("drop_after", method="P*", path=API_WRITES, count=answers)
    office.sync()
    assert len(office.queue("error")) == answers
    for _ in range(2):
        office.sync()
    assert office.queue("error") + office.queue("conflict") + office.queue("held") == []
    assert taken_from_the_ledger(office) == 0, "nobody edited there"


def test_a_lost_answer_overwrites_nothing_here_that_the_ledger_leaves_out_or_fills_in(office: Office) -> None:
    vendor, client = office.vendor(), office.client()
    office.sync()
    office.bill(vendor, memo="call Joe before paying", due_date=None)
    office.invoice(client, memo="draw three", due_date=None)
    office.run("update v2_invoice_lines set description = ''")
    journal(office, client)
    lost(office, answers=3)
    assert office.rows("select memo, due_date from v2_bills") == [("call Joe before paying", None)]
    assert office.rows("select memo, due_date from v2_invoices") == [("draw three", None)]
    assert office.rows("select description from v2_invoice_lines") == [("",)]
    named = office.rows("select client_id::text from v2_journal_entry_lines order by position")
    assert named == [(client,), (None,)]


def test_a_lost_answer_to_a_change_overwrites_nothing_here_either(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    bill = office.bill(vendor, memo="one", due_date=None)
    office.run("update v2_bill_lines set description = ''")
    office.sync()
    office.run("update v2_bill_lines set amount = 120")
    office.change("v2_bills", bill, memo="two", total=Decimal("120.00"))
    lost(office, answers=1)
    assert office.rows("select memo, total, due_date from v2_bills") == [("two", Decimal("120.00"), None)]
    assert office.rows("select description from v2_bill_lines") == [("",)]
    assert [bill.total for bill in office.books.valid("bill")] == [Decimal("120.00")]


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
def test_an_amount_that_the_ledger_changed_comes_in_and_what_it_cannot_keep_stays_here(
    office: Office, is_lost: bool
) -> None:
    vendor = office.vendor()
    office.sync()
    office.bill(vendor, memo="call Joe before paying", due_date="2026-06-19")
    office.run("update v2_bill_lines set description = ''")
    if is_lost:
        office.books.fault("drop_after", method="P*", path=API_WRITES)
    office.sync()
    (there,) = office.books.valid("bill")
    office.books.reprice("bill", there.id, "130.00")
    for _ in range(2):
        office.sync()
    assert office.rows("select memo, total, due_date::text from v2_bills") == [
        ("call Joe before paying", Decimal("130.00"), "2026-06-19")
    ]
    assert office.rows("select description from v2_bill_lines") == [("",)]


def test_a_deletion_of_today_went_unheard_where_nobody_had_synced_for_weeks(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    bill = office.bill(vendor, number="B-1")
    office.books.fault("drop_after", method="P*", path=API_WRITES)
    office.sync()
    office.change("v2_bills", bill, status="draft")
    made = office.books.valid("bill")[0].id
    office.later(days=35)
    office.books.end("bill", made)
    office.sync()
    state = office.value("select state from mirror where entity = 'bill' and remote_id = %s", made)
    assert state in ("deleted", "void")
    office.change("v2_bills", bill, status="approved")
    for _ in range(3):
        office.sync()
    assert office.books.valid("bill") == [], "it was deleted there and does not come back by itself"

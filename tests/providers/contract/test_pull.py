"""What a provider must bring: money, edits, endings, names, and every row there is."""

from __future__ import annotations

from decimal import Decimal

from sync.records import Entity
from tests.support.office import Office


def both(office: Office) -> tuple[str, str]:
    """Push one invoice and one bill; their ids there."""
    office.invoice(office.client())
    office.bill(office.vendor())
    office.sync()
    return office.books.valid("invoice")[0].id, office.books.valid("bill")[0].id


def test_payments_bill_payments_and_deposits_come_back(office: Office) -> None:
    invoice, bill = both(office)
    office.books.pay("invoice", {invoice: "200.00"}, reference="CHK 118")
    office.books.pay("bill", {bill: "100.00"}, reference="88")
    office.books.deposit("42.50", memo="Scrap sold")
    done = office.sync()
    assert done.count(Entity.PAYMENT, "pulled") == 1
    assert done.count(Entity.BILL_PAYMENT, "pulled") == 1
    assert done.count(Entity.DEPOSIT, "pulled") == 1
    assert office.value("select payment_status from v2_invoices") == "partially_paid"
    assert office.value("select payment_status from v2_bills") == "paid"
    assert office.rows("select amount, unapplied_amount, reference from v2_payments") == [
        (Decimal("200.0000"), Decimal("0.0000"), "CHK 118")
    ]
    assert office.value("select sum(amount) from v2_deposits") == Decimal("42.5000")
    assert done.proof.is_tied, done.differences
    office.settled()


def test_one_payment_of_two_invoices_is_one_receipt(office: Office) -> None:
    client = office.client()
    office.invoice(client, number="I-1")
    office.invoice(client, number="I-2")
    office.sync()
    first, second = sorted(office.books.valid("invoice"), key=lambda one: str(one.number))
    office.books.pay("invoice", {first.id: "500.00", second.id: "125.00"}, reference="WIRE 7")
    done = office.sync()
    assert office.rows("select amount, reference from v2_payments") == [(Decimal("625.0000"), "WIRE 7")]
    assert office.value("select count(*) from v2_payment_applications") == 2
    assert done.proof.is_tied, done.differences
    office.settled()


def test_a_payment_that_is_taken_back_leaves_the_invoice_unpaid(office: Office) -> None:
    invoice, _ = both(office)
    office.books.pay("invoice", {invoice: "500.00"}, reference="CHK 118")
    office.sync()
    assert office.value("select payment_status from v2_invoices") == "paid"
    office.books.unpay("invoice", "CHK 118")
    done = office.sync()
    assert office.value("select payment_status from v2_invoices") == "unpaid"
    assert office.value("select status from v2_payments") == "void"
    assert done.proof.is_tied, done.differences


def test_an_amount_changed_there_is_changed_here(office: Office) -> None:
    invoice, bill = both(office)
    office.books.reprice("invoice", invoice, "510.00")
    office.books.reprice("bill", bill, "99.00")
    done = office.sync()
    assert office.value("select total from v2_invoices") == Decimal("510.0000")
    assert office.value("select total from v2_bills") == Decimal("99.0000")
    assert office.value("select count(*) from v2_bill_lines where cost_code_id is not null") == 1
    assert done.proof.is_tied, done.differences
    office.settled()


def test_what_ends_there_ends_here(office: Office) -> None:
    invoice, bill = both(office)
    office.books.end("invoice", invoice)
    office.books.end("bill", bill)
    office.sync()
    assert office.value("select status from v2_invoices") == "void"
    assert office.value("select status from v2_bills") == "void"
    office.settled()
    assert office.books.valid("bill") == []


def test_a_name_changed_there_is_changed_here(office: Office) -> None:
    office.invoice(office.client("Ann Ortega"))
    office.bill(office.vendor("Ridge Concrete"))
    office.sync()
    office.books.rename("customer", office.books.valid("invoice")[0].party, "Ann Lind")
    office.books.rename("vendor", office.books.valid("bill")[0].party, "Ridge Stone")
    office.sync()
    assert office.value("select name from v2_clients") == "Ann Lind"
    assert office.value("select name from v2_vendors") == "Ridge Stone"
    office.settled()


def test_documents_born_there_are_brought_in_where_the_setting_says_so(office: Office) -> None:
    for entity in (Entity.CUSTOMER, Entity.VENDOR, Entity.INVOICE, Entity.BILL):
        office.set_direction(entity, "both")
    office.books.enter("invoice", office.books.customer("New Client"), number="T-1", amount="300.00")
    office.books.enter("bill", office.books.vendor("New Trade"), number="T-2", amount="30.00")
    done = office.sync()
    assert done.failed == []
    assert office.rows("select number, total from v2_invoices") == [("T-1", Decimal("300.0000"))]
    assert office.rows("select number, total from v2_bills") == [("T-2", Decimal("30.0000"))]
    assert done.proof.is_tied, done.differences
    office.settled()


def test_a_journal_and_an_account_of_theirs_are_brought_in_and_followed(office: Office) -> None:
    office.set_direction(Entity.JOURNAL_ENTRY, "both")
    office.set_direction(Entity.ACCOUNT, "both")
    office.books.enter_journal("Accrued wages", "80.00")
    account = office.books.add_account("Site Security", "cost", number="5990")
    done = office.sync()
    assert done.failed == []
    assert office.rows(
        "select sum(debit), sum(credit) from v2_journal_entry_lines l join v2_journal_entries j on j.id = l.journal_entry_id"
    ) == [(Decimal("80.0000"), Decimal("80.0000"))]
    assert office.value("select count(*) from v2_accounts where name = 'Site Security'") == 1
    assert done.proof.is_tied, done.differences
    office.books.rename_account(account, "Site Watch")
    office.sync()
    assert office.value("select number from v2_accounts where name = 'Site Watch'") == "5990"
    office.settled()


def test_what_the_bank_statement_shows_is_told_per_payment(office: Office) -> None:
    client = office.client()
    office.invoice(client, number="I-1")
    office.invoice(client, number="I-2")
    office.sync()
    first, second = sorted(office.books.valid("invoice"), key=lambda one: str(one.number))
    office.books.pay("invoice", {first.id: "500.00"}, reference="CHK 1")
    office.books.pay("invoice", {second.id: "500.00"}, reference="CHK 2")
    office.sync()
    states = "select reference, reconciliation_status from v2_payments order by reference"
    assert office.rows(states) == [("CHK 1", "unmatched"), ("CHK 2", "unmatched")]
    office.books.reconcile("CHK 2")
    # Neither provider calls a reconciled payment changed: the sweep (Xero) or the daily report (QuickBooks) sees it.
    office.later(days=8)
    office.sync()
    assert office.rows(states) == [("CHK 1", "unmatched"), ("CHK 2", "matched")]
    office.settled()


def test_a_receipt_of_which_a_part_is_on_the_bank_statement_is_partially_matched(office: Office) -> None:
    client = office.client()
    office.invoice(client, number="I-1")
    office.invoice(client, number="I-2")
    office.sync()
    paid = {one.id: "500.00" for one in office.books.valid("invoice")}
    office.books.pay("invoice", paid, reference="CHK 1")
    office.sync()
    states = "select reference, reconciliation_status from v2_payments"
    assert office.rows(states) == [("CHK 1", "unmatched")]
    office.books.reconcile_part("CHK 1")
    office.later(days=8)
    office.sync()
    assert office.rows(states) == [("CHK 1", "partially_matched")]
    office.settled()


def test_the_mirror_holds_every_document_there_is(office: Office) -> None:
    office.books.fill(300)
    office.run("delete from cursors")
    done = office.sync()
    counted = dict(office.rows("select entity, count(*) from mirror where state = 'active' group by entity"))
    for kind, entity in (("invoice", Entity.INVOICE), ("bill", Entity.BILL)):
        assert counted.get(entity.value, 0) == len(office.books.valid(kind))
    assert done.proof.is_tied, done.differences


def test_pages_lose_no_row_that_changes_while_they_are_read(office: Office) -> None:
    office.books.fill(2600)
    provider = office.tieout.connections.open(office.builder_id, office.connection_id)
    seen: set[str] = set()
    touched = 0
    for page in provider.changes(None):
        invoices = {record.remote_id for record in page.records if record.entity == Entity.INVOICE}
        seen |= invoices
        if invoices and touched < 2:
            office.books.touch_oldest()
            touched += 1
    assert touched
    assert seen >= {one.id for one in office.books.valid("invoice")}


def test_the_bank_statement_is_read_by_a_sync_in_steps_too(office: Office) -> None:
    invoice, _ = both(office)
    office.books.pay("invoice", {invoice: "500.00"}, reference="CHK 1")
    office.books.reconcile("CHK 1")
    office.later(minutes=3)
    run_id = office.add(
        "sync_runs", connection_id=office.connection_id, trigger="scheduled", requested_by="schedule"
    )
    # As Dagster does it: each step opens the sync anew, and the run is closed without one.
    for step in ("changes", "payments"):
        with office.tieout.sync(office.builder_id, office.connection_id, run_id) as sync:
            if step == "changes":
                sync.pull_changes()
            else:
                sync.sync_entity(Entity.PAYMENT)
    office.tieout.finish_run(office.builder_id, office.connection_id, run_id, error=None)
    assert office.value("select reconciliation_status from v2_payments") == "matched"


def test_a_document_of_next_year_ties_out(office: Office) -> None:
    year = office.books.clock.now().year + 1
    office.invoice(office.client(), invoice_date=f"{year}-02-03", due_date=f"{year}-03-03")
    done = office.sync()
    assert done.proof.is_tied, done.differences

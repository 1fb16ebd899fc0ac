"""What a provider must do with the platform's records: arrive once, follow edits, end, and tie out."""

from __future__ import annotations

from decimal import Decimal

from sync.records import Entity
from tests.support.office import Office


def test_a_bill_and_an_invoice_arrive_and_the_trial_balance_ties_out(office: Office) -> None:
    office.bill(office.vendor(), amounts=("60.00", "40.25"))
    office.invoice(office.client(), amounts=("500.00", "250.50"), memo="Draw 3")
    done = office.sync()
    assert done.failed == []
    (bill,), (invoice,) = office.books.valid("bill"), office.books.valid("invoice")
    assert (bill.number, bill.total) == ("B-1", Decimal("100.25"))
    assert (invoice.number, invoice.total) == ("I-1", Decimal("750.50"))
    assert "Draw 3" in invoice.memo
    assert done.proof.is_tied, done.differences


def test_what_has_settled_is_not_sent_again_and_an_idle_sync_asks_each_list_once(office: Office) -> None:
    office.bill(office.vendor())
    office.invoice(office.client())
    office.sync()
    office.settled()
    # Beyond the overlap of the cursor nothing at all is new.
    office.later(minutes=10)
    idle = office.sync()
    assert idle.calls <= office.books.idle_calls
    assert all(summary.processed == 0 for summary in idle.of.values())
    assert idle.pulled.changed == 0


def test_an_edit_changes_the_same_document(office: Office) -> None:
    bill = office.bill(office.vendor(), amounts=("60.00", "40.00"))
    office.sync()
    (before,) = office.books.documents("bill")
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", bill)
    office.change("v2_bills", bill, total=115)
    done = office.sync()
    assert done.failed == []
    (after,) = office.books.documents("bill")
    assert (after.id, after.total) == (before.id, Decimal("115.00"))
    assert done.proof.is_tied, done.differences
    office.settled()


def test_a_void_here_ends_the_document_there_and_nothing_makes_it_again(office: Office) -> None:
    bill, invoice = office.bill(office.vendor()), office.invoice(office.client())
    office.sync()
    office.change("v2_bills", bill, status="void")
    office.change("v2_invoices", invoice, status="void")
    done = office.sync()
    assert done.failed == []
    assert office.books.valid("bill") == []
    assert office.books.valid("invoice") == []
    office.settled()
    assert office.books.valid("bill") == []


def test_names_follow_a_change_of_name(office: Office) -> None:
    client, vendor = office.client("Ann Ortega"), office.vendor("Ridge Concrete")
    office.sync()
    office.change("v2_clients", client, name="Ann Ortega-Lind", email="ann@example.com", phone="555 0100")
    office.change("v2_vendors", vendor, name="Ridge Concrete LLC", address_line="4 Quarry Rd", city="Larkin")
    done = office.sync()
    assert done.failed == []
    assert "Ann Ortega-Lind" in office.books.names("customer")
    assert "Ridge Concrete LLC" in office.books.names("vendor")
    office.settled()


def test_a_journal_entry_arrives_balanced_and_can_be_voided(office: Office) -> None:
    office.sync()
    accounts = dict(office.rows("select account_type, min(id::text) from v2_accounts group by account_type"))
    entry = office.add(
        "v2_journal_entries", number="J-1", entry_date="2026-05-31", memo="Accrued labour", status="posted"
    )
    for position, (kind, debit, credit) in enumerate(
        [("expense", "80.00", "0"), ("other_current_liability", "0", "80.00")], 1
    ):
        values = {"account_id": accounts[kind], "debit": debit, "credit": credit, "description": "May"}
        office.add("v2_journal_entry_lines", journal_entry_id=entry, position=position, **values)
    done = office.sync()
    assert done.failed == []
    ((text, debits),) = office.books.journals()
    assert "J-1" in text
    assert debits == Decimal("80.00")
    assert done.proof.is_tied, done.differences
    office.settled()
    office.change("v2_journal_entries", entry, status="void")
    assert office.sync().failed == []
    assert office.books.journals() == []


def test_a_new_account_is_made_and_follows_a_change_of_name(office: Office) -> None:
    account = office.add(
        "v2_accounts", name="Retainage Held", account_type="other_current_asset", number="1450"
    )
    assert office.sync().failed == []
    assert "Retainage Held" in office.books.accounts()
    office.change("v2_accounts", account, name="Retainage Withheld")
    assert office.sync().failed == []
    assert "Retainage Withheld" in office.books.accounts()
    assert "Retainage Held" not in office.books.accounts()
    office.settled()


def test_many_documents_travel_in_as_few_calls_as_the_provider_takes(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    for number in range(120):
        office.bill(vendor, number=f"B-{number}", amounts=("10.00",))
    before = len(office.books.calls())
    done = office.sync()
    assert done.failed == []
    assert len(office.books.valid("bill")) == 120
    per_call = office.books.writes_per_call
    # Besides the look at the changes: the company's facts and preferences, which say what is closed, and the proof.
    idle_and_proof = office.books.idle_calls + 3
    assert done.calls <= idle_and_proof + -(-120 // per_call)
    assert len(office.books.calls()) - before >= done.calls


def test_one_refused_document_stops_no_other(office: Office) -> None:
    stranger = office.books.customer("Somebody Else")
    office.books.enter("invoice", stranger, number="I-2", amount="77.00")
    client = office.client()
    for number in ("I-1", "I-2", "I-3"):
        office.invoice(client, number=number)
    office.sync()
    numbers = {one.number: one.total for one in office.books.valid("invoice")}
    assert numbers["I-1"] == numbers["I-3"] == Decimal("500.00")
    assert numbers["I-2"] == Decimal("77.00"), "a stranger's invoice was overwritten"


def test_a_document_and_a_name_that_are_there_already_are_linked_and_not_doubled(office: Office) -> None:
    party = office.books.vendor("Ridge Concrete")
    office.books.enter("bill", party, number="B-1", amount="100.00")
    office.bill(office.vendor("Ridge  concrete"))
    done = office.sync()
    assert done.failed == []
    assert done.count(Entity.VENDOR, "linked") == 1
    assert done.count(Entity.BILL, "linked") == 1
    assert len(office.books.documents("bill")) == 1
    assert [name for name in office.books.names("vendor") if "idge" in name] == ["Ridge Concrete"]


def test_several_new_accounts_without_numbers_arrive_in_one_sync(office: Office) -> None:
    office.sync()
    names = ["Site Alpha", "Site Beta", "Site Gamma"]
    for name in names:
        office.add("v2_accounts", name=name, account_type="expense")
    # One that the platform numbers as the ledger's next free code would be.
    office.add("v2_accounts", name="Site Zeta", number="T001", account_type="expense")
    office.sync()
    assert office.queue("error") == []
    assert {*names, "Site Zeta"} <= set(office.books.accounts())
    office.settled()


def test_a_new_account_and_one_below_it_arrive_in_one_sync(office: Office) -> None:
    office.sync()
    for name in ("Yard:Crane:Fuel", "Yard:Crane", "Yard"):
        office.add("v2_accounts", name=name, account_type="expense")
    office.sync()
    assert office.queue("error") == []
    # QuickBooks shows each by what comes after the last colon.
    assert {"Yard", "Crane", "Fuel"} <= {name.rpartition(":")[2] for name in office.books.accounts()}
    office.settled()

"""What is Xero's own way of keeping books: contacts, journals, batches, credits, transfers, drafts and tax."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync.records import Entity
from tests.support.books import DATE
from tests.support.office import Office
from tests.support.xero_books import XeroBooks


def journal(office: Office, *kinds: str) -> str:
    accounts = dict(office.rows("select account_type, min(id::text) from v2_accounts group by account_type"))
    entry = office.add("v2_journal_entries", number="J-9", entry_date="2026-05-31", status="posted")
    for position, kind in enumerate(kinds, start=1):
        sides = ("70.00", "0") if position == 1 else ("0", "70.00")
        values = {"account_id": accounts[kind], "debit": sides[0], "credit": sides[1]}
        office.add("v2_journal_entry_lines", journal_entry_id=entry, position=position, **values)
    return entry


def test_one_contact_is_a_customer_and_a_vendor(office: Office, books: XeroBooks) -> None:
    office.invoice(office.client("Acme"))
    office.bill(office.vendor("Acme"))
    done = office.sync()
    assert done.failed == []
    assert books.names("customer") == ["Acme"]
    assert office.rows(
        "select entity, count(distinct remote_id) from links where record_id is not null and remote_id is not null"
        " and entity in ('customer', 'vendor') group by entity order by entity"
    ) == [("customer", 1), ("vendor", 1)]
    assert len({one.party for kind in ("invoice", "bill") for one in books.valid(kind)}) == 1
    office.settled()


@pytest.mark.parametrize(
    ("kinds", "said", "instead"),
    [
        (
            ("accounts_receivable", "income"),
            "line 1 posts to accounts receivable",
            "as an invoice or a credit note",
        ),
        (("expense", "accounts_payable"), "line 2 posts to accounts payable", "as a bill or a credit note"),
        (("bank", "income"), "line 1 posts to the bank account", "money spent, received or transferred"),
    ],
)
def test_a_journal_xero_refuses_is_stopped_before_the_call(
    office: Office, books: XeroBooks, kinds: tuple[str, ...], said: str, instead: str
) -> None:
    office.sync()
    journal(office, *kinds)
    before = [entry for entry in books.calls() if entry.method != "GET"]
    office.sync()
    assert [entry for entry in books.calls() if entry.method != "GET"] == before
    ((label, sentence),) = office.queue("error")
    assert "J-9" in label
    assert said in sentence
    assert instead in sentence


def test_it_is_stopped_as_well_where_another_step_had_read_the_chart(
    office: Office, books: XeroBooks
) -> None:
    office.sync()
    journal(office, "accounts_receivable", "income")
    before = [entry for entry in books.calls() if entry.method != "GET"]
    # As Dagster does it: each entity is a step of its own, over a connection opened anew.
    run_id = office.add(
        "sync_runs",
        connection_id=office.connection_id,
        trigger="manual",
        requested_by="test",
        status="queued",
    )
    with office.tieout.sync(office.builder_id, office.connection_id, run_id) as step:
        step.sync_entity(Entity.JOURNAL_ENTRY)
    assert [entry for entry in books.calls() if entry.method != "GET"] == before
    ((_, sentence),) = office.queue("error")
    assert "line 1 posts to accounts receivable" in sentence


def test_a_batch_of_two_customers_is_two_receipts_and_one_deposit(office: Office, books: XeroBooks) -> None:
    office.invoice(office.client("Ann Ortega"), number="I-1")
    office.invoice(office.client("Ben Lind"), number="I-2")
    office.sync()
    paid = [{"Invoice": {"InvoiceID": one.id}, "Amount": "500.00"} for one in books.valid("invoice")]
    batch = {"Account": {"Code": "090"}, "Date": DATE, "Reference": "Slip 12", "Payments": paid}
    (made,) = books._send("PUT", "BatchPayments", {"BatchPayments": [batch]})
    done = office.sync()
    assert (
        office.rows("select amount, method, deposited_on is not null from v2_payments")
        == [(Decimal("500.0000"), "Batch payment", True)] * 2
    )
    assert office.rows("select amount, reference from v2_deposits") == [(Decimal("1000.0000"), "Slip 12")]
    assert done.proof.is_tied, done.differences
    office.settled()
    books._send("POST", f"BatchPayments/{made['BatchPaymentID']}", {"Status": "DELETED"})
    office.sync()
    assert office.rows("select distinct status from v2_payments") == [("void",)]
    assert office.rows("select status from v2_deposits") == [("void",)]
    assert office.rows("select distinct payment_status from v2_invoices") == [("unpaid",)]


def test_a_receipt_of_which_the_bank_shows_a_part_is_partially_matched(
    office: Office, books: XeroBooks
) -> None:
    client = office.client()
    office.invoice(client, number="I-1")
    office.invoice(client, number="I-2")
    office.sync()
    first, second = books.valid("invoice")
    books.pay("invoice", {first.id: "500.00", second.id: "500.00"}, reference="WIRE 7")
    office.sync()
    (payment, _) = (row["PaymentID"] for row in books._rows("Payments"))
    books.bookkeep("reconcile", id=payment)
    office.later(days=8)
    office.sync()
    states = "select reference, reconciliation_status from v2_payments"
    assert office.rows(states) == [("WIRE 7", "partially_matched")]
    books.reconcile("WIRE 7")
    office.later(days=8)
    office.sync()
    assert office.rows(states) == [("WIRE 7", "matched")]


def test_a_credit_note_that_lowers_an_invoice_is_not_lost(office: Office, books: XeroBooks) -> None:
    office.invoice(office.client())
    office.sync()
    (invoice,) = books.valid("invoice")
    line = {"Description": "Defects", "Quantity": 1, "UnitAmount": "150.00", "AccountCode": "200"}
    note = {
        "Type": "ACCRECCREDIT",
        "Contact": {"ContactID": invoice.party},
        "Date": DATE,
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "LineItems": [line],
    }
    (made,) = books._send("PUT", "CreditNotes", {"CreditNotes": [note]})
    allocation = {"Invoice": {"InvoiceID": invoice.id}, "Amount": "120.00", "Date": DATE}
    books._call("PUT", f"CreditNotes/{made['CreditNoteID']}/Allocations", {"Allocations": [allocation]}, {})
    done = office.sync()
    assert office.rows("select amount, unapplied_amount, method from v2_payments") == [
        (Decimal("150.0000"), Decimal("30.0000"), "Credit note")
    ]
    assert office.value("select amount_paid from v2_invoices") == Decimal("120.0000")
    assert done.proof.is_tied, done.differences
    office.settled()


@pytest.mark.parametrize(("kind", "method"), [("OVERPAYMENT", "Overpayment"), ("PREPAYMENT", "Prepayment")])
def test_money_paid_ahead_pays_a_document_later(
    office: Office, books: XeroBooks, kind: str, method: str
) -> None:
    office.invoice(office.client())
    office.sync()
    (invoice,) = books.valid("invoice")
    account = {"AccountCode": "610"} if kind == "OVERPAYMENT" else {"AccountCode": "835"}
    transaction = {
        "Type": f"RECEIVE-{kind}",
        "Contact": {"ContactID": invoice.party},
        "BankAccount": {"Code": "090"},
        "Date": DATE,
        "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "Ahead", "Quantity": 1, "UnitAmount": "200.00", **account}],
    }
    (made,) = books._send("PUT", "BankTransactions", {"BankTransactions": [transaction]})
    done = office.sync()
    assert done.proof.is_tied, done.differences
    credit = made[f"{method}ID"]
    allocation = {"Invoice": {"InvoiceID": invoice.id}, "Amount": "80.00", "Date": DATE}
    books._call("PUT", f"{method}s/{credit}/Allocations", {"Allocations": [allocation]}, {})
    done = office.sync()
    assert office.rows("select amount, method from v2_payments") == [(Decimal("200.0000"), method)]
    assert office.value("select amount_paid from v2_invoices") == Decimal("80.0000")
    assert done.proof.is_tied, done.differences


def test_a_transfer_is_a_deposit_into_the_second_account(office: Office, books: XeroBooks) -> None:
    transfer = {
        "FromBankAccount": {"Code": "091"},
        "ToBankAccount": {"Code": "090"},
        "Amount": "75.00",
        "Date": DATE,
    }
    (made,) = books._send("PUT", "BankTransfers", {"BankTransfers": [transfer]})
    done = office.sync()
    assert office.rows("select amount, status from v2_deposits") == [(Decimal("75.0000"), "posted")]
    assert done.proof.is_tied, done.differences
    books._send("POST", f"BankTransfers/{made['BankTransferID']}", {"BankTransfers": [{"Status": "DELETED"}]})
    office.later(days=8)
    office.sync()
    assert office.rows("select status from v2_deposits") == [("void",)]


def test_documents_can_be_sent_as_drafts_for_the_bookkeeper_to_approve(
    office: Office, books: XeroBooks
) -> None:
    office.run(
        'update v2_integration_connections set settings = settings || \'{"document_status": "draft"}\''
    )
    office.invoice(office.client())
    office.sync()
    (draft,) = books._rows("Invoices")
    assert draft["Status"] == "DRAFT"
    office.settled()
    key = draft["InvoiceID"]
    books._send("POST", f"Invoices/{key}", {"Invoices": [{"InvoiceID": key, "Status": "AUTHORISED"}]})
    done = office.sync()
    assert done.failed == []
    assert done.proof.is_tied, done.differences


def test_a_draft_that_is_withdrawn_here_is_deleted_there(office: Office, books: XeroBooks) -> None:
    office.run(
        'update v2_integration_connections set settings = settings || \'{"document_status": "draft"}\''
    )
    invoice = office.invoice(office.client())
    office.sync()
    office.change("v2_invoices", invoice, status="void")
    assert office.sync().failed == []
    assert books._rows("Invoices")[0]["Status"] == "DELETED"


def test_amounts_that_include_tax_keep_their_total(office: Office, books: XeroBooks) -> None:
    office.run('update v2_integration_connections set settings = settings || \'{"tax": "inclusive"}\'')
    office.bill(office.vendor(), amounts=("115.00", "23.00"))
    done = office.sync()
    assert done.failed == []
    (row,) = books._rows("Invoices")
    assert (row["LineAmountTypes"], Decimal(row["Total"])) == ("Inclusive", Decimal("138.00"))
    assert done.proof.is_tied, done.differences
    office.settled()


def test_a_stranger_s_draft_is_left_alone(office: Office, books: XeroBooks) -> None:
    for entity in (Entity.CUSTOMER, Entity.INVOICE):
        office.set_direction(entity, "both")
    party = books.customer("New Client")
    key = books.enter("invoice", party, number="T-1", amount="300.00")
    line = {"Description": "x", "Quantity": 1, "UnitAmount": "9.00", "AccountCode": "200"}
    books._send(
        "PUT",
        "Invoices",
        {
            "Invoices": [
                {"Type": "ACCREC", "Contact": {"ContactID": party}, "Date": DATE, "LineItems": [line]}
            ]
        },
    )
    done = office.sync()
    assert office.rows("select number from v2_invoices") == [("T-1",)]
    assert done.proof.is_tied, done.differences
    assert key


def test_lines_keep_their_tracking_and_tax_when_an_amount_changes_here(
    office: Office, books: XeroBooks
) -> None:
    bill = office.bill(office.vendor(), amounts=("60.00", "40.00"))
    office.sync()
    (category,) = books._send("PUT", "TrackingCategories", {"Name": "Job"})
    category_id = category["TrackingCategoryID"]
    option = books._call("PUT", f"TrackingCategories/{category_id}/Options", {"Name": "Lot 12"}, {}).json()[
        "Options"
    ][0]
    (row,) = books._rows("Invoices")
    tracked = [
        {
            **{
                name: line[name]
                for name in ("LineItemID", "Description", "AccountCode", "Quantity", "UnitAmount")
            },
            "Tracking": [{"TrackingCategoryID": category_id, "TrackingOptionID": option["TrackingOptionID"]}],
        }
        for line in row["LineItems"]
    ]
    key = row["InvoiceID"]
    plain = [
        {**line, "Quantity": str(line["Quantity"]), "UnitAmount": str(line["UnitAmount"])} for line in tracked
    ]
    books._send("POST", f"Invoices/{key}", {"Invoices": [{"InvoiceID": key, "LineItems": plain}]})
    office.sync()
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", bill)
    office.change("v2_bills", bill, total=115)
    assert office.sync().failed == []
    (after,) = books._rows("Invoices")
    assert Decimal(after["Total"]) == Decimal("115.00")
    assert [line["Tracking"][0]["Option"] for line in after["LineItems"]] == ["Lot 12", "Lot 12"]

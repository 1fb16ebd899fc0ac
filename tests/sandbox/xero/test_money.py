"""Payments, batches, credits, bank transactions, transfers and journals against the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.xero.client import Json, Xero


def test_a_full_payment_makes_paid_and_its_deletion_makes_authorised_again(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    payment = xero.pay(made["InvoiceID"], "100.00")
    assert (payment["PaymentType"], payment["Status"]) == ("ACCRECPAYMENT", "AUTHORISED")
    paid = xero.one("GET", f"Invoices/{made['InvoiceID']}")
    assert (paid["Status"], paid["AmountDue"], paid["AmountPaid"]) == ("PAID", Decimal(0), Decimal(100))
    assert paid["FullyPaidOnDate"] == "/Date(1778371200000+0000)/"
    stub = paid["Payments"][0]
    assert stub["HasAccount"] is False
    assert not {"Status", "IsReconciled"} & stub.keys()
    removed = xero.one("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert removed["Status"] == "DELETED"
    open_again = xero.one("GET", f"Invoices/{made['InvoiceID']}")
    assert (open_again["Status"], open_again["Payments"]) == ("AUTHORISED", [])
    assert "FullyPaidOnDate" not in open_again
    assert [one["Status"] for one in xero.many("Payments")] == ["DELETED"]


def test_deleted_payments_can_be_switched_out_of_the_list(xero: Xero, contact: Json) -> None:
    xero.control("/switches", {"deleted_payments_listed": "no"})
    payment = xero.pay(xero.new_invoice(contact["ContactID"])["InvoiceID"], "10.00")
    xero.one("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert xero.many("Payments") == []


def test_what_payments_refuse(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    draft = xero.new_invoice(contact["ContactID"], Status="DRAFT")

    def refused(**changes: object) -> list[str]:
        body = {
            "Invoice": {"InvoiceID": made["InvoiceID"]},
            "Account": {"Code": "090"},
            "Amount": 10,
        } | changes
        return xero.refused("PUT", "Payments", {"Payments": [body]})

    assert refused(Amount="100.01") == ["Payment amount exceeds the amount outstanding on this document"]
    assert refused(Invoice={"InvoiceID": draft["InvoiceID"]}) == [
        "Payments can only be made against Authorised documents"
    ]
    assert refused(Account={"Code": "200"})
    assert refused(Account={"Code": "zzz"}) == ["Account could not be found"]
    assert refused(Amount=0)
    assert xero.pay(made["InvoiceID"], "5.00", Account={"Code": "615"})["Account"]["Code"] == "615"


def test_a_payment_takes_no_change_but_its_status(xero: Xero, contact: Json) -> None:
    payment = xero.pay(xero.new_invoice(contact["ContactID"])["InvoiceID"], "10.00")
    path = f"Payments/{payment['PaymentID']}"
    assert xero.refused("POST", path, {"Amount": 5}) == ["Only Status accepted for updates."]
    assert xero.refused("POST", path, {"Status": "DELETED", "Reference": "x"}) == [
        "Only Status accepted for updates."
    ]
    xero.one("POST", path, {"Payments": [{"Status": "DELETED"}]})
    assert xero.refused("POST", path, {"Status": "DELETED"}) == [
        "Payment not of valid status for modification"
    ]


def test_a_reconciled_payment_is_deleted_only_after_a_person_unreconciles_it(
    xero: Xero, contact: Json
) -> None:
    payment = xero.pay(xero.new_invoice(contact["ContactID"])["InvoiceID"], "10.00", IsReconciled=True)
    path = f"Payments/{payment['PaymentID']}"
    before = xero.one("GET", path)
    assert before["IsReconciled"] is True
    assert xero.refused("POST", path, {"Status": "DELETED"})
    xero.control("/bookkeeper", {"action": "unreconcile", "id": payment["PaymentID"]})
    assert xero.one("GET", path)["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert xero.one("POST", path, {"Status": "DELETED"})["Status"] == "DELETED"


def test_post_payments_takes_one_bare_object(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    body = {
        "Invoice": {"InvoiceID": made["InvoiceID"]},
        "Account": {"Code": "090"},
        "Date": "2026-05-02",
        "Amount": 1,
    }
    assert xero.one("POST", "Payments", body)["Amount"] == Decimal(1)


def test_a_batch_pays_many_invoices_and_dies_as_one(xero: Xero, contact: Json) -> None:
    ids = [xero.new_invoice(contact["ContactID"])["InvoiceID"] for _ in range(3)]
    body = {
        "Account": {"Code": "090"},
        "Date": "2026-05-05",
        "Reference": "Run 1",
        "Payments": [{"Invoice": {"InvoiceID": key}, "Amount": 100} for key in ids],
    }
    batch = xero.one("PUT", "BatchPayments", {"BatchPayments": [body]})
    assert (batch["Type"], batch["TotalAmount"], len(batch["Payments"])) == ("RECBATCH", Decimal(300), 3)
    assert {one["BatchPaymentID"] for one in xero.many("Payments")} == {batch["BatchPaymentID"]}
    single = batch["Payments"][0]["PaymentID"]
    assert xero.refused("POST", f"Payments/{single}", {"Status": "DELETED"})
    gone = xero.one("POST", "BatchPayments", {"BatchPaymentID": batch["BatchPaymentID"], "Status": "DELETED"})
    assert gone["Status"] == "DELETED"
    assert {one["Status"] for one in xero.many("Invoices")} == {"AUTHORISED"}


def test_a_batch_of_mixed_kinds_leaves_nothing_behind(xero: Xero, contact: Json) -> None:
    sale = xero.new_invoice(contact["ContactID"])["InvoiceID"]
    bill = xero.new_invoice(contact["ContactID"], Type="ACCPAY")["InvoiceID"]
    body = {
        "Account": {"Code": "090"},
        "Payments": [{"Invoice": {"InvoiceID": key}, "Amount": 1} for key in (sale, bill)],
    }
    assert xero.refused("PUT", "BatchPayments", {"BatchPayments": [body]})
    assert xero.many("Payments") == []
    assert xero.many("BatchPayments") == []


def new_note(xero: Xero, contact_id: str, amount: str = "30.00", kind: str = "ACCRECCREDIT") -> Json:
    code = "200" if kind == "ACCRECCREDIT" else "300"
    body = {
        "Type": kind,
        "Contact": {"ContactID": contact_id},
        "Date": "2026-05-03",
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "Credit", "UnitAmount": amount, "AccountCode": code}],
    }
    return xero.one("PUT", "CreditNotes", {"CreditNotes": [body]})


def test_a_credit_note_is_allocated_and_released(xero: Xero, contact: Json) -> None:
    invoice = xero.new_invoice(contact["ContactID"])["InvoiceID"]
    note = new_note(xero, contact["ContactID"])
    path = f"CreditNotes/{note['CreditNoteID']}"
    body = {"Allocations": [{"Invoice": {"InvoiceID": invoice}, "Amount": 30, "Date": "2026-05-04"}]}
    xero.one("PUT", f"{path}/Allocations", body)
    used = xero.one("GET", path)
    assert (used["Status"], used["RemainingCredit"], used["AppliedAmount"]) == (
        "PAID",
        Decimal(0),
        Decimal(30),
    )
    credited = xero.one("GET", f"Invoices/{invoice}")
    assert (credited["AmountCredited"], credited["AmountDue"]) == (Decimal(30), Decimal(70))
    assert credited["CreditNotes"][0]["CreditNoteNumber"] == "CN-0001"
    allocation = used["Allocations"][0]["AllocationID"]
    gone = xero.ok("DELETE", f"{path}/Allocations/{allocation}")
    assert gone["IsDeleted"] is True
    assert xero.one("GET", path)["RemainingCredit"] == Decimal(30)
    assert xero.one("GET", f"Invoices/{invoice}")["AmountDue"] == Decimal(100)


def test_an_allocation_cannot_be_larger_than_what_is_due(xero: Xero, contact: Json) -> None:
    invoice = xero.new_invoice(contact["ContactID"], amount="10.00")["InvoiceID"]
    note = new_note(xero, contact["ContactID"])
    body = {"Amount": 20, "Invoice": {"InvoiceID": invoice}, "Date": "2026-05-04"}
    messages = xero.refused("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body)
    assert messages == ["Credit note cannot be allocated as amount is greater than amount outstanding"]


def test_a_credit_note_is_refunded_by_a_payment(xero: Xero, contact: Json) -> None:
    note = new_note(xero, contact["ContactID"], kind="ACCPAYCREDIT")
    body = {
        "CreditNote": {"CreditNoteID": note["CreditNoteID"]},
        "Account": {"Code": "090"},
        "Amount": 30,
        "Date": "2026-05-09",
    }
    refund = xero.one("PUT", "Payments", {"Payments": [body]})
    assert refund["PaymentType"] == "APCREDITPAYMENT"
    assert xero.one("GET", f"CreditNotes/{note['CreditNoteID']}")["Status"] == "PAID"
    assert xero.trial_balance()["Business Bank Account (090)"] == "30.00"


def receive(xero: Xero, contact_id: str, kind: str, code: str | None, amount: str = "90.00") -> Json:
    line = {"Description": "Deposit", "UnitAmount": amount} | ({"AccountCode": code} if code else {})
    body = {
        "Type": kind,
        "Contact": {"ContactID": contact_id},
        "BankAccount": {"Code": "090"},
        "Date": "2026-05-02",
        "LineAmountTypes": "NoTax",
        "LineItems": [line],
    }
    return xero.one("PUT", "BankTransactions", {"BankTransactions": [body]})


@pytest.mark.parametrize(
    ("kind", "code", "table", "refund"),
    [
        ("RECEIVE-PREPAYMENT", "835", "Prepayment", "ARPREPAYMENTPAYMENT"),
        ("RECEIVE-OVERPAYMENT", None, "Overpayment", "AROVERPAYMENTPAYMENT"),
    ],
)
def test_a_prepayment_and_an_overpayment_are_allocated_then_refunded(
    xero: Xero, contact: Json, kind: str, code: str | None, table: str, refund: str
) -> None:
    made = receive(xero, contact["ContactID"], kind, code)
    key = made[f"{table}ID"]
    invoice = xero.new_invoice(contact["ContactID"], amount="60.00")["InvoiceID"]
    body = {"Allocations": [{"Invoice": {"InvoiceID": invoice}, "Amount": 60, "Date": "2026-05-06"}]}
    xero.one("PUT", f"{table}s/{key}/Allocations", body)
    assert xero.one("GET", f"Invoices/{invoice}")["Status"] == "PAID"
    assert xero.one("GET", f"{table}s/{key}")["RemainingCredit"] == Decimal(30)
    money = {table: {f"{table}ID": key}, "Account": {"Code": "090"}, "Amount": 30, "Date": "2026-05-07"}
    paid = xero.one("PUT", "Payments", {"Payments": [money]})
    assert paid["PaymentType"] == refund
    if table == "Overpayment":
        assert paid["Invoice"]["InvoiceID"] == key
    assert xero.one("GET", f"{table}s/{key}")["Status"] == "PAID"
    found = xero.trial_balance()
    assert found["Business Bank Account (090)"] == "60.00"
    assert "Accounts Receivable (610)" not in found
    assert "Customer Deposits (835)" not in found
    assert xero.refused("POST", f"BankTransactions/{made['BankTransactionID']}", {"Status": "DELETED"})


def test_a_prepayment_with_tax_leaves_no_cent_on_its_accounts(xero: Xero, contact: Json) -> None:
    line = [
        {"Description": "a", "UnitAmount": "33.33", "AccountCode": "200"},
        {"Description": "b", "UnitAmount": "11.11", "AccountCode": "201"},
    ]
    body = {
        "Type": "RECEIVE-PREPAYMENT",
        "Contact": {"ContactID": contact["ContactID"]},
        "Date": "2026-05-02",
        "BankAccount": {"Code": "090"},
        "LineAmountTypes": "Exclusive",
        "LineItems": line,
    }
    made = xero.one("PUT", "BankTransactions", {"BankTransactions": [body]})
    invoice = xero.new_invoice(contact["ContactID"], amount="200.00")["InvoiceID"]
    for amount in ("10.01", "20.02", str(made["Total"] - Decimal("30.03"))):
        part = {"Invoice": {"InvoiceID": invoice}, "Amount": amount, "Date": "2026-05-03"}
        xero.one("PUT", f"Prepayments/{made['PrepaymentID']}/Allocations", part)
    found = xero.trial_balance()
    assert found["Construction Income (200)"] == "-200.00"
    assert not {"Change Order Income (201)", "GST (820)", "Rounding (860)"} & found.keys()


def test_spend_money_is_edited_deleted_and_kept_once_reconciled(xero: Xero, contact: Json) -> None:
    made = receive(xero, contact["ContactID"], "SPEND", "429", "20.00")
    path = f"BankTransactions/{made['BankTransactionID']}"
    lines = [{"Description": "Fuel", "UnitAmount": 25, "AccountCode": "429"}]
    assert xero.one("POST", path, {"LineItems": lines})["Total"] == Decimal(25)
    assert xero.trial_balance()["Business Bank Account (090)"] == "-25.00"
    xero.control("/bookkeeper", {"action": "reconcile", "id": made["BankTransactionID"]})
    assert xero.refused("POST", path, {"Status": "DELETED"})
    xero.control("/bookkeeper", {"action": "unreconcile", "id": made["BankTransactionID"]})
    assert xero.one("POST", path, {"Status": "DELETED"})["Status"] == "DELETED"
    assert "General Expenses (429)" not in xero.trial_balance()


def test_a_transfer_moves_money_and_is_soft_deleted(xero: Xero) -> None:
    body = {
        "FromBankAccount": {"Code": "090"},
        "ToBankAccount": {"Code": "091"},
        "Amount": 70,
        "Date": "2026-05-01",
    }
    made = xero.one("PUT", "BankTransfers", {"BankTransfers": [body]})
    assert "UpdatedDateUTC" not in made
    twin = xero.one("GET", f"BankTransactions/{made['FromBankTransactionID']}")
    assert twin["Type"] == "SPEND-TRANSFER"
    assert xero.refused("POST", f"BankTransactions/{twin['BankTransactionID']}", {"Status": "DELETED"})
    assert xero.trial_balance()["Business Savings Account (091)"] == "70.00"
    assert xero.refused("POST", f"BankTransfers/{made['BankTransferID']}", {"Amount": 3})
    xero.one("POST", f"BankTransfers/{made['BankTransferID']}", {"Status": "DELETED"})
    assert xero.many("BankTransfers") == []
    assert len(xero.many("BankTransfers", query={"includeDeleted": "true"})) == 1
    assert "Business Savings Account (091)" not in xero.trial_balance()


def journal(*amounts: str, **changes: object) -> Json:
    lines = [
        {"LineAmount": amount, "AccountCode": code}
        for amount, code in zip(amounts, ("300", "825", "310"), strict=False)
    ]
    return {"Narration": "Retention", "Date": "2026-05-01", "JournalLines": lines, **changes}


def test_a_manual_journal_must_balance_and_is_a_draft_until_posted(xero: Xero) -> None:
    messages = xero.refused("PUT", "ManualJournals", {"ManualJournals": [journal("100.00", "-10.00")]})
    assert messages == ["The total debits (100.00) must equal total credits (-10.00)"]
    draft = xero.one("PUT", "ManualJournals", {"ManualJournals": [journal("100.00", "-100.00")]})
    assert (draft["Status"], draft["LineAmountTypes"], draft["ShowOnCashBasisReports"]) == (
        "DRAFT",
        "NoTax",
        True,
    )
    assert "Materials (300)" not in xero.trial_balance()
    path = f"ManualJournals/{draft['ManualJournalID']}"
    xero.one("POST", path, {"Status": "POSTED"})
    assert xero.trial_balance()["Materials (300)"] == "100.00"
    assert xero.refused("POST", path, {"Status": "DELETED"}) == [
        "Manual journal not of valid status for modification"
    ]
    xero.one("POST", path, {"Status": "VOIDED"})
    assert "Materials (300)" not in xero.trial_balance()


@pytest.mark.parametrize("code", ["800", "610", "090", "zzz"])
def test_a_manual_journal_refuses_control_bank_and_unknown_accounts(xero: Xero, code: str) -> None:
    body = journal("1.00", "-1.00")
    body["JournalLines"][0]["AccountCode"] = code
    messages = xero.refused("PUT", "ManualJournals", {"ManualJournals": [body]})
    assert messages == [f"Account code '{code}' is not a valid code for this document."]


def test_an_unknown_journal_account_can_be_switched_to_drop_its_line_with_a_warning(xero: Xero) -> None:
    xero.control("/switches", {"journal_unknown_account": "drop_with_warning"})
    body = journal("5.00", "-5.00", "0.00")
    body["JournalLines"][2]["AccountCode"] = "zzz"
    made = xero.one("PUT", "ManualJournals", {"ManualJournals": [body]})
    assert len(made["JournalLines"]) == 2
    assert made["Warnings"]


def test_a_journal_with_tax_posts_net_and_tax(xero: Xero) -> None:
    lines = [
        {"LineAmount": "115.00", "AccountCode": "300", "TaxType": "INPUT2"},
        {"LineAmount": "-115.00", "AccountCode": "825", "TaxType": "NONE"},
    ]
    body = {
        "Narration": "x",
        "Date": "2026-05-01",
        "Status": "POSTED",
        "LineAmountTypes": "Inclusive",
        "JournalLines": lines,
    }
    xero.one("PUT", "ManualJournals", {"ManualJournals": [body]})
    found = xero.trial_balance()
    assert (found["Materials (300)"], found["GST (820)"]) == ("100.00", "15.00")


def test_a_foreign_invoice_posts_in_base_currency_and_the_payment_shows_the_gain(
    xero: Xero, contact: Json
) -> None:
    line = {"CurrencyCode": "USD", "CurrencyRate": "0.5"}
    body = {"Invoices": [xero.invoice(contact["ContactID"], **line)]}
    assert xero.refused("PUT", "Invoices", body) == ["Organisation is not subscribed to currency USD"]
    xero.one("PUT", "Currencies", {"Code": "USD"})
    made = xero.one("PUT", "Invoices", body)
    assert xero.trial_balance()["Accounts Receivable (610)"] == "200.00"
    xero.pay(made["InvoiceID"], "100.00", CurrencyRate="0.4")
    found = xero.trial_balance()
    assert found["Business Bank Account (090)"] == "250.00"
    assert found["Realised Currency Gains (498)"] == "-50.00"


@pytest.mark.parametrize(
    ("direction", "posted"), [("document_per_base", "168.00"), ("base_per_document", "168.00")]
)
def test_without_a_rate_a_foreign_document_takes_the_days_in_either_direction(
    xero: Xero, contact: Json, direction: str, posted: str
) -> None:
    xero.control("/switches", {"currency_rate_direction": direction})
    xero.one("PUT", "Currencies", {"Code": "USD"})
    made = xero.new_invoice(contact["ContactID"], CurrencyCode="USD")
    assert (made["CurrencyRate"] < 1) == (direction == "document_per_base")
    assert xero.trial_balance()["Accounts Receivable (610)"] == posted

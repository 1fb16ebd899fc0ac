"""Other people's software as the judge: python-quickbooks and intuit-oauth, unmodified, over HTTP.

They are pointed at the sandbox by what they publish: a discovery address as `environment`, and `api_url_v3`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects.account import Account
from quickbooks.objects.attachable import Attachable
from quickbooks.objects.base import AttachableRef, LinkedTxn, Ref
from quickbooks.objects.bill import Bill
from quickbooks.objects.billpayment import BillPayment, BillPaymentLine, CheckPayment
from quickbooks.objects.company_info import CompanyInfo
from quickbooks.objects.creditmemo import CreditMemo
from quickbooks.objects.customer import Customer
from quickbooks.objects.department import Department
from quickbooks.objects.deposit import Deposit, DepositLine
from quickbooks.objects.detailline import (
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    SalesItemLine,
    SalesItemLineDetail,
)
from quickbooks.objects.estimate import Estimate
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.item import Item
from quickbooks.objects.journalentry import JournalEntry, JournalEntryLine, JournalEntryLineDetail
from quickbooks.objects.payment import Payment, PaymentLine
from quickbooks.objects.paymentmethod import PaymentMethod
from quickbooks.objects.preferences import Preferences
from quickbooks.objects.purchase import Purchase
from quickbooks.objects.purchaseorder import PurchaseOrder
from quickbooks.objects.taxcode import TaxCode
from quickbooks.objects.taxrate import TaxRate
from quickbooks.objects.term import Term
from quickbooks.objects.trackingclass import Class
from quickbooks.objects.transfer import Transfer
from quickbooks.objects.vendor import Vendor
from quickbooks.objects.vendorcredit import VendorCredit


def ref(value: str, kind: str | None = None) -> Ref:
    made = Ref()
    made.value = value
    if kind:
        made.type = kind
    return made


def link(number: str, kind: str, line: str | None = None) -> LinkedTxn:
    made = LinkedTxn()
    made.TxnId, made.TxnType = number, kind
    if line is not None:
        made.TxnLineId = line
    return made


def sale(amount: str, item: str = "1") -> SalesItemLine:
    line = SalesItemLine()
    line.Amount = Decimal(amount)
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = ref(item)
    return line


def cost(amount: str, account: str = "35") -> AccountBasedExpenseLine:
    line = AccountBasedExpenseLine()
    line.Amount = Decimal(amount)
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = ref(account)
    return line


def an_invoice(qb: QuickBooks, amount: str = "100.50") -> Any:
    invoice = Invoice()
    invoice.CustomerRef = ref("1")
    invoice.Line = [sale(amount)]
    return invoice.save(qb=qb)


def a_bill(qb: QuickBooks, amount: str = "75.25") -> Any:
    bill = Bill()
    bill.VendorRef = ref("5")
    bill.Line = [cost(amount)]
    return bill.save(qb=qb)


def a_payment(qb: QuickBooks, invoice: Any, amount: str) -> Any:
    payment = Payment()
    payment.CustomerRef = ref("1")
    payment.TotalAmt = Decimal(amount)
    line = PaymentLine()
    line.Amount = Decimal(amount)
    line.LinkedTxn = [link(invoice.Id, "Invoice")]
    payment.Line = [line]
    return payment.save(qb=qb)


# --- python-quickbooks ----------------------------------------------------------------------------------------


def test_names_are_created_read_updated_and_made_inactive(qb: QuickBooks) -> None:
    customer = Customer()
    customer.DisplayName, customer.GivenName = "O'Hara Lake House", "Nell"
    customer.save(qb=qb)
    found = Customer.get(customer.Id, qb=qb)
    assert (found.DisplayName, found.SyncToken) == ("O'Hara Lake House", "0")
    found.CompanyName = "Lake Holdings"
    found.save(qb=qb)
    again = Customer.filter(DisplayName="O'Hara Lake House", qb=qb)[0]
    assert (again.CompanyName, again.SyncToken) == ("Lake Holdings", "1")
    again.Active = False
    assert again.save(qb=qb).Active is False
    vendor = Vendor()
    vendor.DisplayName = "Judge Vendor"
    assert Vendor.get(vendor.save(qb=qb).Id, qb=qb).Balance == 0


def test_lists_of_all_kinds_can_be_made(qb: QuickBooks) -> None:
    account = Account()
    account.Name, account.AccountType = "Judge Bank", "Bank"
    assert account.save(qb=qb).Classification == "Asset"
    item = Item()
    item.Name, item.Type, item.IncomeAccountRef = "Judge Item", "Service", ref("1")
    assert item.save(qb=qb).FullyQualifiedName == "Judge Item"
    term = Term()
    term.Name, term.DueDays = "Judge 20", 20
    assert term.save(qb=qb).Type == "STANDARD"
    for kind in (Class, Department, PaymentMethod):
        made = kind()
        made.Name = f"Judge {kind.__name__}"
        assert made.save(qb=qb).Name == f"Judge {kind.__name__}"
    assert TaxCode.all(qb=qb)[0].Name == "State"
    assert TaxRate.all(qb=qb)[0].RateValue == 8
    assert CompanyInfo.get(1, qb=qb).CompanyName == "Sandbox Custom Homes LLC"
    assert Preferences.get(qb=qb).AccountingInfoPrefs is not None


def test_the_sales_side_runs_from_estimate_to_deposit(qb: QuickBooks) -> None:
    estimate = Estimate()
    estimate.CustomerRef, estimate.Line = ref("1"), [sale("1000")]
    estimate = estimate.save(qb=qb)
    invoice = an_invoice(qb, "1000")
    payment = a_payment(qb, invoice, "400")
    assert Invoice.get(invoice.Id, qb=qb).Balance == 600
    deposit = Deposit()
    deposit.DepositToAccountRef = ref("5")
    line = DepositLine()
    line.Amount, line.LinkedTxn, line.DetailType = 400, [link(payment.Id, "Payment", "0")], None
    deposit.Line = [line]
    deposit = deposit.save(qb=qb)
    assert deposit.TotalAmt == 400
    memo = CreditMemo()
    memo.CustomerRef, memo.Line = ref("1"), [sale("50")]
    assert memo.save(qb=qb).RemainingCredit == 50
    deposit.delete(qb=qb)
    with pytest.raises(ObjectNotFoundException):
        Deposit.get(deposit.Id, qb=qb)


def test_the_purchase_side_runs_from_order_to_payment(qb: QuickBooks) -> None:
    order = PurchaseOrder()
    order.VendorRef, order.APAccountRef, order.Line = ref("5"), ref("18"), [cost("75.25")]
    assert order.save(qb=qb).POStatus == "Open"
    bill = a_bill(qb)
    payment = BillPayment()
    payment.VendorRef, payment.PayType, payment.TotalAmt = ref("5"), "Check", Decimal("75.25")
    payment.CheckPayment = CheckPayment()
    payment.CheckPayment.BankAccountRef = ref("5")
    line = BillPaymentLine()
    line.Amount, line.LinkedTxn = Decimal("75.25"), [link(bill.Id, "Bill")]
    payment.Line = [line]
    payment = payment.save(qb=qb)
    assert Bill.get(bill.Id, qb=qb).Balance == 0
    payment.void(qb=qb)
    assert Bill.get(bill.Id, qb=qb).Balance == Decimal("75.25")
    credit = VendorCredit()
    credit.VendorRef, credit.APAccountRef, credit.Line = ref("5"), ref("18"), [cost("10")]
    assert credit.save(qb=qb).TotalAmt == 10
    purchase = Purchase()
    purchase.PaymentType, purchase.AccountRef, purchase.Line = "Cash", ref("5"), [cost("12")]
    assert purchase.save(qb=qb).TotalAmt == 12


def test_journal_entries_and_transfers_are_made(qb: QuickBooks) -> None:
    entry = JournalEntry()
    for side, account in (("Debit", "54"), ("Credit", "5")):
        line = JournalEntryLine()
        line.Amount = Decimal("33.33")
        line.JournalEntryLineDetail = JournalEntryLineDetail()
        line.JournalEntryLineDetail.PostingType = side
        line.JournalEntryLineDetail.AccountRef = ref(account)
        entry.Line.append(line)
    saved = entry.save(qb=qb)
    assert [line.Id for line in saved.Line] == ["0", "1"]
    saved.delete(qb=qb)
    transfer = Transfer()
    transfer.Amount, transfer.FromAccountRef, transfer.ToAccountRef = 100, ref("5"), ref("7")
    assert transfer.save(qb=qb).Amount == 100


def test_an_invoice_is_voided_sent_and_downloaded(qb: QuickBooks) -> None:
    invoice = an_invoice(qb)
    invoice.BillEmail = None
    assert invoice.download_pdf(qb=qb).startswith(b"%PDF")
    assert invoice.send(qb=qb, send_to="owner@example.com")["Invoice"]["EmailStatus"] == "EmailSent"
    Invoice.get(invoice.Id, qb=qb).void(qb=qb)
    voided = Invoice.get(invoice.Id, qb=qb)
    assert (voided.TotalAmt, voided.Balance) == (0, 0)


def test_paging_walks_through_everything_once(qb: QuickBooks) -> None:
    made = [a_bill(qb, str(n)).Id for n in range(1, 8)]
    seen: list[str] = []
    start = 1
    while page := Bill.all(order_by="Id", start_position=start, max_results=3, qb=qb):
        seen += [bill.Id for bill in page]
        start += 3
    assert seen == made
    assert Bill.count(qb=qb) == 7
    assert [bill.Id for bill in Bill.choose(made[:2], qb=qb)] != []


def test_batches_create_update_and_delete(qb: QuickBooks) -> None:
    vendors = []
    for n in range(35):
        vendor = Vendor()
        vendor.DisplayName = f"Batch {n}"
        vendors.append(vendor)
    vendors.append(Vendor.get(5, qb=qb))
    vendors[-1].Id = None
    answer = batch_create(vendors, qb=qb)
    assert (len(answer.successes), len(answer.faults)) == (35, 1)
    assert answer.faults[0].Error[0].code == "6240"
    bills = [a_bill(qb, str(n)) for n in (1, 2)]
    for bill in bills:
        bill.PrivateNote = "batched"
    assert len(batch_update(bills, qb=qb).successes) == 2
    fresh = [Bill.get(bill.Id, qb=qb) for bill in bills]
    assert {bill.PrivateNote for bill in fresh} == {"batched"}
    assert len(batch_delete(fresh, qb=qb).successes) == 2


def test_change_data_capture_finds_what_changed(qb: QuickBooks) -> None:
    # The client drops the offset of a datetime object; a text with one goes through as it is.
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    invoice = an_invoice(qb)
    answer = change_data_capture([Invoice, Bill], since, qb=qb)
    assert [found.Id for found in answer.Invoice] == [invoice.Id]
    assert not hasattr(answer, "Bill")


def test_request_ids_replay_through_the_client(qb: QuickBooks) -> None:
    bill = Bill()
    bill.VendorRef, bill.Line = ref("5"), [cost("19")]
    body = bill.to_json()
    first = qb.create_object("Bill", body, request_id="sdk-1")
    assert qb.create_object("Bill", body, request_id="sdk-1") == first
    assert Bill.count(qb=qb) == 1


def test_faults_become_the_clients_own_exceptions(qb: QuickBooks) -> None:
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(424242, qb=qb)
    with pytest.raises(ValidationException) as unknown:
        Customer.query("select * from Customer where Foo = 'x'", qb=qb)
    assert unknown.value.error_code == 4001
    with pytest.raises(ValidationException) as missing:
        Bill().save(qb=qb)
    assert missing.value.error_code == 2020
    stale = a_bill(qb)
    Bill.get(stale.Id, qb=qb)
    other = Bill.get(stale.Id, qb=qb)
    other.PrivateNote = "changed"
    other.save(qb=qb)
    stale.PrivateNote = "late"
    with pytest.raises(QuickbooksException) as moved:
        stale.save(qb=qb)
    assert moved.value.error_code == 5010


def test_a_throttle_reaches_the_client(qb: QuickBooks, fresh_process: str) -> None:
    httpx.post(f"{fresh_process}/_sandbox/faults", json={"kind": "status", "status": 429})
    with pytest.raises(ValidationException) as throttled:
        Customer.get(1, qb=qb)
    assert throttled.value.error_code == 3001


def test_reports_and_attachments_work_through_the_client(qb: QuickBooks) -> None:
    invoice = an_invoice(qb, "500")
    report = qb.get_report("TrialBalance")
    assert report["Rows"]["Row"][-1]["Summary"]["ColData"][1]["value"] == "500.00"
    attachment = Attachable()
    attachment.FileName, attachment.ContentType = "site.txt", "text/plain"
    attachment._FileBytes = b"hello site"
    target = AttachableRef()
    target.EntityRef = ref(invoice.Id, "Invoice")
    attachment.AttachableRef = [target]
    saved = attachment.save(qb=qb)
    assert (saved.Size, saved.FileName) == (10, "site.txt")
    assert qb.validate_webhook_signature("{}", "", "x") is False

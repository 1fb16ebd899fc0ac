"""QuickBooks' objects as its API returns them, after the contract sheet's recordings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Json = dict[str, Any]
MARKER = "tieout:AbCdEfGhIjKlMnOpQrStUv"
META = {"CreateTime": "2026-05-05T03:20:37-07:00", "LastUpdatedTime": "2026-05-05T03:20:37-07:00"}


def ref(value: str, name: str = "") -> Json:
    return {"value": value, "name": name} if name else {"value": value}


def an_account(**values: Any) -> Json:
    return {
        "Name": "Job Materials",
        "SubAccount": True,
        "ParentRef": ref("60"),
        "FullyQualifiedName": "Job Expenses:Job Materials",
        "Active": True,
        "Classification": "Expense",
        "AccountType": "Expense",
        "AccountSubType": "SuppliesMaterials",
        "AcctNum": "5010",
        "CurrentBalance": Decimal("12.50"),
        "CurrencyRef": ref("USD"),
        "domain": "QBO",
        "sparse": False,
        "Id": "63",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_customer(**values: Any) -> Json:
    return {
        "Taxable": False,
        "BillAddr": {
            "Id": "2",
            "Line1": "4581 Finch St.",
            "Line2": "Suite 3",
            "City": "Bayshore",
            "Country": "USA",
            "CountrySubDivisionCode": "CA",
            "PostalCode": "94326",
        },
        "Notes": "pays late",
        "Job": False,
        "BillWithParent": False,
        "Balance": Decimal("239.00"),
        "BalanceWithJobs": Decimal("239.00"),
        "PreferredDeliveryMethod": "Print",
        "GivenName": "Amy",
        "FullyQualifiedName": "Amy's Bird Sanctuary",
        "DisplayName": "Amy's Bird Sanctuary",
        "PrintOnCheckName": "Amy's Bird Sanctuary",
        "Active": True,
        "PrimaryPhone": {"FreeFormNumber": "(650) 555-3311"},
        "PrimaryEmailAddr": {"Address": "birds@example.com"},
        "domain": "QBO",
        "sparse": False,
        "Id": "1",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_sales_line(**values: Any) -> Json:
    detail = {
        "ItemRef": ref("10", "Framing"),
        "UnitPrice": Decimal(50),
        "Qty": 2,
        "ItemAccountRef": ref("45", "Construction income"),
        "TaxCodeRef": ref("NON"),
        "ServiceDate": "2026-05-01",
    } | values.pop("detail", {})
    return {
        "Id": "1",
        "LineNum": 1,
        "Description": "Framing, first floor",
        "Amount": Decimal("100.00"),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
        "CustomExtensions": [],
    } | values


def an_invoice(**values: Any) -> Json:
    return {
        "AllowIPNPayment": False,
        "DocNumber": "1037",
        "TxnDate": "2026-05-04",
        "DueDate": "2026-06-03",
        "CurrencyRef": ref("USD", "United States Dollar"),
        "LinkedTxn": [],
        "Line": [
            a_sales_line(),
            {"Amount": Decimal("100.00"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        ],
        "TxnTaxDetail": {"TotalTax": 0},
        "CustomerRef": ref("1", "Amy's Bird Sanctuary"),
        "CustomerMemo": ref("Thank you"),
        "PrivateNote": f"Draw 3\n{MARKER}",
        "TotalAmt": Decimal("100.00"),
        "Balance": Decimal("40.00"),
        "EmailStatus": "NotSet",
        "domain": "QBO",
        "sparse": False,
        "Id": "130",
        "SyncToken": "1",
        "MetaData": META,
    } | values


def a_bill_line(**values: Any) -> Json:
    detail = {
        "AccountRef": ref("63", "Job Materials"),
        "CustomerRef": ref("1"),
        "BillableStatus": "NotBillable",
        "TaxCodeRef": ref("NON"),
    } | values.pop("detail", {})
    return {
        "Id": "1",
        "LineNum": 1,
        "Description": "Lumber",
        "Amount": Decimal("200.00"),
        "LinkedTxn": [],
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    } | values


def a_bill(**values: Any) -> Json:
    return {
        "DueDate": "2026-05-20",
        "Balance": Decimal("200.00"),
        "DocNumber": "L-77",
        "TxnDate": "2026-05-06",
        "CurrencyRef": ref("USD"),
        "PrivateNote": MARKER,
        "Line": [a_bill_line()],
        "VendorRef": ref("56", "Norton Lumber"),
        "APAccountRef": ref("33"),
        "TotalAmt": Decimal("200.00"),
        "domain": "QBO",
        "Id": "25",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_journal_line(number: str, side: str, amount: str, account: str, **values: Any) -> Json:
    detail = {"PostingType": side, "AccountRef": ref(account)} | values.pop("detail", {})
    return {
        "Id": number,
        "Description": "Accrual",
        "Amount": Decimal(amount),
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": detail,
    } | values


def a_journal_entry(**values: Any) -> Json:
    return {
        "Adjustment": False,
        "TotalAmt": 0,
        "DocNumber": "JE-9",
        "TxnDate": "2026-05-31",
        "CurrencyRef": ref("USD"),
        "Line": [
            a_journal_line(
                "0", "Debit", "75.25", "84", detail={"Entity": {"Type": "Customer", "EntityRef": ref("1")}}
            ),
            a_journal_line("1", "Credit", "75.25", "45"),
        ],
        "TxnTaxDetail": {},
        "Id": "41",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_payment(**values: Any) -> Json:
    return {
        "CustomerRef": ref("1"),
        "DepositToAccountRef": ref("4"),
        "PaymentMethodRef": ref("2"),
        "PaymentRefNum": "CHK 5521",
        "TotalAmt": Decimal("150.00"),
        "UnappliedAmt": Decimal("10.00"),
        "TxnDate": "2026-05-10",
        "CurrencyRef": ref("USD"),
        "Line": [
            {"Amount": Decimal("100.00"), "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]},
            {"Amount": Decimal("40.00"), "LinkedTxn": [{"TxnId": "131", "TxnType": "JournalEntry"}]},
        ],
        "Id": "140",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_bill_payment(**values: Any) -> Json:
    return {
        "VendorRef": ref("56"),
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": ref("35")},
        "TotalAmt": Decimal("180.00"),
        "DocNumber": "3021",
        "TxnDate": "2026-05-12",
        "CurrencyRef": ref("USD"),
        "Line": [
            {"Amount": Decimal("200.00"), "LinkedTxn": [{"TxnId": "25", "TxnType": "Bill"}]},
            {"Amount": Decimal("20.00"), "LinkedTxn": [{"TxnId": "26", "TxnType": "VendorCredit"}]},
        ],
        "Id": "150",
        "SyncToken": "0",
        "MetaData": META,
    } | values


def a_deposit(**values: Any) -> Json:
    return {
        "DepositToAccountRef": ref("35", "Checking"),
        "TotalAmt": Decimal("160.00"),
        "TxnDate": "2026-05-13",
        "CurrencyRef": ref("USD"),
        "PrivateNote": "branch deposit",
        "Line": [
            {
                "Amount": Decimal("150.00"),
                "LinkedTxn": [{"TxnId": "140", "TxnType": "Payment"}],
                "DepositLineDetail": {"PaymentMethodRef": ref("2"), "CheckNum": "5521"},
            },
            {
                "Id": "1",
                "Amount": Decimal("30.00"),
                "Description": "Rebate",
                "DetailType": "DepositLineDetail",
                "DepositLineDetail": {"AccountRef": ref("45")},
            },
        ],
        "CashBack": {"AccountRef": ref("30"), "Amount": Decimal("20.00"), "Memo": "Petty cash"},
        "Id": "160",
        "SyncToken": "0",
        "MetaData": META,
    } | values

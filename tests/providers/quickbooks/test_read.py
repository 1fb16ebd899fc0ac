"""QuickBooks' JSON to records: what a bookkeeper sees there, and nothing that only a provider knows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from resources.quickbooks.read import Reader
from sync.records import RemoteRecord
from tests.providers.quickbooks import payloads as qb
from tests.providers.quickbooks.payloads import MARKER, ref

ITEM_ACCOUNTS = {("10", "income"): "45", ("10", "expense"): "63"}


def read(name: str, body: dict[str, Any]) -> RemoteRecord:
    reader = Reader(home_currency="USD", account_of_item=lambda item, side: ITEM_ACCOUNTS.get((item, side)))
    record = reader.record(name, body)
    assert record is not None
    return record


# ---------------------------------------------------------------- names


def test_an_account_is_called_by_its_whole_path() -> None:
    record = read("Account", qb.an_account())
    assert record.canonical == {
        "name": "Job Expenses:Job Materials",
        "number": "5010",
        "type": "expense",
        "description": None,
    }
    assert record.natural_key == "job expenses:job materials"


def test_an_account_that_is_never_posted_to_is_no_record() -> None:
    reader = Reader(home_currency="USD", account_of_item=lambda _item, _side: None)
    assert reader.record("Account", qb.an_account(AccountType="Non-Posting")) is None


@pytest.mark.parametrize("name", ["Account", "Customer"])
def test_a_moving_balance_is_no_change(name: str) -> None:
    body = qb.an_account() if name == "Account" else qb.a_customer()
    moved = body | {
        "Balance": Decimal(7),
        "CurrentBalance": Decimal(7),
        "MetaData": {"LastUpdatedTime": "2026-06-01T00:00:00Z"},
    }
    assert read(name, moved).checksum == read(name, body).checksum


def test_a_customer_has_name_mail_phone_and_address() -> None:
    assert read("Customer", qb.a_customer()).canonical == {
        "name": "Amy's Bird Sanctuary",
        "email": "birds@example.com",
        "phone": "(650) 555-3311",
        "address": {
            "line": "4581 Finch St., Suite 3",
            "city": "Bayshore",
            "region": "CA",
            "postal_code": "94326",
        },
    }


def test_what_quickbooks_does_not_give_is_none() -> None:
    body = {
        "Id": "7",
        "SyncToken": "0",
        "DisplayName": "Norton Lumber",
        "Active": True,
        "BillAddr": {"Id": "9"},
    }
    assert read("Vendor", body).canonical == {
        "name": "Norton Lumber",
        "email": None,
        "phone": None,
        "address": None,
    }


def test_the_suffix_of_an_inactive_name_is_no_renaming() -> None:
    record = read("Customer", qb.a_customer(Active=False, DisplayName="Amy's Bird Sanctuary (deleted-1)"))
    assert (record.state, record.canonical["name"]) == ("inactive", "Amy's Bird Sanctuary")


def test_an_active_name_that_ends_like_a_deleted_one_keeps_its_end() -> None:
    assert read("Customer", qb.a_customer(DisplayName="Shed (deleted)")).canonical["name"] == "Shed (deleted)"


def test_a_list_keeps_everything_but_what_quickbooks_computes_for_the_next_update() -> None:
    raw = read("Customer", qb.a_customer()).raw
    assert raw["Notes"] == "pays late"
    assert not {"Balance", "MetaData", "sparse", "FullyQualifiedName"} & raw.keys()


# ---------------------------------------------------------------- documents


def test_an_invoice_is_read_with_its_lines_and_without_our_mark_in_the_memo() -> None:
    record = read("Invoice", qb.an_invoice())
    assert record.canonical == {
        "number": "1037",
        "date": "2026-05-04",
        "due_date": "2026-06-03",
        "party": "1",
        "currency": "USD",
        "memo": "Draw 3",
        "total": "100.00",
        "lines": [
            {
                "id": "1",
                "description": "Framing, first floor",
                "amount": "100.00",
                "quantity": "2.00",
                "unit_price": "50.00",
                "account": "45",
            }
        ],
    }
    assert (record.marker, record.version, record.label) == (MARKER, "1", "Invoice 1037")
    assert (record.total, record.balance, record.document_date) == (
        Decimal(100),
        Decimal(40),
        date(2026, 5, 4),
    )


def test_a_payment_that_moves_an_invoices_version_and_balance_is_no_change() -> None:
    paid = qb.an_invoice(SyncToken="2", Balance=0, LinkedTxn=[{"TxnId": "140", "TxnType": "Payment"}])
    assert read("Invoice", paid).checksum == read("Invoice", qb.an_invoice()).checksum


def test_an_amount_written_with_other_digits_is_no_change() -> None:
    other = qb.an_invoice(TotalAmt=100, Line=[qb.a_sales_line(Amount=Decimal("100.0"))])
    assert read("Invoice", other).checksum == read("Invoice", qb.an_invoice()).checksum


def test_a_line_that_names_only_its_item_is_booked_on_the_items_account() -> None:
    line = qb.a_sales_line()
    del line["SalesItemLineDetail"]["ItemAccountRef"]
    assert read("Invoice", qb.an_invoice(Line=[line])).canonical["lines"][0]["account"] == "45"


def test_discounts_and_sales_tax_are_lines_so_that_the_lines_add_up_to_the_total() -> None:
    discount = {
        "Id": "2",
        "Amount": Decimal("10.00"),
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": False, "DiscountAccountRef": ref("86")},
    }
    body = qb.an_invoice(
        Line=[qb.a_sales_line(), discount],
        TxnTaxDetail={"TotalTax": Decimal("7.20")},
        TotalAmt=Decimal("97.20"),
    )
    canonical = read("Invoice", body).canonical
    assert [line["amount"] for line in canonical["lines"]] == ["100.00", "-10.00", "7.20"]
    assert sum(Decimal(line["amount"]) for line in canonical["lines"]) == Decimal(canonical["total"])


def test_the_lines_of_a_bundle_stand_in_its_place() -> None:
    bundle = {
        "Id": "5",
        "DetailType": "GroupLineDetail",
        "GroupLineDetail": {"Line": [qb.a_sales_line(Id="6"), qb.a_sales_line(Id="7")]},
    }
    lines = read("Invoice", qb.an_invoice(Line=[bundle])).canonical["lines"]
    assert [line["id"] for line in lines] == ["6", "7"]


def test_a_voided_invoice_is_void_and_a_free_one_is_not() -> None:
    voided = qb.an_invoice(TotalAmt=0, Balance=0, PrivateNote=f"Voided - Draw 3\n{MARKER}")
    free = qb.an_invoice(TotalAmt=0, Balance=0)
    assert (read("Invoice", voided).state, read("Invoice", free).state) == ("void", "active")
    assert read("Invoice", voided).marker == MARKER


def test_a_deleted_stub_is_a_deleted_record() -> None:
    record = read("Invoice", {"domain": "QBO", "status": "Deleted", "Id": "979", "MetaData": qb.META})
    assert (record.state, record.remote_id, record.canonical, record.version) == ("deleted", "979", {}, None)


def test_a_bill_is_read_with_the_account_of_each_line() -> None:
    record = read("Bill", qb.a_bill())
    assert record.canonical["party"] == "56"
    assert record.canonical["lines"] == [
        {
            "id": "1",
            "description": "Lumber",
            "amount": "200.00",
            "quantity": None,
            "unit_price": None,
            "account": "63",
        }
    ]
    assert (record.canonical["memo"], record.marker) == ("", MARKER)


def test_an_item_line_of_a_bill_is_booked_on_what_the_item_is_bought_on() -> None:
    line = {
        "Id": "1",
        "Amount": Decimal(90),
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {"ItemRef": ref("10"), "Qty": 3, "UnitPrice": Decimal(30)},
    }
    found = read("Bill", qb.a_bill(Line=[line])).canonical["lines"][0]
    assert (found["account"], found["quantity"], found["unit_price"]) == ("63", "3.00", "30.00")


def test_a_journal_entry_has_a_debit_and_a_credit_and_a_total() -> None:
    record = read("JournalEntry", qb.a_journal_entry())
    first, second = record.canonical["lines"]
    assert first == {
        "id": "0",
        "description": "Accrual",
        "debit": "75.25",
        "credit": "0.00",
        "account": "84",
        "party_kind": "customer",
        "party": "1",
    }
    assert (second["debit"], second["credit"], second["party_kind"]) == ("0.00", "75.25", None)
    assert record.total == Decimal("75.25")


# ---------------------------------------------------------------- money that moved


def test_a_payment_lists_what_it_pays_and_keeps_other_uses_out_of_the_list() -> None:
    canonical = read("Payment", qb.a_payment()).canonical
    assert canonical["applications"] == [{"invoice": "130", "amount": "100.00"}]
    assert (canonical["amount"], canonical["unapplied"], canonical["reference"]) == (
        "150.00",
        "10.00",
        "CHK 5521",
    )


def test_a_payment_that_names_one_invoice_twice_applies_the_sum() -> None:
    line = {"Amount": Decimal(30), "LinkedTxn": [{"TxnId": "130", "TxnType": "Invoice"}]}
    canonical = read("Payment", qb.a_payment(Line=[line, line])).canonical
    assert canonical["applications"] == [{"invoice": "130", "amount": "60.00"}]


def test_a_vendor_credit_pays_a_part_of_the_bills() -> None:
    canonical = read("BillPayment", qb.a_bill_payment()).canonical
    assert canonical["applications"] == [{"bill": "25", "amount": "200.00"}]
    assert (canonical["amount"], canonical["unapplied"], canonical["method"]) == ("180.00", "0.00", "Check")


def test_a_deposit_tells_payments_from_other_money_and_cash_taken_out() -> None:
    canonical = read("Deposit", qb.a_deposit()).canonical
    assert canonical["lines"] == [
        {"payment": "140", "amount": "150.00", "description": "", "reference": "5521"},
        {"payment": None, "amount": "30.00", "description": "Rebate", "reference": None},
        {"payment": None, "amount": "-20.00", "description": "Petty cash", "reference": None},
    ]
    assert sum(Decimal(line["amount"]) for line in canonical["lines"]) == Decimal(canonical["amount"])


def test_a_voided_payment_is_void() -> None:
    assert read("Payment", qb.a_payment(TotalAmt=0, Line=[], PrivateNote="Voided")).state == "void"


def test_a_credit_application_without_money_is_not_void() -> None:
    assert read("Payment", qb.a_payment(TotalAmt=0, UnappliedAmt=0)).state == "active"


@pytest.mark.parametrize(
    ("note", "memo", "marker"),
    [
        (None, "", None),
        ("Just a note", "Just a note", None),
        (MARKER, "", MARKER),
        (f"One\nTwo\n{MARKER}", "One\nTwo", MARKER),
        (f"One\n{MARKER}\nadded later in QuickBooks", "One\nadded later in QuickBooks", MARKER),
        (f"mentions {MARKER} in passing", f"mentions {MARKER} in passing", None),
    ],
)
def test_our_mark_is_found_on_a_line_of_its_own_only(note: str | None, memo: str, marker: str | None) -> None:
    record = read("Bill", qb.a_bill(PrivateNote=note))
    assert (record.canonical["memo"], record.marker) == (memo, marker)


def test_amounts_are_exact_to_the_digit() -> None:
    canonical = read("Bill", qb.a_bill(TotalAmt=Decimal("0.1") + Decimal("0.2"), Line=[])).canonical
    assert canonical["total"] == "0.30"

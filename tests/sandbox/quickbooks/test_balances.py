"""Balances, SyncTokens and links move exactly as they were recorded from the real service."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.quickbooks.driver import Books, Refused, cost_line, journal_line, sales_line

D = Decimal


def test_an_invoice_gets_the_recorded_defaults(books: Books) -> None:
    made = books.an_invoice("100.50", TxnDate="2026-01-15")
    assert (made["SyncToken"], made["domain"], made["sparse"]) == ("0", "QBO", False)
    assert (made["Balance"], made["TotalAmt"], made["DueDate"]) == (D("100.5"), D("100.5"), "2026-02-14")
    assert (made["PrintStatus"], made["EmailStatus"], made["LinkedTxn"]) == ("NeedToPrint", "NotSet", [])
    line, subtotal = made["Line"]
    assert (line["Id"], line["LineNum"], line["CustomExtensions"]) == ("1", 1, [])
    assert line["SalesItemLineDetail"]["ItemAccountRef"] == {"value": "1", "name": "Contract Income"}
    assert line["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
    assert subtotal == {"Amount": D("100.5"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    assert made["DocNumber"] == "1001"
    assert made["CurrencyRef"] == {"value": "USD", "name": "United States Dollar"}


def test_a_payment_bumps_the_invoice_and_links_both(books: Books) -> None:
    invoice = books.an_invoice("1000")
    payment = books.a_payment(invoice, "400")
    after = books.get("Invoice", invoice["Id"])
    assert (after["SyncToken"], after["Balance"]) == ("1", D(600))
    assert after["MetaData"]["LastUpdatedTime"] == payment["MetaData"]["CreateTime"]
    assert after["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "Payment"}]
    assert (payment["UnappliedAmt"], payment["DepositToAccountRef"]) == (0, {"value": "4"})
    line = payment["Line"][0]
    assert "Id" not in line
    assert [each["value"] for each in line["LineEx"]["any"]] == [
        {"Name": "txnId", "Value": invoice["Id"]},
        {"Name": "txnOpenBalance", "Value": "1000.00"},
        {"Name": "txnReferenceNumber", "Value": "1001"},
    ]
    assert books.is_balanced()


def test_a_bill_payment_bumps_the_bill_whatever_it_was_paid_with(books: Books) -> None:
    bill = books.a_bill("300")
    assert (bill["Balance"], bill["DueDate"]) == (300, bill["TxnDate"])
    books.a_bill_payment(bill, "100")
    paid = books.get("Bill", bill["Id"])
    card = books.a_bill_payment(
        paid, PayType="CreditCard", CheckPayment=None, CreditCardPayment={"CCAccountRef": {"value": "20"}}
    )
    after = books.get("Bill", bill["Id"])
    assert (after["SyncToken"], after["Balance"]) == ("2", 0)
    assert {"TxnId": card["Id"], "TxnType": "BillPaymentCheck"} in after["LinkedTxn"]
    assert books.is_balanced()


def test_posting_moves_balances_and_times_of_names_and_accounts_but_not_their_versions(books: Books) -> None:
    before = books.get("Customer", "1"), books.get("Account", "8")
    books.control("/clock", {"shift_seconds": 60})
    books.an_invoice("250")
    after = books.get("Customer", "1"), books.get("Account", "8")
    assert [each["SyncToken"] for each in after] == ["0", "0"]
    assert after[0]["Balance"] - before[0]["Balance"] == 250
    assert after[1]["CurrentBalance"] - before[1]["CurrentBalance"] == 250
    assert all(
        b["MetaData"]["LastUpdatedTime"] < a["MetaData"]["LastUpdatedTime"]
        for b, a in zip(before, after, strict=True)
    )


def test_a_deposit_links_the_payment_without_bumping_it(books: Books) -> None:
    payment = books.a_payment(books.an_invoice("80"), PaymentRefNum="5421", PaymentMethodRef={"value": "2"})
    deposit = books.a_deposit(payment)
    after = books.get("Payment", payment["Id"])
    assert (after["SyncToken"], after["MetaData"]) == ("0", payment["MetaData"])
    assert after["LinkedTxn"] == [{"TxnId": deposit["Id"], "TxnType": "Deposit"}]
    assert deposit["TotalAmt"] == 80
    assert deposit["Line"] == [
        {
            "Amount": 80,
            "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
            "DepositLineDetail": {"PaymentMethodRef": {"value": "2"}, "CheckNum": "5421"},
        }
    ]
    assert books.get("Account", "4")["CurrentBalance"] == 0
    assert books.get("Account", "5")["CurrentBalance"] == 80


def test_a_deposit_may_mix_payments_direct_lines_and_cash_back(books: Books) -> None:
    payment = books.a_payment(books.an_invoice("500"))
    direct = {
        "Amount": 120,
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {"AccountRef": {"value": "58"}, "Entity": {"value": "1", "type": "CUSTOMER"}},
    }
    linked = {"Amount": 500, "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}]}
    body = {"DepositToAccountRef": {"value": "5"}, "Line": [linked, direct],
            "CashBack": {"AccountRef": {"value": "7"}, "Amount": 20, "Memo": "to reserve"}}  # fmt: skip
    made = books.post("Deposit", body)
    assert (made["TotalAmt"], made["Line"][1]["Id"]) == (600, "1")
    assert books.is_balanced()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DetailType": "DepositLineDetail", "DepositLineDetail": {}}, "2020"),
        ({"LinkedTxn": [{"TxnId": "1", "TxnType": "Payment"}]}, "2020"),
        ({"LinkedTxn": [{"TxnId": "99", "TxnType": "Payment", "TxnLineId": "0"}]}, "2500"),
        ({"Amount": 79}, "6000"),
    ],
)
def test_a_linked_deposit_line_must_be_sent_just_so(
    books: Books, change: dict[str, object], code: str
) -> None:
    payment = books.a_payment(books.an_invoice("80"))
    line = {
        "Amount": 80,
        "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
        **change,
    }
    with pytest.raises(Refused) as refused:
        books.post("Deposit", {"DepositToAccountRef": {"value": "5"}, "Line": [line]})
    assert refused.value.code == code


def test_what_is_deposited_can_neither_be_changed_nor_deleted_nor_deposited_again(books: Books) -> None:
    payment = books.a_payment(books.an_invoice("80"))
    deposit = books.a_deposit(payment)
    for attempt in (
        lambda: books.post(
            "Payment", {"Id": payment["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
        ),
        lambda: books.post("Payment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete"),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "6540"
    with pytest.raises(Refused) as refused:
        books.a_deposit(payment)
    assert refused.value.code == "620"
    books.post("Deposit", {"Id": deposit["Id"], "SyncToken": "0"}, operation="delete")
    assert "LinkedTxn" not in books.get("Payment", payment["Id"])
    assert books.get("Account", "4")["CurrentBalance"] == 80


def test_a_no_op_update_moves_nothing(books: Books) -> None:
    bill = books.a_bill("75", PrivateNote="first")
    books.control("/clock", {"shift_seconds": 60})
    same = books.post(
        "Bill",
        {
            "Id": bill["Id"],
            "SyncToken": "0",
            "sparse": True,
            "VendorRef": {"value": "5"},
            "PrivateNote": "first",
        },
    )
    assert same == bill


def test_a_sparse_update_keeps_and_a_full_update_clears(books: Books) -> None:
    bill = books.a_bill("75", PrivateNote="note", DocNumber="B-1")
    sparse = books.post(
        "Bill",
        {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "VendorRef": {"value": "5"}, "DocNumber": "B-2"},
    )
    assert (sparse["PrivateNote"], sparse["DocNumber"], sparse["sparse"]) == ("note", "B-2", False)
    full = books.post(
        "Bill", {"Id": bill["Id"], "SyncToken": "1", "VendorRef": {"value": "5"}, "Line": [cost_line("80")]}
    )
    assert "PrivateNote" not in full
    assert "DocNumber" not in full
    assert (full["TotalAmt"], full["SyncToken"]) == (80, "2")


def test_a_sparse_update_of_a_bill_must_name_its_vendor_unless_the_switch_keeps_it(books: Books) -> None:
    bill = books.a_bill("75")
    body = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    with pytest.raises(Refused) as refused:
        books.post("Bill", dict(body))
    assert refused.value.code == "2020"
    books.control("/switches", {"sparse_references": "kept"})
    assert books.post("Bill", dict(body))["PrivateNote"] == "x"


def test_lines_are_matched_by_id_and_lines_not_sent_are_deleted(books: Books) -> None:
    made = books.post(
        "Bill", {"VendorRef": {"value": "5"}, "Line": [cost_line("10"), cost_line("20"), cost_line("30")]}
    )
    kept = {**made["Line"][1], "Amount": 25}
    after = books.post(
        "Bill",
        {
            "Id": made["Id"],
            "SyncToken": "0",
            "sparse": True,
            "VendorRef": {"value": "5"},
            "Line": [kept, cost_line("5")],
        },
    )
    assert [(line["Id"], line["Amount"]) for line in after["Line"]] == [("2", 25), ("4", 5)]


def test_a_stale_token_is_5010_and_token_zero_counts(books: Books) -> None:
    bill = books.a_bill("75")
    books.post(
        "Bill",
        {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "VendorRef": {"value": "5"}, "PrivateNote": "a"},
    )
    with pytest.raises(Refused) as refused:
        books.post(
            "Bill",
            {
                "Id": bill["Id"],
                "SyncToken": "0",
                "sparse": True,
                "VendorRef": {"value": "5"},
                "PrivateNote": "b",
            },
        )
    assert (refused.value.status, refused.value.code) == (400, "5010")
    with pytest.raises(Refused) as missing:
        books.post("Bill", {"Id": bill["Id"], "sparse": True, "PrivateNote": "b"})
    assert missing.value.code == "2020"


def test_credit_is_applied_with_a_zero_payment(books: Books) -> None:
    invoice = books.an_invoice("300")
    memo = books.post("CreditMemo", {"CustomerRef": {"value": "1"}, "Line": [sales_line("120")]})
    lines = [
        {"Amount": 120, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]},
        {"Amount": 120, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]},
    ]
    payment = books.post("Payment", {"CustomerRef": {"value": "1"}, "TotalAmt": 0, "Line": lines})
    assert payment["UnappliedAmt"] == 0
    assert books.get("Invoice", invoice["Id"])["Balance"] == 180
    assert books.get("CreditMemo", memo["Id"])["RemainingCredit"] == 0
    assert books.get("Customer", "1")["Balance"] == 180
    assert books.is_balanced()


def test_a_parent_pays_a_job_billed_with_it_and_a_stranger_does_not(books: Books) -> None:
    parent = books.a_customer("Owner")
    job = books.a_customer("Owner Job", Job=True, ParentRef={"value": parent["Id"]}, BillWithParent=True)
    invoice = books.an_invoice("500", job["Id"])
    books.a_payment(invoice, "200", CustomerRef={"value": parent["Id"]})
    assert books.get("Customer", job["Id"])["Balance"] == 300
    assert books.get("Customer", parent["Id"])["BalanceWithJobs"] == 300
    assert job["FullyQualifiedName"] == "Owner:Owner Job"
    with pytest.raises(Refused) as refused:
        books.a_payment(books.get("Invoice", invoice["Id"]), CustomerRef={"value": "2"})
    assert refused.value.code == "620"
    assert books.is_balanced()


def test_paying_more_than_is_open_is_refused(books: Books) -> None:
    invoice = books.an_invoice("100")
    with pytest.raises(Refused) as refused:
        books.a_payment(invoice, "101")
    assert refused.value.code == "6000"
    with pytest.raises(Refused):
        books.a_payment(invoice, "100", TotalAmt=90)


def test_a_journal_entry_must_balance_and_name_the_party_on_receivables(books: Books) -> None:
    made = books.a_journal("75.25", DocNumber="JE-1")
    assert (made["TotalAmt"], made["Adjustment"], [line["Id"] for line in made["Line"]]) == (
        0,
        False,
        ["0", "1"],
    )
    with pytest.raises(Refused) as unbalanced:
        books.post(
            "JournalEntry", {"Line": [journal_line("10", "Debit", "54"), journal_line("9", "Credit", "5")]}
        )
    assert unbalanced.value.code == "6000"
    with pytest.raises(Refused) as nameless:
        books.a_journal("10", debit="8")
    assert "you must choose a customer in the Name field" in nameless.value.detail
    party = {"Entity": {"Type": "Customer", "EntityRef": {"value": "1"}}}
    books.post(
        "JournalEntry",
        {"Line": [journal_line("10", "Debit", "8", **party), journal_line("10", "Credit", "5")]},
    )
    assert books.get("Customer", "1")["Balance"] == 10


def test_retainage_is_a_negative_line_on_its_own_account(books: Books) -> None:
    lines = [sales_line("10000"), sales_line("-1000", item="3")]
    made = books.post("Invoice", {"CustomerRef": {"value": "1"}, "Line": lines})
    assert made["TotalAmt"] == 9000
    assert books.get("Account", "9")["CurrentBalance"] == 1000
    books.post(
        "Bill", {"VendorRef": {"value": "5"}, "Line": [cost_line("500"), cost_line("-50", account="19")]}
    )
    assert books.get("Account", "19")["CurrentBalance"] == -50
    assert books.is_balanced()


@pytest.mark.parametrize(
    ("kind", "account", "credit", "number"),
    [
        ("Check", "5", None, "3"),
        ("CreditCard", "20", False, "1"),
        ("CreditCard", "20", True, "11"),
        ("Cash", "5", None, "54"),
    ],
)
def test_a_purchase_carries_its_internal_type(
    books: Books, kind: str, account: str, credit: bool | None, number: str
) -> None:
    body = {"PaymentType": kind, "AccountRef": {"value": account}, "Line": [cost_line("40")]}
    made = books.post("Purchase", {**body, "Credit": True} if credit else body)
    assert made["PurchaseEx"]["any"][0]["value"] == {"Name": "TxnType", "Value": number}
    assert made.get("Credit") is credit
    assert books.is_balanced()


def test_a_bill_drawn_from_an_order_closes_it(books: Books) -> None:
    order = books.post("PurchaseOrder", {"VendorRef": {"value": "5"}, "Line": [cost_line("60")]})
    line = {
        **cost_line("60"),
        "LinkedTxn": [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": "1"}],
    }
    bill = books.post("Bill", {"VendorRef": {"value": "5"}, "Line": [line]})
    assert bill["LinkedTxn"] == [{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}]
    after = books.get("PurchaseOrder", order["Id"])
    assert (after["POStatus"], after["LinkedTxn"]) == ("Closed", [{"TxnId": bill["Id"], "TxnType": "Bill"}])


def test_an_invoice_from_an_estimate_links_both_ways(books: Books) -> None:
    estimate = books.post("Estimate", {"CustomerRef": {"value": "1"}, "Line": [sales_line("900")]})
    invoice = books.an_invoice("900", LinkedTxn=[{"TxnId": estimate["Id"], "TxnType": "Estimate"}])
    assert invoice["LinkedTxn"] == [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    after = books.get("Estimate", estimate["Id"])
    assert after["LinkedTxn"] == [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    assert books.get("Customer", "1")["Balance"] == 900


def test_vendor_credits_pay_bills(books: Books) -> None:
    bill = books.a_bill("200")
    credit = books.post("VendorCredit", {"VendorRef": {"value": "5"}, "Line": [cost_line("50")]})
    lines = [
        {"Amount": 200, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]},
        {"Amount": 50, "LinkedTxn": [{"TxnId": credit["Id"], "TxnType": "VendorCredit"}]},
    ]
    books.a_bill_payment(bill, TotalAmt=150, Line=lines)
    assert books.get("Bill", bill["Id"])["Balance"] == 0
    assert books.get("VendorCredit", credit["Id"])["Balance"] == 0
    assert books.get("Vendor", "5")["Balance"] == 0


def test_discount_tax_and_deposit_on_an_invoice_balance(books: Books) -> None:
    discount = {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    made = books.post(
        "Invoice",
        {
            "CustomerRef": {"value": "1"},
            "Line": [sales_line("1000"), discount],
            "TxnTaxDetail": {"TotalTax": 72},
            "Deposit": 100,
        },
    )
    assert (made["TotalAmt"], made["Balance"]) == (972, 872)
    assert books.is_balanced()


def test_a_transfer_moves_money_between_assets_only(books: Books) -> None:
    books.post("Transfer", {"FromAccountRef": {"value": "5"}, "ToAccountRef": {"value": "7"}, "Amount": 300})
    assert books.get("Account", "7")["CurrentBalance"] == 300
    with pytest.raises(Refused):
        books.post(
            "Transfer", {"FromAccountRef": {"value": "5"}, "ToAccountRef": {"value": "20"}, "Amount": 300}
        )

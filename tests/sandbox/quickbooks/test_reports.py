"""Reports come from the ledger and agree with each other."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.sandbox.quickbooks.driver import Books, Refused, cost_line


def test_the_trial_balance_balances_and_shows_every_account_that_moved(books: Books) -> None:
    books.a_payment(books.an_invoice("1000"), "400")
    books.a_bill("300")
    report = books.call("GET", "reports/TrialBalance", params={"start_date": "2020-01-01"})
    rows = {
        row["ColData"][0]["value"]: row["ColData"] for row in report["Rows"]["Row"] if row["type"] == "Data"
    }
    assert rows["Accounts Receivable (A/R)"][1]["value"] == "600.00"
    assert rows["Undeposited Funds"][1] == {"value": "400.00"}
    assert rows["Contract Income"][2]["value"] == "1000.00"
    assert rows["Accounts Payable (A/P)"][2]["value"] == "300.00"
    total = report["Rows"]["Row"][-1]["Summary"]["ColData"]
    assert total[1]["value"] == total[2]["value"] == "1300.00"


def test_earlier_years_profit_stands_in_retained_earnings(books: Books) -> None:
    books.an_invoice("500", TxnDate="2024-05-05")
    report = books.call("GET", "reports/TrialBalance", params={"end_date": "2026-02-01"})
    rows = {
        row["ColData"][0]["value"]: row["ColData"] for row in report["Rows"]["Row"] if row["type"] == "Data"
    }
    assert rows["Retained Earnings"][2]["value"] == "500.00"
    assert "Contract Income" not in rows


def test_aged_reports_put_what_is_open_into_its_bucket(books: Books) -> None:
    invoice = books.an_invoice("100", TxnDate="2026-01-01", DueDate="2026-01-31")
    books.a_payment(invoice, "30", TxnDate="2026-02-10")
    books.a_bill("50", TxnDate="2026-02-01", DueDate="2026-03-10")
    aged = books.call("GET", "reports/AgedReceivables", params={"report_date": "2026-03-15"})
    assert [each["value"] for each in aged["Rows"]["Row"][0]["ColData"][1:]] == [
        "",
        "",
        "70.00",
        "",
        "",
        "70.00",
    ]
    earlier = books.call("GET", "reports/AgedReceivables", params={"report_date": "2026-02-05"})
    assert earlier["Rows"]["Row"][0]["ColData"][-1]["value"] == "100.00"
    owed = books.call("GET", "reports/AgedPayables", params={"report_date": "2026-03-01"})
    assert owed["Rows"]["Row"][0]["ColData"][1]["value"] == "50.00"


def test_the_cleared_state_of_a_transaction_is_in_the_list_by_column_and_by_filter(books: Books) -> None:
    purchase = books.post(
        "Purchase", {"PaymentType": "Check", "AccountRef": {"value": "5"}, "Line": [cost_line("40")]}
    )
    books.control(
        "/clear", {"realm": books.realm, "entity": "Purchase", "id": purchase["Id"], "state": "Reconciled"}
    )
    columns = "tx_date,txn_type,subt_nat_amount,is_cleared"
    report = books.call(
        "GET", "reports/TransactionList", params={"cleared": "Reconciled", "columns": columns}
    )
    row = report["Rows"]["Row"][0]["ColData"]
    assert (row[1], row[2], row[3]) == (
        {"value": "Check", "id": purchase["Id"]},
        {"value": "-40.00"},
        {"value": "R"},
    )
    assert books.call("GET", "reports/TransactionList", params={"cleared": "Cleared"})["Rows"]["Row"] == []


def test_the_general_ledger_runs_from_opening_to_closing_balance(books: Books) -> None:
    books.a_journal("10", TxnDate="2026-01-10")
    books.a_journal("15", TxnDate="2026-02-10")
    query = {"start_date": "2026-02-01", "end_date": "2026-02-28", "account": "5"}
    report = books.call("GET", "reports/GeneralLedger", params=query)
    rows = report["Rows"]["Row"][0]["Rows"]["Row"]
    assert [row["ColData"][-1]["value"] for row in rows] == ["-10.00", "-25.00"]
    assert rows[1]["ColData"][1]["value"] == "Journal Entry"


def test_profit_and_loss_and_balance_sheet_agree(books: Books) -> None:
    books.an_invoice("1000")
    books.a_bill("300")
    year = {"start_date": "2020-01-01"}
    groups = {
        row["group"]: row for row in books.call("GET", "reports/ProfitAndLoss", params=year)["Rows"]["Row"]
    }
    assert groups["NetIncome"]["Summary"]["ColData"][1]["value"] == "700.00"
    sheet = {row["group"]: row for row in books.call("GET", "reports/BalanceSheet")["Rows"]["Row"]}
    assert (
        sheet["ASSETS"]["Summary"]["ColData"][1]
        == sheet["TOTALLIABILITIESANDEQUITY"]["Summary"]["ColData"][1]
    )


def test_an_unknown_report_or_column_is_refused(books: Books) -> None:
    for path, code in (("reports/Horoscope", "500"), ("reports/TransactionList?columns=luck", "2170"),
                       ("reports/TrialBalance?end_date=soon", "2180")):  # fmt: skip
        with pytest.raises(Refused) as caught:
            books.call("GET", path)
        assert caught.value.code == code


def test_amounts_on_the_wire_are_exact_json_numbers(books: Books) -> None:
    made = books.raw(
        "POST", "bill", json={"VendorRef": {"value": "5"}, "Line": [{**cost_line("0"), "Amount": "0.1"}] * 3}
    )
    assert '"TotalAmt":0.3,' in made.text
    assert json.loads(made.text, parse_float=Decimal)["Bill"]["TotalAmt"] == Decimal("0.3")

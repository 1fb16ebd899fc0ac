"""Reports from the ledger: trial balance, balance sheet, profit and loss, bank summary. Values are strings."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.xero.aged_reports import aged_report
from sandbox.xero.books import Books
from sandbox.xero.refusals import NotFound, NotImplementedHere, query_invalid
from sandbox.xero.report_rows import header, row, section, shown_date, summary
from sandbox.xero.table import Document
from sandbox.xero.wire import cents, parse_day

ZERO = Decimal(0)
Row = dict[str, Any]
SCOPES = {
    "trialbalance": "trialbalance",
    "balancesheet": "balancesheet",
    "profitandloss": "profitandloss",
    "banksummary": "banksummary",
    "agedreceivablesbycontact": "aged",
    "agedpayablesbycontact": "aged",
    "budgetsummary": "budgetsummary",
    "executivesummary": "executivesummary",
    "tenninetynine": "tenninetynine",
}
_SECTIONS = (
    ("Revenue", "REVENUE"),
    ("Expenses", "EXPENSE"),
    ("Assets", "ASSET"),
    ("Liabilities", "LIABILITY"),
    ("Equity", "EQUITY"),
)


def build_report(books: Books, name: str, query: Mapping[str, str]) -> Row:
    """A report by its name in the path, ready for the wire."""
    key = name.lower()
    if key == "trialbalance":
        rows, titles, title = _trial_balance(books, query)
    elif key == "balancesheet":
        rows, titles, title = _balance_sheet(books, query)
    elif key == "profitandloss":
        rows, titles, title = _profit_and_loss(books, query)
    elif key == "banksummary":
        rows, titles, title = _bank_summary(books, query)
    elif key in ("agedreceivablesbycontact", "agedpayablesbycontact"):
        rows, titles, title = aged_report(books, query, is_receivable=key == "agedreceivablesbycontact")
    elif key in SCOPES:
        raise NotImplementedHere
    else:
        raise NotFound
    ids = {
        "trialbalance": "TrialBalance",
        "balancesheet": "BalanceSheet",
        "profitandloss": "ProfitAndLoss",
        "banksummary": "BankSummary",
        "agedreceivablesbycontact": "AgedReceivablesByContact",
        "agedpayablesbycontact": "AgedPayablesByContact",
    }
    return {
        "ReportID": ids[key],
        "ReportName": title,
        "ReportType": ids[key],
        "ReportTitles": titles,
        "ReportDate": shown_date(books.today()),
        "UpdatedDateUTC": books.now(),
        "Fields": [],
        "Rows": rows,
    }


def asked_day(query: Mapping[str, str], name: str, default: date) -> date:
    """A date from the query, or the default."""
    text = query.get(name.lower())
    if text is None or not text:
        return default
    day = parse_day(text)
    if day is None:
        raise query_invalid(f"{name} '{text[:40]}' is not a date such as 2026-01-31.")
    return day


def year_start(books: Books, day: date) -> date:
    """The first day of the financial year that holds a day."""
    profile = books.profile
    month, last = profile["FinancialYearEndMonth"], profile["FinancialYearEndDay"]

    def end_of(year: int) -> date:
        return date(year, month, min(last, calendar.monthrange(year, month)[1]))

    end = end_of(day.year)
    return (end_of(day.year - 1) if day <= end else end) + timedelta(days=1)


def _accounts(books: Books, kind: str) -> list[Document]:
    found = [account for account in books["Accounts"].rows.values() if account["Class"] == kind]
    return sorted(found, key=lambda account: (account.get("Code", ""), account["Name"]))


def _money(amount: Decimal) -> str:
    return str(cents(amount)) if amount else ""


def _always(amount: Decimal) -> str:
    return str(cents(amount))


def _label(account: Document) -> str:
    return f"{account['Name']} ({account['Code']})" if account.get("Code") else str(account["Name"])


def balances_at(books: Books, day: date) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """(month to date, year to date or all time) per account; earlier profit stands on retained earnings."""
    start = year_start(books, day)
    month = books.ledger.trial_balance(start=day.replace(day=1), end=day)
    everything = books.ledger.trial_balance(end=day)
    year = books.ledger.trial_balance(start=start, end=day)
    classes = {key: account["Class"] for key, account in books["Accounts"].rows.items()}
    totals: dict[str, Decimal] = {}
    earlier = ZERO
    for key, amount in everything.items():
        if classes[key] in ("REVENUE", "EXPENSE"):
            totals[key] = year.get(key, ZERO)
            earlier += amount - totals[key]
        else:
            totals[key] = amount
    retained = books.system_account("RETAINEDEARNINGS")["AccountID"]
    totals[retained] = totals.get(retained, ZERO) + earlier
    return month, totals


def _trial_balance(books: Books, query: Mapping[str, str]) -> tuple[list[Row], list[str], str]:
    day = asked_day(query, "date", books.today())
    month, totals = balances_at(books, day)
    rows = [header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    sums = [ZERO, ZERO, ZERO, ZERO]
    for title, kind in _SECTIONS:
        lines = []
        for account in _accounts(books, kind):
            key = account["AccountID"]
            pair = (month.get(key, ZERO), totals.get(key, ZERO))
            if not any(pair):
                continue
            sides = [side for amount in pair for side in (max(amount, ZERO), max(-amount, ZERO))]
            sums = [total + side for total, side in zip(sums, sides, strict=True)]
            lines.append(row(_label(account), *(_money(side) for side in sides), account_id=key))
        if lines:
            rows.append(section(title, lines))
    rows.append(section("", [summary("Total", *(_always(total) for total in sums))]))
    titles = ["Trial Balance", books.profile["Name"], f"As at {shown_date(day)}"]
    return rows, titles, "Trial Balance"


def _balance_sheet(books: Books, query: Mapping[str, str]) -> tuple[list[Row], list[str], str]:
    day = asked_day(query, "date", books.today())
    _, totals = balances_at(books, day)
    rows = [header("", shown_date(day))]
    sums: dict[str, Decimal] = {}
    for title, kind, sign in (
        ("Assets", "ASSET", 1),
        ("Liabilities", "LIABILITY", -1),
        ("Equity", "EQUITY", -1),
    ):
        lines = [
            row(
                account["Name"], _always(sign * totals[account["AccountID"]]), account_id=account["AccountID"]
            )
            for account in _accounts(books, kind)
            if totals.get(account["AccountID"])
        ]
        total = sum((sign * totals.get(a["AccountID"], ZERO) for a in _accounts(books, kind)), ZERO)
        if kind == "EQUITY":
            earned = -sum(
                (
                    totals.get(a["AccountID"], ZERO)
                    for k in ("REVENUE", "EXPENSE")
                    for a in _accounts(books, k)
                ),
                ZERO,
            )
            lines.append(row("Current Year Earnings", _always(earned)))
            total += earned
        sums[kind] = total
        rows.append(section(title, [*lines, summary(f"Total {title}", _always(total))]))
        if kind == "LIABILITY":
            net = sums["ASSET"] - sums["LIABILITY"]
            rows.append(section("", [row("Net Assets", _always(net))]))
    titles = ["Balance Sheet", books.profile["Name"], f"As at {shown_date(day)}"]
    return rows, titles, "Balance Sheet"


def _profit_and_loss(books: Books, query: Mapping[str, str]) -> tuple[list[Row], list[str], str]:
    today = books.today()
    end = asked_day(query, "toDate", today)
    start = asked_day(query, "fromDate", end.replace(day=1))
    totals = books.ledger.trial_balance(start=start, end=end)
    rows = [header("", shown_date(end))]
    sums: dict[str, Decimal] = {}
    groups = (
        ("Income", ("REVENUE", "SALES", "OTHERINCOME"), -1),
        ("Less Cost of Sales", ("DIRECTCOSTS",), 1),
        ("Less Operating Expenses", ("EXPENSE", "OVERHEADS", "DEPRECIATN"), 1),
    )
    for title, kinds, sign in groups:
        held = [a for k in ("REVENUE", "EXPENSE") for a in _accounts(books, k) if a["Type"] in kinds]
        lines = [
            row(a["Name"], _always(sign * totals[a["AccountID"]]), account_id=a["AccountID"])
            for a in held
            if totals.get(a["AccountID"])
        ]
        sums[title] = sum((sign * totals.get(a["AccountID"], ZERO) for a in held), ZERO)
        total_title = f"Total {title.removeprefix('Less ')}"
        rows.append(section(title, [*lines, summary(total_title, _always(sums[title]))]))
        if title == "Less Cost of Sales":
            gross = sums["Income"] - sums[title]
            rows.append(section("", [row("Gross Profit", _always(gross))]))
    net = sums["Income"] - sums["Less Cost of Sales"] - sums["Less Operating Expenses"]
    rows.append(section("", [row("Net Profit", _always(net))]))
    titles = ["Profit & Loss", books.profile["Name"], f"{shown_date(start)} to {shown_date(end)}"]
    return rows, titles, "Profit and Loss"


def _bank_summary(books: Books, query: Mapping[str, str]) -> tuple[list[Row], list[str], str]:
    today = books.today()
    end = asked_day(query, "toDate", today)
    start = asked_day(query, "fromDate", end.replace(day=1))
    rows = [
        header("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "FX", "Closing Balance")
    ]
    lines = []
    sums = [ZERO] * 4
    for account in _accounts(books, "ASSET"):
        if account["Type"] != "BANK" or account["Status"] == "DELETED":
            continue
        key = account["AccountID"]
        opening = books.ledger.balance(key, as_of=start - timedelta(days=1))
        received = spent = ZERO
        for entry in books.ledger.entries(key, start=start, end=end):
            for posting in entry.postings:
                if posting.account == key:
                    received += max(posting.amount, ZERO)
                    spent += max(-posting.amount, ZERO)
        figures = (opening, received, spent, opening + received - spent)
        sums = [total + figure for total, figure in zip(sums, figures, strict=True)]
        lines.append(
            row(
                account["Name"],
                *(_always(f) for f in figures[:3]),
                "0.00",
                _always(figures[3]),
                account_id=key,
                id_name="accountID",
            )
        )
    total = summary("Total", *(_always(t) for t in sums[:3]), "0.00", _always(sums[3]))
    rows.append(section("", [*lines, total]))
    titles = ["Bank Summary", books.profile["Name"], f"From {shown_date(start)} to {shown_date(end)}"]
    return rows, titles, "Bank Summary"

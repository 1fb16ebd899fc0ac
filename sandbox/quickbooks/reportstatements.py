"""Balance sheet and profit and loss."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks.company import PROFIT_TYPES, Company
from sandbox.quickbooks.reportparts import Row, cell, data_row, frame, period, section, two

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

COLUMNS = (("", "Account", "account"), ("Total", "Money", "total"))


def _group(
    company: Company, sums: dict[str, Decimal], title: str, kinds: tuple[str, ...], sign: int
) -> tuple[Row, Decimal]:
    rows: list[Row] = []
    total = ZERO
    for kind in kinds:
        for number in company.kinds_of_account.get(kind, ()):
            amount = sign * sums.get(number, ZERO)
            record = company.find("Account", number)
            if amount and record is not None:
                rows.append(data_row(cell(str(record.body["FullyQualifiedName"]), number), cell(two(amount))))
                total += amount
    made = section([cell(title), cell("")], rows, [cell(f"Total {title}"), cell(two(total))])
    return {**made, "group": title.replace(" ", "")}, total


def _line(title: str, amount: Decimal) -> Row:
    return {
        "Summary": {"ColData": [cell(title), cell(two(amount))]},
        "type": "Section",
        "group": title.replace(" ", ""),
    }


def profit_and_loss(call: Call) -> Row:
    """Income less cost less expense of a period."""
    start, end = period(call)
    company = call.company
    sums = company.ledger.trial_balance(start=start, end=end)
    income, total_income = _group(company, sums, "Income", ("Income",), -1)
    costs, total_costs = _group(company, sums, "Cost of Goods Sold", ("Cost of Goods Sold",), 1)
    expenses, total_expenses = _group(company, sums, "Expenses", ("Expense",), 1)
    other, total_other = _group(company, sums, "Other Income", ("Other Income",), -1)
    more, total_more = _group(company, sums, "Other Expenses", ("Other Expense",), 1)
    gross = total_income - total_costs
    net = gross - total_expenses + total_other - total_more
    rows = [income, costs, _line("Gross Profit", gross), expenses, other, more, _line("Net Income", net)]
    return frame(call, "ProfitAndLoss", start, end, COLUMNS, rows)


def balance_sheet(call: Call) -> Row:
    """Assets against liabilities and equity on a date."""
    start, end = period(call)
    company = call.company
    sums = company.ledger.trial_balance(end=end)
    kinds = ("Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset", "Other Asset")
    assets, total_assets = _group(company, sums, "ASSETS", kinds, 1)
    owed = ("Accounts Payable", "Credit Card", "Other Current Liability", "Long Term Liability")
    liabilities, total_owed = _group(company, sums, "Liabilities", owed, -1)
    equity, total_equity = _group(company, sums, "Equity", ("Equity",), -1)
    year = company.ledger.trial_balance(start=date(end.year, 1, 1), end=end)
    profit = {number for kind in PROFIT_TYPES for number in company.kinds_of_account.get(kind, ())}
    net = -sum((amount for number, amount in year.items() if number in profit), ZERO)
    earlier = -sum((amount for number, amount in sums.items() if number in profit), ZERO) - net
    rows = [
        assets, liabilities, equity, _line("Retained Earnings", earlier), _line("Net Income", net),
        _line("TOTAL LIABILITIES AND EQUITY", total_owed + total_equity + earlier + net),
    ]  # fmt: skip
    rows[0] = {**assets, "Summary": {"ColData": [cell("TOTAL ASSETS"), cell(two(total_assets))]}}
    return frame(call, "BalanceSheet", start, end, COLUMNS, rows)

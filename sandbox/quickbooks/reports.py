"""Reports, computed from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from sandbox.kernel import wire
from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.company import PROFIT_TYPES
from sandbox.quickbooks.reportparts import Row, cell, data_row, frame, period, two

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call


def report(call: Call) -> bytes:
    """Answer `GET /reports/{Name}`."""
    from sandbox.quickbooks.reportages import aged_payables, aged_receivable_detail, aged_receivables
    from sandbox.quickbooks.reportlists import general_ledger, transaction_list
    from sandbox.quickbooks.reportstatements import balance_sheet, profit_and_loss

    makers: dict[str, Callable[[Call], Row]] = {
        "trialbalance": trial_balance,
        "generalledger": general_ledger,
        "generalledgerdetail": general_ledger,
        "transactionlist": transaction_list,
        "agedreceivables": aged_receivables,
        "agedpayables": aged_payables,
        "agedreceivabledetail": aged_receivable_detail,
        "profitandloss": profit_and_loss,
        "balancesheet": balance_sheet,
    }
    name = call.parts[1].lower() if len(call.parts) == 2 else ""
    maker = makers.get(name)
    if maker is None:
        raise faults.unsupported(f"Unsupported operation: report {name[:60]}")
    return wire.dumps(maker(call))


def trial_balance(call: Call) -> Row:
    """Debit and credit per account; income and expense of the fiscal year, the rest since the beginning."""
    start, end = period(call)
    company = call.company
    sums = company.ledger.trial_balance(end=end)
    year = company.ledger.trial_balance(start=date(end.year, 1, 1), end=end)
    earlier = ZERO
    rows: list[Row] = []
    debits = credited = ZERO
    balances = {}
    for number, record in company.table("Account").rows.items():
        amount = sums.get(number, ZERO)
        if record.body["AccountType"] in PROFIT_TYPES:
            earlier += amount - year.get(number, ZERO)
            amount = year.get(number, ZERO)
        balances[number] = amount
    retained = company.account_of_type("Equity", subtype="RetainedEarnings")
    if retained is not None:
        balances[retained.id] += earlier
    for number, record in sorted(company.table("Account").rows.items(), key=_account_order):
        amount = balances[number]
        if not amount:
            continue
        debits += max(amount, ZERO)
        credited += max(-amount, ZERO)
        rows.append(
            data_row(
                cell(record.body["FullyQualifiedName"], number),
                cell(two(amount) if amount > 0 else ""),
                cell(two(-amount) if amount < 0 else ""),
            )
        )
    rows.append(
        {
            "Summary": {"ColData": [cell("TOTAL"), cell(two(debits)), cell(two(credited))]},
            "type": "Section",
            "group": "GrandTotal",
        }
    )
    columns = (("", "Account", "account"), ("Debit", "Money", "debit"), ("Credit", "Money", "credit"))
    return frame(call, "TrialBalance", start, end, columns, rows)


def _account_order(each: tuple[str, object]) -> tuple[int, int]:
    record = each[1]
    body = getattr(record, "body", {})
    number = str(body.get("AcctNum") or "")
    return (int(number) if number.isdecimal() else 10**9, int(each[0]))

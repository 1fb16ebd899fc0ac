"""Xero's TrialBalance report as balances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sync.ports import LedgerBalance

Json = Mapping[str, Any]


def trial_balance(body: Json) -> list[LedgerBalance]:
    """Return one balance per account row: year-to-date debit minus credit, which for balance accounts is all time."""
    report: Json = next(iter(body.get("Reports") or ()), {})
    rows = report.get("Rows") or ()
    titles = [
        str(cell.get("Value") or "")
        for row in rows
        if row.get("RowType") == "Header"
        for cell in row.get("Cells") or ()
    ]
    debit, credit = _place(titles, "YTD Debit", 3), _place(titles, "YTD Credit", 4)
    balances = []
    for cells in _data(rows):
        attributes = cells[0].get("Attributes") or ()
        account = next(
            (str(one["Value"]) for one in attributes if str(one.get("Id")).casefold() == "account"), None
        )
        amount = _amount(cells, debit) - _amount(cells, credit)
        balances.append(LedgerBalance(account, str(cells[0].get("Value") or ""), amount))
    return balances


def _data(rows: Any) -> Iterator[list[Json]]:
    for row in rows:
        if row.get("RowType") == "Row" and row.get("Cells"):
            yield row["Cells"]
        yield from _data(row.get("Rows") or ())


def _place(titles: list[str], title: str, fallback: int) -> int:
    return next((place for place, one in enumerate(titles) if one.casefold() == title.casefold()), fallback)


def _amount(cells: list[Json], place: int) -> Decimal:
    value = str(cells[place].get("Value") or "") if place < len(cells) else ""
    return Decimal(value.replace(",", "")) if value else Decimal(0)

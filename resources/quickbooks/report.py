"""QuickBooks' reports: the trial balance as balances, and the list of transactions by what it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sync.ports import LedgerBalance
from sync.records import Entity

Json = Mapping[str, Any]


def trial_balance(report: Json) -> list[LedgerBalance]:
    """Return one balance per account row: debit minus credit."""
    columns = [
        str(column.get("ColTitle") or "") for column in (report.get("Columns") or {}).get("Column") or ()
    ]
    debit, credit = _place(columns, "Debit", 1), _place(columns, "Credit", 2)
    balances = []
    for cells in _data_rows(report.get("Rows") or {}):
        name, identity = str(cells[0].get("value") or ""), cells[0].get("id")
        amount = _amount(cells, debit) - _amount(cells, credit)
        balances.append(LedgerBalance(str(identity) if identity else None, name, amount))
    return balances


def transactions_in(report: Json) -> list[tuple[Entity, str]]:
    """Return the payments, bill payments and deposits that a list of transactions names."""
    columns = [
        str(column.get("ColTitle") or "") for column in (report.get("Columns") or {}).get("Column") or ()
    ]
    place = _place(columns, "Transaction Type", 1)
    found = []
    for cells in _data_rows(report.get("Rows") or {}):
        kind, identity = str(cells[place].get("value") or ""), cells[place].get("id")
        entity = next((one for words, one in _KINDS.items() if kind.startswith(words)), None)
        if entity is not None and identity:
            found.append((entity, str(identity)))
    return found


_KINDS = {"Payment": Entity.PAYMENT, "Bill Payment": Entity.BILL_PAYMENT, "Deposit": Entity.DEPOSIT}


def _data_rows(rows: Json) -> Iterator[list[Json]]:
    for row in rows.get("Row") or ():
        # A parent account's own figures stand in its section's header; the summary repeats what is below it.
        header = (row.get("Header") or {}).get("ColData")
        if header and header[0].get("id") and any(cell.get("value") for cell in header[1:]):
            yield header
        if row.get("ColData"):
            yield row["ColData"]
        if isinstance(row.get("Rows"), dict):
            yield from _data_rows(row["Rows"])


def _place(columns: list[str], title: str, fallback: int) -> int:
    return next((place for place, one in enumerate(columns) if one.casefold() == title.casefold()), fallback)


def _amount(cells: list[Json], place: int) -> Decimal:
    value = str(cells[place].get("value") or "") if place < len(cells) else ""
    return Decimal(value.replace(",", "")) if value else Decimal(0)

"""Writes as the engine hands them to a provider, filled with valid defaults."""

from __future__ import annotations

import itertools
from typing import Any

from sync.ports import Operation, Write
from sync.records import Entity, RemoteRecord

_numbers = itertools.count(1)


def a_line(amount: str = "100.00", account: str | None = "1", **values: Any) -> dict[str, Any]:
    return {
        "id": None,
        "description": "Framing, first floor",
        "amount": amount,
        "quantity": None,
        "unit_price": None,
        "account": account,
    } | values


def an_invoice(party: str, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return _document(party, lines or (a_line(),), values)


def a_bill(party: str, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return _document(party, lines or (a_line(account="36"),), values)


def _document(party: str, lines: tuple[dict[str, Any], ...], values: dict[str, Any]) -> dict[str, Any]:
    from decimal import Decimal

    return {
        "number": f"T-{next(_numbers)}",
        "date": "2026-05-04",
        "due_date": "2026-06-03",
        "party": party,
        "currency": "USD",
        "memo": "Draw 3",
        "total": f"{sum((Decimal(line['amount']) for line in lines), Decimal(0)):.2f}",
        "lines": list(lines),
    } | values


def an_entry(*lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    chosen = lines or (an_entry_line("75.25", account="53"), an_entry_line(credit="75.25", account="5"))
    return {
        "number": f"JE-{next(_numbers)}",
        "date": "2026-05-31",
        "currency": "USD",
        "memo": "Accrual",
        "lines": list(chosen),
    } | values


def an_entry_line(
    debit: str = "0.00", *, credit: str = "0.00", account: str, **values: Any
) -> dict[str, Any]:
    return {
        "id": None,
        "description": "Accrual",
        "debit": debit,
        "credit": credit,
        "account": account,
        "party_kind": None,
        "party": None,
    } | values


def a_name(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "email": None, "phone": None, "address": None} | values


def an_account(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "number": None, "type": "expense", "description": None} | values


def create(entity: Entity, canonical: dict[str, Any], **values: Any) -> Write:
    number = next(_numbers)
    return Write(
        **(
            {
                "entity": entity,
                "operation": "create",
                "canonical": canonical,
                "request_id": f"{number:032x}",
                "marker": f"tieout:{number:022d}",
                "label": f"{entity.value} {canonical.get('number') or canonical.get('name')}",
            }
            | values
        )
    )


def change(
    operation: Operation, record: RemoteRecord, canonical: dict[str, Any] | None = None, **values: Any
) -> Write:
    return create(
        Entity(record.entity),
        canonical if canonical is not None else {},
        operation=operation,
        remote_id=record.remote_id,
        version=record.version,
        previous=dict(record.raw),
        **({"marker": record.marker} if record.marker else {}),
        label=record.label,
        **values,
    )

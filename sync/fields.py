"""Comparing two canonical records field by field across the two dialects, and merging them.

The engine first turns ours into the provider's dialect (references resolved, `sync.outgoing`), so that both sides
speak of the same ids; lines are then compared by what a bookkeeper sees: description and amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sync.records import Canonical, Entity

# What is compared across the sides, per entity. Fields outside this list never make a conflict.
COMPARED: Mapping[Entity, tuple[str, ...]] = {
    Entity.ACCOUNT: ("name", "number", "type", "description"),
    Entity.CUSTOMER: ("name", "email", "phone", "address"),
    Entity.VENDOR: ("name", "email", "phone", "address"),
    Entity.INVOICE: ("number", "date", "due_date", "party", "currency", "memo", "total", "lines"),
    Entity.BILL: ("number", "date", "due_date", "party", "currency", "memo", "total", "lines"),
    Entity.JOURNAL_ENTRY: ("number", "date", "currency", "memo", "lines"),
    Entity.PAYMENT: ("date", "party", "currency", "amount", "reference", "applications"),
    Entity.BILL_PAYMENT: ("date", "party", "currency", "amount", "reference", "applications"),
    Entity.DEPOSIT: ("date", "account", "currency", "amount", "lines"),
}


def comparable(entity: Entity, canonical: Canonical, *, coding: bool = False) -> Canonical:
    """Reduce a canonical record to what is compared across the sides.

    With `coding`, lines keep the account and party they are booked on; both sides must then be in ledger terms.
    """
    view: Canonical = {}
    for name in COMPARED[entity]:
        value = canonical.get(name)
        if name == "lines":
            value = [_line(line, coding=coding) for line in value or []]
        elif name == "applications":
            value = sorted(
                ({k: v for k, v in item.items() if v is not None} for item in value or []),
                key=lambda i: sorted(i.items()),
            )
        elif name == "address":
            value = {k: v for k, v in (value or {}).items() if v} or None
        elif isinstance(value, str):
            value = value.strip() or None
        view[name] = value
    return view


def _line(line: Mapping[str, Any], *, coding: bool) -> dict[str, Any]:
    shown = ("description", "amount", "debit", "credit", "payment", *(("account", "party") if coding else ()))
    return {
        k: (line[k].strip() if isinstance(line[k], str) else line[k])
        for k in shown
        if line.get(k) not in (None, "")
    }


def same_values(entity: Entity, ours: Canonical, theirs: Canonical) -> bool:
    """Say whether both sides, in ledger terms, are exactly the same, booked on the same accounts."""
    return comparable(entity, ours, coding=True) == comparable(entity, theirs, coding=True)


# What a provider fills in or drops by itself: absent on one side, it does not speak against being the same document.
FILLED_IN = frozenset(
    {"due_date", "currency", "email", "phone", "address", "description", "number", "memo", "reference"}
)


def differences(entity: Entity, sent: Canonical, shown: Canonical) -> list[str]:
    """Name the compared fields in which a document in the ledger contradicts what was sent."""
    left, right = comparable(entity, sent, coding=True), comparable(entity, shown, coding=True)
    return [
        name
        for name in COMPARED[entity]
        if left[name] != right[name]
        and not (name in FILLED_IN and (left[name] is None or right[name] is None))
    ]


def changed_fields(entity: Entity, now: Canonical, base: Canonical) -> set[str]:
    """Name the compared fields in which one side moved away from its own base."""
    left, right = comparable(entity, now), comparable(entity, base)
    return {name for name in COMPARED[entity] if left[name] != right[name]}


def money_of(canonical: Canonical) -> Decimal | None:
    """Return the amount a record stands for, where it has one."""
    for name in ("total", "amount"):
        if canonical.get(name) is not None:
            return Decimal(canonical[name])
    if canonical.get("lines") and "debit" in canonical["lines"][0]:
        return sum((Decimal(line["debit"]) for line in canonical["lines"]), Decimal(0))
    return None

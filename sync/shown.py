"""Values of a conflict as people read them: names instead of ids, lines as a bookkeeper says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sync.outgoing import APPLIED_TO, PARTY, Reference
from sync.records import Canonical, Entity

Name = Callable[[Reference], str | None]
NAMELESS = "unknown"


def shown(
    entity: Entity, field: str, canonical: Canonical | None, *, name: Name, codes: Mapping[str, str]
) -> str | list[str] | None:
    """Return one field of a record in words; `name` knows the names of what it refers to, in its own dialect.

    None where the side has no such value.
    """
    value = canonical.get(field) if canonical else None
    if value in (None, "", [], {}):
        return None
    if field == "party":
        return _named(PARTY.get(entity), value, name=name)
    if field == "account":
        return _named(Entity.ACCOUNT, value, name=name)
    if field == "applications":
        key, target = APPLIED_TO[entity]
        return [f"{_named(target, item[key], name=name)}: {item['amount']}" for item in value]
    if field == "lines":
        return [_line(line, name=name, codes=codes) for line in value]
    if field == "address":
        return ", ".join(str(part) for part in value.values() if part)
    return str(value)


def _line(line: Mapping[str, Any], *, name: Name, codes: Mapping[str, str]) -> str:
    parts = [str(line.get("description") or "without text").strip()]
    if line.get("payment"):
        parts.append(_named(Entity.PAYMENT, line["payment"], name=name))
    parts += [
        str(line[side]) if side == "amount" else f"{side} {line[side]}"
        for side in ("amount", "debit", "credit")
        if line.get(side) not in (None, "", "0.00")
    ]
    if line.get("code"):
        parts.append(codes.get(str(line["code"]), NAMELESS))
    if line.get("account"):
        parts.append(_named(Entity.ACCOUNT, line["account"], name=name))
    return " · ".join(parts)


def _named(entity: Entity | None, identifier: object, *, name: Name) -> str:
    found = name((entity, str(identifier))) if entity is not None and identifier else None
    return found or NAMELESS

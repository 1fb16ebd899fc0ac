"""Tax codes: which of the provider's codes a line carries, by kind of document and role of the line.

The platform keeps no tax of its own, so a connection says which code its lines have: for all invoices or bills, or for
one role in them. Without a choice a line carries none, and the provider does what it always does. Whether a code exists
and is active is the provider's knowledge and is checked before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.errors import InvalidSetting
from sync.records import Entity

TAXED: tuple[Entity, ...] = (Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY)
ROLES: tuple[str, ...] = ("work", "retainage", "stored_materials")
CODE_LENGTH_MAX = 50


@dataclass(frozen=True, slots=True)
class TaxCode:
    """One choice: the lines of this kind of document (and role, where one is named) carry this code."""

    entity: Entity
    code: str
    role: str | None = None


def tax_code_of(choices: Sequence[TaxCode], entity: Entity, role: str) -> str | None:
    """Return the code of a line: the choice for its role, else the one for its kind of document, else none."""
    fitting = [each for each in choices if each.entity is entity and each.role in (role, None)]
    return max(fitting, key=lambda each: each.role is not None).code if fitting else None


def read_tax_codes(stored: Iterable[Mapping[str, Any]]) -> tuple[TaxCode, ...]:
    """Return a connection's choices as they are kept in its settings."""
    return tuple(TaxCode(Entity(each["entity"]), str(each["code"]), each.get("role")) for each in stored)


def shown_tax_codes(choices: Iterable[TaxCode]) -> list[dict[str, str | None]]:
    """Return choices as they are kept and shown."""
    return [{"entity": each.entity.value, "role": each.role, "code": each.code} for each in choices]


def check_tax_codes(wanted: Sequence[TaxCode]) -> None:
    """Raise InvalidSetting with a sentence where a choice cannot be meant."""
    seen: set[tuple[Entity, str | None]] = set()
    for position, each in enumerate(wanted):
        name = f"tax_codes[{position}]"
        if each.entity not in TAXED:
            reason = "only invoices, bills and journal entries have lines with a tax code"
            raise InvalidSetting(name=f"{name}.entity", reason=reason)
        if not each.code.strip() or len(each.code) > CODE_LENGTH_MAX:
            reason = f"write the provider's code, at most {CODE_LENGTH_MAX} characters"
            raise InvalidSetting(name=f"{name}.code", reason=reason)
        if (each.entity, each.role) in seen:
            raise InvalidSetting(name=name, reason="the same lines have a code already; keep one of the two")
        seen.add((each.entity, each.role))

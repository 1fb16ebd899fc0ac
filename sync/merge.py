"""Three-way merge: taking from each side what only that side changed.

Fields are merged one by one, lines by identity (our line key, paired with the provider's line id through the base),
never by position. A merge whose lines no longer add up to its total is no merge: a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sync import fields
from sync.lines import paired_lines
from sync.records import Canonical, Entity

WITH_LINES = frozenset({Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY})
# What counts as a change of a line, per side: its coding is the cost code here and the account there.
OUR_LINE = (
    *("description", "amount", "debit", "credit", "quantity", "unit_price"),
    *("code", "role", "account", "client", "vendor", "job"),
)
THEIR_LINE = ("description", "amount", "debit", "credit", "quantity", "unit_price", "account", "party")


@dataclass(frozen=True, slots=True)
class SideChanges:
    """What one side changed since the base: plain fields, and the keys of lines; `new_lines` were added."""

    fields: frozenset[str]
    lines: frozenset[str] = frozenset()
    new_lines: int = 0

    @property
    def touches_lines(self) -> bool:
        """Whether any line was changed, removed or added."""
        return bool(self.lines) or self.new_lines > 0

    @property
    def names(self) -> frozenset[str]:
        """The changed fields as they are shown to people."""
        return self.fields | ({"lines"} if self.touches_lines else frozenset[str]())


def our_changes(entity: Entity, ours: Canonical, base_ours: Canonical) -> SideChanges:
    """Say what we changed since the two sides last agreed."""
    plain = fields.changed_fields(entity, ours, base_ours) - {"lines"}
    if entity not in WITH_LINES:
        return SideChanges(frozenset(fields.changed_fields(entity, ours, base_ours)))
    before = {line["key"]: line for line in base_ours.get("lines") or []}
    now = {line["key"]: line for line in ours.get("lines") or []}
    changed = {key for key, line in before.items() if not _same(line, now.get(key), OUR_LINE)}
    return SideChanges(frozenset(plain), frozenset(changed), len(set(now) - set(before)))


def their_changes(
    entity: Entity, theirs: Canonical, base_theirs: Canonical, base_ours: Canonical
) -> SideChanges:
    """Say what the ledger changed since the two sides last agreed; its lines go by our keys."""
    if entity not in WITH_LINES:
        return SideChanges(frozenset(fields.changed_fields(entity, theirs, base_theirs)))
    plain = fields.changed_fields(entity, theirs, base_theirs) - {"lines"}
    keys = line_keys(base_ours, base_theirs)
    before = {line.get("id"): line for line in base_theirs.get("lines") or []}
    now = {line.get("id"): line for line in theirs.get("lines") or []}
    changed = {
        keys.get(str(line_id), f"their line {line_id}")
        for line_id, line in before.items()
        if not _same(line, now.get(line_id), THEIR_LINE)
    }
    return SideChanges(frozenset(plain), frozenset(changed), len(set(now) - set(before)))


def line_keys(base_ours: Canonical, base_theirs: Canonical) -> dict[str, str]:
    """Pair the provider's line ids with our line keys, as the lines stood when they were last agreed on."""
    pairs = paired_lines(base_ours, base_theirs)
    return {str(theirs["id"]): mine["key"] for mine, theirs in pairs if theirs.get("id")}


def are_told_apart(base_ours: Canonical, base_theirs: Canonical) -> bool:
    """Say whether each line that stood on either side of the base is known to be one line of the other."""
    count = len(line_keys(base_ours, base_theirs))
    return all(count == len(base.get("lines") or []) for base in (base_ours, base_theirs))


def are_disjoint(ours: SideChanges, theirs: SideChanges) -> bool:
    """Say whether no field and no line was changed by both sides.

    Two sides that both added lines may have added the same one, in other words: nobody but a person can tell.
    """
    if ours.new_lines and theirs.new_lines:
        return False
    return not (ours.fields & theirs.fields or ours.lines & theirs.lines)


def without_agreed(
    entity: Entity, ours: Canonical, theirs: Canonical, mine: SideChanges, yours: SideChanges
) -> tuple[SideChanges, SideChanges]:
    """Leave out of both sides' changes the plain fields that both gave the same value: there is nothing to ask.

    Parties and dates are told differently on the two sides, and stay.
    """
    left, right = fields.comparable(entity, ours), fields.comparable(entity, theirs)
    agreed = {
        name for name in mine.fields & yours.fields - {"party", "date", "lines"} if left[name] == right[name]
    }
    return replace(mine, fields=mine.fields - agreed), replace(yours, fields=yours.fields - agreed)


def merged(
    entity: Entity,
    ours: Canonical,
    theirs_as_ours: Canonical,
    *,
    our_change: SideChanges,
    their_change: SideChanges,
    told_apart: bool,
) -> Canonical | None:
    """Return ours with what the ledger changed, both in our dialect; None where that does not add up.

    Where lines are not `told_apart` (`are_told_apart`), they come whole from the side that touched them; None where
    both did.
    """
    result: Canonical = {
        name: theirs_as_ours[name] if name in their_change.fields else value for name, value in ours.items()
    }
    if entity in WITH_LINES and their_change.touches_lines:
        if told_apart:
            result["lines"] = _merged_lines(ours["lines"], theirs_as_ours["lines"], their_change)
        elif our_change.touches_lines:
            return None
        else:
            result["lines"] = theirs_as_ours["lines"]
    return result if entity not in WITH_LINES or adds_up(entity, result) else None


def _merged_lines(
    ours: Sequence[Mapping[str, Any]], theirs_as_ours: Sequence[Mapping[str, Any]], theirs: SideChanges
) -> list[Mapping[str, Any]]:
    known = {line["key"]: line for line in theirs_as_ours if line.get("key")}
    kept = [
        known.get(line["key"]) if line["key"] in theirs.lines else line
        for line in ours
        # A line that the ledger took away is in `theirs.lines` and no longer among its lines.
        if line["key"] not in theirs.lines or line["key"] in known
    ]
    return [line for line in kept if line is not None] + [
        line for line in theirs_as_ours if not line.get("key")
    ]


def adds_up(entity: Entity, canonical: Canonical) -> bool:
    """Say whether a document's lines agree with its total, or an entry's debits with its credits."""
    if entity is Entity.JOURNAL_ENTRY:
        debits = sum((Decimal(line["debit"]) for line in canonical["lines"]), Decimal(0))
        return debits == sum((Decimal(line["credit"]) for line in canonical["lines"]), Decimal(0))
    lines = sum((Decimal(line["amount"]) for line in canonical["lines"]), Decimal(0))
    return lines == Decimal(canonical["total"])


def _same(before: Mapping[str, Any], now: Mapping[str, Any] | None, names: Sequence[str]) -> bool:
    # A base from before jobs were kept says nothing about the job.
    return now is not None and all(
        _value(before, name) == _value(now, name) for name in names if name != "job" or "job" in before
    )


def _value(line: Mapping[str, Any], name: str) -> object:
    value = line.get(name)
    if name in ("quantity", "unit_price"):
        return None if value is None else Decimal(value)
    return value.strip() if isinstance(value, str) else value

"""What Xero shows of a record right after it was sent: what it has no field for is gone, what it wants is filled in.

Told of writes whose answer was lost, so that nobody's edit is seen where there was none. Each rule is the other half of
one in `resources.xero.write`.
"""

from __future__ import annotations

from resources.xero.words import NO_DESCRIPTION
from sync.records import Canonical, Entity


def as_kept(entity: Entity, sent: Canonical, *, shown: Canonical, before: Canonical | None) -> Canonical:
    """Return what was sent as Xero keeps it; `shown` is what it says now, `before` what it said before a change."""
    if not sent:
        return {}
    match entity:
        case Entity.ACCOUNT:
            # One without a number gets a free code; a change without one leaves it.
            return {**sent, "number": sent.get("number") or (before or shown).get("number")}
        case Entity.INVOICE | Entity.BILL:
            return {
                **sent,
                "number": sent.get("number") or _number(entity, shown, before),
                "due_date": sent.get("due_date") or sent.get("date"),
                "currency": sent.get("currency") or (before or shown).get("currency"),
                "memo": sent.get("memo") if entity is Entity.INVOICE else "",
                "lines": [
                    {**line, "description": line.get("description") or NO_DESCRIPTION}
                    for line in sent["lines"]
                ],
            }
        case Entity.JOURNAL_ENTRY:
            return {
                **sent,
                "currency": shown.get("currency"),
                "lines": [{**line, "party_kind": None, "party": None} for line in sent["lines"]],
            }
        case _:
            return dict(sent)


def _number(entity: Entity, shown: Canonical, before: Canonical | None) -> str | None:
    if before is not None:
        return before.get("number")
    # A new invoice gets the next number, a bill has none.
    return shown.get("number") if entity is Entity.INVOICE else None

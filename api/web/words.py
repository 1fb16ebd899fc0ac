"""How pages say things: kinds of record, states, money and moments, in the words of a builder's office.

Money is told with two places and its currency, a moment in the builder's own time zone; what is not known is said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from markupsafe import Markup, escape

from sync.schedule import zone_of

ENTITY_WORDS: Mapping[str, tuple[str, str]] = {
    "account": ("account", "Chart of accounts"),
    "customer": ("client", "Clients"),
    "vendor": ("vendor", "Vendors"),
    "invoice": ("invoice or draw", "Invoices and draws"),
    "bill": ("bill", "Bills"),
    "journal_entry": ("journal entry", "Journal entries"),
    "payment": ("payment received", "Payments received"),
    "bill_payment": ("bill payment", "Bill payments"),
    "deposit": ("bank deposit", "Bank deposits"),
}
WORDS: Mapping[str, str] = {
    # health
    "green": "Healthy",
    "yellow": "Needs attention",
    "red": "Something does not get through",
    # connections
    "connected": "Connected",
    "disconnected": "Disconnected",
    "error": "In doubt",
    "expired": "Access ended",
    # runs and history
    "queued": "Waiting to start",
    "started": "Under way",
    "completed": "Complete",
    "partial": "Left something undone",
    "failed": "Failed",
    "manual": "By hand",
    "scheduled": "By schedule",
    "real_time": "In real time",
    "initial_import": "First import",
    # ways
    "push": "to the ledger",
    "pull": "from the ledger",
    "both": "both ways",
    # records of a sync
    "synced": "Synced",
    "skipped": "Left alone",
    "held": "Held",
    "conflict": "In conflict",
    # categories of errors
    "auth": "Access",
    "validation": "Refused as it is",
    "rate_limit": "Too many calls",
    "network": "Not reachable",
    "unknown": "Not confirmed",
    # profiles of the mapping
    "cost_code": "Expense",
    "revenue": "Revenue",
    "asset": "Asset (stored materials)",
    "liability": "Liability (retainage)",
}
STRATEGY_WORDS: Mapping[str, str] = {
    "last_write_wins": "The later change wins (what is overwritten goes to the audit log)",
    "platform_wins": "Ours wins",
    "provider_wins": "The accounting system's wins",
    "manual": "A person decides",
}
RECORD_STATES: Mapping[str, str] = {"error": "Failed"}
FORESEEN: Mapping[str, str] = {
    "created": "Entered",
    "changed": "Changed",
    "voided": "Voided",
    "linked": "Linked: both sides have it",
    "held": "Held until its cause is mended",
    "conflict": "In conflict until somebody decides",
    "failed": "Would not get through",
}
BANK_WORDS: Mapping[str, str] = {
    "matched": "Matched",
    "partially_matched": "Partly matched",
    "unmatched": "Not matched yet",
    "unknown": "Not said yet",
}
# State of an import -> how people say it, and the state whose colour it has.
IMPORT_STATES: Mapping[str, tuple[str, str]] = {
    "received": ("Waiting", "queued"),
    "checking": ("Being checked", "started"),
    "ready": ("Look at it and confirm", "queued"),
    "writing": ("Being written", "started"),
    "done": ("Brought in", "completed"),
    "refused": ("Cannot be used as it is", "failed"),
    "cancelled": ("Stopped", "settled"),
    "failed": ("Broke off", "failed"),
    "undone": ("Taken back", "settled"),
}
DATASET_WORDS: Mapping[str, str] = {
    "mappings": "Account mapping",
    "errors": "Errors and held records",
    "history": "Sync history",
    "records": "Records of past syncs",
    "evidence": "Evidence of what was sent",
    "audit": "Audit log",
}
_EMPTY = "empty"
_CENT = Decimal("0.01")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def kind(entity: str) -> str:
    """Return what people call records of an entity, many of them."""
    found = ENTITY_WORDS.get(entity)
    return found[1] if found else plain(entity)


def one(entity: str) -> str:
    """Return what people call one record of an entity."""
    found = ENTITY_WORDS.get(entity)
    return found[0] if found else plain(entity).lower()


def word(state: str) -> str:
    """Return a state or choice as people say it."""
    return WORDS.get(state) or plain(state)


def record_state(state: str) -> str:
    """Return what became of a record in a sync, as people say it."""
    return RECORD_STATES.get(state) or word(state)


def bank(status: str) -> str:
    """Return what was found of a payment on the bank statement, as people say it."""
    return BANK_WORDS[status]


def dataset(name: str) -> str:
    """Return what an export holds, as people say it."""
    return DATASET_WORDS.get(name) or plain(name)


def import_state(status: str) -> str:
    """Return how an import stands, as people say it."""
    return IMPORT_STATES[status][0]


def import_colour(status: str) -> str:
    """Return the state whose colour says how an import stands."""
    return IMPORT_STATES[status][1]


def plain(name: str) -> str:
    """Return a name of the program as words."""
    return name.replace("_", " ").capitalize()


def foreseen(outcome: str, book: str | None = None, provider: str = "") -> str:
    """Return what a rehearsal says would become of a record, and in whose book."""
    said = FORESEEN[outcome]
    return said if book is None else f"{said} {'here' if book == 'platform' else f'in {provider}'}"


def change(field: Any, provider: str) -> str:
    """Return one field of a rehearsal: from what to what; of a conflict, the value on each side."""
    name = plain(field.field)
    is_conflict = field.ours is not None or field.theirs is not None
    left, right = (field.ours, field.theirs) if is_conflict else (field.before, field.after)
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return f"{name}: differ" if is_conflict else name
    shown = [_EMPTY if each in (None, "") else str(each) for each in (left, right)]
    if is_conflict:
        return f"{name}: {shown[0]} here, {shown[1]} in {provider}"
    return f"{name}: {shown[1]}" if left in (None, "") else f"{name}: {shown[0]} → {shown[1]}"


def capitalize_first(sentence: str) -> str:
    """Begin a sentence with a capital, and leave the names in it as they are."""
    return sentence[:1].upper() + sentence[1:]


def money(amount: Any, currency: str | None = None) -> str:
    """Return an exact amount with two places, a thin minus and its currency; nothing where there is no amount."""
    if amount is None:
        return ""
    exact = Decimal(str(amount))
    rounded = exact.quantize(_CENT, rounding=ROUND_HALF_UP)
    # Never show 0.00 for what is not: unit costs may have four places.
    shown = f"{abs(rounded) if rounded == exact else abs(exact.normalize()):,f}"
    sign = "−" if exact < 0 else ""
    return f"{sign}{shown} {currency}" if currency else f"{sign}{shown}"


def nonzero(amount: Any) -> bool:
    """Say whether there is any money in it."""
    return amount is not None and Decimal(str(amount)) != 0


def moment(at: datetime | None, zone: str = "UTC", never: str = "never") -> Markup:
    """Return a moment in the builder's time zone, as a time element."""
    if at is None:
        return escape(never)
    local = at.astimezone(zone_of(zone))
    shown = f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)


def ago(at: datetime | None, now: datetime) -> str:
    """Return how far a moment is from now, roughly."""
    if at is None:
        return ""
    seconds = int((now - at).total_seconds())
    distance = _distance(abs(seconds))
    if distance is None:
        return "just now" if seconds >= 0 else "now"
    return f"{distance} ago" if seconds > 0 else f"in {distance}"


def differing(lines: Iterable[Any]) -> list[Any]:
    """Return the totals that are not the same on both sides."""
    return [line for line in lines if line.ours != line.theirs]


def _distance(seconds: int) -> str | None:
    if seconds < _MINUTE:
        return None
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} days"

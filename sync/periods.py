"""Closed periods: what may be sent on which day, and how a document that was moved stays one document.

A provider refuses what touches a closed period (QuickBooks: the books' closing date; Xero: the lock dates). A new
document is held, posted on the first open day with a line in its memo, or a person is asked; a document that is posted
in a closed period is never edited, voided or moved out of it by sync. What was moved keeps two dates, ours and the
ledger's: as long as a side does not change its own, neither is taken for an edit of the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from sync.errors import PeriodLocked
from sync.lanes import PeriodPosted, PeriodQuestion
from sync.ports import Operation
from sync.records import Canonical, Entity
from sync.stored import ClosedBooks, LinkView

# Payments and deposits are entered in the ledger, which guards its own periods.
DATED = frozenset({Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY})
NOTE = re.compile(
    r"\n?^Dated \d{4}-\d\d-\d\d; posted \d{4}-\d\d-\d\d because the books are closed until .*$", re.MULTILINE
)


class PeriodPolicy(StrEnum):
    """What happens to a new document whose date lies in a closed period."""

    HOLD = "hold"
    FIRST_OPEN_DAY = "first_open_day"
    ASK = "ask"


def in_open_period(
    link: LinkView,
    canonical: Canonical,
    *,
    operation: Operation,
    closed: ClosedBooks,
    policy: PeriodPolicy,
    provider: str,
) -> Canonical:
    """Return what is sent, its date moved where the policy or a person says so.

    Raises PeriodLocked or PeriodQuestion for a date in a closed period, PeriodPosted for a document that already stands
    in one: posted history is never rewritten. Where the ledger refused without saying until when, everything is held.
    """
    if closed.at_least is None or link.entity not in DATED:
        return canonical
    until = f"a day that {provider} does not tell"
    if closed.until is not None and closed.is_told:
        until = closed.until.isoformat()
    said = {"label": link.label, "closed_until": until, "provider": provider}
    posted = _day(link.theirs.canonical if link.theirs is not None else None)
    if operation != "create" and posted is not None and posted <= closed.at_least:
        raise PeriodPosted(**said, date=posted.isoformat())
    dated = _day(canonical)
    if dated is None or dated > closed.at_least:
        return canonical
    if closed.until is None or not closed.is_told:
        # It was refused, and nobody knows which day would be taken: neither moved nor asked about, but never lost.
        raise PeriodLocked(**said, date=dated.isoformat())
    chosen = PeriodPolicy.FIRST_OPEN_DAY if link.period_choice == "first_open_day" else policy
    if chosen is PeriodPolicy.FIRST_OPEN_DAY:
        return _moved(canonical, dated, closed.until)
    raise (PeriodQuestion if chosen is PeriodPolicy.ASK else PeriodLocked)(
        **said, date=dated.isoformat(), first_open_day=(closed.until + timedelta(days=1)).isoformat()
    )


def moved_to(sent: Canonical, link: LinkView) -> str | None:
    """Return the day a document is posted on where that is another than ours says."""
    ours = link.ours.canonical.get("date") if link.ours is not None else None
    found: str | None = sent.get("date")
    return found if found is not None and ours is not None and found != ours else None


def _moved(canonical: Canonical, dated: date, closed_until: date) -> Canonical:
    first_open = (closed_until + timedelta(days=1)).isoformat()
    note = (
        f"Dated {dated.isoformat()}; posted {first_open} because the books are closed until"
        f" {closed_until.isoformat()}."
    )
    moved = {**canonical, "date": first_open, "memo": _with_note(canonical.get("memo"), note)}
    if canonical.get("due_date") and canonical["due_date"] < first_open:
        # No provider takes a document that is due before its day.
        moved["due_date"] = first_open
    return moved


# ---------------------------------------------------------------- what was moved before


def was_moved(base_ours: Canonical | None, base_theirs: Canonical | None) -> bool:
    """Say whether both sides agreed on two dates for one document."""
    left, right = (base_ours or {}).get("date"), (base_theirs or {}).get("date")
    return left is not None and right is not None and left != right


def in_ledger_dates(link: LinkView, canonical: Canonical) -> Canonical:
    """Give a document that was moved the ledger's dates and the line in its memo, where ours did not change them."""
    mine, yours = link.base_ours, link.base_theirs
    if mine is None or yours is None or link.ours is None or not was_moved(mine, yours):
        return canonical
    ours = link.ours.canonical
    if ours.get("date") != mine.get("date"):
        # Ours has another date now: it is judged anew.
        return canonical
    kept: Canonical = {
        name: yours.get(name) for name in ("date", "due_date") if ours.get(name) == mine.get(name)
    }
    note = _note(yours)
    # Not every document has a field for the line: a bill in Xero has no memo.
    return {**canonical, **kept, **({"memo": _with_note(canonical.get("memo"), note)} if note else {})}


def in_our_dates(link: LinkView, canonical: Canonical) -> Canonical:
    """Give a document that was moved our dates and our memo, where the ledger did not change them."""
    mine, yours = link.base_ours, link.base_theirs
    if mine is None or yours is None or link.theirs is None or not was_moved(mine, yours):
        return canonical
    theirs = link.theirs.canonical
    kept: Canonical = {
        name: mine.get(name)
        for name in ("date", "due_date")
        if name in canonical and theirs.get(name) == yours.get(name)
    }
    told = {"memo": _without_note(canonical.get("memo"))} if _note(yours) else {}
    return {**canonical, **kept, **told}


def _with_note(memo: str | None, note: str) -> str:
    text = _without_note(memo)
    return f"{text}\n{note}" if text else note


def _without_note(memo: str | None) -> str:
    return NOTE.sub("", memo or "").strip()


def note_in(memo: str | None) -> str | None:
    """Return the line that says why a document was moved, where a memo has one."""
    return _note({"memo": memo})


def _note(canonical: Mapping[str, object] | None) -> str | None:
    found = NOTE.search(str((canonical or {}).get("memo") or ""))
    return found.group().strip() if found else None


def _day(canonical: Canonical | None) -> date | None:
    text = (canonical or {}).get("date")
    return date.fromisoformat(text) if text else None

"""What a page says after something was done: the address carries a short name and a number, never the sentence itself.

So nobody can make a link that puts words of theirs on our page, and nothing has to be remembered between two requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

SENTENCES: Mapping[str, str] = {
    "connected": "Connected. The first steps are below.",
    "reconnected": "Connected again. The next sync goes on where the last one ended.",
    "disconnected": "Disconnected: the access was given back and the mapping taken out of use. The history stays.",
    "disconnected_untold": "Disconnected here, but the accounting system did not confirm it."
    " To be sure, remove Tieout from the connected apps there.",
    "sync_started": "The sync was started.",
    "sync_running": "A sync that does the same is already queued or under way; this is how it goes.",
    "rehearsal_started": "The rehearsal was started. It writes nothing to either book.",
    "accounts_read": "The chart of accounts was read anew.",
    "retried": "{n} record(s) will be tried again by the next sync.",
    "retried_now": "{n} record(s) are being tried again now.",
    "dismissed": "{n} record(s) are left alone until either side changes.",
    "released": "Mapped: {n} record(s) are released and go to the ledger now.",
    "decided": "Decided; the next sync carries it out.",
    "resolved": "Decided: a sync is carrying it out now.",
    "resolved_many": "{n} conflict(s) decided: a sync is carrying it out now.",
    "settings_saved": "The settings were saved.",
    "draft_saved": "The draft was saved. Nothing is booked by it before it is published.",
    "draft_rebased": "The draft was carried over to the newest version of the mapping.",
    "draft_rebased_both": "The draft was carried over; {n} row(s) were changed by both, and the draft's stands. Look at them.",
    "draft_discarded": "The draft was thrown away; the audit log keeps it.",
    "published": "Published: this is the mapping from now on. What was sent stays as it was sent.",
    "published_released": "Published: this is the mapping from now on. It released {n} held record(s); the next sync sends them.",
    "rolled_back_released": "The older mapping is in use again, as a new version."
    " It released {n} held record(s); the next sync sends them.",
    "rolled_back": "The older mapping is in use again, as a new version.",
}
_DIGITS_MAX = 7


def sentence(query: Mapping[str, str]) -> str | None:
    """Return the sentence that an address asks for, if it is one of ours."""
    found = SENTENCES.get(query.get("done", ""))
    number = query.get("n", "")
    is_number = number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX
    return found.format(n=number if is_number else "The") if found else None


def go(path: str, *, done: str | None = None, n: int | None = None, **query: str | None) -> RedirectResponse:
    """Lead on to another page after a form, so that loading it again sends nothing twice."""
    assert done is None or done in SENTENCES, f"{done} is no sentence"
    told = {**query, "done": done, "n": None if n is None else str(n)}
    given = urlencode({name: value for name, value in told.items() if value is not None})
    return RedirectResponse(f"{path}?{given}" if given else path, status_code=HTTPStatus.SEE_OTHER)

"""What a page says after something was done: the address carries a short name and a number, never the sentence itself.

So nobody can make a link that puts words of theirs on our page, and nothing has to be remembered between two requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

from sync.counting import counted

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
    "retried": "{records} will be tried again by the next sync.",
    "retried_now": "{records_are} being tried again now.",
    "dismissed": "{records_are} left alone until either side changes.",
    "released": "Mapped: {records_are} released, and sent to the ledger now.",
    "decided": "Decided; the next sync carries it out.",
    "accepted": "{records_are} accepted, and being sent now.",
    "rejected": "Rejected: it is not sent until somebody edits it, or proposes it again here.",
    "resent": "Proposed again: it waits for approval as soon as the sync that was started has seen it.",
    "moved_to_open_day": "It is posted on the first open day, with a line in its memo: a sync is sending it now.",
    "left_held": "It stays held until the period is opened or its date changes.",
    "import_confirmed": "Confirmed. This page follows how it goes.",
    "import_read_anew": "The file is being read with these columns.",
    "import_cancelled": "It was stopped.",
    "import_undone": "Taken back: {records} removed or restored.",
    "marked_read": "Marked as read.",
    "notices_saved": "What you are told of, and where, was saved.",
    "resolved": "Decided: a sync is carrying it out now.",
    "resolved_many": "{conflicts_are} decided: a sync is carrying it out now.",
    "settings_saved": "The settings were saved.",
    "draft_saved": "The draft was saved. Nothing is booked by it before it is published.",
    "draft_rebased": "The draft was carried over to the newest version of the mapping.",
    "draft_rebased_both": "The draft was carried over; {rows_were} changed by both, and the draft's choice stands. Look through it.",
    "draft_discarded": "The draft was thrown away; the audit log keeps it.",
    "published": "Published: this is the mapping from now on. What was sent stays as it was sent.",
    "published_released": "Published: this is the mapping from now on. {records_are} released by it; the next sync sends what it released.",
    "published_sent": "Published: this is the mapping from now on. {records_are} released and being sent.",
    "rolled_back_sent": "The older mapping is in use again, as a new version. {records_are} released and being sent.",
    "rolled_back_released": "The older mapping is in use again, as a new version."
    " {records_are} released by it; the next sync sends what it released.",
    "rolled_back": "The older mapping is in use again, as a new version.",
}
_DIGITS_MAX = 7


def sentence(query: Mapping[str, str]) -> str | None:
    """Return the sentence that an address asks for, if it is one of ours."""
    found = SENTENCES.get(query.get("done", ""))
    number = query.get("n", "")
    is_number = number.isascii() and number.isdigit() and len(number) <= _DIGITS_MAX
    return found.format(**_nouns(int(number) if is_number else None)) if found else None


def _nouns(number: int | None) -> dict[str, str]:
    """Return what was counted with its verb; where nobody counted, all that was chosen."""
    if number is None:
        return {
            "records": "The records",
            "records_are": "The records are",
            "conflicts_are": "The conflicts are",
            "rows_were": "rows were",
        }
    return {
        "records": counted(number, "record"),
        "records_are": counted(number, "record is", "records are"),
        "conflicts_are": counted(number, "conflict is", "conflicts are"),
        "rows_were": counted(number, "row was", "rows were"),
    }


def go(path: str, *, done: str | None = None, n: int | None = None, **query: str | None) -> RedirectResponse:
    """Lead on to another page after a form, so that loading it again sends nothing twice."""
    assert done is None or done in SENTENCES, f"{done} is no sentence"
    told = {**query, "done": done, "n": None if n is None else str(n)}
    given = urlencode({name: value for name, value in told.items() if value is not None})
    return RedirectResponse(f"{path}?{given}" if given else path, status_code=HTTPStatus.SEE_OTHER)

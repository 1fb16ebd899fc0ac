"""Times and dates as QuickBooks writes them: Pacific offset, seconds on objects, milliseconds on answers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


def wire_time(moment: datetime, *, milliseconds: bool = False) -> str:
    """Return `2026-05-05T03:20:37-07:00`, or with `.245` before the offset."""
    local = moment.astimezone(PACIFIC)
    return local.isoformat(timespec="milliseconds" if milliseconds else "seconds")


@lru_cache(maxsize=4096)
def wire_epoch(seconds: int) -> str:
    """Return the wire form of whole seconds since 1970."""
    return wire_time(datetime.fromtimestamp(seconds, UTC))


def parse_moment(text: str) -> datetime | None:
    """Return an aware time from a date or date-time (no offset means Pacific), or None."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=PACIFIC)


def parse_date(text: str) -> date | None:
    """Return the date of an ISO date or date-time, or None."""
    try:
        return date.fromisoformat(text[:10]) if len(text) == 10 else datetime.fromisoformat(text).date()
    except ValueError:
        return None

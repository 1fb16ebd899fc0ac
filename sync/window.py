"""A sync window: on which days and between which hours scheduled syncs may run, in the builder's own time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sync.errors import InvalidSetting

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = time(0, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """Open from `opens` until before `closes` on each of `days`; past midnight where it closes before it opens."""

    days: frozenset[int]
    opens: time
    closes: time

    def is_open(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Say whether syncs may run at this instant."""
        local = moment.astimezone(zone)
        clock, today = local.time(), local.weekday()
        if self.opens < self.closes:
            return today in self.days and self.opens <= clock < self.closes
        # Past midnight, the hours belong to the day on which the window opened.
        yesterday = (today - 1) % 7
        return (today in self.days and clock >= self.opens) or (
            yesterday in self.days and clock < self.closes
        )

    def next_open(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the instant itself where the window is open, else when it opens next (UTC)."""
        if self.is_open(moment, zone):
            return moment.astimezone(UTC)
        local = moment.astimezone(zone)
        for ahead in range(8):
            day = local.date() + timedelta(days=ahead)
            # A time that the clock skips in spring comes out an hour later, which is still inside the window's day.
            opening = datetime.combine(day, self.opens, zone).astimezone(UTC)
            if day.weekday() in self.days and opening >= moment:
                return opening
        raise AssertionError("a window is open on at least one day of a week")


def read_window(value: Mapping[str, Any] | None) -> Window | None:
    """Return the window that a setting describes; None where syncs may always run.

    Raises InvalidSetting with a sentence where it would never be open.
    """
    if value is None:
        return None
    names = list(value.get("days") or [])
    unknown = [str(name) for name in names if name not in DAYS]
    if unknown:
        raise _refused(f"“{unknown[0]}” is no day; write {', '.join(DAYS)}")
    if not names:
        raise _refused("it names no day, so no scheduled sync could ever run; name at least one day")
    opens, closes = _clock(value, "from"), _clock(value, "until")
    if opens == closes != _MIDNIGHT:
        raise _refused(
            f"it opens and closes at {opens:%H:%M}, so no scheduled sync could ever run; for the whole day write 00:00"
            " for both"
        )
    return Window(frozenset(DAYS.index(name) for name in names), opens, closes)


def _clock(value: Mapping[str, Any], name: str) -> time:
    text = str(value.get(name) or "")
    try:
        hours, minutes = text.split(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise _refused(f"“{text}” is no time of day; write “{name}” like 06:30") from error


def _refused(reason: str) -> InvalidSetting:
    return InvalidSetting(name="sync_window", reason=reason)

"""What a provider's budget still allows, and who waits before it is used up.

Sources: Xero's limits per organisation and day (`X-DayLimit-Remaining`), Intuit's App Partner Program, which counts
reads of all companies per month and answers 429 once the plan's are used up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Who goes first; the smaller, the more urgent."""

    PERSON = 0
    REAL_TIME = 1
    SCHEDULE = 2
    BULK = 3


class Mode(StrEnum):
    """How far a budget is used up: who still calls."""

    NORMAL = "normal"
    BULK_WAITS = "bulk_waits"
    SCHEDULE_WAITS = "schedule_waits"
    PEOPLE_ONLY = "people_only"
    STOPPED = "stopped"

    def lets(self, priority: Priority) -> bool:
        """Say whether work of this priority may still call."""
        return priority <= _LEAST_URGENT[self]

    @property
    def sentence(self) -> str:
        """Say in words who waits."""
        return _SENTENCES[self]


_LEAST_URGENT = {
    Mode.NORMAL: Priority.BULK,
    Mode.BULK_WAITS: Priority.SCHEDULE,
    Mode.SCHEDULE_WAITS: Priority.REAL_TIME,
    Mode.PEOPLE_ONLY: Priority.PERSON,
    Mode.STOPPED: -1,
}
_SENTENCES = {
    Mode.NORMAL: "Within its limits; nothing waits.",
    Mode.BULK_WAITS: "Imports of history wait, so that syncs keep their calls.",
    Mode.SCHEDULE_WAITS: "Imports and scheduled syncs wait; real time and people go on.",
    Mode.PEOPLE_ONLY: "Only what a person asks for is done; the rest waits until the limit begins anew.",
    Mode.STOPPED: "The limit is used up; everything waits until it begins anew, and goes on by itself.",
}
# Share of a month's plan from which on each mode holds.
_MONTH_SHARES = (
    (1.0, Mode.STOPPED),
    (0.98, Mode.PEOPLE_ONLY),
    (0.95, Mode.SCHEDULE_WAITS),
    (0.85, Mode.BULK_WAITS),
)


@dataclass(frozen=True, slots=True)
class MonthUse:
    """Metered reads of an app in a month: used so far, the plan's number, a day's average, days left (today's rest)."""

    used: int
    allowed: int
    a_day: float
    days_left: float

    @property
    def forecast(self) -> int:
        """What the month comes to if it goes on like this."""
        return round(self.used + self.a_day * self.days_left)


def mode_of_month(use: MonthUse) -> Mode:
    """Say who waits: by the share that is used, and bulk work already where the month would not suffice."""
    for share, mode in _MONTH_SHARES:
        if use.used >= share * use.allowed:
            return mode
    return Mode.BULK_WAITS if use.forecast > use.allowed else Mode.NORMAL


def mode_of_day(remaining: int | None, reserves: tuple[int, int, int, int]) -> Mode:
    """Say who waits where a company has so many calls left today; None means that nobody knows.

    `reserves` is what each priority leaves to the more urgent ones.
    """
    if remaining is None:
        return Mode.NORMAL
    held = (Mode.STOPPED, Mode.PEOPLE_ONLY, Mode.SCHEDULE_WAITS, Mode.BULK_WAITS)
    for priority in Priority:
        if remaining <= reserves[priority]:
            return held[priority]
    return Mode.NORMAL

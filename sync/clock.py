"""Time as an argument: use cases ask a Clock, so that tests and the simulator decide what time it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is, always with a zone."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is moved; for tests, rehearsals and the simulator."""

    def __init__(self, start: datetime) -> None:
        """Start at the given instant, which must carry a zone."""
        assert start.tzinfo is not None, "a clock needs a time zone"
        self._now = start

    def now(self) -> datetime:
        """Return the instant the clock was last set to."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Move the clock forward."""
        assert by >= timedelta(0), "time does not run backwards"
        self._now += by


# An answer's own time is rounded, and was taken somewhere between the question and the answer.
ROUNDED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Skew:
    """How far another clock is ahead of ours, and how wrong that figure may be on either side."""

    ahead: timedelta
    margin: timedelta


class SkewMeter:
    """Measures another clock by the times its answers carry; the quickest answer says it best."""

    def __init__(self) -> None:
        """Begin without a measurement."""
        self.skew: Skew | None = None

    def note(self, told: datetime | None, *, asked_at: datetime, answered_at: datetime) -> None:
        """Take one answer's own time into account; one that took longer than the best so far says nothing new."""
        if told is None:
            return
        half = (answered_at - asked_at) / 2
        if self.skew is None or half + ROUNDED < self.skew.margin:
            self.skew = Skew(told - (asked_at + half), half + ROUNDED)

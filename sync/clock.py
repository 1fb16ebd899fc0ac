"""Time as an argument: use cases ask a Clock, so that tests and the simulator decide what time it is."""

from __future__ import annotations

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

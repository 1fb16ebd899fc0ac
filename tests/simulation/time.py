"""Virtual time: one clock behind the product and the sandboxes, which only moves when the simulator says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# Far from any day on which this may run: what the database stamps by its own clock is then older than everything.
START = datetime(2040, 3, 1, 12, 0, tzinfo=UTC)


class VirtualClock:
    """Says the same instant until it is moved; things can be laid in wait for a later instant."""

    def __init__(self) -> None:
        """Begin at the start of the simulated time."""
        self._now = START
        self._waiting: list[tuple[datetime, Callable[[], None]]] = []

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return self._now

    def timestamp(self) -> float:
        """Return the present instant in seconds since 1970."""
        return self._now.timestamp()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something once so much time has passed."""
        self._waiting.append((self._now + timedelta(seconds=seconds), action))

    def forget(self) -> None:
        """Let nothing more happen of what was laid in wait."""
        self._waiting.clear()

    def move(self, seconds: float) -> None:
        """Let time pass and do what was laid in wait, in order."""
        self._now += timedelta(seconds=seconds)
        due = sorted((item for item in self._waiting if item[0] <= self._now), key=lambda item: item[0])
        self._waiting = [item for item in self._waiting if item[0] > self._now]
        for _, action in due:
            action()

"""A clock in fast motion: limits of minutes are met in seconds, and both sides of a wire agree on the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class FastClock:
    """A clock that runs some times as fast as the machine's."""

    def __init__(self, *, scale: float, ahead: timedelta = timedelta()) -> None:
        """Begin at the present, or so far ahead of it."""
        self.scale = scale
        self.began, self._real = datetime.now(UTC) + ahead, time.monotonic()

    def now(self) -> datetime:
        """What time it is in fast motion."""
        return self.began + timedelta(seconds=(time.monotonic() - self._real) * self.scale)

    def sleep(self, seconds: float) -> None:
        """Wait so many of its own seconds."""
        time.sleep(seconds / self.scale)

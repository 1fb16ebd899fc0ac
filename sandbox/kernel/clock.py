"""A clock that can be moved, frozen and made faster, so that tests need not wait for a token to expire."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

# Years 1970 to 2900: beyond them dates in tokens, limits and documents can no longer be written.
SECONDS_LATEST = 29_348_006_400.0
SCALE_MAX = 1_000_000.0


def _within_reach(seconds: float) -> float:
    """Refuse a time that no date can express."""
    if not 0 <= seconds <= SECONDS_LATEST:
        raise ValueError("The clock can stand anywhere between the years 1970 and 2900, not beyond.")
    return seconds


class MovableClock:
    """Wall time plus an offset, running at `scale` sandbox seconds per real second."""

    def __init__(self, *, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._real_anchor = source()
        self._base = self._real_anchor
        self.scale = 1.0
        self.is_frozen = False

    def timestamp(self) -> float:
        """Return sandbox time in seconds since 1970."""
        if self.is_frozen:
            return self._base
        return self._base + (self._source() - self._real_anchor) * self.scale

    def now(self) -> datetime:
        """Return sandbox time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def move_to(self, moment: datetime) -> None:
        """Set the clock; it goes on running from there unless it is frozen."""
        if moment.tzinfo is None:
            raise ValueError("The clock needs a time with an offset, such as 2026-03-01T09:00:00Z.")
        self._base = _within_reach(moment.timestamp())
        self._real_anchor = self._source()

    def shift(self, seconds: float) -> None:
        """Move the clock forward, or back when `seconds` is negative."""
        self._settle()
        self._base = _within_reach(self._base + seconds)

    def set_scale(self, scale: float) -> None:
        """Let sandbox time run `scale` times as fast as real time."""
        if not 0 < scale <= SCALE_MAX:
            raise ValueError(
                f"The time scale must be above 0 and at most {SCALE_MAX:,.0f}; freeze the clock to stop it."
            )
        self._settle()
        self.scale = scale

    def freeze(self, *, is_frozen: bool = True) -> None:
        """Stop the clock, or let it run again from where it stands."""
        self._settle()
        self.is_frozen = is_frozen

    def describe(self) -> dict[str, Any]:
        """Return what the control route shows."""
        return {"now": self.now().isoformat(), "scale": self.scale, "frozen": self.is_frozen}

    def reset(self) -> None:
        """Return to real time."""
        self._real_anchor = self._base = self._source()
        self.scale = 1.0
        self.is_frozen = False

    def _settle(self) -> None:
        self._base = self.timestamp()
        self._real_anchor = self._source()

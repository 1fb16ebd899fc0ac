"""How often one caller may ask: a bucket of requests per caller that refills steadily, counted in this process.

In-process on purpose: a count in the database would cost every request a write, and the limit protects this process.
Behind several processes each counts for itself.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_SECONDS = 60
BUCKETS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request may go on, how many more may at once, and when the next one may."""

    is_allowed: bool
    limit: int
    remaining: int
    wait_seconds: int

    def headers(self) -> dict[str, str]:
        """Say it as the IETF's RateLimit fields do."""
        return {
            "RateLimit-Policy": f'"caller";q={self.limit};w={MINUTE_SECONDS}',
            "RateLimit": f'"caller";r={self.remaining};t={self.wait_seconds}',
        }


class RateLimit:
    """Counts requests per caller; one object serves all threads of a process."""

    def __init__(self, per_minute: int, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """Allow so many requests in a minute; 0 means no limit."""
        self.per_minute = per_minute
        self._seconds = seconds
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str, *, count: int = 1) -> Allowance | None:
        """Count a request; None where nothing is limited. With `count=0` only look."""
        if self.per_minute == 0:
            return None
        now, per_second = self._seconds(), self.per_minute / MINUTE_SECONDS
        with self._lock:
            if len(self._buckets) >= BUCKETS_MAX:
                self._forget_full(now, per_second)
            left, at = self._buckets.get(caller, (self.per_minute, now))
            left = min(self.per_minute, left + (now - at) * per_second)
            is_allowed = left >= 1
            if is_allowed:
                left -= count
            self._buckets[caller] = (left, now)
        wait = 0 if left >= 1 else math.ceil((1 - left) / per_second)
        return Allowance(is_allowed, self.per_minute, max(0, int(left)), wait)

    def _forget_full(self, now: float, per_second: float) -> None:
        waiting = {
            caller: (left, at)
            for caller, (left, at) in self._buckets.items()
            if left + (now - at) * per_second < self.per_minute
        }
        # Made-up callers must not fill the memory: past the limit everybody starts anew.
        self._buckets = waiting if len(waiting) < BUCKETS_MAX else {}

"""Keeps calls to one company below a provider's limits, so that throttling is the exception.

A moving window, because neither provider says when its own window begins. It counts this process only; that two
processes do not sync one connection at once is decided elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence


class Pace:
    """At most so many calls in so many seconds, for each of several windows."""

    def __init__(
        self,
        windows: Sequence[tuple[int, float]],
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._windows = [(count, seconds, deque[float](maxlen=count)) for count, seconds in windows]
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Wait until one more call fits every window, count it, and return the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                now = self._now()
                delay = max((self._delay(window, now) for window in self._windows), default=0.0)
                if delay <= 0:
                    for _, _, taken in self._windows:
                        taken.append(now)
                    return waited
            self._sleep(delay)
            waited += delay

    @staticmethod
    def _delay(window: tuple[int, float, deque[float]], now: float) -> float:
        count, seconds, taken = window
        return taken[0] + seconds - now if len(taken) == count else 0.0


class Paces:
    """One pace per company and kind of call, shared by all threads of the process."""

    def __init__(self, windows: Sequence[tuple[int, float]]) -> None:
        self._windows = windows
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def of(self, company_id: str) -> Pace:
        """Return the pace of one company."""
        with self._lock:
            return self._paces.setdefault(company_id, Pace(self._windows))

"""How often one caller may ask: a bucket of requests per caller that refills steadily.

Two ways to count. `RateLimit` counts in this process: for wrong keys, whose senders anybody can make up, so that no
stranger makes rows in the database. `SharedRateLimit` counts known callers for all processes over one database; it takes
their requests in blocks, because a write for every request would cost more than most requests do.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
import structlog

from resources.store.request_pace import Given
from sync.clock import Clock, SystemClock

MINUTE_SECONDS = 60
BUCKETS_MAX = 10_000
# What a process was given and has not used is good for so long.
BLOCK_KEPT = timedelta(seconds=MINUTE_SECONDS)
# For how long a database that did not answer is not asked again.
DATABASE_REST = timedelta(seconds=5)

log = structlog.get_logger(__name__)


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


class Pace(Protocol):
    """Where the counts are that all processes share."""

    def take(self, caller: str, *, per_minute: int, now: datetime) -> Given:
        """Ask for a block of a caller's requests; none where the minute is used up."""
        ...


@dataclass(slots=True)
class _Hand:
    """What this process has of one caller's requests, and what the others had left when it was given that."""

    count: int
    remaining: float
    at: datetime


class SharedRateLimit:
    """Counts requests per caller for all processes; one object serves all threads of a process.

    While the database does not answer, each process counts for itself.
    """

    def __init__(self, per_minute: int, pace: Pace, *, clock: Clock | None = None) -> None:
        """Allow so many requests in a minute; 0 means no limit."""
        self.per_minute = per_minute
        self._pace = pace
        # The limit is about the load of now, whatever time the product is told it is.
        self._clock = clock or SystemClock()
        self._alone = RateLimit(per_minute, seconds=lambda: self._clock.now().timestamp())
        self._alone_until: datetime | None = None
        self._lock = threading.Lock()
        self._hands: dict[str, _Hand] = {}

    def take(self, caller: str) -> Allowance | None:
        """Count a request; None where nothing is limited."""
        if self.per_minute == 0:
            return None
        allowance = self.take_at_hand(caller)
        if allowance is not None:
            return allowance
        now = self._clock.now()
        is_alone = self._alone_until is not None and now < self._alone_until
        if is_alone:
            return self._alone.take(caller)
        # Not under the lock: other callers of this process need not wait for the database.
        try:
            given = self._pace.take(caller, per_minute=self.per_minute, now=now)
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            log.warning("rate_limit_not_shared", kind=type(error).__name__)
            self._alone_until = now + DATABASE_REST
            return self._alone.take(caller)
        with self._lock:
            hand = self._hand(caller, given, now)
            return self._said(hand, now, is_allowed=given.count > 0)

    def take_at_hand(self, caller: str) -> Allowance | None:
        """Count a request by what this process was given; None, and nothing counted, where it has to ask."""
        with self._lock:
            return self._from_hand(caller, self._clock.now())

    def _from_hand(self, caller: str, now: datetime) -> Allowance | None:
        """Count a request by what this process knows; None where only the database can tell."""
        hand = self._hands.get(caller)
        if hand is None:
            return None
        if now - hand.at > BLOCK_KEPT:
            del self._hands[caller]
            return None
        if hand.count:
            hand.count -= 1
            return self._said(hand, now, is_allowed=True)
        # The others can only have taken from what was left since.
        return self._said(hand, now, is_allowed=False) if self._left(hand, now) < 1 else None

    def _hand(self, caller: str, given: Given, now: datetime) -> _Hand:
        """Keep what was given, less the request it was asked for; several threads may have asked at once."""
        if len(self._hands) >= BUCKETS_MAX:
            fresh = {caller: hand for caller, hand in self._hands.items() if now - hand.at <= BLOCK_KEPT}
            self._hands = fresh if len(fresh) < BUCKETS_MAX else {}
        before = self._hands.get(caller)
        count = max(0, given.count - 1) + (before.count if before else 0)
        self._hands[caller] = hand = _Hand(count, given.remaining, now)
        return hand

    def _left(self, hand: _Hand, now: datetime) -> float:
        """How many requests are left for all processes to ask for, at most."""
        seconds = max(0.0, (now - hand.at).total_seconds())
        return min(self.per_minute, hand.remaining + seconds * self.per_minute / MINUTE_SECONDS)

    def _said(self, hand: _Hand, now: datetime, *, is_allowed: bool) -> Allowance:
        left = self._left(hand, now)
        remaining = min(self.per_minute, hand.count + int(left))
        wait = 0 if remaining else math.ceil((1 - left) * MINUTE_SECONDS / self.per_minute)
        return Allowance(is_allowed, self.per_minute, remaining, wait)

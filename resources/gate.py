"""One budget of calls for all processes: who may call a company's accounting system now, and who waits.

A provider counts calls per company and minute, per company at once, per company and day, and per app; several
processes share each of these. The counts live in Postgres, one row per company, and one statement decides: a sliding
window for the minute (exact, so that no fixed window of the provider's can overflow), leases for what is under way, the
provider's own figure for the day, and a steady rate (GCRA) for the app. A caller that is refused leaves its mark, and
less urgent ones let it go first.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

from resources.store.database import Database
from sync.clock import Clock
from sync.errors import RateLimited

# As long as the longest call may take: a process that died gives its place back after it.
LEASE = timedelta(seconds=130)
WAIT_SECONDS_MAX = 90.0
NAP_SECONDS_MAX = 2.0
# How long a figure of the day's rest is believed; then one call is let through to learn it anew.
DAY_FIGURE_KEPT = timedelta(hours=1)


class Priority(IntEnum):
    """Who goes first; the smaller, the more urgent."""

    PERSON = 0
    REAL_TIME = 1
    SCHEDULE = 2
    BULK = 3


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What a provider allows, a little below its own figures."""

    calls: int
    seconds: float
    at_once: int
    app_calls: int
    app_seconds: float
    # What each priority leaves of the day's calls to the more urgent ones.
    day_reserve: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(slots=True)
class Ticket:
    """One call under way; what the answer said about the budget is noted here."""

    day_remaining: int | None = None
    pause_seconds: float | None = None


class Gate(Protocol):
    """Lets calls to companies through, one at a time."""

    def admit(self, company_id: str) -> AbstractContextManager[Ticket]:
        """Wait for a place, and hold it for the length of a block; raises RateLimited where the wait is too long."""
        ...


class OpenGate:
    """A gate without limits: for the calls of a consent, and for tests."""

    @contextmanager
    def admit(self, _company_id: str) -> Iterator[Ticket]:
        """Let the call through."""
        yield Ticket()


class SharedGate:
    """A gate whose counts are shared by every process over one database."""

    def __init__(
        self,
        database: Database,
        *,
        provider: str,
        title: str,
        limits: CallLimits,
        priority: Priority,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`provider` keeps the counts of two providers apart."""
        self._database = database
        self._provider = provider
        self._title = title
        self._limits = limits
        self._priority = priority
        self._clock = clock
        self._sleep = sleep
        self._opened: set[str] = set()

    @contextmanager
    def admit(self, company_id: str) -> Iterator[Ticket]:
        """Wait for a place, hold it during the block, and share what the answer told."""
        company, app = _key(self._provider, company_id), _key(self._provider, "")
        self._open(company, app)
        lease = self._wait(company, app)
        ticket = Ticket()
        try:
            yield ticket
        finally:
            now = self._clock.now()
            pause = ticket.pause_seconds
            with self._database.shared_tx() as transaction:
                transaction.run(
                    "pace_done",
                    company=company,
                    lease=lease,
                    day_remaining=ticket.day_remaining,
                    blocked_until=None if pause is None else now + timedelta(seconds=pause),
                    now=now,
                )

    def _open(self, company: str, app: str) -> None:
        if company not in self._opened:
            with self._database.shared_tx() as transaction:
                transaction.run("pace_open", company=company, app=app)
            self._opened.add(company)

    def _wait(self, company: str, app: str) -> datetime:
        waited = 0.0
        while True:
            lease, wait, is_day_short = self._take(company, app)
            if lease is not None:
                return lease
            if is_day_short:
                raise RateLimited(
                    f"{self._title} allows a number of calls a day, and what is left of them is kept for more urgent work."
                    " The rest is done by itself after the provider's day has ended.",
                    provider=self._title,
                    wait_seconds=int(DAY_FIGURE_KEPT.total_seconds()),
                )
            if waited + wait > WAIT_SECONDS_MAX:
                raise RateLimited(provider=self._title, wait_seconds=int(wait) + 1)
            # Short naps, because somebody else may give a place back early; not all at the same moment.
            nap = min(wait, NAP_SECONDS_MAX) + random.uniform(0.0, 0.02)  # noqa: S311 - spreads callers, guards nothing
            self._sleep(nap)
            waited += nap

    def _take(self, company: str, app: str) -> tuple[datetime | None, float, bool]:
        limits, now = self._limits, self._clock.now()
        step = limits.app_seconds / limits.app_calls
        with self._database.shared_tx() as transaction:
            row = transaction.row(
                "pace_take",
                company=company,
                app=app,
                now=now,
                lease=now + LEASE,
                calls=limits.calls,
                span=timedelta(seconds=limits.seconds),
                at_once=limits.at_once,
                step=timedelta(seconds=step),
                # A second's worth may come at once; more would overflow the provider's own window.
                slack=timedelta(seconds=min(1.0, limits.app_seconds / 10)),
                priority=int(self._priority),
                day_reserve=limits.day_reserve[self._priority],
                believed=now - DAY_FIGURE_KEPT,
            )
        assert row is not None, "the company's row was made by pace_open"
        return row["lease"], float(row["wait"]), bool(row["is_day_short"])  # not money: seconds


def _key(provider: str, company_id: str) -> str:
    """Return the name of a count: no company can be read from it."""
    return f"{provider}:{hashlib.sha256(company_id.encode()).hexdigest()[:24] if company_id else 'app'}"

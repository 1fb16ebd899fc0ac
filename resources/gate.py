"""One budget of calls for all processes: who may call a company's accounting system now, and who waits.

A provider counts calls per company and minute, per company at once, per company and day, and per app; several
processes share each of these. The counts live in Postgres, one row per company, and one statement decides: a sliding
window for the minute (exact, so that no fixed window of the provider's can overflow), leases for what is under way, the
provider's own figure for the day, and steady rates (GCRA) for a company and the app. A caller that is refused leaves its
mark, and less urgent ones let it go first. Every call is added to the company's meter in the statement that ends it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from resources.meter import MonthPlan, expected_calls_of_a_day, key_of
from resources.store.database import Database
from sync.clock import Clock
from sync.errors import RateLimited
from sync.quota import Priority

# As long as the longest call may take: a process that died gives its place back after it.
LEASE = timedelta(seconds=130)
WAIT_SECONDS_MAX = 90.0
NAP_SECONDS_MAX = 2.0
# How long a figure of the day's rest is believed; then one call is let through to learn it anew.
DAY_FIGURE_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many calls in any so many seconds."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second, of which a few may come at once."""

    calls_a_second: float
    at_a_time: int


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What a provider allows, a little below its own figures; None where it sets no such limit."""

    at_once: int
    window: Window | None = None
    rate: Rate | None = None
    # Batches count here as well.
    batches: Window | None = None
    app: Window | None = None
    # What each priority leaves of the day's calls to the more urgent ones.
    day_reserve: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Budget:
    """What the calls to one provider are counted against, for all companies."""

    # Keeps the counts of two providers apart.
    provider: str
    title: str
    limits: CallLimits
    plan: MonthPlan | None = None


@dataclass(slots=True)
class Ticket:
    """One call under way; what the answer said about the budget and what it cost is noted here."""

    day_remaining: int | None = None
    pause_seconds: float | None = None
    metered_reads: int = 0
    bytes_read: int = 0
    is_throttled: bool = False


class Gate(Protocol):
    """Lets calls to companies through, one at a time."""

    def admit(
        self, company_id: str, *, is_batch: bool = False, is_metered: bool = False
    ) -> AbstractContextManager[Ticket]:
        """Wait for a place, and hold it for the length of a block; raises RateLimited where the wait is too long.

        `is_metered` says that the call counts against the app's plan of the month.
        """
        ...


class OpenGate:
    """A gate without limits: for the calls of a consent, and for tests."""

    @contextmanager
    def admit(
        self,
        company_id: str,
        *,
        is_batch: bool = False,
        is_metered: bool = False,
    ) -> Iterator[Ticket]:
        """Let the call through."""
        del company_id, is_batch, is_metered
        yield Ticket()


class SharedGate:
    """A gate whose counts are shared by every process over one database."""

    def __init__(
        self,
        database: Database,
        budget: Budget,
        *,
        priority: Priority,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`priority` is that of every call through this gate."""
        self._database = database
        self._provider = budget.provider
        self._title = budget.title
        self._limits = budget.limits
        self._plan = budget.plan
        self._priority = priority
        self._clock = clock
        self._sleep = sleep
        # Company -> what this priority leaves of its day to others.
        self._reserves: dict[str, int] = {}

    @contextmanager
    def admit(self, company_id: str, *, is_batch: bool = False, is_metered: bool = False) -> Iterator[Ticket]:
        """Wait for a place, hold it during the block, and share what the answer told and cost."""
        if is_metered and self._plan is not None:
            self._plan.require(self._priority)
        keys = self._keys(company_id, is_batch=is_batch)
        if self._priority is Priority.BULK and keys.company not in self._reserves:
            self._reserves[keys.company] = self._reserve_of_bulk(keys.company)
        lease = self._wait(keys)
        ticket = Ticket()
        try:
            yield ticket
        finally:
            self._done(keys, lease, ticket)

    def _keys(self, company_id: str, *, is_batch: bool = False) -> _Keys:
        company = key_of(self._provider, company_id)
        return _Keys(
            company=company,
            batches=f"{company}:batch" if is_batch and self._limits.batches else None,
            app=key_of(self._provider, "") if self._limits.app else None,
        )

    def _open(self, company: str) -> None:
        """Make the rows of a company."""
        with self._database.shared_statement() as transaction:
            transaction.run("pace_open", keys=[company, f"{company}:batch", key_of(self._provider, "")])

    def _reserve_of_bulk(self, company: str) -> int:
        """Return how much of a company's day large imports leave to others.

        That is at least what its other work used on an average day of the last week, so that they cannot starve
        tomorrow morning's syncs.
        """
        reserve = self._limits.day_reserve[Priority.BULK]
        if not reserve:
            return 0
        with self._database.shared_statement() as transaction:
            expected = expected_calls_of_a_day(transaction, company, now=self._clock.now())
        return max(reserve, expected)

    def _done(self, keys: _Keys, lease: datetime, ticket: Ticket) -> None:
        now, pause = self._clock.now(), ticket.pause_seconds
        with self._database.shared_statement() as transaction:
            transaction.run(
                "pace_done",
                company=keys.company,
                lease=lease,
                day_remaining=ticket.day_remaining,
                blocked_until=None if pause is None else now + timedelta(seconds=pause),
                priority=int(self._priority),
                metered_reads=ticket.metered_reads,
                bytes_read=ticket.bytes_read,
                throttled=int(ticket.is_throttled),
                now=now,
            )

    def _wait(self, keys: _Keys) -> datetime:
        waited = 0.0
        while True:
            lease, wait, is_day_short = self._take(keys)
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

    def _take(self, keys: _Keys) -> tuple[datetime | None, float, bool]:
        limits, now = self._limits, self._clock.now()
        window, rate, batches, app = limits.window, limits.rate, limits.batches, limits.app
        step = timedelta(seconds=1 / rate.calls_a_second) if rate else None
        with self._database.shared_statement() as transaction:
            row = transaction.row(
                "pace_take",
                company=keys.company,
                batches=keys.batches,
                app=keys.app,
                now=now,
                lease=now + LEASE,
                at_once=limits.at_once,
                calls=window.calls if window else None,
                span=timedelta(seconds=window.seconds) if window else None,
                batch_calls=batches.calls if batches else None,
                batch_span=timedelta(seconds=batches.seconds) if batches else None,
                company_step=step,
                company_slack=step * (rate.at_a_time - 1) if rate and step else None,
                step=timedelta(seconds=app.seconds / app.calls) if app else None,
                # A second's worth may come at once; more would overflow the provider's own window.
                slack=timedelta(seconds=min(1.0, app.seconds / 10)) if app else None,
                priority=int(self._priority),
                day_reserve=self._reserves.get(keys.company, limits.day_reserve[self._priority]),
                believed=now - DAY_FIGURE_KEPT,
            )
        if row is None:
            # The first call ever to this company.
            self._open(keys.company)
            return self._take(keys)
        return row["lease"], float(row["wait"]), bool(row["is_day_short"])  # not money: seconds


@dataclass(frozen=True, slots=True)
class _Keys:
    """The rows one call is counted in."""

    company: str
    batches: str | None
    app: str | None

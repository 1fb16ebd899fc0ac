"""The meter of calls: what companies used, what a month's plan still allows, and what it will come to.

The counts are written by the gate, one row per company, day and priority; companies are named by a hash.
"""

from __future__ import annotations

import calendar
import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from resources.store.database import Database, Transaction
from sync.clock import Clock
from sync.errors import RateLimited
from sync.quota import Mode, MonthUse, Priority, mode_of_day, mode_of_month

# How long the month's figures are believed: a sum over all companies.
FIGURES_KEPT = timedelta(seconds=60)
# No forecast looks further back.
KEPT_DAYS = 70


def key_of(provider: str, company_id: str) -> str:
    """Return the name of a count: no company can be read from it. An empty company means the whole app."""
    return f"{provider}:{hashlib.sha256(company_id.encode()).hexdigest()[:24] if company_id else 'app'}"


def expected_calls_of_a_day(transaction: Transaction, company: str, *, now: datetime) -> int:
    """Return what a company's work other than bulk used on an average day of the last week."""
    row = transaction.row("meter_of_company", company=company, today=now.astimezone(UTC).date(), now=now)
    if row is None or not row["days_of_the_week"]:
        return 0
    return int(row["calls_of_the_week"]) // int(row["days_of_the_week"])


def month_use(transaction: Transaction, *, provider: str, allowed: int, now: datetime) -> MonthUse:
    """Return what all companies of a provider came to in this month, by UTC."""
    today = now.astimezone(UTC)
    row = transaction.row("meter_of_app", provider=provider, today=today.date())
    assert row is not None, "sums always have a row"
    days = calendar.monthrange(today.year, today.month)[1]
    past = today.day - 1 + (today.hour + today.minute / 60) / 24
    used, days_of_the_week = int(row["reads_of_the_month"]), int(row["days_of_the_week"])
    return MonthUse(
        used=used,
        allowed=allowed,
        # Before the first whole day, the day so far stands for it.
        a_day=int(row["reads_of_the_week"]) / days_of_the_week
        if days_of_the_week
        else used / max(past, 0.25),
        days_left=days - past,
    )


class MonthPlan:
    """An app's plan of metered reads a month, shared by all threads of a process."""

    def __init__(self, database: Database, *, provider: str, title: str, allowed: int, clock: Clock) -> None:
        """`allowed` is the plan's number of reads in a calendar month."""
        self._database = database
        self._provider = provider
        self._title = title
        self._allowed = allowed
        self._clock = clock
        self._lock = threading.Lock()
        self._seen_at: datetime | None = None
        self._mode = Mode.NORMAL

    def require(self, priority: Priority) -> None:
        """Let a read of this priority through, or raise RateLimited with the sentence that says who waits."""
        mode = self.mode()
        if not mode.lets(priority):
            raise RateLimited(
                f"{self._title} allows {self._allowed:,} reads a month for all companies together, and they are nearly"
                f" used up. {mode.sentence}",
                provider=self._title,
                wait_seconds=3600,
            )

    def mode(self) -> Mode:
        """Say who waits, by figures of the last minute."""
        now = self._clock.now()
        with self._lock:
            if self._seen_at is None or not timedelta() <= now - self._seen_at < FIGURES_KEPT:
                with self._database.shared_tx() as transaction:
                    use = month_use(transaction, provider=self._provider, allowed=self._allowed, now=now)
                self._mode, self._seen_at = mode_of_month(use), now
            return self._mode


@dataclass(frozen=True, slots=True)
class Quota:
    """What a company's calls came to, what is left, and who waits."""

    calls_today: int
    calls_left_today: int | None
    # What today comes to if the rest of it is like the last week's days.
    calls_forecast_today: int
    throttled_today: int
    metered_reads_this_month: int
    bytes_read_this_month: int
    asked_to_wait_until: datetime | None
    # Whether a call waits for its turn at this moment.
    is_waiting: bool
    mode: Mode


def quota_of(
    transaction: Transaction,
    *,
    provider: str,
    company_id: str,
    reserves: tuple[int, int, int, int],
    month: Mode,
    now: datetime,
) -> Quota:
    """Return a company's figures and the stricter of its day's and the app's month's mode."""
    row = transaction.row(
        "meter_of_company", company=key_of(provider, company_id), today=now.astimezone(UTC).date(), now=now
    )
    if row is None:
        return Quota(0, None, 0, 0, 0, 0, None, False, month)
    calls = int(row["calls_today"])
    days = int(row["days_of_the_week"])
    a_day = int(row["calls_of_the_week"]) / days if days else 0.0
    clock = now.astimezone(UTC)
    left_of_day = 1 - (clock.hour * 60 + clock.minute) / (24 * 60)
    blocked = row["blocked_until"]
    seen = row["day_seen_at"]
    # Yesterday's figure says nothing of today.
    remaining = (
        row["day_remaining"] if seen is not None and seen.astimezone(UTC).date() == clock.date() else None
    )
    is_blocked = isinstance(blocked, datetime) and blocked > now
    modes = [month, mode_of_day(remaining, reserves)]
    return Quota(
        calls_today=calls,
        calls_left_today=remaining,
        calls_forecast_today=round(calls + a_day * left_of_day),
        throttled_today=int(row["throttled_today"]),
        metered_reads_this_month=int(row["reads_of_the_month"]),
        bytes_read_this_month=int(row["bytes_of_the_month"]),
        asked_to_wait_until=blocked if is_blocked else None,
        is_waiting=bool(row["is_waiting"]),
        mode=max(modes, key=list(Mode).index),
    )

"""How a connection is doing: green, yellow or red, with the reasons in words (requirement §9).

Red means that something does not arrive (an error, lost access, a sync that should have run and did not). Yellow
means that something waits for a person or will soon. Green means neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sync.counting import counted

Color = Literal["green", "yellow", "red"]

# A sync may start late (a restart, a busy machine, the builder's sync window) before anybody needs to worry.
LATE_AFTER = timedelta(hours=1)
EXPIRY_WARNING = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Everything a connection's health depends on."""

    title: str
    status: str
    last_sync_at: datetime | None
    next_due_at: datetime | None
    access_ends_at: datetime | None
    status_reason: str | None = None
    refresh_failures: int = 0
    errors: int = 0
    held: int = 0
    conflicts: int = 0
    last_run_status: str | None = None
    last_run_error: str | None = None
    unmapped: int = 0
    is_tied: bool | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a connection from being green."""

    color: Color
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """A colour, and every reason for it, the worst first."""

    color: Color
    reasons: tuple[Reason, ...]


def connection_health(facts: ConnectionFacts, *, now: datetime) -> Health:
    """Judge one connection."""
    return _verdict([*_access(facts, now=now), *_freshness(facts, now=now), *_queues(facts)])


def overall_health(connections: Iterable[Health]) -> Health:
    """Judge a builder by the worst of the connections."""
    healths = list(connections)
    if not healths:
        return Health(
            "yellow", (Reason("yellow", "No accounting system is connected yet; connect one to begin."),)
        )
    return _verdict([reason for health in healths for reason in health.reasons])


def days_until(moment: datetime | None, *, now: datetime) -> int | None:
    """Return the whole days that are left, 0 once it has passed; None where nothing ends."""
    return None if moment is None else max(0, (moment - now).days)


def _verdict(reasons: list[Reason]) -> Health:
    red = [reason for reason in reasons if reason.color == "red"]
    yellow = [reason for reason in reasons if reason.color == "yellow"]
    return Health("red" if red else "yellow" if yellow else "green", (*red, *yellow))


def _access(facts: ConnectionFacts, *, now: datetime) -> Iterable[Reason]:
    if facts.status == "error":
        # It goes on by itself; the reason says what has to be done at the provider.
        yield Reason("red", facts.status_reason or f"{facts.title} does not let Tieout work in this company.")
        return
    if facts.status == "expired":
        detail = f" ({facts.status_reason})" if facts.status_reason else ""
        yield Reason("red", f"{facts.title} no longer accepts this connection{detail}. Reconnect it.")
        return
    if facts.refresh_failures:
        yield Reason(
            "yellow",
            f"Renewing the access to {facts.title} failed {counted(facts.refresh_failures, 'time')}; it is tried again by itself.",
        )
    left = days_until(facts.access_ends_at, now=now)
    if left is not None and facts.access_ends_at is not None and facts.access_ends_at - now <= EXPIRY_WARNING:
        yield Reason(
            "yellow", f"The access to {facts.title} ends in {counted(left, 'day')}. Reconnect it before then."
        )


def _freshness(facts: ConnectionFacts, *, now: datetime) -> Iterable[Reason]:
    if facts.last_run_status == "failed":
        detail = f": {facts.last_run_error}" if facts.last_run_error else "."
        yield Reason("red", f"The last sync with {facts.title} failed{detail}")
    late_by = _late_by(facts, now=now)
    if late_by is not None:
        yield Reason(
            "red",
            f"A sync with {facts.title} has been due for {_duration(late_by)} and has not run. Check that Dagster is running.",
        )
    elif facts.last_sync_at is None:
        yield Reason("yellow", f"Nothing was synced with {facts.title} yet.")


def _late_by(facts: ConnectionFacts, *, now: datetime) -> timedelta | None:
    due = facts.next_due_at
    if due is None or facts.status != "connected" or now - due <= LATE_AFTER:
        return None
    return now - due


def _queues(facts: ConnectionFacts) -> Iterable[Reason]:
    if facts.errors:
        yield Reason(
            "red",
            f"{counted(facts.errors, 'record')} could not be synced with {facts.title}. Look under Errors and held.",
        )
    if facts.conflicts:
        yield Reason(
            "yellow",
            f"{counted(facts.conflicts, 'record')} changed on both sides; choose which values to keep.",
        )
    if facts.held:
        yield Reason(
            "yellow",
            f"{counted(facts.held, 'record is', 'records are')} held until the cause is fixed. Look under Errors and held.",
        )
    if facts.unmapped:
        yield Reason(
            "yellow",
            f"{counted(facts.unmapped, 'used cost code has', 'used cost codes have')} no account. Complete the account mapping.",
        )
    if facts.is_tied is False:
        yield Reason("yellow", f"The last tie-out with {facts.title} found a difference.")
    if facts.last_run_status == "partial":
        yield Reason("yellow", f"The last sync with {facts.title} left something undone.")


def _duration(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return counted(hours, "hour") if hours < 48 else f"{hours // 24} days"

"""Read models: what the API and the pages show, one function per list. Nothing here changes anything.

Rows come as the queries name their columns; `api.models` says what of them is shown and how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.store.database import Transaction
from resources.store.queue import FAILURES
from resources.store.run_requests import SyncRun

Row = dict[str, Any]

ACTIVE_STATUSES: tuple[str, ...] = ("connected", "error", "expired")
ALL_STATUSES: tuple[str, ...] = (*ACTIVE_STATUSES, "disconnected")
RECORDS_PER_LOG_MAX = 25


@dataclass(frozen=True, slots=True)
class After:
    """The last row of the page before."""

    at: datetime | None = None
    id: UUID | None = None


FROM_START = After()


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which part of the sync history is meant; None means any."""

    connection_id: UUID | None = None
    sync_run_id: UUID | None = None
    entity: str | None = None
    direction: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueView:
    """Which open rows of the queues are meant; None means any."""

    statuses: tuple[str, ...] = FAILURES
    id: UUID | None = None
    connection_id: UUID | None = None
    entity: str | None = None
    category: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def connections(
    tx: Transaction,
    *,
    statuses: Sequence[str] = ACTIVE_STATUSES,
    connection_id: UUID | None = None,
    after: After = FROM_START,
    rows_max: int = 100,
) -> list[Row]:
    """Return the builder's connections, newest first."""
    return _rows(
        tx,
        "view_connections",
        statuses=list(statuses),
        connection_id=connection_id,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def accounts(
    tx: Transaction,
    connection_id: UUID,
    *,
    states: Sequence[str],
    account_type: str | None,
    after: tuple[str, str] | None,
    rows_max: int,
) -> list[Row]:
    """Return the provider's chart of accounts, by name; `after` is the name and id of the last row before."""
    return _rows(
        tx,
        "view_accounts",
        connection_id=connection_id,
        states=list(states),
        account_type=account_type,
        after_name=after[0] if after else None,
        after_id=after[1] if after else None,
        rows_max=rows_max,
    )


def sync_log(tx: Transaction, chosen: LogFilter, *, after: After, rows_max: int) -> list[Row]:
    """Return the sync history, newest first."""
    return _rows(
        tx,
        "view_sync_log",
        connection_id=chosen.connection_id,
        sync_run_id=chosen.sync_run_id,
        entity=chosen.entity,
        direction=chosen.direction,
        status=chosen.status,
        since=chosen.since,
        until=chosen.until,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def sync_log_exists(tx: Transaction, log_id: UUID) -> bool:
    """Say whether a history row belongs to this builder."""
    return bool(tx.records("view_sync_log_exists", id=log_id))


def log_records(
    tx: Transaction, log_id: UUID, *, status: str | None, after: After, rows_max: int
) -> list[Row]:
    """Return the records of one history row, newest first."""
    return _rows(
        tx,
        "view_log_records",
        sync_log_id=log_id,
        status=status,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def first_log_records(tx: Transaction, log_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Return the newest few records of each history row."""
    found: dict[UUID, list[Row]] = {log_id: [] for log_id in log_ids}
    for row in _rows(tx, "view_log_records_first", sync_log_ids=list(log_ids), rows_max=RECORDS_PER_LOG_MAX):
        found[row["sync_log_id"]].append(row)
    return found


def queue(tx: Transaction, chosen: QueueView, *, after: After = FROM_START, rows_max: int = 1) -> list[Row]:
    """Return open rows of the error, review and conflict queues, newest first."""
    return _rows(
        tx,
        "view_queue",
        statuses=list(chosen.statuses),
        id=chosen.id,
        connection_id=chosen.connection_id,
        entity=chosen.entity,
        category=chosen.category,
        cause=chosen.cause,
        since=chosen.since,
        until=chosen.until,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def queue_counts(tx: Transaction) -> list[Row]:
    """Return how many rows wait in each queue, by connection and entity."""
    return _rows(tx, "view_queue_counts")


def run(tx: Transaction, run_id: UUID) -> SyncRun | None:
    """Return one sync run."""
    row = tx.row("view_run", id=run_id)
    return SyncRun(**row) if row else None


def newest_runs(tx: Transaction) -> dict[tuple[str, UUID], SyncRun]:
    """Return the newest run and the newest ended run of each connection, under ("newest" | "ended", connection)."""
    found: dict[tuple[str, UUID], SyncRun] = {}
    for row in _rows(tx, "view_newest_runs"):
        place = row.pop("place")
        found[place, row["connection_id"]] = SyncRun(**row)
    return found


def run_steps(tx: Transaction, run_id: UUID) -> list[Row]:
    """Return the history rows that a run has written so far, oldest first."""
    return _rows(tx, "view_run_steps", sync_run_id=run_id)


def newest_entity_logs(tx: Transaction, connection_id: UUID, *, entities: Sequence[str]) -> list[Row]:
    """Return the newest history row of each of these entities and each direction."""
    return _rows(tx, "view_newest_entity_logs", connection_id=connection_id, entities=list(entities))


def newest_tie_outs(tx: Transaction) -> dict[UUID, Row]:
    """Return the newest tie-out of each connection."""
    return {row["connection_id"]: row for row in _rows(tx, "view_newest_tie_outs")}


def _rows(tx: Transaction, query: str, /, **parameters: Any) -> list[Row]:
    return tx.records(query, **parameters)

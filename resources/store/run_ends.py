"""How a sync run ends: its row and its steps are closed, and the connection learns when it is due next."""

from __future__ import annotations

from datetime import datetime

from resources.store.database import Transaction
from sync.retry import FAILURES_COUNTED_MAX, RETRIED_APART
from sync.schedule import next_due, parked_until


def close_run(
    tx: Transaction,
    *,
    builder_id: str,
    connection_id: str,
    sync_run_id: str,
    error: str | None,
    calls: int,
    now: datetime,
) -> None:
    """Close a run with its outcome (`error` is the sentence it ended early with) and say when the next one is due.

    A connection whose run failed is parked: what waits for another try waits for the probe like everything else.
    """
    row = tx.row("read_connection_facts", builder_id=builder_id, connection_id=connection_id)
    assert row is not None, "a run belongs to a connection that exists"
    run = {"builder_id": builder_id, "sync_run_id": sync_run_id, "error": error, "now": now}
    tx.run("close_started_logs", **run)
    tx.run("finish_sync_run", **run, calls=calls)
    zone, window = row["time_zone"], row["sync_window"]
    due = next_due(row["sync_schedule"], after=now, time_zone=zone, window=window)
    retried_from = now + RETRIED_APART
    is_refused = row["status"] == "error"
    if error is not None or is_refused:
        # What somebody has to see to at the provider is no passing outage: it is probed at the longest distance at once.
        failures = (
            FAILURES_COUNTED_MAX if is_refused else _failures(tx, builder_id, connection_id, sync_run_id)
        )
        retried_from = parked_until(due, failures=failures, now=now, time_zone=zone, window=window)
        # Who starts every sync by hand is not probed; only what was to be tried again by itself still is.
        due = None if due is None else retried_from
    if error is not None:
        tx.run("forget_gave_way", builder_id=builder_id, sync_run_id=sync_run_id)
    tx.run(
        "note_last_sync",
        builder_id=builder_id,
        connection_id=connection_id,
        sync_run_id=sync_run_id,
        now=now,
        next_due_at=due,
        retried_from=retried_from,
    )


def _failures(tx: Transaction, builder_id: str, connection_id: str, sync_run_id: str) -> int:
    """How many syncs failed one after another; one that gave way to another comes again as after a first failure."""
    run = tx.row("read_sync_run", builder_id=builder_id, sync_run_id=sync_run_id)
    if run is not None and run["gave_way"]:
        return 1
    failures: int = tx.value(
        "failed_in_a_row",
        builder_id=builder_id,
        connection_id=connection_id,
        rows_max=FAILURES_COUNTED_MAX,
    )
    return failures

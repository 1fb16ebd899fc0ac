"""Forgets closed history after a while, so that the tables people look at stay small; the audit log is kept.

Per builder and in batches: no statement touches more rows than a page of them, and none waits for a sync.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from resources.imports.spool import Spool
from resources.meter import KEPT_DAYS
from resources.settings import Settings
from resources.store.dagster import builder_ids
from resources.store.database import Database

BATCH_ROWS = 5_000
# A caller of the API who has not asked for a minute has a full one again.
CALLERS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many went: records of syncs, rows of the history, syncs, days of the meter, files of imports."""

    records: int = 0
    log_rows: int = 0
    runs: int = 0
    meter_rows: int = 0
    files: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        """Add two counts."""
        return Forgotten(
            self.records + other.records,
            self.log_rows + other.log_rows,
            self.runs + other.runs,
            self.meter_rows + other.meter_rows,
            self.files + other.files,
        )

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"Forgot {self.records:,} records of past syncs, {self.log_rows:,} rows of the history, {self.runs:,} syncs and"
            f" {self.files:,} uploaded files;"
            " what still waits for somebody, and the audit log, stay."
        )


def forget_history(database: Database, settings: Settings, *, now: datetime) -> Forgotten:
    """Forget what is older than the settings say, for every builder; safe to repeat and to break off."""
    before = now - timedelta(days=settings.history_days)
    idle_before = max(before, now - timedelta(days=settings.idle_history_days))
    done = Forgotten()
    for builder_id in builder_ids(database):
        done += _forget_of(database, UUID(builder_id), before=before, idle_before=idle_before)
    oldest = (now.astimezone(UTC) - timedelta(days=KEPT_DAYS)).date()
    with database.shared_tx() as transaction:
        transaction.run("request_pace_drop_old", before=now - CALLERS_KEPT)
        done += Forgotten(meter_rows=transaction.run("meter_drop_old", before=oldest))
    files_before = now - timedelta(days=settings.import_file_days)
    return done + Forgotten(files=Spool(settings.import_folder).forget(before=files_before))


def _forget_of(database: Database, builder_id: UUID, *, before: datetime, idle_before: datetime) -> Forgotten:
    counts = {
        query: _in_batches(database, query, builder_id=builder_id, before=before, idle_before=idle_before)
        for query in ("history_drop_records", "history_drop_logs", "history_drop_runs")
    }
    return Forgotten(
        records=counts["history_drop_records"],
        log_rows=counts["history_drop_logs"],
        runs=counts["history_drop_runs"],
    )


def _in_batches(
    database: Database, query: str, *, builder_id: UUID, before: datetime, idle_before: datetime
) -> int:
    wanted = {"builder_id": builder_id, "before": before, "rows_max": BATCH_ROWS}
    if query != "history_drop_records":
        wanted["idle_before"] = idle_before
    total = 0
    while True:
        with database.builder_tx(builder_id) as transaction:
            rows = transaction.run(query, **wanted)
        total += rows
        if rows < BATCH_ROWS:
            return total

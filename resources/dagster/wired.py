"""The desk over the wired product: what Dagster asks is answered from the database, and syncs are opened there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

from uuid_utils.compat import uuid7

from resources.dagster.desk import (
    BegunRun,
    BrokenRun,
    ConnectedCompany,
    Desk,
    Doubt,
    DroppedFiles,
    DueConnection,
    FileReport,
    RehearsalWanted,
    RunRequested,
    SyncInProgress,
)
from resources.imports.drop_folder import builder_folders, take_in, waiting
from resources.logging import configure_logging
from resources.retention import Forgotten, forget_history
from resources.settings import load_settings
from resources.store import dagster as queries
from resources.store import rehearsals
from resources.store.database import Transaction
from resources.wiring import Tieout
from sync.money import amount_text
from sync.records import SYNC_ORDER
from sync.rehearsal import Rehearsal
from sync.schedule import next_due

REQUESTED_BY = {"scheduled": "schedule", "manual": "dagster", "initial_import": "dagster"}
UNFINISHED = ("queued", "started")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Open the product as this process's settings say, and its desk."""
    settings = load_settings()
    configure_logging(settings)
    with Tieout(settings) as tieout:
        yield WiredDesk(tieout)


class WiredDesk:
    """The desk as `resources.dagster.desk.Desk` describes it."""

    def __init__(self, tieout: Tieout) -> None:
        """Answer from this product."""
        self._tieout = tieout

    def connection_of(self, builder_id: str, provider: str) -> ConnectedCompany | None:
        """Return the builder's connection to a provider, or None where it has none to sync."""
        found = queries.connection_of(self._tieout.database, builder_id, provider)
        return ConnectedCompany(*found) if found else None

    def open_run(self, run: RunRequested) -> str:
        """Return the id of the sync run that a Dagster run stands for, making its row when nobody else did."""
        with self._tieout.database.builder_tx(UUID(run.builder_id)) as tx:
            sync_run_id = self._asked_for(tx, run) or self._known(tx, run) or self._new(tx, run)
            tx.run(
                "start_sync_run",
                builder_id=run.builder_id,
                sync_run_id=sync_run_id,
                dagster_run_id=run.dagster_run_id,
                now=self._tieout.clock.now(),
            )
        return sync_run_id

    def end_run(
        self, *, builder_id: str, connection_id: str, sync_run_id: str, error: str | None = None
    ) -> None:
        """Record how a sync run ended (early, with an error's sentence) and when the connection is due next."""
        self._tieout.finish_run(builder_id, connection_id, sync_run_id, error=error)

    def fail_runs_of(self, run: BrokenRun, *, sentence: str) -> int:
        """Record the end of every unfinished sync run that a dead Dagster run stood for; return how many."""
        builder_id = run.builder_id
        with self._tieout.database.builder_tx(UUID(builder_id)) as tx:
            rows = list(
                tx.rows("dagster_unfinished_runs", builder_id=builder_id, dagster_run_id=run.dagster_run_id)
            )
            if run.sync_run_id is not None:
                rows += tx.rows("dagster_run_unnoted", builder_id=builder_id, sync_run_id=run.sync_run_id)
            if not rows and run.connection_id is not None:
                self._postpone(tx, builder_id, run.connection_id)
        for row in rows:
            self._tieout.finish_run(builder_id, row["connection_id"], row["id"], error=sentence)
        return len(rows)

    def sync(
        self, builder_id: str, connection_id: str, sync_run_id: str
    ) -> AbstractContextManager[SyncInProgress]:
        """Open one connection's sync; one at a time per connection."""
        return self._tieout.sync(builder_id, connection_id, sync_run_id)

    def rehearse(self, builder_id: str, connection_id: str, wanted: RehearsalWanted) -> Rehearsal:
        """Carry out a rehearsal, asked for by the API or here, and return its diff; nothing is written to a book."""
        rehearsal_id = wanted.rehearsal_id or rehearsals.create(
            self._tieout.database,
            UUID(builder_id),
            request=rehearsals.RehearsalRequest(UUID(connection_id), "dagster", wanted.entities),
            now=self._tieout.clock.now(),
        )
        return self._tieout.rehearse(builder_id, rehearsal_id, dagster_run_id=wanted.dagster_run_id)

    def unbalanced_entries(self, builder_id: str) -> Sequence[Doubt]:
        """Return posted journal entries whose debits and credits differ."""
        return [
            Doubt(
                f"Journal entry {entry.number}",
                f"Journal entry {entry.number} has debits of {amount_text(entry.debits)} and credits of"
                f" {amount_text(entry.credits)}. Correct it on the platform; it waits until then.",
            )
            for entry in queries.unbalanced_entries(self._tieout.database, builder_id)
        ]

    def stale_unknowns(self, builder_id: str, connection_id: str) -> Sequence[Doubt]:
        """Return writes whose outcome has been unknown for more than a day."""
        found = queries.stale_unknowns(
            self._tieout.database, builder_id, connection_id=connection_id, now=self._tieout.clock.now()
        )
        return [
            Doubt(
                unknown.label,
                f"{unknown.label} was sent ({unknown.operation}) on {unknown.started_at:%d %B %Y} and never confirmed."
                " Look for it in the ledger and say under Errors what you found.",
            )
            for unknown in found
        ]

    def builder_ids(self) -> Sequence[str]:
        """Return every builder, oldest first."""
        return queries.builder_ids(self._tieout.database)

    @property
    def run_days(self) -> int:
        """Return for how many days Dagster keeps finished runs."""
        return self._tieout.settings.idle_history_days

    def forget_history(self) -> Forgotten:
        """Forget closed history of all builders that is older than the settings say; safe to repeat."""
        tieout = self._tieout
        return forget_history(tieout.database, tieout.settings, now=tieout.clock.now())

    def begin_due(self, connection: DueConnection, *, dagster_run_id: str) -> BegunRun | None:
        """Begin the scheduled sync run of a connection; None where it was synced since it was found due."""
        with self._tieout.database.builder_tx(UUID(connection.builder_id), is_planned_once=True) as tx:
            row = tx.row(
                "dagster_begin_due",
                builder_id=connection.builder_id,
                connection_id=connection.connection_id,
                provider=connection.provider,
                due_at=connection.due_at,
                dagster_run_id=dagster_run_id,
                sync_run_id=str(uuid7()),
                requested_by=REQUESTED_BY["scheduled"],
                now=self._tieout.clock.now(),
            )
        return BegunRun(**row) if row is not None else None

    def due_connections(self, *, limit: int) -> Sequence[DueConnection]:
        """Return connections whose sync is due, the longest waiting first."""
        with self._tieout.database.scheduler_tx() as tx:
            rows = tx.rows("dagster_due_connections", now=self._tieout.clock.now(), rows_max=limit)
        return [DueConnection(**row) for row in rows]

    def dropped_files(self) -> Sequence[DroppedFiles]:
        """Return the builders in whose drop folders files wait."""
        found = []
        for builder_id, folder in self._drop_folders().items():
            files = waiting(folder)
            if files:
                told = "|".join(f"{each.path}:{each.path.stat().st_mtime_ns}" for each in files)
                found.append(DroppedFiles(builder_id, hashlib.sha256(told.encode()).hexdigest()[:16]))
        return found

    def import_dropped(self, builder_id: str) -> Sequence[FileReport]:
        """Import what lies in a builder's drop folder; one file never stops the others."""
        folder = self._drop_folders().get(builder_id)
        if folder is None:
            return []
        return [
            FileReport(
                file_name=each.file_name,
                entity=each.entity,
                is_imported=each.is_imported,
                documents=each.documents,
                sentence=each.sentence,
                problem_count=each.problem_count,
                problems=[problem.sentence for problem in each.problems],
            )
            for each in take_in(self._tieout.imports, UUID(builder_id), folder)
        ]

    def _drop_folders(self) -> dict[str, Path]:
        folder = self._tieout.settings.drop_folder
        if folder is None:
            return {}
        with self._tieout.database.scheduler_tx() as tx:
            builders = {row["id"]: row["name"] for row in tx.rows("import_builders")}
        return builder_folders(folder, builders)

    @staticmethod
    def _asked_for(tx: Transaction, run: RunRequested) -> str | None:
        """The run the API asked for, as long as it is open or ours; a re-execution finds it ended and gets its own."""
        if run.sync_run_id is None:
            return None
        row = tx.row("read_sync_run", builder_id=run.builder_id, sync_run_id=run.sync_run_id)
        if row is None or row["connection_id"] != run.connection_id:
            return None
        is_ours = row["status"] in UNFINISHED or row["dagster_run_id"] == run.dagster_run_id
        return run.sync_run_id if is_ours else None

    @staticmethod
    def _known(tx: Transaction, run: RunRequested) -> str | None:
        row = tx.row(
            "dagster_sync_run",
            builder_id=run.builder_id,
            connection_id=run.connection_id,
            dagster_run_id=run.dagster_run_id,
        )
        return row["id"] if row else None

    def _new(self, tx: Transaction, run: RunRequested) -> str:
        sync_run_id = str(uuid7())
        tx.run(
            "create_sync_run",
            builder_id=run.builder_id,
            sync_run_id=sync_run_id,
            connection_id=run.connection_id,
            trigger=run.trigger,
            # No entities means all, as in a request through the API.
            entities=[]
            if len(run.entities) == len(SYNC_ORDER)
            else [entity.value for entity in run.entities],
            direction="both",
            requested_by=REQUESTED_BY[run.trigger],
            now=self._tieout.clock.now(),
            dagster_run_id=run.dagster_run_id,
        )
        return sync_run_id

    def _postpone(self, tx: Transaction, builder_id: str, connection_id: str) -> None:
        row = tx.row("read_connection_facts", builder_id=builder_id, connection_id=connection_id)
        if row is None:
            return
        now = self._tieout.clock.now()
        tx.run(
            "dagster_postpone",
            builder_id=builder_id,
            connection_id=connection_id,
            next_due_at=next_due(
                row["sync_schedule"], after=now, time_zone=row["time_zone"], window=row["sync_window"]
            ),
            now=now,
        )

"""Syncs that somebody asks for: the row comes first, Dagster second, so that no request is ever invisible.

Asking twice for the same thing while it is queued or under way gives the same run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from resources.store.database import Database
from sync.clock import Clock
from sync.errors import SyncError
from sync.records import SYNC_ORDER, Direction, Entity

# A queued run that has not begun by then was lost with the process that launched it (Dagster's queue is minutes).
QUEUED_FOR_MAX = timedelta(hours=2)
# One that Dagster was never heard to take: asking takes half a minute at most. Should it begin all the same, it gets a
# row of its own.
UNLAUNCHED_FOR_MAX = timedelta(minutes=2)
RUNS_FOR_MAX = timedelta(hours=24)

NEVER_BEGAN = "This sync never began. Check that Dagster is running, then start the sync again."
LAUNCH_BROKE = "This sync was not started because of an error on our side. Start it again."


class SyncLauncher(Protocol):
    """Starts a sync elsewhere; `resources.launcher.Launcher` asks Dagster, tests put a fake here."""

    def launch_sync(
        self,
        *,
        builder_id: str,
        connection_id: str,
        provider: str,
        sync_run_id: str,
        entities: Sequence[Entity] = (),
        direction: Direction = "both",
    ) -> str:
        """Start the sync and return the run's id there; no entities means all. Raises SyncError."""
        ...


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked for: which connection, which entities (none: all), which way, and by whom."""

    connection_id: UUID
    provider: str
    requested_by: str
    entities: frozenset[Entity] = frozenset()
    direction: Direction = "both"

    @property
    def ordered(self) -> list[Entity]:
        """The entities in the order in which they are synced; none where all are meant."""
        chosen = [entity for entity in SYNC_ORDER if entity in self.entities]
        return [] if len(chosen) == len(SYNC_ORDER) else chosen


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One sync as somebody asked for it."""

    id: UUID
    connection_id: UUID
    trigger: str
    entities: list[str]
    direction: str
    status: str
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    dagster_run_id: str | None
    provider_calls: int
    error_summary: str | None


@dataclass(frozen=True, slots=True)
class RequestedRun:
    """The run that answers a request, and whether it was made for it."""

    run: SyncRun
    is_new: bool


def request_run(
    database: Database, builder_id: UUID, *, request: RunRequest, launcher: SyncLauncher, clock: Clock
) -> RequestedRun:
    """Start a sync, or return the one that already does the same; a launch that fails leaves a failed row."""
    requested = _queue(database, builder_id, request=request, now=clock.now())
    if not requested.is_new:
        return requested
    sentence: str | None = LAUNCH_BROKE
    try:
        dagster_run_id = launcher.launch_sync(
            builder_id=str(builder_id),
            connection_id=str(request.connection_id),
            provider=request.provider,
            sync_run_id=str(requested.run.id),
            entities=request.ordered,
            direction=request.direction,
        )
        sentence = None
    except SyncError as error:
        sentence = error.user_message
        raise
    finally:
        if sentence is not None:
            with database.builder_tx(builder_id) as tx:
                tx.run("run_request_failed", id=requested.run.id, sentence=sentence, now=clock.now())
    with database.builder_tx(builder_id) as tx:
        tx.run("run_request_launched", id=requested.run.id, dagster_run_id=dagster_run_id)
    return requested


def _queue(database: Database, builder_id: UUID, *, request: RunRequest, now: datetime) -> RequestedRun:
    wanted: dict[str, Any] = {
        "connection_id": request.connection_id,
        "entities": [entity.value for entity in request.ordered],
        "direction": request.direction,
    }
    with database.builder_tx(builder_id) as tx:
        tx.value("run_request_lock", connection_id=request.connection_id)
        tx.run(
            "run_request_give_up",
            connection_id=request.connection_id,
            now=now,
            before=now - QUEUED_FOR_MAX,
            unlaunched_before=now - UNLAUNCHED_FOR_MAX,
            sentence=NEVER_BEGAN,
        )
        row = tx.row("run_request_same", **wanted, since=now - RUNS_FOR_MAX)
        if row is not None:
            return RequestedRun(SyncRun(**row), is_new=False)
        row = tx.row("run_request_insert", **wanted, requested_by=request.requested_by, now=now)
        assert row is not None, "an insert returns its row"
        return RequestedRun(SyncRun(**row), is_new=True)

"""Syncs: ask for one, see how it goes, read the history."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.models.syncs import (
    LogQuery,
    LogRecordQuery,
    SyncLogPage,
    SyncLogRecordPage,
    SyncRunDetail,
    SyncRunView,
    SyncStart,
    SyncStarted,
    SyncStatus,
    SyncStep,
)
from api.readers import quick_read
from api.responses import READ, READ_ONE, WRITE
from api.runs import start_run
from api.services import UseServices
from api.status import sync_status
from resources.store import views
from sync.errors import NotFound

router = APIRouter(tags=["sync"])


@router.post("/sync", name="start_sync", status_code=202, responses=WRITE)
def start_sync(
    caller: AsBookkeeper, services: UseServices, response: Response, body: SyncStart | None = None
) -> SyncStarted:
    """Start a sync in Dagster and return its id at once; asked again while it runs, return the same one."""
    wanted = body or SyncStart()
    requested = start_run(
        services,
        caller,
        connection_id=wanted.connection_id,
        entities=wanted.entities,
        direction=wanted.direction,
    )
    with services.database.builder_tx(caller.builder_id) as tx:
        run = views.run(tx, requested.run.id) or requested.run
    response.headers["Location"] = f"/api/v1/integrations/sync/runs/{run.id}"
    return SyncStarted(run=SyncRunView.model_validate(run), is_new=requested.is_new)


@quick_read(router.get("/sync/status", name="get_sync_status", responses=READ_ONE))
def get_sync_status(
    caller: AsViewer,
    services: UseServices,
    connection_id: Annotated[UUID | None, Query(description="Only this connection.")] = None,
) -> SyncStatus:
    """Tell how the books stand: health with its reasons, the run under way entity by entity, what waits."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return sync_status(tx, services, connection_id=connection_id)


@quick_read(router.get("/sync/runs/{id}", name="get_sync_run", responses=READ_ONE))
def get_sync_run(
    caller: AsViewer, services: UseServices, run_id: Annotated[UUID, Path(alias="id")]
) -> SyncRunDetail:
    """Show one run and its steps so far."""
    with services.database.builder_tx(caller.builder_id) as tx:
        run = views.run(tx, run_id)
        if run is None:
            raise NotFound(what="sync run", id=str(run_id))
        steps = [SyncStep(**row) for row in views.run_steps(tx, run_id)]
    shown = SyncRunView.model_validate(run)
    return SyncRunDetail(**shown.model_dump(), steps=steps)


@quick_read(router.get("/sync/log", name="list_sync_log", responses=READ))
def list_sync_log(
    caller: AsViewer,
    services: UseServices,
    wanted: Annotated[LogQuery, Query()],
) -> SyncLogPage:
    """List the sync history: one row per run, entity and direction."""
    chosen = views.LogFilter(
        connection_id=wanted.connection_id,
        sync_run_id=wanted.run_id,
        entity=wanted.entity,
        direction=wanted.direction,
        status=wanted.status,
        since=wanted.since,
        until=wanted.until,
    )
    after = cursors.after_time(wanted.cursor, kind="log")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = views.sync_log(tx, chosen, after=after, rows_max=wanted.limit + 1)
        page, next_cursor = cursors.page_of(
            rows, limit=wanted.limit, kind="log", key=cursors.time_key("started_at")
        )
        records = views.first_log_records(tx, [row["id"] for row in page]) if wanted.expand else None
    items = page if records is None else [{**row, "records": records[row["id"]]} for row in page]
    return SyncLogPage.model_validate({"items": items, "next_cursor": next_cursor})


@quick_read(router.get("/sync/log/{id}/records", name="list_sync_log_records", responses=READ_ONE))
def list_sync_log_records(
    caller: AsViewer,
    services: UseServices,
    log_id: Annotated[UUID, Path(alias="id")],
    wanted: Annotated[LogRecordQuery, Query()],
) -> SyncLogRecordPage:
    """List what a sync did record by record."""
    after = cursors.after_time(wanted.cursor, kind="records")
    with services.database.builder_tx(caller.builder_id) as tx:
        if not views.sync_log_exists(tx, log_id):
            raise NotFound(what="sync history row", id=str(log_id))
        rows = views.log_records(tx, log_id, status=wanted.status, after=after, rows_max=wanted.limit + 1)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="records", key=cursors.time_key("created_at")
    )
    return SyncLogRecordPage.model_validate({"items": page, "next_cursor": next_cursor})

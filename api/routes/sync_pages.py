"""How syncs go and went: the panel with its progress, the button that starts one, and the history."""

from __future__ import annotations

from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.models.base import DirectionName, EntityName, LogStatus, Taken
from api.models.syncs import ConnectionSyncStatus, LogQuery, LogRecordQuery, RecordStatus, SyncStart
from api.routes.syncs import get_sync_status, list_sync_log, list_sync_log_records, start_sync
from api.services import Services, UseServices
from api.web.filters import Filter, OrAny
from api.web.office import connection_page, connection_part, place
from api.web.render import is_part
from api.web.said import go
from sync.records import SYNC_ORDER

router = APIRouter(tags=["sync"], include_in_schema=False)

HISTORY_ROWS = 25


class SyncWanted(Taken):
    """Which kinds of record a person wants synced; none means all."""

    entity: EntityName | None = None
    direction: DirectionName = "both"


class HistoryFilter(Filter):
    """Which part of the history."""

    entity: Annotated[EntityName | None, OrAny] = None
    status: Annotated[LogStatus | None, OrAny] = None


class RecordsFilter(Filter):
    """Which records of one row of the history."""

    status: Annotated[RecordStatus | None, OrAny] = None


@router.get("/integrations/{connection_id:uuid}", name="sync_page")
def sync_page(request: Request, caller: AsViewer, services: UseServices, connection_id: UUID) -> Response:
    """Show how the connection stands, what the run under way does kind by kind, and the way to start one."""
    return connection_page(
        request,
        "sync.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="sync",
        one=_standing(caller, services, connection_id),
        kinds_all=len(SYNC_ORDER),
    )


@router.get("/integrations/{connection_id:uuid}/progress", name="sync_progress_part")
def sync_progress_part(
    request: Request, caller: AsViewer, services: UseServices, connection_id: UUID
) -> Response:
    """Show the part of the panel that changes while a sync runs."""
    return connection_part(
        request,
        "sync.html",
        "progress",
        services=services,
        caller=caller,
        connection_id=connection_id,
        one=_standing(caller, services, connection_id),
        kinds_all=len(SYNC_ORDER),
    )


@router.post("/integrations/{connection_id:uuid}/sync", name="start_sync_page")
def start_sync_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    wanted: Annotated[SyncWanted, Form()],
) -> Response:
    """Start a sync of everything or of one kind, and show how it goes."""
    start = SyncStart(
        connection_id=connection_id,
        entities=[wanted.entity] if wanted.entity else [],
        direction=wanted.direction,
    )
    started = start_sync(caller, services, Response(), start)
    return go(place(connection_id), done="sync_started" if started.is_new else "sync_running")


@router.get("/integrations/{connection_id:uuid}/history", name="history_page")
def history_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[HistoryFilter, Query()],
) -> Response:
    """List what was synced, one row per run, kind and way, newest first."""
    query = LogQuery(connection_id=connection_id, limit=HISTORY_ROWS, **chosen.model_dump())
    return connection_page(
        request,
        "history.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="history",
        log=list_sync_log(caller, services, query),
        chosen=chosen,
        kinds=[each.value for each in SYNC_ORDER],
        statuses=get_args(LogStatus.__value__),
        query=chosen.query(),
    )


@router.get("/integrations/{connection_id:uuid}/history/{log_id:uuid}", name="history_records_page")
def history_records_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    log_id: UUID,
    chosen: Annotated[RecordsFilter, Query()],
) -> Response:
    """List what one row of the history did, record by record with its message; as a part for the row that opens."""
    wanted = LogRecordQuery(limit=HISTORY_ROWS, **chosen.model_dump())
    records = list_sync_log_records(caller, services, log_id, wanted)
    context: dict[str, Any] = {
        "records": records,
        "here": place(connection_id, f"history/{log_id}"),
        "chosen": chosen,
    }
    if is_part(request):
        return connection_part(
            request,
            "history_records.html",
            "records",
            services=services,
            caller=caller,
            connection_id=connection_id,
            query=[],
            **context,
        )
    return connection_page(
        request,
        "history_records.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="history",
        statuses=get_args(RecordStatus.__value__),
        query=chosen.query(),
        **context,
    )


def _standing(caller: Caller, services: Services, connection_id: UUID) -> ConnectionSyncStatus:
    (one,) = get_sync_status(caller, services, connection_id).connections
    return one

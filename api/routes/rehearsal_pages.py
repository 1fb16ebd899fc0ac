"""Rehearsals on the page: ask what a sync would do, and read it by kind, by outcome and record by record."""

from __future__ import annotations

from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer
from api.models.base import EntityName
from api.models.rehearsals import ForeseenName, RehearsalQuery, RehearsalRecordQuery, RehearsalStart
from api.routes.rehearsals import get_rehearsal, list_rehearsal_records, list_rehearsals, start_rehearsal
from api.services import UseServices
from api.web.filters import Filter, OrAny
from api.web.office import connection_page, connection_part, place
from api.web.render import is_part
from api.web.said import go
from sync.errors import NotFound

router = APIRouter(tags=["sync"], include_in_schema=False)

REHEARSAL_ROWS = 25


class RehearsalFilter(Filter):
    """Which records of a rehearsal are shown."""

    entity: Annotated[EntityName | None, OrAny] = None
    outcome: Annotated[ForeseenName | None, OrAny] = None


@router.post("/integrations/{connection_id:uuid}/rehearsals", name="start_rehearsal_page")
def start_rehearsal_page(caller: AsBookkeeper, services: UseServices, connection_id: UUID) -> Response:
    """Rehearse a sync of everything, and show what comes of it."""
    begun = start_rehearsal(caller, services, Response(), RehearsalStart(connection_id=connection_id))
    return go(place(connection_id, f"rehearsals/{begun.id}"), done="rehearsal_started")


@router.get("/integrations/{connection_id:uuid}/rehearsals", name="rehearsals_page")
def rehearsals_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[Filter, Query()],
) -> Response:
    """List the rehearsals of the last thirty days, newest first."""
    wanted = RehearsalQuery(connection_id=connection_id, cursor=chosen.cursor, limit=REHEARSAL_ROWS)
    return connection_page(
        request,
        "rehearsals.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="sync",
        found=list_rehearsals(caller, services, wanted),
    )


@router.get(
    "/integrations/{connection_id:uuid}/rehearsals/{rehearsal_id:uuid}",
    name="rehearsal_page",
)
def rehearsal_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    rehearsal_id: UUID,
    chosen: Annotated[RehearsalFilter, Query()],
) -> Response:
    """Show what a sync would do; as a part for the page that follows a rehearsal under way."""
    rehearsal = get_rehearsal(caller, services, rehearsal_id)
    if rehearsal.connection_id != connection_id:
        raise NotFound(what="rehearsal", id=str(rehearsal_id))
    wanted = RehearsalRecordQuery(
        entity=chosen.entity, outcome=chosen.outcome, cursor=chosen.cursor, limit=REHEARSAL_ROWS
    )
    context: dict[str, Any] = {
        "rehearsal": rehearsal,
        "is_running": rehearsal.status in ("queued", "started"),
        "records": list_rehearsal_records(caller, services, rehearsal_id, wanted),
        "here": place(connection_id, f"rehearsals/{rehearsal_id}"),
        "chosen": chosen,
        "kinds": get_args(EntityName.__value__),
        "outcomes": get_args(ForeseenName.__value__),
        "query": chosen.query(),
    }
    if is_part(request):
        return connection_part(
            request,
            "rehearsal.html",
            "result",
            services=services,
            caller=caller,
            connection_id=connection_id,
            **context,
        )
    return connection_page(
        request,
        "rehearsal.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="sync",
        **context,
    )

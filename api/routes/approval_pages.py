"""The approval lane for people: what waits to be accepted before it is sent, and what was rejected."""

from __future__ import annotations

from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer
from api.cursors import Text
from api.models.approvals import (
    AcceptAll,
    Acceptance,
    ApprovalQuery,
    ApprovalState,
    PeriodChoiceName,
    PeriodDecision,
    Rejection,
)
from api.models.base import EntityName, Taken
from api.routes.approvals import (
    accept_all_approvals,
    accept_approval,
    decide_closed_period,
    list_approvals,
    reject_approval,
    resend_approval,
)
from api.services import UseServices
from api.web.filters import Filter, OrAny
from api.web.office import connection_of, connection_page, place
from api.web.said import go

router = APIRouter(tags=["errors"], include_in_schema=False)

APPROVAL_ROWS = 50


class LaneFilter(Filter):
    """Which part of the lane is shown."""

    state: Annotated[ApprovalState | None, OrAny] = None
    entity: Annotated[EntityName | None, OrAny] = None


class Lane(Taken):
    """Which records a button accepts; no kind means all."""

    entity: EntityName | None = None


class Why(Taken):
    """Why a record is not sent; whoever entered it reads this."""

    reason: Text = Field(min_length=1)


class Day(Taken):
    """What happens to a document of a closed period."""

    choice: PeriodChoiceName


@router.get("/integrations/{connection_id:uuid}/approvals", name="approvals_page")
def approvals_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[LaneFilter, Query()],
) -> Response:
    """List what waits for a person's yes, or what was rejected and has not been edited since."""
    given = chosen.model_dump(exclude_none=True)
    wanted = ApprovalQuery(connection_id=connection_id, limit=APPROVAL_ROWS, **given)
    return connection_page(
        request,
        "approvals.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="approvals",
        found=list_approvals(caller, services, wanted),
        chosen=chosen,
        kinds=get_args(EntityName.__value__),
        query=chosen.query(),
    )


@router.post("/integrations/{connection_id:uuid}/approvals/accept-all", name="accept_all_page")
def accept_all_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, lane: Annotated[Lane, Form()]
) -> Response:
    """Accept everything that waits, or all of one kind, and send it; what was edited meanwhile stays."""
    connection_of(services, caller, connection_id)
    wanted = AcceptAll(connection_id=connection_id, entity=lane.entity, start_sync=True)
    done = accept_all_approvals(caller, services, wanted)
    return go(place(connection_id, "approvals"), done="accepted", n=done.records)


@router.post("/integrations/{connection_id:uuid}/approvals/{record_id:uuid}/accept", name="accept_page")
def accept_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, record_id: UUID
) -> Response:
    """Accept one record as it was shown, and send it."""
    done = accept_approval(caller, services, record_id, Acceptance(start_sync=True))
    return go(place(connection_id, "approvals"), done="accepted", n=done.records)


@router.post("/integrations/{connection_id:uuid}/approvals/{record_id:uuid}/reject", name="reject_page")
def reject_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    record_id: UUID,
    why: Annotated[Why, Form()],
) -> Response:
    """Do not send one record until it is edited, or sent back into the lane."""
    done = reject_approval(caller, services, record_id, Rejection(reason=why.reason))
    return go(place(connection_id, "approvals"), done="rejected", n=done.records)


@router.post("/integrations/{connection_id:uuid}/approvals/{record_id:uuid}/resend", name="resend_page")
def resend_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, record_id: UUID
) -> Response:
    """Propose a rejected record again as it is."""
    resend_approval(caller, services, record_id, Acceptance(start_sync=True))
    return go(place(connection_id, "approvals"), done="resent")


@router.post(
    "/integrations/{connection_id:uuid}/errors/{record_id:uuid}/closed-period", name="decide_period_page"
)
def decide_period_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    record_id: UUID,
    day: Annotated[Day, Form()],
) -> Response:
    """Post a document of a closed period on the first open day, or leave it held."""
    decide_closed_period(caller, services, record_id, PeriodDecision(choice=day.choice, start_sync=True))
    done = "left_held" if day.choice == "hold" else "moved_to_open_day"
    return go(place(connection_id, "errors"), done=done)

"""What a person decides before a record is sent: the approval lane, and documents of closed periods."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsBookkeeper, AsViewer, Caller
from api.models.approvals import (
    AcceptAll,
    Acceptance,
    Accepted,
    Approval,
    ApprovalPage,
    ApprovalQuery,
    PeriodDecision,
    Rejected,
    Rejection,
)
from api.responses import READ, WRITE
from api.runs import start_runs_for
from api.services import Services, UseServices
from resources.record_links import RecordLinks
from resources.store import lanes
from resources.store.queue import Decider, Touched

router = APIRouter(tags=["errors"])


@router.get("/approvals", name="list_approvals", responses=READ)
def list_approvals(
    caller: AsViewer, services: UseServices, wanted: Annotated[ApprovalQuery, Query()]
) -> ApprovalPage:
    """List records that wait for approval, or that were rejected and have not been edited since."""
    after = cursors.after_time(wanted.cursor, kind="approvals")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = lanes.approvals(
            tx,
            is_rejected=wanted.state == "rejected",
            connection_id=wanted.connection_id,
            entity=wanted.entity,
            after=after,
            rows_max=wanted.limit + 1,
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="approvals", key=cursors.time_key("created_at")
    )
    links = RecordLinks(services.tieout.settings)
    return ApprovalPage(
        items=[Approval.model_validate({**row, **links.of_row(row)}) for row in page], next_cursor=next_cursor
    )


@router.post("/approvals/accept-all", name="accept_all_approvals", responses=WRITE)
def accept_all_approvals(
    caller: AsBookkeeper, services: UseServices, body: AcceptAll | None = None
) -> Accepted:
    """Accept everything that waits for approval, or what the body names; what was edited meanwhile stays."""
    wanted = body or AcceptAll()
    by = _by(services, caller, wanted.reason)
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = lanes.accept_all(tx, connection_id=wanted.connection_id, entity=wanted.entity, by=by)
    return _accepted(services, caller, touched, start_sync=wanted.start_sync)


@router.post("/approvals/{id}/accept", name="accept_approval", responses=WRITE)
def accept_approval(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    body: Acceptance | None = None,
) -> Accepted:
    """Accept one record as it was shown; the next sync sends it."""
    wanted = body or Acceptance()
    by = _by(services, caller, wanted.reason)
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = lanes.accept(tx, record_id, by=by)
    return _accepted(services, caller, [touched], start_sync=wanted.start_sync)


@router.post("/approvals/{id}/reject", name="reject_approval", responses=WRITE)
def reject_approval(
    caller: AsBookkeeper, services: UseServices, record_id: Annotated[UUID, Path(alias="id")], body: Rejection
) -> Rejected:
    """Reject one record with a reason; it is not proposed again until it is edited or sent back."""
    with services.database.builder_tx(caller.builder_id) as tx:
        lanes.reject(tx, record_id, by=_by(services, caller, body.reason))
    return Rejected(records=1)


@router.post("/approvals/{id}/resend", name="resend_approval", responses=WRITE)
def resend_approval(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    body: Acceptance | None = None,
) -> Accepted:
    """Send a rejected record back into the lane as it is; it waits for approval again after the next sync."""
    wanted = body or Acceptance()
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = lanes.resend(tx, record_id, by=_by(services, caller, wanted.reason))
    return _accepted(services, caller, [touched], start_sync=wanted.start_sync)


@router.post("/sync/errors/{id}/closed-period", name="decide_closed_period", responses=WRITE)
def decide_closed_period(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    body: PeriodDecision,
) -> Accepted:
    """Decide about a document whose date lies in a closed period: post it on the first open day, or leave it held."""
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = lanes.choose_period(
            tx, record_id, choice=body.choice, by=_by(services, caller, body.reason)
        )
    return _accepted(services, caller, [touched], start_sync=body.start_sync)


def _by(services: Services, caller: Caller, reason: str) -> Decider:
    return Decider(caller.actor, reason, services.clock.now())


def _accepted(services: Services, caller: Caller, touched: list[Touched], *, start_sync: bool) -> Accepted:
    runs = start_runs_for(services, caller, touched) if start_sync else []
    return Accepted(records=sum(each.records for each in touched), runs=runs)

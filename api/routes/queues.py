"""The error and review queues: see what waits, try it again, or leave it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.models.queues import (
    Candidate,
    Decided,
    DismissAll,
    Dismissed,
    OurRecord,
    OutcomeDecision,
    QueueSelection,
    Retried,
    RetryAll,
    RetryOptions,
    SyncErrorPage,
    SyncErrorQuery,
    UnconfirmedWrite,
    WriteAttempt,
)
from api.readers import quick_read
from api.responses import READ, READ_ONE, WRITE, problems
from api.runs import start_runs_for
from api.services import UseServices
from resources.record_links import RecordLinks
from resources.store import queue, undecided, views
from sync.errors import Remedy
from sync.remedies import Action, ui_action

router = APIRouter(tags=["errors"])


@quick_read(router.get("/sync/errors", name="list_sync_errors", responses=READ))
def list_sync_errors(
    caller: AsViewer,
    services: UseServices,
    wanted: Annotated[SyncErrorQuery, Query()],
) -> SyncErrorPage:
    """List unresolved sync errors, and records that are held until their cause is fixed."""
    chosen = views.QueueView(
        statuses=(wanted.status,) if wanted.status else queue.FAILURES,
        connection_id=wanted.connection_id,
        entity=wanted.entity,
        category=wanted.category,
        cause=wanted.cause,
        since=wanted.since,
        until=wanted.until,
    )
    after = cursors.after_time(wanted.cursor, kind="errors")
    with services.database.builder_tx(caller.builder_id, is_planned_once=True) as tx:
        rows = views.queue(tx, chosen, after=after, rows_max=wanted.limit + 1)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="errors", key=cursors.time_key("created_at")
    )
    links = RecordLinks(services.tieout.settings)
    return SyncErrorPage.model_validate(
        {"items": [_shown(row, links) for row in page], "next_cursor": next_cursor}
    )


@router.post("/sync/errors/retry-all", name="retry_all_sync_errors", responses=WRITE)
def retry_all_sync_errors(
    caller: AsBookkeeper, services: UseServices, body: RetryAll | None = None
) -> Retried:
    """Try every waiting record again, or those that the body names."""
    wanted = body or RetryAll()
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = queue.retry_all(tx, _filter(wanted), actor=caller.actor)
    runs = start_runs_for(services, caller, touched) if wanted.start_sync else []
    return Retried(records=sum(each.records for each in touched), runs=runs)


@router.post("/sync/errors/dismiss-all", name="dismiss_all_sync_errors", responses=WRITE)
def dismiss_all_sync_errors(
    caller: AsBookkeeper, services: UseServices, body: DismissAll | None = None
) -> Dismissed:
    """Leave every waiting record alone, or those that the body names, until either side changes."""
    wanted = body or DismissAll()
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = queue.dismiss_all(
            tx, _filter(wanted), actor=caller.actor, reason=wanted.reason, now=services.clock.now()
        )
    return Dismissed(records=sum(each.records for each in touched))


@router.post("/sync/errors/{id}/retry", name="retry_sync_error", responses=WRITE)
def retry_sync_error(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    body: RetryOptions | None = None,
) -> Retried:
    """Try one waiting record again from the beginning."""
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = queue.retry(tx, record_id, actor=caller.actor)
    runs = start_runs_for(services, caller, [touched]) if body and body.start_sync else []
    return Retried(records=1, runs=runs)


@router.get(
    "/sync/errors/{id}/evidence", name="get_unconfirmed_write", responses={**READ_ONE, **problems(409)}
)
def get_unconfirmed_write(
    caller: AsViewer, services: UseServices, record_id: Annotated[UUID, Path(alias="id")]
) -> UnconfirmedWrite:
    """Show what is known about a write of which nobody can tell whether it happened: ours, the attempt, the candidates."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = undecided.evidence(tx, record_id)
    links = RecordLinks(services.tieout.settings)
    provider, entity = found.attempt["provider"], found.attempt["entity"]
    return UnconfirmedWrite(
        id=record_id,
        message=found.message,
        ours=OurRecord(**found.ours) if found.ours else None,
        attempt=WriteAttempt(
            **{name: found.attempt[name] for name in ("request_id", "operation", "started_at")}
        ),
        candidates=[
            Candidate(
                **{name: row[name] for name in Candidate.model_fields if name in row},
                has_our_mark=row["marker"] == found.attempt["marker"],
                provider_url=links.provider(provider, entity, row["provider_entity_id"]),
            )
            for row in found.candidates
        ],
        choices=list(found.choices),
    )


@router.post("/sync/errors/{id}/decide", name="decide_unconfirmed_write", responses=WRITE)
def decide_unconfirmed_write(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    body: OutcomeDecision,
) -> Decided:
    """Say what became of an unconfirmed write: it is that one, it never arrived, or leave it; the next sync carries it out."""
    with services.database.builder_tx(caller.builder_id) as tx:
        touched = undecided.decide(
            tx,
            record_id,
            outcome=body.outcome,
            remote_id=body.provider_entity_id,
            by=queue.Decider(caller.actor, body.reason, services.clock.now()),
        )
    runs = start_runs_for(services, caller, [touched]) if body.start_sync else []
    return Decided(id=record_id, outcome=body.outcome, runs=runs)


@router.delete("/sync/errors/{id}", name="dismiss_sync_error", responses=WRITE)
def dismiss_sync_error(
    caller: AsBookkeeper,
    services: UseServices,
    record_id: Annotated[UUID, Path(alias="id")],
    reason: Annotated[cursors.Text, Query(description="Why, for the audit log.")] = "",
) -> Dismissed:
    """Leave one waiting record alone until either side changes."""
    with services.database.builder_tx(caller.builder_id) as tx:
        queue.dismiss(tx, record_id, actor=caller.actor, reason=reason, now=services.clock.now())
    return Dismissed(records=1)


def _filter(selection: QueueSelection) -> queue.QueueFilter:
    return queue.QueueFilter(
        statuses=(selection.status,) if selection.status else queue.FAILURES,
        connection_id=selection.connection_id,
        entity=selection.entity,
        category=selection.category,
        cause=selection.cause,
    )


def _shown(row: views.Row, links: RecordLinks) -> dict[str, Any]:
    """Return a row with what is shown beside it; the page's model takes of it what it has fields for."""
    is_known = row["remedy"] in Remedy.__members__.values()
    action = ui_action(Remedy(row["remedy"])) if is_known else Action.EDIT_RECORD
    return {
        **row,
        **links.of_row(row),
        "action": action.value,
        "is_queued": row["link_state"] == "open" or row["next_retry_at"] is not None,
    }

"""Conflicts: three values side by side, and a person's choice."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.models.queues import Conflict, ConflictChoice, ConflictField, ConflictPage, ConflictQuery, Resolved
from api.problems import ConflictMoved
from api.responses import READ, WRITE
from api.runs import start_runs_for
from api.services import UseServices
from resources.store import queue, views
from sync.choices import conflict_version
from sync.refusals import StaleChoice

router = APIRouter(tags=["conflicts"])


@router.get("/conflicts", name="list_conflicts", responses=READ)
def list_conflicts(
    caller: AsViewer,
    services: UseServices,
    wanted: Annotated[ConflictQuery, Query()],
) -> ConflictPage:
    """List unresolved conflicts: ours, what both sides last agreed on, and theirs, field by field."""
    chosen = views.QueueView(
        statuses=queue.CONFLICTS,
        connection_id=wanted.connection_id,
        entity=wanted.entity,
        since=wanted.since,
        until=wanted.until,
    )
    after = cursors.after_time(wanted.cursor, kind="conflicts")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = views.queue(tx, chosen, after=after, rows_max=wanted.limit + 1)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="conflicts", key=cursors.time_key("created_at")
    )
    return ConflictPage(items=[_shown(row) for row in page], next_cursor=next_cursor)


@router.post("/conflicts/{id}/resolve", name="resolve_conflict", responses=WRITE)
def resolve_conflict(
    caller: AsBookkeeper,
    services: UseServices,
    conflict_id: Annotated[UUID, Path(alias="id")],
    body: ConflictChoice,
) -> Resolved:
    """Choose which values to keep; the next sync carries it out. A choice about older values gets the fresh conflict."""
    try:
        with services.database.builder_tx(caller.builder_id) as tx:
            resolved = queue.resolve(
                tx,
                conflict_id,
                choice=body.chosen_value,
                seen_version=body.version,
                by=queue.Decider(caller.actor, body.reason, services.clock.now()),
            )
    except StaleChoice as error:
        with services.database.builder_tx(caller.builder_id) as tx:
            rows = views.queue(tx, views.QueueView(statuses=queue.CONFLICTS, id=conflict_id))
        fresh = _shown(rows[0]).model_dump(mode="json") if rows else None
        raise ConflictMoved(error, fresh) from error
    runs = start_runs_for(services, caller, [resolved.touched]) if body.start_sync else []
    return Resolved(id=conflict_id, decision=resolved.decision, run=runs[0] if runs else None)


def _shown(row: views.Row) -> Conflict:
    conflict: dict[str, Any] = row["conflict_data"] or {}
    shown = (conflict.get("ours_checksum"), conflict.get("theirs_checksum"))
    return Conflict(
        **{name: row[name] for name in Conflict.model_fields if name in row},
        version=conflict_version(conflict),
        fields=[ConflictField.model_validate(each) for each in conflict.get("fields", [])],
        money_difference=conflict.get("money_difference"),
        message=row["error_message"],
        is_stale=shown != (row["ours_checksum"], row["theirs_checksum"]),
    )

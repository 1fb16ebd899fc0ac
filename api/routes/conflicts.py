"""Conflicts: three values side by side, and a person's choice."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.models.conflicts import (
    Conflict,
    ConflictChoice,
    ConflictDetail,
    ConflictEffect,
    ConflictPage,
    ConflictQuery,
    ResolveAll,
    Resolved,
    ResolvedAll,
    SelectedConflict,
)
from api.problems import ConflictMoved
from api.readers import quick_read
from api.responses import READ, READ_ONE, WRITE
from api.runs import start_runs_for
from api.services import Services, UseServices
from resources.record_links import RecordLinks
from resources.store import conflicts, queue, views
from sync.choices import conflict_version, effects
from sync.errors import NotFound
from sync.refusals import StaleChoice, StaleSelection

router = APIRouter(tags=["conflicts"])
SELECTED_SHOWN_MAX = 50


@quick_read(router.get("/conflicts", name="list_conflicts", responses=READ))
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
    with services.database.builder_tx(caller.builder_id, is_planned_once=True) as tx:
        rows = views.queue(tx, chosen, after=after, rows_max=wanted.limit + 1)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="conflicts", key=cursors.time_key("created_at")
    )
    return ConflictPage(items=[_shown(services, row) for row in page], next_cursor=next_cursor)


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
        fresh = _shown(services, rows[0]).model_dump(mode="json") if rows else None
        raise ConflictMoved(error, fresh) from error
    runs = start_runs_for(services, caller, [resolved.touched]) if body.start_sync else []
    return Resolved(id=conflict_id, decision=resolved.decision, run=runs[0] if runs else None)


@quick_read(router.get("/conflicts/{id}", name="get_conflict", responses=READ_ONE))
def get_conflict(
    caller: AsViewer, services: UseServices, conflict_id: Annotated[UUID, Path(alias="id")]
) -> ConflictDetail:
    """Show one conflict with what each answer does, and what was decided about the record before."""
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = views.queue(tx, views.QueueView(statuses=queue.CONFLICTS, id=conflict_id))
        if not rows:
            raise NotFound(what="conflict", id=str(conflict_id))
        told = conflicts.history(tx, conflict_id)
    return ConflictDetail.model_validate(
        {
            **_shown(services, rows[0]).model_dump(),
            "earlier": (rows[0]["details"] or {}).get("earlier", []),
            "history": told,
        }
    )


@router.post("/conflicts/resolve-all", name="resolve_all_conflicts", responses=WRITE)
def resolve_all_conflicts(caller: AsBookkeeper, services: UseServices, body: ResolveAll) -> ResolvedAll:
    """Give one answer to all conflicts of a kind: first the preview, then, with its `version`, the decision."""
    by = queue.Decider(caller.actor, body.reason, services.clock.now())
    with services.database.builder_tx(caller.builder_id) as tx:
        chosen = conflicts.selection(tx, like=body.like, connection_id=body.connection_id, entity=body.entity)
        is_decided = body.version is not None and body.version == chosen.version
        resolved = conflicts.resolve_all(tx, chosen, choice=body.chosen_value, by=by) if is_decided else []
    shown = _selected(services, chosen, body.chosen_value)
    if body.version is not None and not is_decided:
        raise ConflictMoved(StaleSelection(), shown.model_dump(mode="json"))
    runs = start_runs_for(services, caller, [each.touched for each in resolved]) if body.start_sync else []
    return shown.model_copy(update={"is_preview": not is_decided, "runs": runs})


def _selected(services: Services, chosen: conflicts.Selection, choice: str) -> ResolvedAll:
    found = []
    for row in chosen.rows[:SELECTED_SHOWN_MAX]:
        conflict: dict[str, Any] = row["conflict_data"] or {}
        told = effects(conflict, label=row["label"], provider=services.title_of(row["provider"]))
        (effect,) = [each for each in told if each.choice == choice]
        found.append(
            SelectedConflict(
                id=row["id"],
                label=row["label"],
                money_difference=conflict.get("money_difference"),
                ledger=effect.ledger,
                platform=effect.platform,
            )
        )
    return ResolvedAll(
        is_preview=True,
        version=chosen.version,
        records=len(chosen.rows),
        left_out=chosen.left_out,
        money_difference=chosen.money_difference,
        conflicts=found,
    )


def _shown(services: Services, row: views.Row) -> Conflict:
    conflict: dict[str, Any] = row["conflict_data"] or {}
    shown = (conflict.get("ours_checksum"), conflict.get("theirs_checksum"))
    told = effects(conflict, label=row["label"] or "It", provider=services.title_of(row["provider"]))
    return Conflict.model_validate(
        {
            **row,
            **RecordLinks(services.tieout.settings).of_row(row),
            "version": conflict_version(conflict),
            "fields": conflict.get("fields", []),
            "money_difference": conflict.get("money_difference"),
            # As dictionaries: what a model reads from attributes costs it several times as much.
            "choices": [{name: getattr(each, name) for name in ConflictEffect.model_fields} for each in told],
            "message": row["error_message"],
            "is_stale": shown != (row["ours_checksum"], row["theirs_checksum"]),
        }
    )

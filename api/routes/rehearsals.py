"""Rehearsals: ask what a sync would do, and read the answer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.chosen import chosen_connection
from api.models.rehearsals import (
    RehearsalDetail,
    RehearsalPage,
    RehearsalQuery,
    RehearsalRecord,
    RehearsalRecordPage,
    RehearsalRecordQuery,
    RehearsalStart,
    RehearsalView,
)
from api.responses import READ, READ_ONE, WRITE
from api.services import UseServices
from resources.store import rehearsals
from sync.errors import SyncError
from sync.records import Entity

router = APIRouter(tags=["sync"])


@router.post("/rehearsals", name="start_rehearsal", status_code=202, responses=WRITE)
def start_rehearsal(
    caller: AsBookkeeper, services: UseServices, response: Response, body: RehearsalStart | None = None
) -> RehearsalView:
    """Rehearse a sync: read the ledger, work out everything a sync would do, and write to neither book."""
    wanted = body or RehearsalStart()
    builder_id = caller.builder_id
    with services.database.builder_tx(builder_id) as tx:
        connection = chosen_connection(tx, wanted.connection_id, is_used=True)
    rehearsal_id = rehearsals.create(
        services.database,
        builder_id,
        request=rehearsals.RehearsalRequest(
            connection_id=connection["id"],
            requested_by=caller.actor,
            entities=[Entity(name) for name in wanted.entities],
            direction=wanted.direction,
        ),
        now=services.clock.now(),
    )
    sentence: str | None = rehearsals.LAUNCH_BROKE
    try:
        run_id = services.launcher.launch_rehearsal(
            builder_id=str(builder_id), provider=connection["provider"], rehearsal_id=rehearsal_id
        )
        sentence = None
    except SyncError as error:
        sentence = error.user_message
        raise
    finally:
        if sentence is not None:
            rehearsals.fail(
                services.database,
                builder_id,
                rehearsal_id=rehearsal_id,
                sentence=sentence,
                now=services.clock.now(),
            )
    rehearsals.note_launch(services.database, builder_id, rehearsal_id=rehearsal_id, dagster_run_id=run_id)
    with services.database.builder_tx(builder_id) as tx:
        row = rehearsals.rehearsal(tx, UUID(rehearsal_id))
    response.headers["Location"] = f"/api/v1/integrations/rehearsals/{rehearsal_id}"
    return RehearsalView.model_validate(row)


@router.get("/rehearsals", name="list_rehearsals", responses=READ)
def list_rehearsals(
    caller: AsViewer, services: UseServices, wanted: Annotated[RehearsalQuery, Query()]
) -> RehearsalPage:
    """List rehearsals of the last thirty days, newest first."""
    after = cursors.after_time(wanted.cursor, kind="rehearsals")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = rehearsals.rehearsals(
            tx, connection_id=wanted.connection_id, after=after, rows_max=wanted.limit + 1
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="rehearsals", key=cursors.time_key("requested_at")
    )
    return RehearsalPage(items=[RehearsalView.model_validate(row) for row in page], next_cursor=next_cursor)


@router.get("/rehearsals/{id}", name="get_rehearsal", responses=READ_ONE)
def get_rehearsal(
    caller: AsViewer, services: UseServices, rehearsal_id: Annotated[UUID, Path(alias="id")]
) -> RehearsalDetail:
    """Show one rehearsal with its totals: how many records and how much money per entity and outcome."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return RehearsalDetail.model_validate(rehearsals.rehearsal(tx, rehearsal_id))


@router.get("/rehearsals/{id}/records", name="list_rehearsal_records", responses=READ_ONE)
def list_rehearsal_records(
    caller: AsViewer,
    services: UseServices,
    rehearsal_id: Annotated[UUID, Path(alias="id")],
    wanted: Annotated[RehearsalRecordQuery, Query()],
) -> RehearsalRecordPage:
    """List what a sync would do record by record: in whose book, and which fields from what to what."""
    after = cursors.after_place(wanted.cursor, kind="rehearsal")
    chosen = rehearsals.RecordFilter(entity=wanted.entity, outcome=wanted.outcome)
    with services.database.builder_tx(caller.builder_id) as tx:
        rehearsals.rehearsal(tx, rehearsal_id)
        rows = rehearsals.records(tx, rehearsal_id, chosen=chosen, after=after, rows_max=wanted.limit + 1)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="rehearsal", key=lambda row: (str(row["position"]), "")
    )
    return RehearsalRecordPage(
        items=[RehearsalRecord.model_validate(row) for row in page], next_cursor=next_cursor
    )

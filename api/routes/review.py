"""The review queue by cause: what one cause blocks, and ending it where it stands."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api import cursors
from api.auth import AsBookkeeper, AsViewer
from api.chosen import chosen_connection
from api.models.queues import (
    FixedHolds,
    FixHolds,
    HeldRecord,
    HeldRecordPage,
    HeldRecordQuery,
    HoldCause,
    HoldCauseList,
)
from api.responses import READ, WRITE
from api.runs import start_runs_for
from api.services import UseServices
from resources.record_links import RecordLinks
from resources.store import review
from resources.store.mappings import key_of_cause
from sync.errors import Remedy
from sync.remedies import Action, ui_action

router = APIRouter(tags=["errors"])


@router.get("/sync/holds", name="list_holds", responses=READ)
def list_holds(
    caller: AsViewer,
    services: UseServices,
    connection_id: Annotated[UUID | None, Query(description="Only this connection.")] = None,
) -> HoldCauseList:
    """List what holds records: each cause once, with how many records and how much money it blocks."""
    with services.database.builder_tx(caller.builder_id) as tx:
        causes = review.list_causes(tx, connection_id=connection_id)
    return HoldCauseList(items=[shown_cause(each) for each in causes])


@router.get("/sync/holds/records", name="list_held_records", responses=READ)
def list_held_records(
    caller: AsViewer, services: UseServices, wanted: Annotated[HeldRecordQuery, Query()]
) -> HeldRecordPage:
    """List all that one cause blocks, also what only waits for it, in the order in which it is sent."""
    after = cursors.after_name(wanted.cursor, kind="held")
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, wanted.connection_id)
        rows = review.blocked_records(
            tx, connection["id"], cause=wanted.cause, after=after, rows_max=wanted.limit + 1
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="held", key=lambda row: (row["place"], str(row["link_id"]))
    )
    links = RecordLinks(services.tieout.settings)
    return HeldRecordPage(
        items=[
            HeldRecord(
                id=row["id"],
                platform_entity_type=row["entity"],
                platform_entity_id=row["record_id"] or row["link_id"],
                provider_entity_id=row["remote_id"],
                platform_url=links.platform(row["entity"], row["record_id"]),
                provider_url=links.provider(connection["provider"], row["entity"], row["remote_id"]),
                label=row["label"],
                document_date=row["document_date"],
                amount=row["amount"],
                currency=row["currency"],
                is_direct=row["depth"] == 0,
                message=row["message"],
            )
            for row in page
        ],
        next_cursor=next_cursor,
    )


@router.post("/sync/holds/fix", name="fix_holds", responses=WRITE)
def fix_holds(caller: AsBookkeeper, services: UseServices, body: FixHolds) -> FixedHolds:
    """Choose the accounts that records wait for: one new version of the mapping, and all of them are released."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, body.connection_id)
        table, touched, causes = review.mend(
            tx,
            connection["id"],
            mended=[review.Mended(each.cause, each.provider_account_id) for each in body.fixes],
            expected_number=body.version,
            note=body.note,
            actor=caller.actor,
        )
    runs = start_runs_for(services, caller, touched) if body.start_sync else []
    return FixedHolds(
        version=table.number,
        released=[shown_cause(each) for each in causes],
        records=sum(each.records for each in causes),
        runs=runs,
    )


def shown_cause(cause: review.Cause) -> HoldCause:
    """Show a cause with the button that ends it."""
    remedy = next((each for each in Remedy if each == cause.remedy), None)
    action = ui_action(remedy) if remedy is not None else Action.EDIT_RECORD
    profile, code_id = key_of_cause(cause.cause) or (None, None)
    return HoldCause.model_validate(
        {
            "connection_id": cause.connection_id,
            "cause": cause.cause,
            "code": cause.code,
            "remedy": cause.remedy,
            "action": action.value,
            "message": cause.message,
            "records": cause.records,
            "direct": cause.direct,
            "amounts": dict(cause.amounts),
            "entities": list(cause.entities),
            "oldest": cause.oldest,
            "since": cause.since,
            "platform_entity_type": profile,
            "platform_cost_code_id": code_id,
        }
    )

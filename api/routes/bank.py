"""Which payments and deposits the bookkeeper has found on the bank statement."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsViewer
from api.chosen import chosen_connection
from api.models.bank import BankLine, BankPage, BankQuery, BankTotal
from api.responses import READ_ONE
from api.services import UseServices
from resources.record_links import RecordLinks
from resources.store import bank

router = APIRouter(tags=["sync"])


@router.get("/connections/{id}/bank", name="list_bank_lines", responses=READ_ONE)
def list_bank_lines(
    caller: AsViewer,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    wanted: Annotated[BankQuery, Query()],
) -> BankPage:
    """List payments, bill payments and deposits that both sides have, with what is on the bank statement."""
    after = cursors.after_time(wanted.cursor, kind="bank")
    with services.database.builder_tx(caller.builder_id) as tx:
        chosen_connection(tx, connection_id)
        rows = bank.lines(
            tx,
            connection_id,
            entity=wanted.entity,
            status=wanted.status,
            after=after,
            rows_max=wanted.limit + 1,
        )
        totals = bank.totals(tx, connection_id)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="bank", key=cursors.time_key("document_date")
    )
    links = RecordLinks(services.tieout.settings)
    return BankPage(
        totals=[BankTotal.model_validate(row) for row in totals],
        items=[
            BankLine.model_validate({**row, "status": row["status"] or "unknown", **links.of_row(row)})
            for row in page
        ],
        next_cursor=next_cursor,
    )

"""The bank's view of the money: what the bookkeeper has matched with the statement, and what not yet."""

from __future__ import annotations

from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.auth import AsViewer
from api.models.bank import BankQuery, BankStatus, MoneyName
from api.routes.bank import list_bank_lines
from api.services import UseServices
from api.web.filters import Filter, OrAny
from api.web.office import connection_page

router = APIRouter(tags=["sync"], include_in_schema=False)


class BankFilter(Filter):
    """Which money is shown."""

    status: Annotated[BankStatus | None, OrAny] = None
    entity: Annotated[MoneyName | None, OrAny] = None


@router.get("/integrations/{connection_id:uuid}/bank", name="bank_page")
def bank_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[BankFilter, Query()],
) -> Response:
    """Show payments, bill payments and deposits with what is on the bank statement."""
    return connection_page(
        request,
        "bank.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="bank",
        found=list_bank_lines(
            caller, services, connection_id, BankQuery(**chosen.model_dump(exclude_none=True))
        ),
        chosen=chosen,
        kinds=get_args(MoneyName.__value__),
        statuses=get_args(BankStatus.__value__),
        query=chosen.query(),
    )

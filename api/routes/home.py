"""The first page: every accounting system, whether it is connected, and how it stands."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.auth import AsViewer
from api.routes.connections import list_providers
from api.services import UseServices
from api.status import sync_status
from api.web.render import page

router = APIRouter(tags=["connections"], include_in_schema=False)


@router.get("/", name="root_page")
def root_page() -> Response:
    """Lead a person who typed the address to the first page."""
    return RedirectResponse("/integrations")


@router.get("/integrations", name="integrations_page")
def integrations_page(request: Request, caller: AsViewer, services: UseServices) -> Response:
    """Show all accounting systems: those connected with their health in words, the others with the way to connect."""
    with services.database.builder_tx(caller.builder_id) as tx:
        status = sync_status(tx, services, connection_id=None)
    providers = list_providers(caller, services).items
    zones = {each.connection.id: each.connection.time_zone for each in providers if each.connection}
    currencies = {each.connection.id: each.connection.currency for each in providers if each.connection}
    return page(
        request,
        "integrations.html",
        sync=status,
        standing={each.connection_id: each for each in status.connections},
        providers=providers,
        zones=zones,
        currencies=currencies,
    )

"""The first page: how the builder's connections stand."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.auth import AsViewer
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
    """Show the builder's connections, each with its health in words."""
    with services.database.builder_tx(caller.builder_id) as tx:
        status = sync_status(tx, services, connection_id=None)
    return page(request, "integrations.html", sync=status)

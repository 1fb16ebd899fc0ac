"""One record: what it says here, where it stands in each ledger, what was sent, and who changed what."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth import AsViewer
from api.models.base import EntityName
from api.routes.evidence import get_evidence
from api.services import UseServices
from api.web.office import builder_zone, connections_of
from api.web.render import page

router = APIRouter(tags=["sync"], include_in_schema=False)


@router.get("/integrations/records/{entity}/{record_id:uuid}", name="record_page")
def record_page(
    request: Request, caller: AsViewer, services: UseServices, entity: EntityName, record_id: UUID
) -> Response:
    """Show everything that is known about one record."""
    pack = get_evidence(caller, services, entity, record_id)
    connections = connections_of(services, caller)
    return page(
        request,
        "record.html",
        pack=pack,
        connections=connections,
        zone=builder_zone(services, caller),
        now=services.clock.now(),
    )

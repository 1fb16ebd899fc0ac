"""What a connection's calls to its provider came to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsViewer
from api.models.quota import QuotaShown
from api.responses import READ_ONE
from api.services import UseServices
from resources.quota import read_quota

router = APIRouter(tags=["connections"])


@router.get("/connections/{id}/quota", name="get_quota", responses=READ_ONE)
def get_quota(
    caller: AsViewer, services: UseServices, connection_id: Annotated[UUID, Path(alias="id")]
) -> QuotaShown:
    """Show how many calls a connection made, what its provider still allows, and who waits."""
    found = read_quota(
        services.database,
        services.tieout.settings,
        builder_id=caller.builder_id,
        connection_id=connection_id,
        now=services.clock.now(),
    )
    return QuotaShown.model_validate(
        {**asdict(found), "connection_id": connection_id, "sentence": found.mode.sentence}
    )

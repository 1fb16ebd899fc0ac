"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from api.models.base import Shown
from api.responses import problems
from api.services import UseServices

router = APIRouter(tags=["health"])


class Alive(Shown):
    """The process answers."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", name="get_health")
def get_health(response: Response) -> Alive:
    """Say that this process answers; asks nothing of anybody else."""
    response.headers["Cache-Control"] = "no-store"
    return Alive()


@router.get("/readyz", name="get_readiness", responses=problems(503))
def get_readiness(services: UseServices, response: Response) -> Alive:
    """Say that requests can be served: the database answers and has its tables."""
    response.headers["Cache-Control"] = "no-store"
    with services.database.scheduler_tx() as tx:
        tx.value("api_ready")
    return Alive()

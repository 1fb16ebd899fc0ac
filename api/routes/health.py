"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

import hmac
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from api.models.base import Shown
from api.responses import problems
from api.services import UseServices
from sync.refusals import Unauthenticated

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


@router.get(
    "/metrics",
    name="get_metrics",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "Prometheus' text form.",
        },
        **problems(401, 404, 503),
    },
)
def get_metrics(request: Request, services: UseServices) -> Response:
    """Tell Prometheus how requests and connections go; opened by the token of TIEOUT_METRICS_TOKEN alone."""
    wanted = services.tieout.settings.metrics_token.get_secret_value()
    if not wanted:
        raise HTTPException(404)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode("latin-1"), f"Bearer {wanted}".encode()):
        raise Unauthenticated
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)

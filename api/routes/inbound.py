"""Where providers tell of changes. Answered by the signature alone and at once; what is told is a hint to look."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.services import services_of

router = APIRouter(prefix="/api/v1/webhooks", include_in_schema=False)
log = structlog.get_logger(__name__)
# Intuit sends up to a megabyte; a little room above it.
DELIVERY_BYTES_MAX = 2_000_000


@router.post("/{provider}", name="hear_from_provider")
async def hear_from_provider(request: Request, provider: str) -> Response:
    """Take a delivery: 200 where the provider signed it, 401 where nobody can tell, and an empty body either way."""
    from resources import hints
    from resources.registry import PROVIDERS

    services, spec = services_of(request), PROVIDERS.get(provider)
    if spec is None or spec.webhook is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    # The bytes as they came: the signature is over them, and no two programs write JSON alike.
    body = await request.body()
    signature = request.headers.get(spec.webhook.signature_header, "")
    if not hints.is_signed(spec, body, signature=signature, settings=services.tieout.settings):
        log.warning("delivery_not_signed", provider=provider)
        return Response(status_code=HTTPStatus.UNAUTHORIZED)
    found = hints.read_hints(spec, body)
    followed = await run_in_threadpool(hints.follow, services.database, spec, found, now=services.clock.now())
    log.info("delivery_heard", provider=provider, hints=len(found), connections=followed)
    return Response(status_code=HTTPStatus.OK)

"""Connecting an accounting system step by step, and ending a connection.

Choose the system, see what will flow, consent at the provider (which leads back through the callback), first steps.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.auth import AsBookkeeper, AsOwner, AsViewer
from api.models.base import Taken
from api.models.connections import AccountQuery
from api.routes.connections import disconnect, list_accounts, list_providers
from api.routes.consent import ProviderKey, begin_consent, keep_browser
from api.routes.mappings import get_mapping
from api.services import Services, UseServices
from api.web.gate import origin_of
from api.web.office import connection_page, place
from api.web.render import page
from api.web.said import go
from resources.registry import spec_of
from sync.records import DEFAULT_DIRECTION, SYNC_ORDER

router = APIRouter(tags=["connections"], include_in_schema=False)


class Sure(Taken):
    """That a person meant it."""

    sure: bool = False


@router.get("/integrations/connect", name="choose_provider_page")
def choose_provider_page(request: Request, caller: AsViewer, services: UseServices) -> Response:
    """Step one: which accounting system."""
    return page(request, "connect_choose.html", providers=list_providers(caller, services).items)


@router.get("/integrations/connect/{provider}", name="what_flows_page")
def what_flows_page(
    request: Request, caller: AsViewer, services: UseServices, provider: ProviderKey
) -> Response:
    """Step two: what will flow in which direction, in the words of both sides, before any consent."""
    spec = spec_of(provider)
    found = [each for each in list_providers(caller, services).items if each.provider == provider]
    flows = [
        (entity.value, DEFAULT_DIRECTION[entity], spec.terms[entity.value][1])
        for entity in SYNC_ORDER
        if entity.value in spec.terms
    ]
    return page(
        request,
        "connect_flows.html",
        # The form leads on to the provider in the end, and browsers hold that to the policy too.
        form_action=_consent_origin(services, provider),
        provider=found[0] if found else None,
        spec=spec,
        flows=flows,
    )


@router.post("/integrations/connect/{provider}", name="begin_consent_page")
def begin_consent_page(
    request: Request, caller: AsOwner, services: UseServices, provider: ProviderKey
) -> Response:
    """Step three: on to the provider, which asks the person and sends the browser back."""
    start = begin_consent(caller, services, provider, request)
    onward = RedirectResponse(start.redirect_url, status_code=HTTPStatus.SEE_OTHER)
    onward.headers["Cache-Control"] = "no-store"
    keep_browser(onward, services, start.browser)
    return onward


@router.get("/integrations/{connection_id:uuid}/first-steps", name="first_steps_page")
def first_steps_page(
    request: Request, caller: AsViewer, services: UseServices, connection_id: UUID
) -> Response:
    """Step four: the lists are here, link what both have, map the codes, send the first documents."""
    accounts = list_accounts(caller, services, connection_id, AccountQuery(limit=1))
    mapping = get_mapping(caller, services, Response(), connection_id)
    return connection_page(
        request,
        "first_steps.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="first-steps",
        has_accounts=bool(accounts.items),
        seen_at=accounts.items[0].seen_at if accounts.items else None,
        mapping=mapping,
    )


@router.post("/integrations/{connection_id:uuid}/accounts", name="read_accounts_page")
def read_accounts_page(caller: AsBookkeeper, services: UseServices, connection_id: UUID) -> Response:
    """Read the chart of accounts anew."""
    list_accounts(caller, services, connection_id, AccountQuery(limit=1, refresh=True))
    return go(place(connection_id, "first-steps"), done="accounts_read")


@router.get("/integrations/{connection_id:uuid}/disconnect", name="disconnect_page")
def disconnect_page(
    request: Request, caller: AsOwner, services: UseServices, connection_id: UUID
) -> Response:
    """Say what ends with the connection, and ask."""
    return connection_page(
        request,
        "disconnect.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="settings",
        is_unsure=False,
    )


@router.post("/integrations/{connection_id:uuid}/disconnect", name="end_connection_page")
def end_connection_page(
    request: Request,
    caller: AsOwner,
    services: UseServices,
    connection_id: UUID,
    answer: Annotated[Sure, Form()],
) -> Response:
    """End the connection, once the person has said so."""
    if not answer.sure:
        return connection_page(
            request,
            "disconnect.html",
            services=services,
            caller=caller,
            connection_id=connection_id,
            tab="settings",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            is_unsure=True,
        )
    ended = disconnect(caller, services, connection_id)
    return go("/integrations", done="disconnected_untold" if ended.notice else "disconnected")


def _consent_origin(services: Services, provider: str) -> str:
    return origin_of(spec_of(provider).endpoints(services.tieout.settings).authorize_url) or ""

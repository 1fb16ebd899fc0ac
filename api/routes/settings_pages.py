"""The settings of a connection on a page: when, which kinds, which way, and who wins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, get_args
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import AsOwner, AsViewer, Caller
from api.models.connection_settings import (
    ApprovalLane,
    EndPolicyName,
    PeriodPolicyName,
    StrategyEffect,
    StrategyName,
)
from api.routes.connection_settings import (
    get_connection_settings,
    preview_connection_settings,
    save_connection_settings,
)
from api.services import Services, UseServices
from api.web.accounts import active_accounts
from api.web.forms import posted
from api.web.office import connection_page, place
from api.web.said import go
from api.web.settings_form import (
    CUSTOM,
    Settings,
    as_typed,
    checked,
    refused,
    sent_settings,
    shown_settings,
)
from sync.errors import InvalidSetting
from sync.records import DEFAULT_DIRECTION
from sync.schedule import MANUAL, PRESETS
from sync.window import DAYS

router = APIRouter(tags=["connections"], include_in_schema=False)

Posted = Annotated[FormData, Depends(posted)]


@router.get("/integrations/{connection_id:uuid}/settings", name="settings_page")
def settings_page(request: Request, caller: AsViewer, services: UseServices, connection_id: UUID) -> Response:
    """Show when a connection is synced, which kinds, which way, and who wins."""
    found = get_connection_settings(caller, services, connection_id)
    return _page(request, services, caller, connection_id, shown_settings(found))


@router.post("/integrations/{connection_id:uuid}/settings", name="save_settings_page")
def save_settings_page(
    request: Request, caller: AsOwner, services: UseServices, connection_id: UUID, form: Posted
) -> Response:
    """Save the settings, or show what they would do; what cannot be used is refused at its field."""
    present = shown_settings(get_connection_settings(caller, services, connection_id))
    sent = {name: value for name, value in form.items() if isinstance(value, str)}
    days = [str(day) for day in form.getlist("days")]
    wanted = sent_settings(sent, days, present)
    body = checked(wanted)
    if isinstance(body, dict):
        return _page(request, services, caller, connection_id, as_typed(wanted, present, body))
    try:
        if sent.get("do") == "preview":
            found = preview_connection_settings(caller, services, connection_id, body)
            typed = as_typed(wanted, present, {})
            return _page(request, services, caller, connection_id, typed, preview=found.conflicts)
        save_connection_settings(caller, services, connection_id, body)
    except InvalidSetting as error:
        typed = as_typed(wanted, present, refused(error))
        return _page(request, services, caller, connection_id, typed)
    return go(place(connection_id, "settings"), done="settings_saved")


def _page(
    request: Request,
    services: Services,
    caller: Caller,
    connection_id: UUID,
    settings: Settings,
    *,
    preview: Sequence[StrategyEffect] | None = None,
) -> Response:
    wants_account = any(not each["values"] for each in settings.values["preferences"])
    return connection_page(
        request,
        "settings.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="settings",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if settings.wrong else HTTPStatus.OK,
        settings=settings,
        v=settings.values,
        wrong=settings.wrong,
        preview=preview,
        custom=CUSTOM,
        schedules=(MANUAL, *PRESETS),
        days=DAYS,
        zones=_zones(),
        strategies=get_args(StrategyName.__value__),
        ends=get_args(EndPolicyName.__value__),
        periods=get_args(PeriodPolicyName.__value__),
        lanes=get_args(ApprovalLane.__value__),
        one_way={entity.value for entity, way in DEFAULT_DIRECTION.items() if way == "pull"},
        accounts=active_accounts(services, caller, connection_id) if wants_account else [],
    )


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc")))

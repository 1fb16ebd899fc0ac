"""What a person is told: each notice with the way to what it is about, what was read, and where mail goes.

What was read and what is wanted are the person's own: a viewer decides about them, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import AsViewer, Caller
from api.models.base import Taken
from api.models.notifications import NotificationPreferences, NotificationQuery, ReadMarks
from api.routes.notifications import (
    get_notification_preferences,
    list_notifications,
    read_notifications,
    save_notification_preferences,
)
from api.services import Services, UseServices
from api.web.filters import Filter
from api.web.forms import posted, texts
from api.web.office import builder_zone, connections_of
from api.web.render import NOTICES as HERE
from api.web.render import page
from api.web.said import go
from resources.notice_pages import page_of
from sync.notices import KINDS, Kind

router = APIRouter(tags=["notifications"], include_in_schema=False)

Posted = Annotated[FormData, Depends(posted)]
NOTICE_ROWS = 25
_TITLES: Mapping[Kind, str] = {
    "connection_lost": "A connection is lost",
    "refresh_failing": "Its access is not being renewed",
    "access_ending": "Its access ends soon",
    "dead_letters": "Records could not be synced",
    "held": "Records wait until a cause is mended",
    "conflicts": "Conflicts wait for an answer",
    "tie_out_difference": "The books do not tie out",
    "lists_unread": "Its lists could not be read",
    "outage_began": "Syncs fail",
    "outage_ended": "Syncs work again",
    "webhook_disabled": "A webhook endpoint is switched off",
}


class NoticeFilter(Filter):
    """Which notices are shown."""

    unread: bool = False


class Read(Taken):
    """Which notice was read; none means all."""

    id: UUID | None = None


@router.get(HERE, name="notifications_page")
def notifications_page(
    request: Request, caller: AsViewer, services: UseServices, chosen: Annotated[NoticeFilter, Query()]
) -> Response:
    """List what the person is told, newest first, and ask what of it goes where."""
    return _shown(
        request, caller, services, chosen, preferences=get_notification_preferences(caller, services)
    )


@router.post(f"{HERE}/read", name="read_notifications_page")
def read_notifications_page(
    caller: AsViewer, services: UseServices, read: Annotated[Read, Form()]
) -> Response:
    """Mark one notice as read, or all."""
    read_notifications(caller, services, ReadMarks(ids=[read.id] if read.id else None))
    return go(HERE, done="marked_read")


@router.post(f"{HERE}/preferences", name="save_preferences_page")
def save_preferences_page(
    request: Request, caller: AsViewer, services: UseServices, form: Posted
) -> Response:
    """Save what the person is told of, and where mail goes."""
    wanted = {str(each) for each in form.getlist("wanted")}
    email = texts(form).get("email", "").strip() or None
    muted = [kind for kind in KINDS if kind not in wanted]
    try:
        preferences = NotificationPreferences.model_validate({"email": email, "muted": muted})
    except ValidationError:
        typed = NotificationPreferences(muted=muted)
        return _shown(request, caller, services, NoticeFilter(), preferences=typed, wrong_email=email)
    save_notification_preferences(caller, services, preferences)
    return go(HERE, done="notices_saved")


def _shown(
    request: Request,
    caller: Caller,
    services: Services,
    chosen: NoticeFilter,
    *,
    preferences: NotificationPreferences,
    wrong_email: str | None = None,
) -> Response:
    wanted = NotificationQuery(limit=NOTICE_ROWS, cursor=chosen.cursor, unread=chosen.unread)
    connections = connections_of(services, caller)
    return page(
        request,
        "notifications.html",
        status=422 if wrong_email is not None else 200,
        found=list_notifications(caller, services, wanted),
        chosen=chosen,
        query=[("unread", "true")] if chosen.unread else [],
        here=HERE,
        page_of=page_of,
        connections=connections,
        titles=_TITLES,
        preferences=preferences,
        email=wrong_email if wrong_email is not None else preferences.email or "",
        is_wrong=wrong_email is not None,
        sends_mail=bool(services.tieout.settings.smtp_host),
        zone=builder_zone(services, caller),
        now=services.clock.now(),
    )

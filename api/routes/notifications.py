"""What a person is told: the list, what was read, and what is wanted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api import cursors
from api.auth import AsViewer
from api.models.notifications import (
    Marked,
    Notification,
    NotificationPage,
    NotificationPreferences,
    NotificationQuery,
    ReadMarks,
)
from api.readers import quick_read
from api.responses import READ, WRITE
from api.services import Services, UseServices
from resources.notice_pages import page_of, said_of
from resources.store import notices
from resources.store.views import Row

router = APIRouter(tags=["notifications"])


@quick_read(router.get("/notifications", name="list_notifications", responses=READ))
def list_notifications(
    caller: AsViewer, services: UseServices, wanted: Annotated[NotificationQuery, Query()]
) -> NotificationPage:
    """List what the builder's people are told, and what of it this person has read."""
    after = cursors.after_time(wanted.cursor, kind="notifications")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = notices.list_notices(
            tx,
            caller.person,
            unread_only=wanted.unread,
            open_only=wanted.open,
            after=after,
            rows_max=wanted.limit + 1,
        )
        unread = notices.unread_count(tx, caller.person)
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="notifications", key=cursors.time_key("raised_at")
    )
    return NotificationPage(
        items=[_shown(row, services) for row in page], unread=unread, next_cursor=next_cursor
    )


@router.post("/notifications/read", name="read_notifications", responses=WRITE)
def read_notifications(caller: AsViewer, services: UseServices, body: ReadMarks | None = None) -> Marked:
    """Mark notices as read by this person; for everybody else nothing changes."""
    ids = body.ids if body else None
    with services.database.builder_tx(caller.builder_id) as tx:
        notices.mark_read(tx, caller.person, ids=ids, now=services.clock.now())
        return Marked(unread=notices.unread_count(tx, caller.person))


@quick_read(router.get("/notifications/preferences", name="get_notification_preferences", responses=READ))
def get_notification_preferences(caller: AsViewer, services: UseServices) -> NotificationPreferences:
    """Show what this person is told of, and where."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = notices.preferences(tx, caller.person)
    return NotificationPreferences.model_validate({"email": found.email, "muted": list(found.muted)})


@router.put("/notifications/preferences", name="save_notification_preferences", responses=WRITE)
def save_notification_preferences(
    caller: AsViewer, services: UseServices, body: NotificationPreferences
) -> NotificationPreferences:
    """Say what this person is told of from now on, and where."""
    wanted = notices.Preferences(body.email, tuple(sorted(set(body.muted))))
    with services.database.builder_tx(caller.builder_id) as tx:
        notices.prefer(tx, caller.person, wanted, now=services.clock.now())
    return body


def _shown(row: Row, services: Services) -> Notification:
    said = said_of(row, title=services.title_of(row["provider"] or ""))
    return Notification(
        **{name: row[name] for name in Notification.model_fields if name in row},
        title=said.title,
        message=said.message,
        page_url=services.tieout.settings.public_base_url + page_of(row["kind"], row["connection_id"]),
    )

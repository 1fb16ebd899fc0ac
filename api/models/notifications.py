"""Notifications, as they are listed, read and preferred."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypeAliasType

from api.cursors import Paging
from api.models.base import ID_EXAMPLE, Page, Shown, Taken
from sync.notices import KINDS, Kind

NoticeKind = TypeAliasType("NoticeKind", Kind)
READ_AT_ONCE_MAX = 1000
# No spaces, no line ends, one @: what else is an address, the mail server decides.
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]+$")
]


class NotificationQuery(Paging):
    """Which notices are asked for."""

    unread: bool = Field(default=False, description="Only what this person has not read.")
    open: bool = Field(default=False, description="Only what is still the matter.")


class Notification(Shown):
    """One thing that is or was the matter; while it lasts there is one notice of it."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    kind: NoticeKind
    connection_id: UUID | None
    title: str = Field(examples=["3 records could not be synced with Cedar Ridge Homes LLC"])
    message: str = Field(description="What to do.")
    page_url: str = Field(description="The page in Tieout that shows it.")
    records: int = Field(description="How many records it is about; 0 where none.")
    raised_at: datetime = Field(description="When it began, or grew.")
    resolved_at: datetime | None = Field(description="When it was no longer the matter.")
    read_at: datetime | None = Field(
        description="When this person read it; null again when it grew since then."
    )


class NotificationPage(Page):
    """Notices, newest first."""

    items: list[Notification]
    unread: int = Field(description="How many this person has not read, on all pages.")


class ReadMarks(Taken):
    """Which notices were read."""

    ids: list[UUID] | None = Field(
        default=None, max_length=READ_AT_ONCE_MAX, description="Leave out for all."
    )


class Marked(Shown):
    """What is left to read."""

    unread: int


class NotificationPreferences(Taken):
    """What this person is told of, and where."""

    email: Email | None = Field(
        default=None, description="Where mail goes; null: none.", examples=["office@example.com"]
    )
    muted: list[NoticeKind] = Field(
        default=[], max_length=len(KINDS), description="Kinds this person does not want, here or by mail."
    )

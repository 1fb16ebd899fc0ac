"""Who is signed in to the pages, as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.models.base import ID_EXAMPLE, Shown
from api.models.keys import RoleName


class SessionShown(Shown):
    """One person's session on the pages."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    person: str
    role: RoleName
    scopes: list[str] | None = Field(description="null: everything that the role may.")
    came_by: Literal["platform", "link"]
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class SessionList(Shown):
    """Who is signed in, newest first."""

    items: list[SessionShown]


class EndedSession(Shown):
    """A session that opens nothing any more."""

    id: UUID

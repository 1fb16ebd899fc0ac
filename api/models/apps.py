"""Third-party apps and what people gave them, as they are registered and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.cursors import Text
from api.models.base import ID_EXAMPLE, Shown, Taken
from api.models.keys import KeyName, RoleName
from resources.store.apps import ADDRESS_LENGTH_MAX, APP_SCOPES, REDIRECTS_MAX

Redirect = Annotated[Text, StringConstraints(min_length=1, max_length=ADDRESS_LENGTH_MAX)]


class AppRequest(Taken):
    """An app to be registered for the builder's people."""

    name: KeyName = Field(description="What people read before they let it in.", examples=["Job costing"])
    redirect_uris: list[Redirect] = Field(
        min_length=1,
        max_length=REDIRECTS_MAX,
        description="Where people are sent back to, letter by letter: https, or http on this machine.",
        examples=[["https://app.example.com/callback"]],
    )
    scopes: list[Annotated[str, StringConstraints(max_length=40)]] = Field(
        min_length=1,
        max_length=len(APP_SCOPES),
        description=f"The most that it may ask for. Of: {', '.join(APP_SCOPES)}.",
        examples=[["sync:read", "errors:read"]],
    )
    is_public: bool = Field(
        default=False, description="It runs in people's hands (a browser, a phone) and can keep no secret."
    )


class MadeApp(Shown):
    """A new app. `client_secret` is shown this once; only its hash is kept."""

    client_id: UUID = Field(examples=[ID_EXAMPLE])
    client_secret: str | None = Field(description="null for a public app.", examples=["tieoutx_…"])


class AppShown(Shown):
    """An app that the builder's people may let in."""

    id: UUID = Field(description="Its client_id.", examples=[ID_EXAMPLE])
    name: str
    is_everybodys: bool = Field(description="Registered by the operator, for the people of every builder.")
    is_public: bool
    redirect_uris: list[str]
    scopes: list[str]
    created_by: str
    created_at: datetime


class AppList(Shown):
    """The apps that may be let in, oldest first."""

    items: list[AppShown]


class RevokedApp(Shown):
    """An app that is let in no more, and has nothing any more."""

    id: UUID


class AppGrant(Shown):
    """What one person gave one app."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    app_id: UUID
    app_name: str
    person: str
    role: RoleName
    scopes: list[str]
    created_at: datetime
    renewed_at: datetime | None = Field(description="When it last fetched tokens.")


class AppGrantList(Shown):
    """What apps were given and still have, oldest first."""

    items: list[AppGrant]


class EndedAppGrant(Shown):
    """Something that an app has no more."""

    id: UUID

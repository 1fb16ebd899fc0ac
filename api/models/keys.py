"""API keys, as they are made and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypeAliasType

from api.cursors import Moment, Text
from api.models.base import ID_EXAMPLE, Shown, Taken
from resources.store.api_keys import SCOPES

RoleName = TypeAliasType("RoleName", Literal["owner", "bookkeeper", "viewer"])
KeyName = Annotated[Text, StringConstraints(min_length=1, max_length=100)]


class KeyRequest(Taken):
    """A key to be made."""

    name: KeyName = Field(description="What the key is for; the audit log names it.", examples=["Zapier"])
    role: RoleName = Field(description="viewer reads, bookkeeper also maps and decides, owner also connects.")
    scopes: list[Annotated[str, StringConstraints(max_length=40)]] | None = Field(
        default=None,
        max_length=len(SCOPES),
        description=f"Narrows the key to these; leave out for everything its role may. Of: {', '.join(SCOPES)}.",
        examples=[["sync:read", "errors:read"]],
    )
    expires_at: Moment | None = Field(
        default=None, description="When it stops opening anything; null: never."
    )


class Key(Shown):
    """A key that is not revoked; the key itself is never shown again."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    name: str
    role: RoleName
    scopes: list[str] | None = Field(description="null: everything that the role may.")
    last_four: str = Field(description="Its last four characters, to recognise it by.", examples=["x7Qa"])
    expires_at: datetime | None
    created_by: str | None
    created_at: datetime


class KeyList(Shown):
    """The builder's keys, oldest first."""

    items: list[Key]


class MadeKey(Shown):
    """A new key. `key` is shown this once; only its hash is kept."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    key: str = Field(description="Send it as `Authorization: Bearer …`.", examples=["tieout_…"])


class RevokedKey(Shown):
    """A key that opens nothing any more."""

    id: UUID

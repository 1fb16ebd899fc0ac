"""Webhook endpoints, events and deliveries, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypeAliasType

from api.cursors import Moment, Paging, Period, Text
from api.models.base import ID_EXAMPLE, Page, Shown, Taken
from sync.events import EVENT_TYPES

DeliveryState = TypeAliasType("DeliveryState", Literal["pending", "sending", "delivered", "failed"])
EndpointStatus = TypeAliasType("EndpointStatus", Literal["active", "disabled"])
Url = Annotated[Text, StringConstraints(min_length=1, max_length=2000)]
EventName = Annotated[Text, StringConstraints(max_length=60)]


class EndpointRequest(Taken):
    """An address that wants to hear of events."""

    url: Url = Field(
        description="A public https address; redirects are not followed.",
        examples=["https://example.com/tieout"],
    )
    events: list[EventName] = Field(
        default=[],
        max_length=len(EVENT_TYPES),
        description=f"Which events; empty for all. Of: {', '.join(EVENT_TYPES)}.",
        examples=[["document.failed", "conflict.opened"]],
    )
    description: Text = Field(default="", description="For people.")
    is_active: bool = Field(
        default=True, description="Whether it is told; switching on again enables a disabled one."
    )


class HookRequest(Taken):
    """A REST hook, as Zapier and Make subscribe: one address, one event."""

    target_url: Url = Field(examples=["https://hooks.zapier.com/hooks/standard/1/abc/"])
    event: EventName = Field(examples=["payment.received"])


class Endpoint(Shown):
    """An address that hears of events; its secret is never shown again."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    url: str
    description: str
    events: list[str] = Field(description="Empty: all.")
    status: EndpointStatus
    disabled_reason: str | None
    old_secret_until: datetime | None = Field(
        description="Until when the secret before the last rotation signs too."
    )
    created_by: str
    created_at: datetime


class EndpointList(Shown):
    """The endpoints, newest first."""

    items: list[Endpoint]


class MadeEndpoint(Shown):
    """A new endpoint. `secret` is shown this once."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    secret: str = Field(description="Verifies signatures, see standardwebhooks.com.", examples=["whsec_…"])


class RotatedSecret(Shown):
    """A new secret, shown this once; both sign until the old one ends."""

    secret: str = Field(examples=["whsec_…"])
    old_secret_until: datetime


class RemovedEndpoint(Shown):
    """An endpoint that hears nothing any more."""

    id: UUID


class EventQuery(Period):
    """Which events are asked for."""

    type: EventName | None = Field(default=None, description="Only this type.")


class Event(Shown):
    """Something that happened, exactly as webhooks carry it."""

    id: UUID = Field(
        description="The same however often and by whichever way it is told.", examples=[ID_EXAMPLE]
    )
    type: str = Field(examples=["document.synced"])
    timestamp: datetime
    data: dict[str, Any]


class EventPage(Page):
    """Events, newest first: the fallback for those who cannot be called."""

    items: list[Event]


class EventTypeList(Shown):
    """Every type of event with an example."""

    items: list[Event]


class DeliveryQuery(Paging):
    """Which deliveries are asked for."""

    state: DeliveryState | None = Field(default=None, description="Only those in this state.")


class Delivery(Shown):
    """One event on its way to one endpoint."""

    id: UUID
    event_id: UUID
    type: str
    state: DeliveryState
    tries: int
    next_try_at: datetime
    last_status: int | None = Field(description="What the receiver answered last.")
    last_error: str | None
    last_milliseconds: int | None
    created_at: datetime
    settled_at: datetime | None


class DeliveryPage(Page):
    """Deliveries, newest first."""

    items: list[Delivery]


class ReplayRequest(Taken):
    """A time whose events are sent again."""

    since: Moment
    until: Moment | None = Field(default=None, description="Leave out for now.")


class Replayed(Shown):
    """How many deliveries were queued."""

    deliveries: int


class Resent(Shown):
    """The delivery that was queued."""

    id: UUID

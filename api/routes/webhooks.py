"""Webhooks out: endpoints, what they are told, and how it went; REST hooks for Zapier and Make."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsBookkeeper, AsOwner, AsViewer, Caller
from api.models.webhooks import (
    Delivery,
    DeliveryPage,
    DeliveryQuery,
    Endpoint,
    EndpointList,
    EndpointRequest,
    Event,
    EventPage,
    EventQuery,
    EventTypeList,
    HookRequest,
    MadeEndpoint,
    RemovedEndpoint,
    Replayed,
    ReplayRequest,
    Resent,
    RotatedSecret,
)
from api.readers import quick_read
from api.responses import READ, READ_ONE, WRITE
from api.services import Services, UseServices
from resources.record_links import RecordLinks
from resources.store import webhooks
from resources.store.views import Row
from resources.targets import check_url
from sync.errors import InvalidInput
from sync.events import SAMPLES

router = APIRouter(tags=["webhooks"])


@quick_read(router.get("/webhooks", name="list_webhooks", responses=READ))
def list_webhooks(caller: AsViewer, services: UseServices) -> EndpointList:
    """List the addresses that hear of events."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return EndpointList(items=[Endpoint(**row) for row in webhooks.endpoints(tx)])


@router.post("/webhooks", name="add_webhook", status_code=201, responses=WRITE)
def add_webhook(caller: AsOwner, services: UseServices, body: EndpointRequest) -> MadeEndpoint:
    """Add an address that hears of events; its secret is shown this once."""
    return _add(caller, services, _wanted(body, services))


@router.put("/webhooks/{id}", name="change_webhook", responses=WRITE)
def change_webhook(
    caller: AsOwner,
    services: UseServices,
    endpoint_id: Annotated[UUID, Path(alias="id")],
    body: EndpointRequest,
) -> Endpoint:
    """Change where and what an endpoint hears; `is_active` switches it off and on."""
    wanted = _wanted(body, services)
    with services.database.builder_tx(caller.builder_id) as tx:
        webhooks.change_endpoint(tx, endpoint_id, wanted, actor=caller.actor)
        return Endpoint(**webhooks.endpoint(tx, endpoint_id))


@router.delete("/webhooks/{id}", name="remove_webhook", responses=WRITE)
def remove_webhook(
    caller: AsOwner, services: UseServices, endpoint_id: Annotated[UUID, Path(alias="id")]
) -> RemovedEndpoint:
    """Remove an endpoint and its delivery log."""
    return _remove(caller, services, endpoint_id)


@router.post("/webhooks/{id}/rotate-secret", name="rotate_webhook_secret", responses=WRITE)
def rotate_webhook_secret(
    caller: AsOwner, services: UseServices, endpoint_id: Annotated[UUID, Path(alias="id")]
) -> RotatedSecret:
    """Give an endpoint a new secret; for a day deliveries carry signatures of both."""
    with services.database.builder_tx(caller.builder_id) as tx:
        secret, until = webhooks.rotate_secret(
            tx,
            services.tieout.vault,
            caller.builder_id,
            endpoint_id,
            actor=caller.actor,
            now=services.clock.now(),
        )
    return RotatedSecret(secret=secret, old_secret_until=until)


@quick_read(router.get("/webhooks/{id}/deliveries", name="list_webhook_deliveries", responses=READ_ONE))
def list_webhook_deliveries(
    caller: AsViewer,
    services: UseServices,
    endpoint_id: Annotated[UUID, Path(alias="id")],
    wanted: Annotated[DeliveryQuery, Query()],
) -> DeliveryPage:
    """List what an endpoint was told and how it answered."""
    after = cursors.after_time(wanted.cursor, kind="deliveries")
    with services.database.builder_tx(caller.builder_id) as tx:
        webhooks.endpoint(tx, endpoint_id)
        rows = webhooks.deliveries(
            tx, endpoint_id, state=wanted.state, after=after, rows_max=wanted.limit + 1
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="deliveries", key=cursors.time_key("created_at")
    )
    return DeliveryPage(items=[Delivery(**row) for row in page], next_cursor=next_cursor)


@router.post("/webhooks/{id}/replay", name="replay_webhook", responses=WRITE)
def replay_webhook(
    caller: AsBookkeeper,
    services: UseServices,
    endpoint_id: Annotated[UUID, Path(alias="id")],
    body: ReplayRequest,
) -> Replayed:
    """Send every event of a time to an endpoint again, oldest first, with the ids they had."""
    now = services.clock.now()
    until = body.until or now
    if until <= body.since:
        raise InvalidInput(what="until", reason="it lies before since")
    with services.database.builder_tx(caller.builder_id) as tx:
        count = webhooks.replay(tx, endpoint_id, since=body.since, until=until, now=now)
    return Replayed(deliveries=count)


@router.post("/webhook-deliveries/{id}/resend", name="resend_webhook_delivery", responses=WRITE)
def resend_webhook_delivery(
    caller: AsBookkeeper, services: UseServices, delivery_id: Annotated[UUID, Path(alias="id")]
) -> Resent:
    """Send one delivery's event to its endpoint again."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return Resent(id=webhooks.resend(tx, delivery_id, now=services.clock.now()))


@quick_read(router.get("/events", name="list_events", responses=READ))
def list_events(caller: AsViewer, services: UseServices, wanted: Annotated[EventQuery, Query()]) -> EventPage:
    """List what happened in the last thirty days, newest first: for those who poll."""
    after = cursors.after_time(wanted.cursor, kind="events")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = webhooks.list_events(
            tx,
            event_type=wanted.type,
            since=wanted.since,
            until=wanted.until,
            after=after,
            rows_max=wanted.limit + 1,
        )
    page, next_cursor = cursors.page_of(rows, limit=wanted.limit, kind="events", key=cursors.time_key("at"))
    links = RecordLinks(services.tieout.settings)
    return EventPage(
        items=[_event({**row, "data": links.onto_event(row["data"])}) for row in page],
        next_cursor=next_cursor,
    )


@router.get("/events/types", name="list_event_types", responses=READ)
def list_event_types(
    caller: AsViewer,  # noqa: ARG001 - the declaration is what it is for
    services: UseServices,
) -> EventTypeList:
    """List every type of event with an example of what it carries."""
    now = services.clock.now()
    samples = [
        _event({"id": UUID(int=number), "type": name, "at": now, "data": data})
        for number, (name, data) in enumerate(SAMPLES.items(), start=1)
    ]
    return EventTypeList(items=samples)


@router.post("/hooks", name="subscribe_hook", status_code=201, responses=WRITE)
def subscribe_hook(caller: AsOwner, services: UseServices, body: HookRequest) -> MadeEndpoint:
    """Subscribe one address to one event, as Zapier and Make do."""
    wanted = _wanted(EndpointRequest(url=body.target_url, events=[body.event]), services)
    return _add(caller, services, wanted)


@router.delete("/hooks/{id}", name="unsubscribe_hook", responses=WRITE)
def unsubscribe_hook(
    caller: AsOwner, services: UseServices, endpoint_id: Annotated[UUID, Path(alias="id")]
) -> RemovedEndpoint:
    """End a subscription."""
    return _remove(caller, services, endpoint_id)


def _wanted(body: EndpointRequest, services: Services) -> webhooks.Wanted:
    # Only its form is judged here; what its name leads to is checked at every delivery.
    check_url(body.url, allow_loopback=services.tieout.settings.webhook_allow_loopback)
    return webhooks.Wanted(body.url, tuple(body.events), body.description, body.is_active)


def _add(caller: Caller, services: Services, wanted: webhooks.Wanted) -> MadeEndpoint:
    with services.database.builder_tx(caller.builder_id) as tx:
        endpoint_id, secret = webhooks.add_endpoint(
            tx,
            services.tieout.vault,
            caller.builder_id,
            wanted,
            actor=caller.actor,
            now=services.clock.now(),
        )
    return MadeEndpoint(id=endpoint_id, secret=secret)


def _remove(caller: Caller, services: Services, endpoint_id: UUID) -> RemovedEndpoint:
    with services.database.builder_tx(caller.builder_id) as tx:
        webhooks.remove_endpoint(tx, endpoint_id, actor=caller.actor)
    return RemovedEndpoint(id=endpoint_id)


def _event(row: Row) -> Event:
    found: dict[str, Any] = {"id": row["id"], "type": row["type"], "data": row["data"]}
    return Event(timestamp=row["at"], **found)

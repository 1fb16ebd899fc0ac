"""The frame of every page about one connection: which company it is, what waits there, and the ways between its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from api.chosen import chosen_connection
from api.models.connections import Connection
from api.models.syncs import QueueCounts
from api.routes.connections import list_providers, shown
from api.services import Services
from api.status import waiting_counts
from api.web.render import fragment, may_see, page
from resources.store import views
from resources.store.api_keys import Caller


@dataclass(frozen=True, slots=True)
class Tab:
    """One page about a connection; how many wait behind it, where that is counted."""

    name: str
    title: str
    path: str
    scope: str
    waiting: int = 0


def place(connection_id: UUID, tab: str = "") -> str:
    """Return the address of a page about a connection."""
    return f"/integrations/{connection_id}" + (f"/{tab}" if tab else "")


def builder_zone(services: Services, caller: Caller) -> str:
    """Return the time zone of the builder's connections where they have one, for pages about none of them."""
    with services.database.builder_tx(caller.builder_id) as tx:
        zones = {row["time_zone"] for row in views.connections(tx, statuses=views.ALL_STATUSES)}
    return zones.pop() if len(zones) == 1 else "UTC"


def connection_of(services: Services, caller: Caller, connection_id: UUID) -> Connection:
    """Return a connection of the caller's builder as pages show it; raises NotFound."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return shown(chosen_connection(tx, connection_id), services)


def connections_of(services: Services, caller: Caller) -> dict[UUID, Connection]:
    """Return the connections of the caller's builder by id, for pages about records of several."""
    return {
        each.connection.id: each.connection
        for each in list_providers(caller, services).items
        if each.connection
    }


def connection_part(
    request: Request,
    template: str,
    block: str,
    /,
    *,
    services: Services,
    caller: Caller,
    connection_id: UUID,
    **context: Any,
) -> Response:
    """Return one block of such a page by itself, for a script of ours; raises NotFound."""
    connection = connection_of(services, caller, connection_id)
    return fragment(request, template, block, **_known(connection, services), **context)


def connection_page(
    request: Request,
    template: str,
    /,
    *,
    services: Services,
    caller: Caller,
    connection_id: UUID,
    tab: str,
    status: int = 200,
    **context: Any,
) -> Response:
    """Return a page about one connection, inside its frame; raises NotFound."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = shown(chosen_connection(tx, connection_id), services)
        waiting = waiting_counts(views.queue_counts(tx), connection_id=connection_id)
    frame: Mapping[str, Any] = {
        **_known(connection, services),
        "tab": tab,
        "tabs": [each for each in _tabs(connection_id, waiting) if may_see(caller, each.scope)],
        "waiting": waiting,
    }
    return page(request, template, status=status, **{**frame, **context})


def _known(connection: Connection, services: Services) -> dict[str, Any]:
    return {
        "connection": connection,
        "zone": connection.time_zone,
        "now": services.clock.now(),
        "base": place(connection.id),
    }


def _tabs(connection_id: UUID, waiting: QueueCounts) -> tuple[Tab, ...]:
    return (
        Tab("sync", "Sync", place(connection_id), "sync:read"),
        Tab("history", "History", place(connection_id, "history"), "sync:read"),
        Tab(
            "errors",
            "Errors and held",
            place(connection_id, "errors"),
            "errors:read",
            waiting.errors + waiting.held,
        ),
        Tab("approvals", "Approvals", place(connection_id, "approvals"), "errors:read"),
        Tab("conflicts", "Conflicts", place(connection_id, "conflicts"), "conflicts:read", waiting.conflicts),
        Tab("mapping", "Mapping", place(connection_id, "mapping"), "mappings:read"),
        Tab("bank", "Bank", place(connection_id, "bank"), "sync:read"),
        Tab("settings", "Settings", place(connection_id, "settings"), "connections:read"),
    )

"""Starting syncs for what a person just asked for or decided."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from api.chosen import chosen_connection
from api.models.base import DirectionName
from api.models.syncs import SyncRunView
from api.services import Services
from resources.store.api_keys import Caller
from resources.store.queue import Touched
from resources.store.run_requests import RequestedRun, RunRequest, request_run
from sync.records import Entity


def start_run(
    services: Services,
    caller: Caller,
    *,
    connection_id: UUID | None,
    entities: Iterable[str],
    direction: DirectionName = "both",
) -> RequestedRun:
    """Start a sync, or find the one that already does the same."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id, is_used=True)
    request = RunRequest(
        connection_id=connection["id"],
        provider=connection["provider"],
        requested_by=caller.actor,
        entities=frozenset(Entity(entity) for entity in entities),
        direction=direction,
    )
    return request_run(
        services.database,
        caller.builder_id,
        request=request,
        launcher=services.launcher,
        clock=services.clock,
    )


def start_runs_for(services: Services, caller: Caller, touched: Iterable[Touched]) -> list[SyncRunView]:
    """Start one sync per connection for the entities that a decision touched."""
    entities: dict[UUID, set[str]] = {}
    for each in touched:
        entities.setdefault(each.connection_id, set()).add(each.entity)
    return [
        SyncRunView.model_validate(
            start_run(services, caller, connection_id=connection_id, entities=chosen).run
        )
        for connection_id, chosen in entities.items()
    ]

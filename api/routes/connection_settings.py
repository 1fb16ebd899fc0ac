"""When a connection is synced, which entities, which way, and who wins."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsBookkeeper, AsOwner, AsViewer
from api.models.connection_settings import (
    ConnectionSettingsIn,
    ConnectionSettingsShown,
    SettingsPreview,
    StrategyEffect,
)
from api.readers import quick_read
from api.responses import READ_ONE, WRITE
from api.services import UseServices
from resources.registry import spec_of
from resources.store import connection_settings as store
from resources.store.conflicts import foresee_strategy, read_facts
from sync.records import Entity
from sync.schedule import zone_of
from sync.window import read_window

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

router = APIRouter(tags=["connections"])


@quick_read(router.get("/connections/{id}/settings", name="get_connection_settings", responses=READ_ONE))
def get_connection_settings(
    caller: AsViewer, services: UseServices, connection_id: Annotated[UUID, Path(alias="id")]
) -> ConnectionSettingsShown:
    """Show when a connection is synced, which entities, which way, and who wins."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = store.read_settings(tx, caller.builder_id, connection_id=connection_id)
    return _shown(connection_id, found, now=services.clock.now())


@router.put("/connections/{id}/settings", name="save_connection_settings", responses=WRITE)
def save_connection_settings(
    caller: AsOwner,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    body: ConnectionSettingsIn,
) -> ConnectionSettingsShown:
    """Replace a connection's settings; a schedule or window that could never run is refused with a sentence."""
    now = services.clock.now()
    wanted = _wanted(body)
    with services.database.builder_tx(caller.builder_id) as tx:
        present = store.read_settings(tx, caller.builder_id, connection_id=connection_id)
        saved = store.save_settings(
            tx,
            caller.builder_id,
            connection_id=connection_id,
            wanted=wanted,
            saved_by=caller.actor,
            now=now,
            known=spec_of(present.provider).preferences,
        )
    return _shown(connection_id, saved, now=now)


@router.post("/connections/{id}/settings/preview", name="preview_connection_settings", responses=WRITE)
def preview_connection_settings(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    body: ConnectionSettingsIn,
) -> SettingsPreview:
    """Show what saving these settings would do with the conflicts that are open now; nothing is saved."""
    with services.database.builder_tx(caller.builder_id) as tx:
        facts = read_facts(tx, caller.builder_id, connection_id=connection_id, title_of=services.title_of)
    found = foresee_strategy(services.database, facts, wanted=_wanted(body), now=services.clock.now())
    return SettingsPreview(conflicts=[StrategyEffect.model_validate(each) for each in found])


def _wanted(body: ConnectionSettingsIn) -> store.ConnectionSettings:
    return store.ConnectionSettings(
        sync_schedule=body.sync_schedule,
        sync_window=body.sync_window.model_dump(by_alias=True) if body.sync_window else None,
        time_zone=body.time_zone,
        conflict_strategy=body.conflict_strategy,
        is_real_time=body.is_real_time,
        entities=[
            store.EntityChoice(
                Entity(each.entity),
                is_enabled=each.is_enabled,
                direction=each.direction,
                conflict_strategy=each.conflict_strategy,
                ended_here=each.ended_here if "ended_here" in each.model_fields_set else "stays",
                ended_there=each.ended_there if "ended_there" in each.model_fields_set else "stays",
                closed_period=each.closed_period,
                approval=each.approval,
            )
            for each in body.entities
        ],
        preferences=body.preferences,
        history_from=body.history_from if "history_from" in body.model_fields_set else "stays",
    )


def _shown(connection_id: UUID, found: store.ConnectionSettings, *, now: datetime) -> ConnectionSettingsShown:
    return ConnectionSettingsShown.model_validate(
        {
            **_plain(found),
            "connection_id": connection_id,
            "entities": [_plain(each) for each in found.entities],
            "preferences": [
                {
                    "name": each.key,
                    "value": (found.preferences or {}).get(each.key),
                    "values": list(each.values),
                    "meaning": each.meaning,
                }
                for each in spec_of(found.provider).preferences
            ],
            "waits": _waits(found, now=now),
        }
    )


def _plain(data: DataclassInstance) -> dict[str, Any]:
    # The standard library's own would copy everything inside, too.
    return {each.name: getattr(data, each.name) for each in fields(data)}


def _waits(found: store.ConnectionSettings, *, now: datetime) -> str | None:
    window, zone = read_window(found.sync_window), zone_of(found.time_zone)
    if window is None or window.is_open(now, zone):
        return None
    return f"Syncs wait until {window.next_open(now, zone).astimezone(zone):%A %H:%M} ({found.time_zone})."

"""The API over an office: routes, real syncs in this process, and the sandbox behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from api.app import create_app
from api.services import ProviderEntry
from resources.store.api_keys import create_api_key
from sync.records import SYNC_ORDER, Direction, Entity
from tests.api.world import Client, exact
from tests.support.office import Office


class InThisProcess:
    """A launcher that carries out what it is asked for before it returns."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def launch_sync(
        self,
        *,
        builder_id: str,
        connection_id: str,
        provider: str,
        sync_run_id: str,
        entities: Sequence[Entity] = (),
        direction: Direction = "both",
    ) -> str:
        self.office.later(minutes=3)
        with self.office.tieout.sync(builder_id, connection_id, sync_run_id) as sync:
            sync.pull_changes()
            for entity in entities or SYNC_ORDER:
                sync.sync_entity(entity)
            sync.finish()
        return f"run-of-{sync_run_id}"

    def launch_rehearsal(self, *, builder_id: str, provider: str, rehearsal_id: str) -> str:
        self.office.tieout.rehearse(builder_id, rehearsal_id)
        return f"run-of-{rehearsal_id}"

    def add_builder(self, builder_id: str) -> None:
        """Nothing to do without Dagster."""


class OfficeApi:
    """The owner's client, with the gestures that tests repeat."""

    def __init__(self, office: Office, client: Client) -> None:
        self.office = office
        self.client = client

    def get(self, path: str, **params: Any) -> Any:
        return exact(self.client.get(path, **params))

    def post(self, path: str, body: Any = None) -> Any:
        return exact(self.client.post(path, body))

    def items(self, path: str, **params: Any) -> list[Any]:
        found: list[Any] = self.get(path, **params)["items"]
        return found

    def sync(self) -> None:
        """Press Sync now."""
        self.post("/sync", {"connection_id": self.office.connection_id})

    def setting(self, entity: str, **changes: Any) -> None:
        """Change how one entity is synced."""
        path = f"/connections/{self.office.connection_id}/settings"
        shown = self.get(path)
        kept = {
            k: shown[k]
            for k in ("sync_schedule", "sync_window", "time_zone", "conflict_strategy", "is_real_time")
        }
        (present,) = [each for each in shown["entities"] if each["entity"] == entity]
        exact(self.client.put(path, kept | {"entities": [present | changes]}))

    def strategy(self, strategy: str) -> None:
        """Change who wins on the connection."""
        path = f"/connections/{self.office.connection_id}/settings"
        shown = self.get(path)
        kept = {k: shown[k] for k in ("sync_schedule", "sync_window", "time_zone", "is_real_time")}
        exact(self.client.put(path, kept | {"conflict_strategy": strategy}))

    def held(self) -> list[tuple[str, str]]:
        """What waits in the review queue: label and code."""
        return [(each["label"], each["code"]) for each in self.items("/sync/errors", status="held")]


@contextmanager
def api_of(office: Office) -> Iterator[OfficeApi]:
    """Serve the API over a connected office."""
    providers = (ProviderEntry(office.books.key, office.books.title, is_configured=True),)
    key = create_api_key(
        office.database, UUID(office.builder_id), name=f"owner {uuid4().hex[:6]}", role="owner"
    )
    with asyncio.Runner() as runner:
        app = create_app(office.tieout, launcher=InThisProcess(office), providers=providers)
        yield OfficeApi(office, Client(app, runner, key=key))

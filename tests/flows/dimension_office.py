"""The office's hands on the dimensions of a connection, over the real API."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, Self
from uuid import UUID

from api.app import create_app
from resources.store.api_keys import create_api_key
from resources.wiring import Tieout
from tests.api.world import Client, FakeLauncher, exact


class Connected(Protocol):
    """A builder with a connection and the product over it."""

    tieout: Tieout
    builder_id: str
    connection_id: str


class DimensionOffice:
    """Saves and reads what jobs and cost codes become; use it as a context manager."""

    def __init__(self, world: Connected) -> None:
        """Make a key of the owner's and open the API over the world's product."""
        self._world = world
        self._runner = asyncio.Runner()
        key = create_api_key(world.tieout.database, UUID(world.builder_id), name="owner", role="owner")
        self.client = Client(create_app(world.tieout, launcher=FakeLauncher()), self._runner, key=key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    @property
    def path(self) -> str:
        """Where the dimensions of the connection are."""
        return f"/connections/{self._world.connection_id}/dimensions"

    def save(self, *choices: tuple[str, ...], tax: list[tuple[str, str | None, str]] | None = None) -> Any:
        """Save choices (subject, list, and a tracking category's name) and tax codes (entity, role, code)."""
        body = {
            "dimensions": [
                {"subject": each[0], "list": each[1], "category": each[2] if len(each) > 2 else None}
                for each in choices
            ],
            "tax_codes": [{"entity": entity, "role": role, "code": code} for entity, role, code in tax or ()],
        }
        return exact(self.client.put(self.path, body))

    def name(
        self, subject: str, subject_id: str, *, list_name: str, name: str | None, category: str | None = None
    ) -> Any:
        """Say under which name a job or code is found."""
        body = {
            "subject": subject,
            "subject_id": subject_id,
            "list": list_name,
            "category": category,
            "name": name,
        }
        return exact(self.client.put(f"{self.path}/options", body))

    def options(self) -> Any:
        """What the subjects are in the ledger's lists."""
        return exact(self.client.get(f"{self.path}/options"))["items"]

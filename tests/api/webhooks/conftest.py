"""The application allowed to call this machine, and a receiver on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from resources.settings import Settings
from resources.store.database import Database
from resources.store.notices import all_builders
from tests.api.webhooks.receiver import Receiver
from tests.api.world import House, World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def open_world(settings: Settings, database: Database) -> Iterator[World]:
    given = settings.model_copy(update={"webhook_allow_loopback": True})
    with asyncio.Runner() as runner:
        yield World(given, database, runner)


@pytest.fixture
def world(open_world: World) -> Iterator[World]:
    before = open_world.clock.now()
    yield open_world
    open_world.clock._now = before
    # One test's receiver is gone in the next.
    for builder_id in all_builders(open_world.database):
        with open_world.database.builder_tx(builder_id) as tx:
            tx.connection.exec_driver_sql("delete from webhook_endpoints")


@pytest.fixture
def house(world: World) -> House:
    return world.a_house()

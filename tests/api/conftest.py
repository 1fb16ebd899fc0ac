"""The application over a database of the module's own, and one builder per test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from resources.settings import Settings
from resources.store.database import Database
from tests.api.world import Client, FakeLauncher, House, World


@pytest.fixture(scope="module")
def shared_world(settings: Settings, database: Database) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings, database, runner)


@pytest.fixture
def world(shared_world: World) -> World:
    """Fresh fakes for each test; the database keeps its builders apart by itself."""
    shared_world.launcher.refuses = None
    shared_world.launcher.launched.clear()
    shared_world.launcher.builders.clear()
    shared_world.connections.fails = None
    shared_world.connections.begun.clear()
    shared_world.connections.answered.clear()
    shared_world.tieout.pulled.clear()
    return shared_world


@pytest.fixture
def launcher(world: World) -> FakeLauncher:
    return world.launcher


@pytest.fixture
def house(world: World) -> House:
    return world.a_house()


@pytest.fixture
def client(house: House) -> Client:
    """The owner's client."""
    return house.client()

"""The API over real HTTP, an app of each sort, and somebody who is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.kernel.server import ServerThread
from tests.api.apps.third_party import Person, ThirdParty, an_app, close_clients
from tests.api.world import NOW, House, World


@pytest.fixture(scope="module")
def base(shared_world: World) -> Iterator[str]:
    with ServerThread(shared_world.app) as server:
        yield server.url
        close_clients()


@pytest.fixture
def back_to_now(world: World) -> Iterator[None]:
    yield
    world.clock._now = NOW


@pytest.fixture(params=["with a secret", "public"])
def app(world: World, base: str, house: House, request: pytest.FixtureRequest) -> ThirdParty:
    return an_app(world, base, house.id, is_public=request.param == "public")


@pytest.fixture
def ann(world: World, base: str, house: House) -> Person:
    return Person(world, house, base)

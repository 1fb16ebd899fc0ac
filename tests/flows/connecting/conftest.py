"""A sandbox per module, and an installation, a builder and a company per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from resources.settings import Settings
from resources.store.database import Database
from tests.fakes.world import Platform
from tests.support.connecting import World
from tests.support.quickbooks_sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def world(database: Database, settings: Settings, sandbox: Sandbox) -> Iterator[World]:
    made = World(database, settings, sandbox)
    yield made
    made.connections.close()
    sandbox.control("DELETE", "/faults")
    sandbox.control("DELETE", "/requests")


@pytest.fixture
def platform(database: Database) -> Platform:
    return Platform(database)


@pytest.fixture
def realm(sandbox: Sandbox) -> str:
    return sandbox.company(name="Larch Homes LLC")

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app
from tests.sandbox.quickbooks.driver import Books


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with ServerThread(create_app()) as server:
        httpx.post(f"{server.url}/_sandbox/snapshots/fresh").raise_for_status()
        yield server.url


@pytest.fixture
def books(sandbox_url: str) -> Iterator[Books]:
    httpx.post(f"{sandbox_url}/_sandbox/reset", json={"snapshot": "fresh"}, timeout=30).raise_for_status()
    driver = Books(sandbox_url)
    yield driver
    driver.close()

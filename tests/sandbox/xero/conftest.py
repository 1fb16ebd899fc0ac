"""A Xero sandbox over real HTTP, emptied for each test, with every answer judged by the published description."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sandbox.kernel.server import ServerThread
from sandbox.xero import create_app
from tests.sandbox.xero.client import Xero
from tests.sandbox.xero.judge import JudgedApp


@pytest.fixture(scope="session")
def xero_server() -> Iterator[tuple[ServerThread, JudgedApp]]:
    app = create_app(seed="empty")
    judge = JudgedApp(app._app)
    app._app = judge
    with ServerThread(app) as server:
        server.emulator = app.emulator  # type: ignore[attr-defined]
        yield server, judge


@pytest.fixture
def xero(xero_server: tuple[ServerThread, JudgedApp]) -> Iterator[Xero]:
    """An empty organisation, connected, with balanced books and valid answers at the end."""
    server, judge = xero_server
    client = Xero(server.url, emulator=server.emulator)  # type: ignore[attr-defined]
    client.control("/reset", {"scenario": "empty"})
    client.connect()
    judge.problems.clear()
    yield client
    ledger = client.http.get("/_sandbox/ledger").json()
    client.http.close()
    assert ledger["balanced"], ledger
    assert judge.problems == []


@pytest.fixture
def contact(xero: Xero) -> dict[str, object]:
    return xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Harbour Homes"}]})


@pytest.fixture
def hundred() -> Decimal:
    return Decimal(100)

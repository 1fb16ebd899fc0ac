"""Both sandboxes behind real ports, and a builder connected to a fresh company for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app as create_quickbooks
from sandbox.xero import create_app as create_xero
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.providers.contract.office import Office
from tests.support.books import Books, QuickBooksBooks, XeroBooks


@pytest.fixture(scope="module", params=["quickbooks_online", "xero"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    if request.param == "xero":
        app = create_xero(seed="none")
        app.emulator.identity_default = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)  # type: ignore[attr-defined]
    else:
        app = create_quickbooks()
    with ServerThread(app) as server:
        made = (XeroBooks if request.param == "xero" else QuickBooksBooks)(server.url, app.emulator)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=4, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def tieout(settings: Settings, database: Database, books: Books) -> Iterator[Tieout]:
    with Tieout(books.settings(settings), database=database) as opened:
        yield opened


@pytest.fixture
def office(tieout: Tieout, books: Books) -> Iterator[Office]:
    books.open_company("Larch Books")
    made = Office(tieout, books)
    made.connect()
    yield made
    books.control("DELETE", "/faults")

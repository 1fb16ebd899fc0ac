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
from tests.support.books import Books
from tests.support.judged_xero import judged_xero
from tests.support.office import Office
from tests.support.office_api import OfficeApi, api_of
from tests.support.quickbooks_books import QuickBooksBooks


@pytest.fixture(scope="module", params=["quickbooks_online", "xero"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    if request.param == "xero":
        with judged_xero() as xero:
            yield xero
        return
    app = create_quickbooks()
    with ServerThread(app) as server:
        made = QuickBooksBooks(server.url, app.emulator)
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=4, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def newcomer(settings: Settings, database: Database, books: Books) -> Iterator[Office]:
    """A builder that is not connected yet, and a company that waits for it."""
    books.open_company("Larch Books")
    with Tieout(books.settings(settings), database=database, clock=books.clock) as opened:
        yield Office(opened, books)
    books.control("DELETE", "/faults")


@pytest.fixture
def office(newcomer: Office) -> Office:
    """A connected builder."""
    newcomer.connect()
    return newcomer


@pytest.fixture
def api(office: Office) -> Iterator[OfficeApi]:
    """The API over the connected builder; its syncs run in this process."""
    with api_of(office) as served:
        yield served

"""A Xero sandbox per module, and a builder connected to a fresh organisation per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from resources.xero.provider import Xero
from tests.support.judged_xero import judged_xero
from tests.support.office import Office
from tests.support.xero_books import XeroBooks


@pytest.fixture(scope="module")
def books() -> Iterator[XeroBooks]:
    with judged_xero() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=4, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def office(settings: Settings, database: Database, books: XeroBooks) -> Iterator[Office]:
    books.open_company("Larch Books")
    with Tieout(books.settings(settings), database=database, clock=books.clock) as opened:
        made = Office(opened, books)
        made.connect()
        yield made
    books.control("DELETE", "/faults")
    books.control(
        "POST",
        "/switches",
        {name: each["values"][0] for name, each in books.control("GET", "/switches").items()},
    )


@pytest.fixture
def provider(office: Office) -> Xero:
    """The organisation as the sync core reaches it."""
    found = office.tieout.connections.open(office.builder_id, office.connection_id)
    assert isinstance(found, Xero)
    list(found.changes(None))
    return found

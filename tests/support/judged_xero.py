"""A Xero sandbox over HTTP whose every accounting answer, and every request of our own client, is held against Xero's
published description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from resources.http import USER_AGENT
from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sandbox.kernel.server import ServerThread
from sandbox.xero import create_app
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.sandbox.xero.judge import JudgedApp
from tests.support.xero_books import XeroBooks


@contextmanager
def judged_xero() -> Iterator[XeroBooks]:
    """Open the sandbox's books; what the description has against our client fails the test at the end."""
    app = create_app(seed="none")
    app.emulator.identity_default = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)  # type: ignore[attr-defined]
    app._app = judge = JudgedApp(app._app, judges_requests_of=USER_AGENT)
    with ServerThread(app) as server:
        books = XeroBooks(server.url, app.emulator)
        try:
            yield books
        finally:
            books.close()
    assert not judge.problems, "\n".join(sorted(set(judge.problems)))


def organisation(books: XeroBooks, name: str) -> str:
    """Open an organisation in the sandbox, and return its id."""
    return str(books.control("POST", "/organisations", {"name": name, "version": "US"})["id"])


@contextmanager
def tieout_without_organisations(
    books: XeroBooks, settings: Settings, database: Database, *, seed: int
) -> Iterator[Tieout]:
    """Begin anew with no organisation at all; those that the seed brings about have ids of their own."""
    books.control("POST", "/reset", {"scenario": "none", "keep_apps": True, "seed": seed})
    books.clock.ahead *= 0
    with Tieout(books.settings(settings), database=database, clock=books.clock) as opened:
        yield opened

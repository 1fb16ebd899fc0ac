"""A Xero sandbox over HTTP whose every accounting answer, and every request of our own client, is held against Xero's
published description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from resources.http import USER_AGENT
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

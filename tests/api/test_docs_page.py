"""`/docs` in a real browser without a network: everything it shows comes from here, under a policy that says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route

from resources.settings import Settings
from resources.store.database import Database
from sandbox.kernel.server import ServerThread
from tests.api.world import World


@pytest.fixture(scope="module")
def url(settings: Settings, database: Database) -> Iterator[str]:
    # The runner is never used: the browser brings a loop of its own to this thread.
    with ServerThread(World(settings, database, asyncio.Runner()).app) as server:
        yield server.url


def test_the_page_names_no_other_host(url: str) -> None:
    shown = httpx.get(f"{url}/docs")
    policy = shown.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert "https://" not in shown.text
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert len(httpx.get(f"{url}/docs/{name}").content) > 100_000
    assert httpx.get(f"{url}/docs/favicon-32x32.png").status_code == 404
    assert httpx.get(f"{url}/docs/..%2Fmain.py").status_code == 404


@pytest.mark.browser
@pytest.mark.slow
def test_the_document_is_shown_without_a_network_and_breaks_no_rule(page: Page, url: str) -> None:
    said: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)

    def here_only(route: Route) -> None:
        if route.request.url.startswith((url, "data:")):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.route("**/*", here_only)
    page.goto(f"{url}/docs")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() > 40
    assert (elsewhere, said) == ([], [])

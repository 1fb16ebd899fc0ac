"""What every test may ask for: a database of its own, and settings that point to it.

One embedded PostgreSQL serves the whole session, parallel workers included; each test module gets a clone of a
migrated template, so that modules neither see nor wait for each other.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from playwright.sync_api import Browser, Playwright, sync_playwright

from resources.postgres import DatabaseUrls, database_urls
from resources.settings import Settings
from resources.store.database import Database
from tests.support.browser import REMEDY, chromium_path
from tests.support.postgres import SessionServer, release_home, reserve_home, session_server, settings_for

# A developer's own settings must not decide what a test sees.
for name in [name for name in os.environ if name.startswith("TIEOUT_")]:
    del os.environ[name]


# Its own way of showing an error paints every local variable of every frame, which takes minutes for an application.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_configure(config: pytest.Config) -> None:
    """Reserve the session's data folder in the process that the parallel workers inherit from."""
    # Started from a shell's background, children would inherit that interrupts are ignored, and each stop would wait its longest.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        # Ended from outside, the session still stops its server.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        reserve_home()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server once every worker is done."""
    if not hasattr(config, "workerinput"):
        release_home()


@pytest.fixture(scope="session")
def postgres_server() -> SessionServer:
    """The session's embedded PostgreSQL, with a migrated template."""
    return session_server()


@pytest.fixture(scope="module")
def settings(postgres_server: SessionServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an installation of this test module's own: its home folder and a fresh, migrated database."""
    with postgres_server.fresh_database() as url:
        yield settings_for(url, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def urls(settings: Settings) -> DatabaseUrls:
    """The addresses of the module's database, one per role."""
    return database_urls(settings)


@pytest.fixture(scope="module")
def database(urls: DatabaseUrls) -> Iterator[Database]:
    """The module's database as the application reaches it."""
    with Database(urls) as opened:
        yield opened


@pytest.fixture
def fresh_settings(postgres_server: SessionServer, tmp_path: Path) -> Iterator[Settings]:
    """Like `settings`, for one test alone."""
    with postgres_server.fresh_database() as url:
        yield settings_for(url, tmp_path)


@pytest.fixture
def fresh_database(fresh_settings: Settings) -> Iterator[Database]:
    """Like `database`, for one test alone."""
    with Database(database_urls(fresh_settings)) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """How the browser plugin starts the Chromium of this machine."""
    path = chromium_path()
    if path is None:
        pytest.fail(REMEDY, pytrace=False)
    # Chromium's own sandbox needs rights that root in a container does not have.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": arguments}


# The plugin's own live as long as the session, and with them an event loop that runs in the thread of the tests: whatever
# test came next in that process could start none. These end with their module.


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What drives browsers, for this test module."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """This test module's Chromium."""
    with playwright.chromium.launch(**browser_type_launch_args) as launched:
        yield launched


@pytest.fixture(scope="module")
def browser_context_args() -> dict[str, object]:
    """Nothing of a window is decided for all tests."""
    return {}

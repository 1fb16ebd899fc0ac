"""Everything that has to run for the demo: Postgres, both sandboxes, the API, and Dagster.

Started side by side where one does not need the other; stopped in order, whatever happened.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from pipelines.dagster_processes import DagsterProcesses
from pipelines.demo.settings import as_environment
from pipelines.home import dagster_environment
from pipelines.processes import Child, Household, answers, lives, python, require_free_ports
from resources.postgres import database_urls, prepare_cluster, start_embedded, stop_embedded
from resources.postgres.migrate import MigrationReport, migrate
from resources.settings import PREFIX, Settings
from resources.store.database import Database

QUICKBOOKS, XERO = "QuickBooks sandbox", "Xero sandbox"
API = "API"


class Stage:
    """The demo's processes; use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.quickbooks_url = settings.quickbooks_base_url
        self.xero_url = settings.xero_base_url
        self.api_url = settings.public_base_url
        environment = dagster_environment(settings) | as_environment(settings)
        self._cleanup = ExitStack()
        self._household = Household(settings.home / "logs", environment=environment)
        self._dagster = DagsterProcesses(settings, self._household)

    @property
    def dagster_url(self) -> str:
        """Where people find Dagster."""
        return self._dagster.url

    def sandbox_url(self, provider: str) -> str:
        """Where the sandbox of an accounting system is."""
        return {"quickbooks_online": self.quickbooks_url, "xero": self.xero_url}[provider]

    def check_ports(self) -> None:
        """Raise one sentence per port that somebody else uses, before anything is started."""
        settings = self.settings
        require_free_ports(
            [
                ("the API", settings.api_host, settings.api_port, f"{PREFIX}API_PORT"),
                ("Dagster", settings.dagster_host, settings.dagster_port, f"{PREFIX}DAGSTER_PORT"),
                (
                    "the QuickBooks sandbox",
                    "127.0.0.1",
                    settings.quickbooks_sandbox_port,
                    f"{PREFIX}QUICKBOOKS_SANDBOX_PORT",
                ),
                (
                    "the Xero sandbox",
                    "127.0.0.1",
                    settings.xero_sandbox_port,
                    f"{PREFIX}XERO_SANDBOX_PORT",
                ),
            ]
        )

    def start_database(self) -> MigrationReport:
        """Make Postgres run, with the newest schema."""
        if self.settings.is_embedded:
            if start_embedded(self.settings).was_started:
                self._cleanup.callback(stop_embedded, self.settings)
        else:
            prepare_cluster(self.settings)
        return migrate(database_urls(self.settings).owner)

    def open_database(self) -> Database:
        """Open the product's database for the demo itself."""
        return self._cleanup.enter_context(Database(database_urls(self.settings)))

    def start_servers(self) -> None:
        """Start the sandboxes, the API and Dagster side by side."""
        self._cleanup.enter_context(self._household)
        self._household.start(self._sandbox(QUICKBOOKS, "quickbooks", self.quickbooks_url))
        self._household.start(self._sandbox(XERO, "xero", self.xero_url))
        self._household.start(
            Child(API, [sys.executable, "-m", "api.cli", "serve"], answers(f"{self.api_url}/readyz"))
        )
        self._dagster.start()

    def _sandbox(self, title: str, name: str, url: str) -> Child:
        books = self.settings.home / "sandbox" / name
        books.mkdir(parents=True, exist_ok=True)
        port = str(urlsplit(url).port)
        return Child(
            title,
            python("sandbox", name, "--port", port, "--data", str(books)),
            answers(f"{url}/_sandbox/state"),
        )

    def wait_for_servers(self) -> None:
        """Wait until both sandboxes and the API answer."""
        self._household.wait(QUICKBOOKS, XERO, API)
        # Xero itself sends browsers back to https or http://localhost only; everything of the demo is at 127.0.0.1.
        switches = httpx.post(f"{self.xero_url}/_sandbox/switches", json={"redirect_loopback_ip": "allow"})
        switches.raise_for_status()

    def wait_for_dagster(self) -> None:
        """Wait until runs can be asked for."""
        self._dagster.wait()

    def begin_work(self) -> None:
        """Let Dagster take runs from the queue and look for due connections."""
        self._dagster.begin_work()

    def start_real_time(self) -> None:
        """Send what is approved at once, and mails and webhooks when they are due, as long as the demo stays up."""
        self._household.start(Child("Real-time worker", python("pipelines.worker"), lives))
        self._household.start(Child("Deliveries", [sys.executable, "-m", "api.cli", "deliver"], lives))

    def watch(self) -> None:
        """Raise when a process has ended by itself."""
        self._household.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

"""Dagster's three processes on one machine: a code server, and the web server and daemon that share it."""

from __future__ import annotations

from pathlib import Path

from pipelines.home import prepare_dagster_home
from pipelines.processes import Child, Household, answers, free_port, listens, lives, python
from resources.launcher import LOCATION
from resources.settings import Settings

CODE_SERVER = "Dagster code server"
WEB_SERVER = "Dagster web server"
DAEMON = "Dagster daemon"


class DagsterProcesses:
    """Starts Dagster's processes in a household, each when those it needs are there."""

    def __init__(self, settings: Settings, household: Household) -> None:
        self._settings = settings
        self._household = household
        self._port = free_port()
        self._workspace: Path | None = None

    @property
    def url(self) -> str:
        """Where people find Dagster."""
        return f"http://{self._settings.dagster_host}:{self._settings.dagster_port}"

    def start_code_server(self) -> None:
        """Start the process that holds the definitions and starts runs."""
        self._workspace = prepare_dagster_home(self._settings, code_server_port=self._port)
        self._household.start(
            Child(
                CODE_SERVER,
                python(
                    "dagster",
                    "api",
                    "grpc",
                    "-m",
                    "pipelines.definitions",
                    "--location-name",
                    LOCATION,
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(self._port),
                    "--use-python-environment-entry-point",
                    "--log-level",
                    "warning",
                ),
                listens(self._port),
            )
        )

    def start_web_server(self) -> None:
        """Start the UI and GraphQL, once the code server answers; a location that is not there stays an error."""
        self._household.wait(CODE_SERVER)
        host, port = self._settings.dagster_host, self._settings.dagster_port
        self._household.start(
            Child(
                WEB_SERVER,
                python(
                    "dagster_webserver",
                    "-h",
                    host,
                    "-p",
                    str(port),
                    "-w",
                    str(self._workspace),
                    "--log-level",
                    "warning",
                ),
                answers(f"{self.url}/server_info"),
            )
        )

    def start_daemon(self) -> None:
        """Start queue, sensors, backfills and monitoring; lost runs are reported first."""
        self._household.wait(CODE_SERVER)
        self._household.start(
            Child(
                DAEMON,
                python("pipelines.daemon", "-w", str(self._workspace), "--log-level", "warning"),
                lives,
            )
        )

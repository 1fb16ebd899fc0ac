"""Dagster's three processes on one machine: a code server, and the web server and daemon that share it."""

from __future__ import annotations

from pipelines.home import prepare_dagster_home
from pipelines.processes import Child, Household, answers, free_port, listens, lives, python
from resources.launcher import LOCATION
from resources.settings import Settings

CODE_SERVER = "Dagster code server"
WEB_SERVER = "Dagster web server"
DAEMON = "Dagster daemon"
GROUP = "Dagster"
QUIET = ("--log-level", "warning")


class DagsterProcesses:
    """Starts Dagster's processes in a household."""

    def __init__(self, settings: Settings, household: Household) -> None:
        self._settings = settings
        self._household = household
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where people find Dagster."""
        return f"http://{self._settings.dagster_host}:{self._settings.dagster_port}"

    def start(self) -> None:
        """Start all three side by side; the daemon begins its work when it is told to (`begin_work`)."""
        workspace = prepare_dagster_home(self._settings, code_server_port=self._port)
        host, port = self._settings.dagster_host, self._settings.dagster_port
        code_server = ["-m", "pipelines.definitions", "--location-name", LOCATION, "-h", "127.0.0.1"]
        code_server += ["-p", str(self._port), "--use-python-environment-entry-point"]
        web_server = [str(self._port), "-h", host, "-p", str(port), "-w", str(workspace)]
        self._household.start(
            Child(
                CODE_SERVER,
                python("pipelines.code_server", *code_server, *QUIET),
                listens(self._port),
                group=GROUP,
            )
        )
        self._household.start(
            Child(
                WEB_SERVER,
                python("pipelines.web_server", *web_server, *QUIET),
                answers(f"{self.url}/server_info"),
                group=GROUP,
            )
        )
        self._household.start(
            Child(
                DAEMON,
                python("pipelines.daemon", "-w", str(workspace), *QUIET),
                lives,
                waits_for_go=True,
                group=GROUP,
            )
        )

    def wait(self) -> None:
        """Wait until runs can be asked for."""
        self._household.wait(CODE_SERVER, WEB_SERVER)

    def begin_work(self) -> None:
        """Let the daemon take runs from the queue and look for due connections; lost runs are reported first."""
        self._household.go(DAEMON)

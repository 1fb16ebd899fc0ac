"""`python -m pipelines.serve`: Dagster on this machine, beside `tieout serve`, until Ctrl-C."""

from __future__ import annotations

import sys
import time

from pipelines.dagster_processes import DagsterProcesses
from pipelines.home import dagster_environment
from pipelines.processes import Household, ProcessError, require_free_ports, stop_on_signals
from resources.postgres import PostgresError, prepare_cluster, start_embedded, stop_embedded
from resources.settings import Settings, SettingsError, load_settings

WATCH_SECONDS = 1.0


def main() -> int:
    """Run Dagster in the foreground; what a user can mend ends in one sentence and status 1."""
    stop_on_signals()
    try:
        serve(load_settings())
    except KeyboardInterrupt:
        return 0
    except (SettingsError, PostgresError, ProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def serve(settings: Settings) -> None:
    """Start Dagster's processes and watch them until interrupted."""
    require_free_ports([("Dagster", settings.dagster_host, settings.dagster_port, "TIEOUT_DAGSTER_PORT")])
    was_started = False
    if settings.is_embedded:
        was_started = start_embedded(settings).was_started
    else:
        prepare_cluster(settings)
    try:
        with Household(settings.home / "logs", environment=dagster_environment(settings)) as household:
            dagster = DagsterProcesses(settings, household)
            dagster.start()
            dagster.wait()
            dagster.begin_work()
            sys.stdout.write(
                f"Dagster is at {dagster.url} until Ctrl-C; logs are in {settings.home / 'logs'}.\n"
            )
            sys.stdout.flush()
            while True:
                household.check()
                time.sleep(WATCH_SECONDS)
    finally:
        if was_started:
            stop_embedded(settings)


if __name__ == "__main__":
    raise SystemExit(main())

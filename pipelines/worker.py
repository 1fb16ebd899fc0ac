"""`python -m pipelines.worker` (`tieout worker`): sends what is approved on the platform to the ledger at once.

Several may run, on one machine or on many; each change is taken by one of them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import structlog

from assets.report import entity_metadata
from pipelines.asset_events import AssetEvent, report
from pipelines.home import dagster_environment
from resources.changes import ChangeBell
from resources.logging import configure_logging
from resources.postgres import PostgresError, database_urls, start_embedded
from resources.realtime import Done, RealTimeWorker, Witness
from resources.settings import Settings, SettingsError, load_settings
from resources.wiring import Tieout

log = structlog.get_logger(__name__)
NOTED_MAX = 10_000


class DagsterWitness:
    """Shows passes in Dagster as asset events that belong to no run, a batch at a time."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        """Write to this instance."""
        self._instance = instance
        self._lock = threading.Lock()
        self._noted: list[AssetEvent] = []

    def saw(self, done: Done) -> None:
        """Note what a pass did to each entity."""
        with self._lock:
            self._noted += [
                AssetEvent(done.touched.provider, each.entity, done.touched.builder_id, entity_metadata(each))
                for each in done.summaries
            ]

    def flush(self) -> None:
        """Write what was noted; Dagster being away holds up no document."""
        with self._lock:
            noted, self._noted = self._noted, []
        if not noted:
            return
        try:
            report(self._instance, noted)
        except Exception as error:  # noqa: BLE001 - the edge towards Dagster's storage, which raises what its driver does
            log.warning("dagster_not_told", events=len(noted), kind=type(error).__name__)
            with self._lock:
                # Kept for the next time, the newest first; the product's own log has all of them anyway.
                self._noted = (noted + self._noted)[-NOTED_MAX:]


class NoWitness:
    """Where there is no Dagster to tell."""

    def saw(self, done: Done) -> None:
        """Nothing to note."""

    def flush(self) -> None:
        """Nothing to show."""


def main() -> int:
    """Work until interrupted; what a user can mend ends in one sentence and status 1."""
    try:
        run(load_settings())
    except (SettingsError, PostgresError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def run(settings: Settings) -> None:
    """Start the worker over the wired product, and stop it on SIGINT or SIGTERM."""
    configure_logging(settings)
    if settings.is_embedded:
        start_embedded(settings)
    with ExitStack() as stack:
        tieout = stack.enter_context(Tieout(settings))
        instance = open_instance(settings)
        witness: Witness = DagsterWitness(stack.enter_context(instance)) if instance else NoWitness()
        worker = RealTimeWorker(tieout, ChangeBell(database_urls(settings).scheduler), witness=witness)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        log.info("real_time_worker_started", shown_in_dagster=instance is not None)
        worker.run()


def open_instance(settings: Settings) -> dg.DagsterInstance | None:
    """Open Dagster's own store: where DAGSTER_HOME has one (a pod's mounted file), or this data folder's."""
    given = os.environ.get("DAGSTER_HOME", "")
    if given and Path(given, "dagster.yaml").exists():
        return dg.DagsterInstance.get()
    if not settings.dagster_home.joinpath("dagster.yaml").exists():
        return None
    os.environ.update(
        {name: value for name, value in dagster_environment(settings).items() if name.startswith("DAGSTER_")}
    )
    return dg.DagsterInstance.get()


if __name__ == "__main__":
    raise SystemExit(main())

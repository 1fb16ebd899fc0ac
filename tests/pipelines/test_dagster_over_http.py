"""The launcher against a real Dagster: web server, code server and daemon on a real Postgres."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.dagster_processes import DagsterProcesses
from pipelines.home import dagster_environment
from pipelines.processes import Household, free_port
from resources.launcher import DagsterRefused, Launcher
from resources.postgres import database_urls, start_embedded, stop_embedded
from resources.postgres.migrate import migrate
from resources.settings import Settings, load_settings
from resources.store.database import Database
from resources.store.demo import add_builder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

BUILDER = "0190c0de-0000-7000-8000-00000000b001"


@pytest.fixture(scope="module")
def home() -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="tieout-dagster-"))
    settings = load_settings(_env_file=None, home=folder, dagster_port=free_port())
    start_embedded(settings, is_durable=False)
    try:
        migrate(database_urls(settings).owner)
        with Database(database_urls(settings)) as database:
            add_builder(database, BUILDER, name="Cedar Ridge Homes", time_zone="UTC", currency="USD")
        yield settings
    finally:
        stop_embedded(settings)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def dagster(home: Settings) -> Iterator[DagsterProcesses]:
    with Household(home.home / "logs", environment=dagster_environment(home)) as household:
        processes = DagsterProcesses(home, household)
        processes.start()
        processes.wait()
        yield processes


@pytest.fixture(scope="module")
def launcher(dagster: DagsterProcesses) -> Iterator[Launcher]:
    with Launcher(dagster.url) as launcher:
        yield launcher


def test_a_run_is_queued_at_once_and_ends_once_the_daemon_works(
    launcher: Launcher, dagster: DagsterProcesses
) -> None:
    launcher.add_builder(BUILDER)
    run_id = launcher.launch_sync(
        builder_id=BUILDER,
        connection_id="0190c0de-0000-7000-8000-0000000000c1",
        provider="quickbooks_online",
        sync_run_id="0190c0de-0000-7000-8000-0000000000f1",
    )
    assert launcher.run_status(run_id) == "QUEUED"
    # The daemon reports lost runs before it begins; a queued one is not among them.
    dagster.begin_work()
    deadline = time.monotonic() + 90
    while launcher.run_status(run_id) in ("QUEUED", "STARTING", "STARTED") and time.monotonic() < deadline:
        time.sleep(0.2)
    # The builder has no connection: there is nothing to do, and that is no failure.
    assert launcher.run_status(run_id) == "SUCCESS"


def test_a_job_that_does_not_exist_is_refused_with_a_sentence(launcher: Launcher) -> None:
    with pytest.raises(DagsterRefused, match=r"refused it: .*sage_sync"):
        launcher.launch_sync(builder_id=BUILDER, connection_id="c", provider="sage", sync_run_id="r")

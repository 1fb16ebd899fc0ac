from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa
from dagster._core.instance import InstanceRef
from psycopg import sql

from pipelines.definitions import build_defs
from pipelines.home import dagster_environment, prepare_dagster_home
from pipelines.storage import POOL_SIZE
from resources.postgres import database_urls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from tests.pipelines.fake_desk import BUILDER, FakeDesk


@pytest.fixture
def dagster_settings(fresh_settings: Settings) -> Iterator[Settings]:
    """Settings whose Dagster database exists beside the product's and is dropped at the end."""
    urls = database_urls(fresh_settings)
    name = f"dagster_{fresh_settings.home.name}".replace("-", "_").lower()[:60]
    settings = fresh_settings.model_copy(update={"dagster_database": name})
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield settings
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def stored_instance(
    dagster_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    prepare_dagster_home(dagster_settings, code_server_port=4999)
    for name, value in dagster_environment(dagster_settings).items():
        if name.startswith("DAGSTER_"):
            monkeypatch.setenv(name, value)
    reference = InstanceRef.from_dir(str(dagster_settings.dagster_home))
    with dg.DagsterInstance.from_ref(reference) as instance:
        yield instance


def engines_of(instance: dg.DagsterInstance) -> list[sa.Engine]:
    parts: list[Any] = [instance.run_storage, instance.event_log_storage, instance.schedule_storage]
    return [part._engine for part in parts]


def test_all_three_parts_of_the_storage_share_one_pool(stored_instance: dg.DagsterInstance) -> None:
    [engine, *others] = engines_of(stored_instance)
    assert all(other is engine for other in others)
    assert isinstance(engine.pool, sa.QueuePool)
    assert engine.pool.size() == POOL_SIZE


def test_the_storage_reuses_its_connections(stored_instance: dg.DagsterInstance) -> None:
    opened: list[object] = []
    sa.event.listen(engines_of(stored_instance)[0], "connect", lambda *made: opened.append(made))
    for _ in range(20):
        stored_instance.get_runs(limit=1)
        stored_instance.get_dynamic_partitions("builders")
    assert len(opened) <= POOL_SIZE


def test_a_run_with_its_events_and_partition_is_kept_in_postgres(stored_instance: dg.DagsterInstance) -> None:
    stored_instance.add_dynamic_partitions("builders", [BUILDER])
    defs = build_defs(resource_overrides={"tieout": FakeDesk()})
    job = defs.resolve_job_def("quickbooks_online_sync")
    result = job.execute_in_process(partition_key=BUILDER, instance=stored_instance)
    key = dg.AssetKey(["quickbooks_online", "tie_out"])
    found = stored_instance.fetch_materializations(
        dg.AssetRecordsFilter(key, asset_partitions=[BUILDER]), limit=5
    )
    assert [record.run_id for record in found.records] == [result.dagster_run.run_id]


def test_nothing_is_reported_to_anybody_and_lost_runs_are_watched(
    stored_instance: dg.DagsterInstance,
) -> None:
    assert stored_instance.telemetry_enabled is False
    assert stored_instance.nux_enabled is False
    assert stored_instance.run_monitoring_enabled is True
    assert stored_instance.run_retries_enabled is True


def test_the_address_of_the_database_is_in_no_file(dagster_settings: Settings) -> None:
    workspace = prepare_dagster_home(dagster_settings, code_server_port=4999)
    assert workspace.parent == dagster_settings.home / "dagster"
    for file in workspace.parent.iterdir():
        assert "postgresql" not in file.read_text()


def test_dagsters_processes_inherit_no_dagster_settings_of_the_shell(dagster_settings: Settings) -> None:
    shell = {"PATH": "/bin", "DAGSTER_HOME": "/elsewhere", "DAGSTER_X": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = dagster_environment(dagster_settings, environment=shell)
    assert environment["DAGSTER_HOME"] == str(dagster_settings.dagster_home)
    assert Path(environment["DAGSTER_HOME"]).is_absolute()
    assert environment["DAGSTER_POSTGRES_URL"].startswith("postgresql+psycopg2://")
    assert "DAGSTER_X" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment

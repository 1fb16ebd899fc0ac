"""Many builders due at once, nothing changed for any: total time, CPU and calls per builder, and how they grow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg
from dagster._core.instance import InstanceRef
from psycopg import sql

from pipelines.cohort import JOB_NAME, OP_NAME
from pipelines.definitions import build_defs
from pipelines.home import dagster_environment, prepare_dagster_home
from pipelines.sensors import COHORT_BUILDERS_MAX, DUE_MAX
from resources.dagster.desk import DueConnection
from resources.dagster.wired import WiredDesk
from resources.postgres import database_urls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from tests.bench.many_builders import Twin, multiply, superuser
from tests.bench.measure import Bench, Measured, bench, figure
from tests.bench.warm_run import warm_start
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

BUILDERS, BUILDERS_FULL = (25, 50, 100), (250, 500, 1000, 2000, 4000)
RUNS = "select count(*), count(*) filter (where status = 'completed'), coalesce(sum(provider_calls), 0) from sync_runs"


def main() -> None:
    """Make the builders, then let more and more of them come due; numbers on the command line choose how many."""
    sizes = BUILDERS_FULL if "--full" in sys.argv else BUILDERS
    sizes = tuple(int(each) for each in sys.argv[1:] if each.isdigit()) or sizes
    with (
        bench() as stage,
        dagster_of(stage.settings) as instance,
        world_at(stage.sandbox_url, stage.settings, stage.database) as world,
    ):
        for _ in range(3):
            world.sync()
        world.run("update v2_integration_connections set next_due_at = null")
        twins = multiply(world, stage.settings, max(sizes))
        instance.add_dynamic_partitions("builders", [each.builder_id for each in twins])
        cohorts = Cohorts(stage, world, instance)
        # Not measured: the first sync of a process imports and compiles.
        cohorts.run(twins[: min(sizes)])
        start, cold = warm_start(stage.settings), _cold_start()
        start_ms = start * 1000 / COHORT_BUILDERS_MAX
        figure(
            "cohorts.start", start_ms, "ms/builder", builders_in_a_cohort=COHORT_BUILDERS_MAX, cpu_s=start,
            # By the stock code server, which loads everything for each run.
            cold_cpu_s=cold,
        )  # fmt: skip
        spent = [_size(cohorts, twins[:size], start_ms=start_ms) for size in sizes]
        figure(
            "cohorts.growth", spent[-1] / spent[0], "times", smallest=sizes[0], largest=sizes[-1],
            smallest_ms=spent[0], largest_ms=spent[-1], goal=1,
        )  # fmt: skip


class Cohorts:
    """Runs what is due by the code of the scheduled runs, a cohort after the other in this process."""

    def __init__(self, stage: Bench, world: QuickBooksWorld, instance: dg.DagsterInstance) -> None:
        """Answer Dagster from the wired product."""
        self.stage = stage
        self.desk = WiredDesk(world.tieout)
        self.instance = instance
        self.job = build_defs(resource_overrides={"tieout": self.desk}).resolve_job_def(JOB_NAME)

    def run(self, twins: Sequence[Twin]) -> tuple[Measured, int]:
        """Let these be due and sync them; what it took and how many calls it made. Every sync must end well."""
        before = self._runs()
        with superuser(self.stage.settings) as connection:
            connection.execute(
                "update v2_integration_connections set next_due_at = now() - interval '1 minute'"
                " where id = any(%s::uuid[])",
                ([each.connection_id for each in twins],),
            )
        with self.stage.measure() as took:
            due = self.desk.due_connections(limit=DUE_MAX)
            for start in range(0, len(due), COHORT_BUILDERS_MAX):
                self._cohort(due[start : start + COHORT_BUILDERS_MAX])
        made, ended, calls = (after - earlier for after, earlier in zip(self._runs(), before, strict=True))
        assert (made, ended) == (len(twins), len(twins)), f"{ended} of {made} syncs ended well"
        return took, calls

    def _cohort(self, due: Sequence[DueConnection]) -> None:
        members = [
            {
                "builder_id": each.builder_id,
                "connection_id": each.connection_id,
                "provider": each.provider,
                "due_at": each.due_at.isoformat(),
            }
            for each in due
        ]
        config: dict[str, Any] = {"ops": {OP_NAME: {"config": {"members": members}}}}
        assert self.job.execute_in_process(run_config=config, instance=self.instance).success

    def _runs(self) -> tuple[int, int, int]:
        with superuser(self.stage.settings) as connection:
            ((made, ended, calls),) = connection.execute(f"{RUNS} where trigger = 'scheduled'").fetchall()
        return int(str(made)), int(str(ended)), int(str(calls))


def _size(cohorts: Cohorts, twins: Sequence[Twin], *, start_ms: float) -> float:
    took, calls = cohorts.run(twins)
    each = 1000 / len(twins)
    cpu = (took.cpu + took.postgres_cpu) * each
    figure(
        "cohorts.cpu", cpu, "ms/builder", builders=len(twins), goal=30, python_ms=took.cpu * each,
        postgres_ms=took.postgres_cpu * each, with_the_runs_start_ms=cpu + start_ms,
        total_wall_s=took.wall, calls_per_builder=calls / len(twins), goal_calls=1,
    )  # fmt: skip
    return cpu


def _cold_start() -> float:
    """CPU seconds until a process of its own has loaded the definitions, as each run of the stock code server has to."""
    before = os.times()
    subprocess.run([sys.executable, "-c", "import pipelines.definitions"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


@contextmanager
def dagster_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's own store, in a database beside the product's, with the settings the product gives it."""
    given = settings.model_copy(update={"dagster_database": f"bench_dagster_{os.getpid()}"})
    name = sql.Identifier(given.dagster_database)
    prepare_dagster_home(given, code_server_port=4999)
    os.environ.update(
        {key: value for key, value in dagster_environment(given).items() if key.startswith("DAGSTER_")}
    )
    with psycopg.connect(for_psycopg(database_urls(settings).admin), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(name))
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(given.dagster_home))) as instance:
            yield instance
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


if __name__ == "__main__":
    main()

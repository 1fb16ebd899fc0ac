"""Sensors: syncs that are due, and runs that ended without being able to say so.

One sensor looks for all builders at once: a schedule per builder would cost a tick, a toggle and a reload each.
"""

# No postponed annotations in this module: Dagster looks at them without resolving names.
from collections.abc import Mapping

import dagster as dg

from assets.tags import CONNECTION_TAG, NO_RETRY, SYNC_RUN_TAG, TRIGGER_TAG
from pipelines.jobs import SyncJob, job_name
from pipelines.partitions import requests_to_match
from resources.dagster.desk import BrokenRun, Desk, DueConnection

TICK_SECONDS = 15
RUNS_PER_TICK_MAX = 25
# Scheduled runs give way to somebody who is waiting (the launcher asks with 100).
SCHEDULED_PRIORITY = "-10"

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def due_connections_sensor(jobs: Mapping[str, SyncJob]) -> dg.SensorDefinition:
    """Return the sensor that starts due syncs; `jobs` is one job per provider."""

    @dg.sensor(
        name="due_connections",
        jobs=list(jobs.values()),
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts the sync of every connection that is due, and keeps one partition per builder.",
    )
    def due_connections(
        context: dg.SensorEvaluationContext, tieout: dg.ResourceParam[Desk]
    ) -> dg.SensorResult | dg.SkipReason:
        partitions = requests_to_match(tieout.builder_ids(), instance=context.instance)
        due = [
            connection
            for connection in tieout.due_connections(limit=RUNS_PER_TICK_MAX)
            if connection.provider in jobs and not _is_under_way(connection, context.instance)
        ]
        if not due and not partitions:
            return dg.SkipReason("No connection is due.")
        return dg.SensorResult(
            run_requests=[_run_request(connection) for connection in due],
            dynamic_partitions_requests=partitions,
        )

    return due_connections


def broken_run_sensors() -> list[dg.SensorDefinition]:
    """Return the sensors that close sync runs behind Dagster runs that were killed or cancelled."""
    statuses = {
        "killed_runs": (dg.DagsterRunStatus.FAILURE, "ended before it could finish"),
        "cancelled_runs": (dg.DagsterRunStatus.CANCELED, "was cancelled in Dagster"),
    }
    return [_broken_run_sensor(name, status, what) for name, (status, what) in statuses.items()]


def _broken_run_sensor(name: str, status: dg.DagsterRunStatus, what: str) -> dg.SensorDefinition:
    # Of no job in particular: backfills and "Materialize" run under a job of Dagster's own.
    @dg.run_status_sensor(
        name=name,
        run_status=status,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Says in the sync history when a run {what}.",
    )
    def close_sync_run(context: dg.RunStatusSensorContext, tieout: dg.ResourceParam[Desk]) -> None:
        tags = context.dagster_run.tags
        # A backfill names its one builder as a range.
        builder_id = tags.get("dagster/partition") or tags.get("dagster/asset_partition_range_start")
        if builder_id is None:
            return
        tieout.fail_runs_of(
            BrokenRun(
                builder_id=builder_id,
                dagster_run_id=context.dagster_run.run_id,
                sync_run_id=tags.get(SYNC_RUN_TAG),
                connection_id=tags.get(CONNECTION_TAG),
            ),
            sentence=f"This sync {what}; nothing is lost, the next one takes up where it stopped."
            " Start it again now or wait for the schedule.",
        )

    return close_sync_run


def _is_under_way(connection: DueConnection, instance: dg.DagsterInstance) -> bool:
    filters = dg.RunsFilter(tags={CONNECTION_TAG: connection.connection_id}, statuses=_UNFINISHED)
    return instance.get_runs_count(filters) > 0


def _run_request(connection: DueConnection) -> dg.RunRequest:
    return dg.RunRequest(
        # The same due time asks for one run only, however often the sensor looks before it has begun.
        run_key=f"{connection.connection_id}:{connection.due_at.isoformat()}",
        job_name=job_name(connection.provider),
        partition_key=connection.builder_id,
        tags={
            CONNECTION_TAG: connection.connection_id,
            TRIGGER_TAG: "scheduled",
            "dagster/priority": SCHEDULED_PRIORITY,
            **NO_RETRY,
        },
    )

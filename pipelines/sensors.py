"""Sensors: syncs that are due, and runs that ended without being able to say so.

One sensor looks for all builders at once: a schedule per builder would cost a tick, a toggle and a reload each.
"""

# No postponed annotations in this module: Dagster looks at them without resolving names.
import json
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import dagster as dg
from uuid_utils.compat import uuid7

from assets.tags import CONNECTION_TAG, NO_RETRY, SYNC_RUN_TAG, TRIGGER_TAG
from pipelines.cohort import JOB_NAME, OP_NAME, members_of
from pipelines.partitions import requests_to_match
from resources.dagster.desk import BrokenRun, Desk, DueConnection

TICK_SECONDS = 15
# A run's start costs two seconds of CPU: shared by 250 it is a quarter of what a builder's own sync takes. More would
# not end within the run's budget of time where a provider is slow.
COHORT_BUILDERS_MAX = 250
COHORTS_PER_TICK_MAX = 2
DUE_MAX = 20_000
# Until then a run that was asked for need not be among the runs yet.
ASKED_SECONDS = 60.0
COHORT_TAG = "sync/cohort"
# Scheduled runs give way to somebody who is waiting (the launcher asks with 100).
SCHEDULED_PRIORITY = "-10"

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def due_connections_sensor(*, providers: Collection[str]) -> dg.SensorDefinition:
    """Return the sensor that starts due syncs of these providers, a cohort of builders per run."""

    @dg.sensor(
        name="due_connections",
        job_name=JOB_NAME,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts the sync of every connection that is due, and keeps one partition per builder.",
    )
    def due_connections(
        context: dg.SensorEvaluationContext, tieout: dg.ResourceParam[Desk]
    ) -> dg.SensorResult | dg.SkipReason:
        partitions = requests_to_match(tieout.builder_ids(), instance=context.instance)
        due = [each for each in tieout.due_connections(limit=DUE_MAX) if each.provider in providers]
        tags = _tags_under_way(context.instance) if due else []
        asked = _still_asked(context.cursor, due, tags, now=time.time())
        busy = {each.get(CONNECTION_TAG) for each in tags}
        fresh = [each for each in due if each.connection_id not in asked and each.connection_id not in busy]
        # The longest waiting first, and no more at once than a tick's share.
        chosen = fresh[: COHORTS_PER_TICK_MAX * COHORT_BUILDERS_MAX]
        cohorts = {str(uuid7()): cohort for cohort in _cohorts(chosen)}
        asked |= {
            each.connection_id: [each.due_at.isoformat(), cohort_id, time.time()]
            for cohort_id, cohort in cohorts.items()
            for each in cohort
        }
        if not chosen and not partitions:
            # Only here: with a result that carries the cursor, Dagster refuses one that was set before.
            context.update_cursor(json.dumps(asked))
            return dg.SkipReason("No connection is due.")
        return dg.SensorResult(
            run_requests=[_cohort_request(cohort_id, cohort) for cohort_id, cohort in cohorts.items()],
            dynamic_partitions_requests=partitions,
            cursor=json.dumps(asked),
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
    sentence = (
        f"This sync {what}; nothing is lost, the next one takes up where it stopped."
        " Start it again now or wait for the schedule."
    )

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
        for member in members_of(context.dagster_run.run_config):
            # Whoever the cohort had not begun yet stays due.
            tieout.fail_runs_of(BrokenRun(member, context.dagster_run.run_id), sentence=sentence)
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
            sentence=sentence,
        )

    return close_sync_run


def _still_asked(
    cursor: str | None, due: Sequence[DueConnection], tags: Sequence[Mapping[str, str]], *, now: float
) -> dict[str, list[Any]]:
    """Return which due connections a run was asked for that has not ended; the others are asked for again."""
    alive = {each.get(COHORT_TAG) for each in tags}
    try:
        found: dict[str, list[Any]] = json.loads(cursor or "{}")
    except ValueError:
        found = {}
    return {
        each.connection_id: found[each.connection_id]
        for each in due
        if each.connection_id in found
        and found[each.connection_id][0] == each.due_at.isoformat()
        and (found[each.connection_id][1] in alive or now - found[each.connection_id][2] < ASKED_SECONDS)
    }


def _tags_under_way(instance: dg.DagsterInstance) -> list[Mapping[str, str]]:
    return [run.tags for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))]


def _cohorts(due: Sequence[DueConnection]) -> list[Sequence[DueConnection]]:
    return [due[start : start + COHORT_BUILDERS_MAX] for start in range(0, len(due), COHORT_BUILDERS_MAX)]


def _cohort_request(cohort_id: str, cohort: Sequence[DueConnection]) -> dg.RunRequest:
    members = [
        {
            "builder_id": each.builder_id,
            "connection_id": each.connection_id,
            "provider": each.provider,
            "due_at": each.due_at.isoformat(),
        }
        for each in cohort
    ]
    return dg.RunRequest(
        # A tick that is evaluated twice asks for one run.
        run_key=cohort_id,
        job_name=JOB_NAME,
        run_config={"ops": {OP_NAME: {"config": {"members": members}}}},
        tags={
            TRIGGER_TAG: "scheduled",
            COHORT_TAG: cohort_id,
            "sync/builders": str(len(members)),
            "dagster/priority": SCHEDULED_PRIORITY,
            **NO_RETRY,
        },
    )

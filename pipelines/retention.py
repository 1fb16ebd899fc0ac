"""Every night: closed history and finished Dagster runs that nobody asks for any more are forgotten."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.tags import NO_RETRY
from resources.dagster.desk import Desk

JOB_NAME = "forget_old_history"
CRON = "17 3 * * *"
RUNS_AT_ONCE = 200
# A night's share, so that the job ends; the next night takes up the rest.
RUNS_MAX = 20_000

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def retention_job() -> dg.JobDefinition:
    """Return the job that forgets old history."""

    @dg.op(
        name="forget",
        description="Forgets closed history of all builders, and Dagster's own finished runs with their events.",
    )
    def forget(context: dg.OpExecutionContext, tieout: dg.ResourceParam[Desk]) -> None:
        forgotten = tieout.forget_history()
        before = datetime.now(UTC) - timedelta(days=tieout.run_days)
        runs = forget_runs(context.instance, before=before)
        context.log.info("%s %d finished runs of Dagster were forgotten.", forgotten.sentence, runs)
        context.add_output_metadata(
            {
                "records of past syncs": forgotten.records,
                "rows of the history": forgotten.log_rows,
                "syncs": forgotten.runs,
                "rows of the meter": forgotten.meter_rows,
                "uploaded files": forgotten.files,
                "Dagster runs": runs,
            }
        )

    @dg.job(
        name=JOB_NAME,
        executor_def=dg.in_process_executor,
        description="Forgets closed history after TIEOUT_HISTORY_DAYS, idle syncs and runs after TIEOUT_IDLE_HISTORY_DAYS.",
        tags=NO_RETRY,
    )
    def forget_old_history() -> None:
        forget()

    return forget_old_history


def retention_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Return the schedule that runs it at night, by UTC."""
    return dg.ScheduleDefinition(
        name="nightly_retention",
        job=job,
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def forget_runs(instance: dg.DagsterInstance, *, before: datetime) -> int:
    """Delete finished runs made before a moment, with their events; return how many.

    A partition's newest state goes with its run; the next sync shows it again.
    """
    chosen = dg.RunsFilter(statuses=_FINISHED, created_before=before)
    done = 0
    while done < RUNS_MAX:
        runs = instance.get_runs(chosen, limit=RUNS_AT_ONCE)
        for run in runs:
            instance.delete_run(run.run_id)
        done += len(runs)
        if len(runs) < RUNS_AT_ONCE:
            break
    return done

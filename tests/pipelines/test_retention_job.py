"""Every night old history and finished runs are forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.retention import CRON, JOB_NAME, forget_runs
from tests.pipelines.fake_desk import FakeDesk


def test_the_job_forgets_history_and_says_how_much(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    result = defs.resolve_job_def(JOB_NAME).execute_in_process(instance=instance)
    assert result.success
    assert desk.steps == ["forget_history"]
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    assert output.step_output_data.metadata["records of past syncs"].value == 3


def test_it_runs_every_night_without_being_switched_on(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("nightly_retention")
    assert schedule.cron_schedule == CRON
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_only_finished_runs_of_long_ago_go(instance: dg.DagsterInstance) -> None:
    @dg.job
    def nothing() -> None:
        pass

    nothing.execute_in_process(instance=instance)
    under_way = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    assert forget_runs(instance, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert forget_runs(instance, before=datetime.now(UTC) + timedelta(seconds=5)) == 1
    assert [run.run_id for run in instance.get_runs()] == [under_way.run_id]

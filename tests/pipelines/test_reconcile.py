from __future__ import annotations

import dagster as dg
import pytest

from pipelines.reconcile import SENTENCE, report_lost_runs
from tests.pipelines.fake_desk import BUILDER

STATUS = dg.DagsterRunStatus


def a_run(defs: dg.Definitions, instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    job = defs.resolve_job_def("quickbooks_online_sync")
    run = instance.create_run_for_job(job, status=status, tags={"dagster/partition": BUILDER})
    return run.run_id


@pytest.mark.parametrize("status", [STATUS.STARTED, STATUS.STARTING, STATUS.NOT_STARTED, STATUS.CANCELING])
def test_a_run_that_a_crash_left_behind_is_reported_failed(
    defs: dg.Definitions, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    run_id = a_run(defs, instance, status)
    assert report_lost_runs(instance) == [run_id]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is STATUS.FAILURE
    messages = [entry.dagster_event.message for entry in instance.all_logs(run_id) if entry.dagster_event]
    assert SENTENCE in messages


@pytest.mark.parametrize("status", [STATUS.SUCCESS, STATUS.FAILURE, STATUS.CANCELED])
def test_a_run_that_waits_or_has_ended_is_left_alone(
    defs: dg.Definitions, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    run_id = a_run(defs, instance, status)
    assert report_lost_runs(instance) == []
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is status

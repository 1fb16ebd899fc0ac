"""When the files of a drop folder are asked for: once, and again where a run died over them, but not for ever."""

from __future__ import annotations

import time

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from pipelines.drop_folder import AGAIN_SECONDS, FILES_TAG, JOB_NAME, TRIES_MAX
from resources.dagster.desk import DroppedFiles
from tests.pipelines.fake_desk import BUILDER, FakeDesk

FILES = DroppedFiles(BUILDER, "f1")
KEY = f"{BUILDER}:f1"


def asked(desk: FakeDesk, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    defs = build_defs(resource_overrides={"tieout": desk})
    sensor = defs.resolve_sensor_def("dropped_files")
    context = dg.build_sensor_context(instance=instance, resources={"tieout": desk}, definitions=defs)
    result = sensor(context)
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def a_run(instance: dg.DagsterInstance, desk: FakeDesk, *, ended: float | None, key: str = KEY) -> None:
    """A run over the files; `ended` seconds ago, or under way."""
    job = build_defs(resource_overrides={"tieout": desk}).resolve_job_def(JOB_NAME)
    tags = {FILES_TAG: key, "dagster/partition": BUILDER}
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    if ended is not None:
        event = dg.DagsterEvent(
            event_type_value="PIPELINE_FAILURE", job_name=JOB_NAME, message="the process was killed"
        )
        instance.report_dagster_event(event, run.run_id, timestamp=time.time() - ended)


@pytest.fixture
def waiting(desk: FakeDesk) -> FakeDesk:
    desk.dropped = [FILES]
    return desk


def test_files_that_wait_are_asked_for_once(waiting: FakeDesk, instance: dg.DagsterInstance) -> None:
    (request,) = asked(waiting, instance)
    assert (request.partition_key, request.tags[FILES_TAG]) == (BUILDER, KEY)
    a_run(instance, waiting, ended=None)
    assert asked(waiting, instance) == []


def test_a_builder_whose_files_are_being_taken_in_is_not_asked_for_with_what_is_left(
    waiting: FakeDesk, instance: dg.DagsterInstance
) -> None:
    a_run(instance, waiting, ended=None, key=f"{BUILDER}:there were more")
    assert asked(waiting, instance) == []


def test_files_over_which_a_run_died_are_asked_for_again_but_not_at_once(
    waiting: FakeDesk, instance: dg.DagsterInstance
) -> None:
    assert len(asked(waiting, instance)) == 1
    a_run(instance, waiting, ended=1)
    assert asked(waiting, instance) == []


def test_files_over_which_a_run_died_are_asked_for_again_and_not_for_ever(
    waiting: FakeDesk, instance: dg.DagsterInstance
) -> None:
    keys = set()
    for _ in range(TRIES_MAX):
        (request,) = asked(waiting, instance)
        keys.add(request.run_key)
        a_run(instance, waiting, ended=AGAIN_SECONDS + 60)
    assert len(keys) == TRIES_MAX
    assert asked(waiting, instance) == []


def test_other_files_are_asked_for_whatever_became_of_those_before(
    waiting: FakeDesk, instance: dg.DagsterInstance
) -> None:
    for _ in range(TRIES_MAX):
        a_run(instance, waiting, ended=AGAIN_SECONDS + 60)
    waiting.dropped = [DroppedFiles(BUILDER, "f2")]
    assert len(asked(waiting, instance)) == 1

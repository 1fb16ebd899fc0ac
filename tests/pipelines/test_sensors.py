from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from pipelines.sensors import RUNS_PER_TICK_MAX
from resources.dagster.desk import BrokenRun, DueConnection
from tests.pipelines.fake_desk import BUILDER, CONNECTION, OTHER_BUILDER, FakeDesk

DUE_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DUE = DueConnection(BUILDER, CONNECTION, "quickbooks_online", DUE_AT)


def tick(desk: FakeDesk, instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    defs = build_defs(resource_overrides={"tieout": desk})
    sensor = defs.resolve_sensor_def("due_connections")
    context = dg.build_sensor_context(instance=instance, resources={"tieout": desk}, definitions=defs)
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    assert isinstance(result, dg.SensorResult)
    return list(result.run_requests or [])


def test_a_due_connection_gets_one_run_for_its_builder(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.due = [DUE]
    [request] = requests(tick(desk, instance))
    assert request.job_name == "quickbooks_online_sync"
    assert request.partition_key == BUILDER
    assert request.tags["sync/connection"] == CONNECTION
    assert request.tags["sync/trigger"] == "scheduled"


def test_the_same_due_time_asks_for_the_same_run(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.due = [DUE]
    [first] = requests(tick(desk, instance))
    [second] = requests(tick(desk, instance))
    assert first.run_key == second.run_key


def test_a_connection_being_synced_is_not_asked_for_again(
    desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.due = [DUE]
    desk.builders = [BUILDER, OTHER_BUILDER]
    instance.create_run_for_job(
        build_defs(resource_overrides={"tieout": desk}).resolve_job_def("quickbooks_online_sync"),
        status=dg.DagsterRunStatus.STARTING,
        tags={"sync/connection": CONNECTION, "dagster/partition": BUILDER},
    )
    assert isinstance(tick(desk, instance), dg.SkipReason)


def test_a_tick_starts_no_more_than_its_share(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.due = [
        DueConnection(BUILDER, f"connection-{number}", "quickbooks_online", DUE_AT)
        for number in range(RUNS_PER_TICK_MAX + 5)
    ]
    assert len(requests(tick(desk, instance))) == RUNS_PER_TICK_MAX


def test_nothing_due_is_said_so(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.builders = [BUILDER, OTHER_BUILDER]
    result = tick(desk, instance)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message == "No connection is due."


def test_a_provider_that_is_no_longer_registered_starts_nothing(
    desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.builders = [BUILDER, OTHER_BUILDER]
    desk.due = [DueConnection(BUILDER, CONNECTION, "sage", DUE_AT)]
    assert isinstance(tick(desk, instance), dg.SkipReason)


def test_builders_and_partitions_are_kept_in_step(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.builders = [BUILDER, "a-new-one"]
    result = tick(desk, instance)
    assert isinstance(result, dg.SensorResult)
    changes = {
        type(request).__name__: list(request.partition_keys)
        for request in result.dynamic_partitions_requests or []
    }
    assert changes == {
        "AddDynamicPartitionsRequest": ["a-new-one"],
        "DeleteDynamicPartitionsRequest": [OTHER_BUILDER],
    }


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        (
            {"dagster/partition": BUILDER, "sync/connection": CONNECTION, "sync/run": "r1"},
            {"sync_run_id": "r1", "connection_id": CONNECTION},
        ),
        ({"dagster/asset_partition_range_start": BUILDER, "dagster/asset_partition_range_end": BUILDER}, {}),
    ],
    ids=["asked for by the API", "of a backfill"],
)
def test_a_run_that_was_killed_closes_its_sync_run(
    desk: FakeDesk, instance: dg.DagsterInstance, tags: dict[str, str], closed: dict[str, str]
) -> None:
    defs = build_defs(resource_overrides={"tieout": desk})
    job = defs.resolve_job_def("quickbooks_online_sync")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    event = instance.report_run_failed(run, message="the host went away")
    context = dg.build_run_status_sensor_context(
        sensor_name="killed_runs",
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"tieout": desk},
    )
    defs.resolve_sensor_def("killed_runs")(context)
    [(broken, sentence)] = desk.closed
    assert broken == BrokenRun(BUILDER, run.run_id, **closed)
    assert "Start it again now" in sentence


def test_runs_under_dagsters_own_job_are_watched_too(desk: FakeDesk) -> None:
    defs = build_defs(resource_overrides={"tieout": desk})
    for name in ("killed_runs", "cancelled_runs"):
        sensor = defs.resolve_sensor_def(name)
        assert not sensor.targets, "a sensor with targets would only watch those jobs"

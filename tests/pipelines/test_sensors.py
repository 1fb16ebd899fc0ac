from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from pipelines.sensors import COHORT_BUILDERS_MAX, COHORTS_PER_TICK_MAX
from resources.dagster.desk import BrokenRun, DueConnection
from tests.pipelines.fake_desk import BUILDER, CONNECTION, OTHER_BUILDER, FakeDesk

DUE_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DUE = DueConnection(BUILDER, CONNECTION, "quickbooks_online", DUE_AT)


def tick(
    desk: FakeDesk, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    defs = build_defs(resource_overrides={"tieout": desk})
    sensor = defs.resolve_sensor_def("due_connections")
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"tieout": desk}, definitions=defs
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def test_what_is_due_is_a_tick_that_dagster_accepts(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    """Chaos: the daemon refused every tick with something due, because the cursor was set twice; nothing was scheduled."""
    desk.due, desk.builders = [DUE], [BUILDER, OTHER_BUILDER]
    defs = build_defs(resource_overrides={"tieout": desk})
    sensor = defs.resolve_sensor_def("due_connections")
    context = dg.build_sensor_context(instance=instance, resources={"tieout": desk}, definitions=defs)
    data = sensor.evaluate_tick(context)
    assert [request.job_name for request in data.run_requests or ()] == ["scheduled_syncs"]
    assert CONNECTION in (data.cursor or "")


def requests(result: dg.SensorResult | dg.SkipReason) -> list[dg.RunRequest]:
    assert isinstance(result, dg.SensorResult)
    return list(result.run_requests or [])


def members(request: dg.RunRequest) -> list[str]:
    return [each["connection_id"] for each in request.run_config["ops"]["sync_cohort"]["config"]["members"]]


def many(count: int) -> list[DueConnection]:
    return [
        DueConnection(BUILDER, f"connection-{number}", "quickbooks_online", DUE_AT) for number in range(count)
    ]


def test_due_connections_travel_in_cohorts(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.due = many(COHORT_BUILDERS_MAX + 1)
    first, second = requests(tick(desk, instance))
    assert first.job_name == second.job_name == "scheduled_syncs"
    assert members(first) == [each.connection_id for each in desk.due[:COHORT_BUILDERS_MAX]]
    assert members(second) == [f"connection-{COHORT_BUILDERS_MAX}"]
    assert first.tags["sync/trigger"] == "scheduled"


def test_what_was_asked_for_is_not_asked_for_again_while_it_runs(
    desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.due, desk.builders = [DUE], [BUILDER, OTHER_BUILDER]
    first = tick(desk, instance)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(tick(desk, instance, first.cursor), dg.SkipReason)


def test_what_a_run_left_over_is_asked_for_again_once_it_has_ended(
    desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.due, desk.builders = [DUE], [BUILDER, OTHER_BUILDER]
    ended_long_ago = json.dumps({CONNECTION: [DUE_AT.isoformat(), "a-cohort", time.time() - 3600]})
    assert members(requests(tick(desk, instance, ended_long_ago))[0]) == [CONNECTION]


def test_a_cohort_that_takes_long_is_not_started_twice(desk: FakeDesk, instance: dg.DagsterInstance) -> None:
    desk.due, desk.builders = [DUE], [BUILDER, OTHER_BUILDER]
    instance.create_run_for_job(
        build_defs(resource_overrides={"tieout": desk}).resolve_job_def("quickbooks_online_sync"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"sync/cohort": "a-cohort"},
    )
    begun_long_ago = json.dumps({CONNECTION: [DUE_AT.isoformat(), "a-cohort", time.time() - 3600]})
    assert isinstance(tick(desk, instance, begun_long_ago), dg.SkipReason)


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
    share = COHORTS_PER_TICK_MAX * COHORT_BUILDERS_MAX
    desk.due = many(share + 5)
    asked = requests(tick(desk, instance))
    assert sum(len(members(request)) for request in asked) == share


def test_a_cohort_that_was_killed_closes_the_sync_runs_of_its_builders(
    desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    defs = build_defs(resource_overrides={"tieout": desk})
    desk.due = [DUE]
    [request] = requests(tick(desk, instance))
    run = instance.create_run_for_job(
        defs.resolve_job_def("scheduled_syncs"),
        status=dg.DagsterRunStatus.STARTED,
        run_config=request.run_config,
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="killed_runs",
        dagster_event=instance.report_run_failed(run, message="the host went away"),
        dagster_instance=instance,
        dagster_run=run,
        resources={"tieout": desk},
    )
    defs.resolve_sensor_def("killed_runs")(context)
    assert [broken for broken, _ in desk.closed] == [BrokenRun(BUILDER, run.run_id)]


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

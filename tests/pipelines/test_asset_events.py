"""The one module that uses what is private in Dagster about asset events: fails here when it moves."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.keys import asset_key
from assets.partitions import BUILDERS
from pipelines.asset_events import AssetEvent, plan, report
from tests.pipelines.fake_desk import BUILDER, OTHER_BUILDER

PROVIDER = "quickbooks_online"
NOTE = {"result": dg.MetadataValue.text("1 sent.")}


def materialized(instance: dg.DagsterInstance, step: str) -> set[str]:
    return set(instance.get_materialized_partitions(asset_key(PROVIDER, step)))


def status(instance: dg.DagsterInstance, step: str) -> dict[str, object]:
    found = instance.get_status_by_partition(asset_key(PROVIDER, step), [BUILDER, OTHER_BUILDER], BUILDERS)
    return {key: None if value is None else value.value for key, value in (found or {}).items()}


@pytest.mark.parametrize("is_batched", [True, False])
def test_events_without_a_run_show_partitions_as_materialised(
    instance: dg.DagsterInstance, is_batched: bool
) -> None:
    events = [
        AssetEvent(PROVIDER, "bill", BUILDER, NOTE),
        AssetEvent(PROVIDER, "invoice", OTHER_BUILDER, NOTE),
        AssetEvent(PROVIDER, "bill", OTHER_BUILDER, NOTE),
    ]
    assert report(instance, events, is_batched=is_batched) == 3
    assert materialized(instance, "bill") == {BUILDER, OTHER_BUILDER}
    assert materialized(instance, "invoice") == {OTHER_BUILDER}


def test_the_metadata_of_an_event_is_there_to_read(instance: dg.DagsterInstance) -> None:
    report(instance, [AssetEvent(PROVIDER, "bill", BUILDER, NOTE)])
    event = instance.get_latest_materialization_event(asset_key(PROVIDER, "bill"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["result"].value == "1 sent."


def test_what_a_failed_run_planned_and_did_not_do_is_failed(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(dg.GraphDefinition(name="cohort").to_job())
    plan(instance, run, [(PROVIDER, "bill", BUILDER), (PROVIDER, "bill", OTHER_BUILDER)])
    report(instance, [AssetEvent(PROVIDER, "bill", OTHER_BUILDER, NOTE)], run=run)
    instance.report_run_failed(run)
    assert status(instance, "bill") == {BUILDER: "FAILED", OTHER_BUILDER: "MATERIALIZED"}

"""Writes asset events that no step of Dagster's yields: many at once, of a cohort's run or of no run at all.

Storing events in batches, and saying beforehand what a run will materialise, are Dagster's own and not public; this
module is the only one that uses them, and `tests/pipelines/test_asset_events.py` fails when they move. With
`is_batched=False` each event goes the public way, at eight times the cost.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import dagster as dg
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.instance import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

from assets.keys import asset_key
from assets.report import Metadata


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """One builder's partition of one asset was brought up to date."""

    provider: str
    step: str
    builder_id: str
    metadata: Metadata
    at: float = field(default_factory=time.time)


def report(
    instance: dg.DagsterInstance,
    events: Iterable[AssetEvent],
    *,
    run: dg.DagsterRun | None = None,
    is_batched: bool = True,
) -> int:
    """Show partitions as materialised, by this run or by none; return how many."""
    # One asset per batch: the storage takes an asset's newest state from a batch's last event only.
    ordered = sorted(events, key=lambda event: (event.provider, event.step, event.at))
    for _, group in groupby(ordered, key=lambda event: (event.provider, event.step)):
        same = list(group)
        if is_batched:
            instance.event_log_storage.store_event_batch([_entry(event, run) for event in same])
        else:
            for event in same:
                instance.report_runless_asset_event(_materialization(event))
    return len(ordered)


def plan(instance: dg.DagsterInstance, run: dg.DagsterRun, wanted: Sequence[tuple[str, str, str]]) -> None:
    """Say which (provider, step, builder) a run was to materialise: without an event they show as failed when it fails."""
    for provider, step, builder_id in wanted:
        key = asset_key(provider, step)
        data = AssetMaterializationPlannedData(key, partition=builder_id)
        event = DagsterEvent.build_asset_materialization_planned_event(
            run.job_name, step_key=key.to_python_identifier(), asset_materialization_planned_data=data
        )
        instance.report_dagster_event(event, run_id=run.run_id)


def _materialization(event: AssetEvent) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key(event.provider, event.step), metadata=event.metadata, partition=event.builder_id
    )


def _entry(event: AssetEvent, run: dg.DagsterRun | None) -> dg.EventLogEntry:
    job_name = run.job_name if run is not None else RUNLESS_JOB_NAME
    return dg.EventLogEntry(  # type: ignore[no-untyped-call]  # Dagster has not annotated it
        error_info=None,
        level="debug",
        user_message="",
        run_id=run.run_id if run is not None else RUNLESS_RUN_ID,
        timestamp=event.at,
        job_name=job_name,
        dagster_event=DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
            job_name=job_name,
            event_specific_data=StepMaterializationData(_materialization(event)),
        ),
    )

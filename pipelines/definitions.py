"""Everything Dagster loads. `build_defs` makes it anew with other resources, for tests and other homes."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from assets.imports import import_assets
from assets.ledger import provider_assets
from assets.providers import PROVIDER_TITLES
from pipelines.cohort import cohort_job
from pipelines.drop_folder import dropped_files_sensor, import_job
from pipelines.jobs import sync_job
from pipelines.rehearsal import rehearsal_job
from pipelines.retention import retention_job, retention_schedule
from pipelines.sensors import broken_run_sensors, due_connections_sensor
from resources.dagster.resource import tieout_resource


def build_defs(*, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Return the definitions of every registered provider."""
    jobs = {provider: sync_job(provider, title=title) for provider, title in PROVIDER_TITLES.items()}
    rehearsed = [rehearsal_job(provider, title=title) for provider, title in PROVIDER_TITLES.items()]
    scheduled, retention = cohort_job(), retention_job()
    resources: dict[str, object] = {"tieout": tieout_resource, **(resource_overrides or {})}
    return dg.Definitions(
        assets=[
            *(
                asset
                for provider, title in PROVIDER_TITLES.items()
                for asset in provider_assets(provider, title=title)
            ),
            *import_assets(),
        ],
        jobs=[*jobs.values(), *rehearsed, scheduled, retention, import_job()],
        schedules=[retention_schedule(retention)],
        sensors=[
            due_connections_sensor(providers=PROVIDER_TITLES),
            *broken_run_sensors(),
            dropped_files_sensor(),
        ],
        resources=resources,
        executor=dg.in_process_executor,
    )


defs = build_defs()

"""One job per provider: everything for one builder, in one process."""

from __future__ import annotations

import dagster as dg

# What `dg.define_asset_job` returns; Dagster has no public name for it.
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as SyncJob

from assets.tags import NO_RETRY

# A sync that has not ended by then has lost its host: its slot and its connection are freed.
RUN_SECONDS_MAX = 3600


def job_name(provider: str) -> str:
    """Return the name of a provider's job; the launcher asks for it by this name."""
    return f"{provider}_sync"


def sync_job(provider: str, *, title: str) -> SyncJob:
    """Return the job that syncs one builder with one provider."""
    return dg.define_asset_job(
        job_name(provider),
        selection=dg.AssetSelection.groups(provider),
        description=f"Brings one builder's books and its {title} company into agreement, and proves it.",
        # Most of a run's cost is Python starting up: one process for all steps, not one per step.
        executor_def=dg.in_process_executor,
        tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
        run_tags=NO_RETRY,
    )


__all__ = ["SyncJob", "job_name", "sync_job"]

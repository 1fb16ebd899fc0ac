"""The assets of one provider: its changes, one asset per entity, and the tie-out. All providers get the same."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets import checks
from assets.keys import LEDGER_CHANGES, STEP_ORDER, TIE_OUT, WAITS_FOR, asset_key
from assets.partitions import BUILDERS, ONE_BUILDER_PER_RUN
from assets.previews import accepted_previews
from assets.report import entity_metadata, pull_metadata, tie_out_metadata
from assets.steps import Step, Work, run_step
from assets.words import LEDGER_CHANGES_DESCRIPTION, TIE_OUT_DESCRIPTION, entity_description
from resources.dagster.desk import Desk
from sync.records import DEFAULT_DIRECTION, SYNC_ORDER, Entity

OWNERS = ["team:bookkeeping"]


def provider_assets(provider: str, *, title: str) -> list[dg.AssetsDefinition]:
    """Return every asset of one provider."""
    return [
        _ledger_changes(provider, title),
        *(_entity(provider, title, entity) for entity in SYNC_ORDER),
        _tie_out(provider, title),
    ]


def _ledger_changes(provider: str, title: str) -> dg.AssetsDefinition:
    def work(step: Step) -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(
            metadata=pull_metadata(step.sync.pull_changes(), company=step.company_name)
        )

    description = LEDGER_CHANGES_DESCRIPTION.format(provider=title)
    return _asset(provider, LEDGER_CHANGES, title=title, description=description, direction="pull", work=work)


def _entity(provider: str, title: str, entity: Entity) -> dg.AssetsDefinition:
    is_journal = entity is Entity.JOURNAL_ENTRY

    def work(step: Step) -> dg.MaterializeResult[Any]:
        metadata = entity_metadata(step.sync.sync_entity(entity))
        if not is_journal:
            return dg.MaterializeResult(metadata=metadata)
        doubts = step.desk.unbalanced_entries(step.builder_id)
        return dg.MaterializeResult(
            metadata=metadata, check_results=[checks.debits_equal_credits(provider, doubts)]
        )

    return _asset(
        provider,
        entity,
        title=title,
        description=entity_description(entity, provider=title),
        direction=DEFAULT_DIRECTION[entity],
        work=work,
        specs=checks.journal_check_specs(provider) if is_journal else (),
    )


def _tie_out(provider: str, title: str) -> dg.AssetsDefinition:
    def work(step: Step) -> dg.MaterializeResult[Any]:
        proof = step.sync.tie_out()
        unknowns = step.desk.stale_unknowns(step.builder_id, step.connection_id)
        return dg.MaterializeResult(
            metadata=tie_out_metadata(proof, company=step.company_name),
            check_results=[
                checks.no_stale_unknown(provider, unknowns),
                checks.tie_out_is_zero(provider, proof),
            ],
        )

    return _asset(
        provider,
        TIE_OUT,
        title=title,
        description=TIE_OUT_DESCRIPTION.format(provider=title),
        direction="both",
        work=work,
        specs=checks.tie_out_check_specs(provider),
    )


def _asset(
    provider: str,
    step: str,
    *,
    title: str,
    description: str,
    direction: str,
    work: Work,
    specs: Sequence[dg.AssetCheckSpec] = (),
) -> dg.AssetsDefinition:
    def step_of_sync(
        context: dg.AssetExecutionContext, tieout: dg.ResourceParam[Desk]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants the bare class here
        return run_step(context, desk=tieout, title=title, work=work, specs=specs)

    with accepted_previews():
        return dg.asset(
            key=asset_key(provider, step),
            deps=[asset_key(provider, earlier) for earlier in WAITS_FOR[step]],
            partitions_def=BUILDERS,
            backfill_policy=ONE_BUILDER_PER_RUN,
            description=description,
            group_name=provider,
            kinds={provider.split("_", maxsplit=1)[0], "postgres"},
            owners=OWNERS,
            tags={"sync/direction": direction},
            # Among steps that could start, the one that comes first in our order does: so the last one of a run,
            # whichever assets were chosen, is known and can close the sync run.
            op_tags={"dagster/priority": str(-STEP_ORDER.index(step))},
            check_specs=list(specs),
        )(step_of_sync)

"""One step of one builder's sync, as Dagster runs it: open, work, report, and say plainly what went wrong.

Dagster knows three retry mechanisms and a Failure binds only one of them; a permanent answer would be asked for
again by the other two. So each failed step also marks its run, and the product alone decides what is tried when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import dagster as dg

from assets.checks import nothing_to_check
from assets.keys import chosen_entities, last_step
from assets.tags import NO_RETRY, SYNC_RUN_TAG, TRIGGER_TAG
from resources.dagster.desk import ConnectedCompany, Desk, RunRequested, SyncInProgress, Trigger
from sync.errors import SyncError


@dataclass(frozen=True, slots=True)
class Step:
    """What one asset works with: an open sync of one builder's connection."""

    desk: Desk
    sync: SyncInProgress
    builder_id: str
    connection_id: str
    company_name: str


Work = Callable[[Step], dg.MaterializeResult[Any]]


def run_step(
    context: dg.AssetExecutionContext,
    *,
    desk: Desk,
    title: str,
    work: Work,
    specs: Sequence[dg.AssetCheckSpec] = (),
) -> dg.MaterializeResult[Any]:
    """Do one step for the builder of this partition; a builder without a connection is passed over."""
    builder_id, provider = context.partition_key, context.asset_key.path[0]
    company = desk.connection_of(builder_id, provider)
    if company is None:
        return _passed_over(context, title=title, specs=specs)
    sync_run_id = desk.open_run(_run_requested(context, company))
    try:
        with desk.sync(builder_id, company.connection_id, sync_run_id) as sync:
            result = work(Step(desk, sync, builder_id, company.connection_id, company.company_name))
        if _ends_the_run(context):
            desk.end_run(builder_id=builder_id, connection_id=company.connection_id, sync_run_id=sync_run_id)
    except SyncError as error:
        failed = error
    except Exception as error:  # the edge of the process: the sync run must not stay open behind a bug
        _end_early(desk, context, company, sync_run_id, sentence=_bug_sentence(context, error))
        raise
    else:
        return result
    # Outside the handler, so that Dagster shows the sentence and not a chain of tracebacks.
    _end_early(desk, context, company, sync_run_id, sentence=failed.user_message)
    context.instance.add_run_tags(context.run.run_id, NO_RETRY)
    raise _failure(failed, company=company, step=context.asset_key.path[-1])


def _end_early(
    desk: Desk,
    context: dg.AssetExecutionContext,
    company: ConnectedCompany,
    sync_run_id: str,
    *,
    sentence: str,
) -> None:
    desk.end_run(
        builder_id=context.partition_key,
        connection_id=company.connection_id,
        sync_run_id=sync_run_id,
        error=sentence,
    )


def _run_requested(context: dg.AssetExecutionContext, company: ConnectedCompany) -> RunRequested:
    tags = context.run.tags
    trigger = tags.get(TRIGGER_TAG)
    return RunRequested(
        builder_id=context.partition_key,
        connection_id=company.connection_id,
        dagster_run_id=context.run.run_id,
        sync_run_id=tags.get(SYNC_RUN_TAG),
        trigger=cast("Trigger", trigger) if trigger in get_args(Trigger) else "manual",
        entities=chosen_entities(_selected(context), provider=context.asset_key.path[0]),
    )


def _selected(context: dg.AssetExecutionContext) -> list[dg.AssetKey] | None:
    return list(context.run.asset_selection) if context.run.asset_selection else None


def _ends_the_run(context: dg.AssetExecutionContext) -> bool:
    provider, step = context.asset_key.path
    is_last: bool = step == last_step(_selected(context), provider=provider)
    return is_last


def _passed_over(
    context: dg.AssetExecutionContext, *, title: str, specs: Sequence[dg.AssetCheckSpec]
) -> dg.MaterializeResult[Any]:
    sentence = f"No connection: this builder has not connected {title}, so there was nothing to do."
    context.log.info(sentence)
    return dg.MaterializeResult(
        metadata={"result": dg.MetadataValue.text(sentence)}, check_results=nothing_to_check(specs)
    )


def _failure(error: SyncError, *, company: ConnectedCompany, step: str) -> dg.Failure:
    record = dg.TableRecord(
        {
            "company": company.company_name,
            "step": step.replace("_", " "),
            "what happened, and what to do": error.user_message,
            "remedy": str(error.remedy).replace("_", " "),
            "code": error.code,
        }
    )
    return dg.Failure(
        description=error.user_message,
        metadata={
            "result": dg.MetadataValue.text(error.user_message),
            "what to do": dg.MetadataValue.table([record]),
        },
        allow_retries=False,
    )


def _bug_sentence(context: dg.AssetExecutionContext, error: Exception) -> str:
    return (
        f"This sync stopped on an error of Tieout itself ({type(error).__name__}); nothing was left half-written."
        f" Start it again; if it stops once more, report run {context.run.run_id}."
    )

"""Scheduled syncs, many builders in one run: starting a run costs seconds, a builder without changes hundredths.

Every builder is synced in a thread of its own turn and isolated from the others' trouble; what it did is shown on its
own partitions as soon as it has finished. A builder that failed is red from the step it failed at, and can be run again
by its partition. The run has a budget of time: whoever was not begun by then stays due and comes with the next one.
"""

# No postponed annotations in this module: Dagster looks at them without resolving names.
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
import structlog

from assets.keys import LEDGER_CHANGES, STEP_ORDER, TIE_OUT
from assets.report import entity_metadata, pull_metadata, tie_out_metadata
from assets.tags import NO_RETRY
from pipelines.asset_events import AssetEvent, plan, report
from resources.dagster.desk import Desk, DueConnection, SyncInProgress
from sync.errors import SyncBusy, SyncError

JOB_NAME = "scheduled_syncs"
OP_NAME = "sync_cohort"
BUILDERS_AT_ONCE = 6
# Short runs keep slots free for people; what is left over is taken up within a tick.
BUDGET_SECONDS = 240
RUN_SECONDS_MAX = 1800
# Shown in Dagster when so many events wait, or after so many seconds: each asset's share of them is a batch of its own.
EVENTS_AT_ONCE = 2_000
SHOWN_AFTER_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Member(dg.Config):
    """One connection of a cohort, and since when it has been due."""

    builder_id: str
    connection_id: str
    provider: str
    due_at: str


class Cohort(dg.Config):
    """The connections that one run syncs."""

    members: list[Member]


@dataclass(slots=True)
class Outcome:
    """What became of one member."""

    member: Member
    company: str = ""
    events: list[AssetEvent] = field(default_factory=list)
    failed_step: str | None = None
    sentence: str | None = None
    code: str | None = None


def cohort_job() -> dg.JobDefinition:
    """Return the job whose runs sync cohorts."""

    @dg.op(name=OP_NAME, description="Syncs each connection of the cohort and shows its partitions.")
    def sync_cohort(context: dg.OpExecutionContext, config: Cohort, tieout: dg.ResourceParam[Desk]) -> None:
        run = context.run
        budget = time.monotonic() + BUDGET_SECONDS
        failed = _sync_all(
            config.members,
            work=lambda member: sync_member(tieout, member, run_id=run.run_id, budget=budget),
            show=lambda events: report(context.instance, events, run=run),
        )
        if failed:
            plan(context.instance, run, _not_done(failed))
            context.instance.add_run_tags(run.run_id, NO_RETRY)
            raise _failure(failed, of=len(config.members))

    @dg.job(
        name=JOB_NAME,
        description="Syncs every connection that came due, many builders in one run; each shows on its own partitions.",
        executor_def=dg.in_process_executor,
        tags={"dagster/max_runtime": str(RUN_SECONDS_MAX), **NO_RETRY},
    )
    def scheduled_syncs() -> None:
        sync_cohort()

    return scheduled_syncs


def members_of(run_config: Mapping[str, Any]) -> list[str]:
    """Return the builders of a cohort's run; of any other run none."""
    config = run_config.get("ops", {}).get(OP_NAME, {}).get("config", {})
    return [member["builder_id"] for member in config.get("members", [])]


def _sync_all(
    members: Sequence[Member],
    *,
    work: Callable[[Member], Outcome],
    show: Callable[[Sequence[AssetEvent]], object],
) -> list[Outcome]:
    """Sync all members side by side, show what they did in batches as they finish, and return those that failed."""
    failed: list[Outcome] = []
    waiting: list[AssetEvent] = []
    shown_at = time.monotonic()
    with ThreadPoolExecutor(BUILDERS_AT_ONCE, thread_name_prefix="cohort") as pool:
        for future in as_completed([pool.submit(work, member) for member in members]):
            outcome = future.result()
            waiting += outcome.events
            if outcome.sentence is not None:
                failed.append(outcome)
            if len(waiting) >= EVENTS_AT_ONCE or time.monotonic() - shown_at > SHOWN_AFTER_SECONDS:
                show(waiting)
                waiting, shown_at = [], time.monotonic()
    show(waiting)
    return failed


def sync_member(desk: Desk, member: Member, *, run_id: str, budget: float) -> Outcome:
    """Sync one builder; whatever happens is in the outcome, so that it touches nobody else."""
    outcome = Outcome(member)
    due = DueConnection(
        member.builder_id, member.connection_id, member.provider, datetime.fromisoformat(member.due_at)
    )
    if time.monotonic() > budget:
        return outcome
    outcome.failed_step = LEDGER_CHANGES
    sync_run_id, gave_way = None, None
    try:
        begun = desk.begin_due(due, dagster_run_id=run_id)
        if begun is None:
            return outcome
        sync_run_id, outcome.company = begun.sync_run_id, begun.company_name
        with desk.sync(member.builder_id, member.connection_id, sync_run_id) as sync:
            _steps(sync, outcome)
            sync.finish()
    except SyncBusy as busy:
        # No failure: the sync that is under way does the same work, and this one comes again soon.
        gave_way, outcome.failed_step = busy.user_message, None
    except SyncError as error:
        outcome.sentence, outcome.code = error.user_message, error.code
    except (
        Exception
    ) as error:  # the edge of a builder: a bug that one builder's data shows must not stop the others
        log.exception("cohort_member_broke", connection=member.connection_id)
        outcome.sentence = (
            f"This sync stopped on an error of Tieout itself ({type(error).__name__}); nothing was left half-written."
            f" Start it again; if it stops once more, report run {run_id}."
        )
        outcome.code = "internal"
    sentence = outcome.sentence or gave_way
    if sentence is not None and sync_run_id is not None:
        _end_early(desk, member, sync_run_id, sentence=sentence)
    return outcome


def _end_early(desk: Desk, member: Member, sync_run_id: str, *, sentence: str) -> None:
    try:
        desk.end_run(
            builder_id=member.builder_id,
            connection_id=member.connection_id,
            sync_run_id=sync_run_id,
            error=sentence,
        )
    except Exception:  # the same edge: the database may be what failed
        log.exception("cohort_member_not_closed", connection=member.connection_id)


def _steps(sync: SyncInProgress, outcome: Outcome) -> None:
    def did(step: str, metadata: dict[str, dg.MetadataValue]) -> None:
        outcome.events.append(AssetEvent(outcome.member.provider, step, outcome.member.builder_id, metadata))
        outcome.failed_step = None if step == TIE_OUT else STEP_ORDER[STEP_ORDER.index(step) + 1]

    did(LEDGER_CHANGES, pull_metadata(sync.pull_changes(), company=outcome.company))
    for summary in sync.sync_entities():
        did(summary.entity, entity_metadata(summary))
    did(TIE_OUT, tie_out_metadata(sync.tie_out(), company=outcome.company))


def _not_done(failed: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    return [
        (each.member.provider, step, each.member.builder_id)
        for each in failed
        for step in STEP_ORDER[STEP_ORDER.index(each.failed_step or TIE_OUT) :]
    ]


def _failure(failed: Sequence[Outcome], *, of: int) -> dg.Failure:
    records = [
        dg.TableRecord(
            {
                "company": each.company,
                "builder": each.member.builder_id,
                "step": (each.failed_step or TIE_OUT).replace("_", " "),
                "what happened, and what to do": each.sentence or "",
                "code": each.code or "",
            }
        )
        for each in failed
    ]
    return dg.Failure(
        description=f"{len(failed)} of {of} builders could not be synced; the others are done. The table says why.",
        metadata={"builders that failed": dg.MetadataValue.table(records)},
        allow_retries=False,
    )

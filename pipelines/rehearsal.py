"""One rehearsal job per provider: what a sync of one builder would do, as a table, with nothing written."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
import dagster as dg
from pydantic import Field

from assets.diff import rehearsal_metadata
from assets.partitions import BUILDERS
from assets.tags import NO_RETRY, REHEARSAL_TAG
from pipelines.jobs import RUN_SECONDS_MAX
from resources.dagster.desk import Desk, RehearsalWanted
from sync.errors import SyncError
from sync.records import SYNC_ORDER, Entity


class RehearsalConfig(dg.Config):
    """Which entities to rehearse; none means all. A rehearsal that the API asked for has its own."""

    entities: list[str] = Field(default_factory=list)


def job_name(provider: str) -> str:
    """Return the name of a provider's rehearsal job; the launcher asks for it by this name."""
    return f"{provider}_rehearsal"


def op_name(provider: str) -> str:
    """Return the name of the one step of that job, under which its config stands."""
    return f"rehearse_{provider}"


def rehearsal_job(provider: str, *, title: str) -> dg.JobDefinition:
    """Return the job that rehearses one builder's sync with one provider."""

    @dg.op(
        name=op_name(provider),
        description=f"Works out what a sync with {title} would do; writes to neither book.",
    )
    def rehearse(
        context: dg.OpExecutionContext, config: RehearsalConfig, tieout: dg.ResourceParam[Desk]
    ) -> None:
        builder_id = context.partition_key
        company = tieout.connection_of(builder_id, provider)
        if company is None:
            context.log.info("This builder has not connected %s, so there was nothing to rehearse.", title)
            return
        wanted = RehearsalWanted(
            dagster_run_id=context.run.run_id,
            rehearsal_id=context.run.tags.get(REHEARSAL_TAG),
            entities=tuple(entity for entity in SYNC_ORDER if entity in _entities(config)),
        )
        try:
            found = tieout.rehearse(builder_id, company.connection_id, wanted)
        except SyncError as error:
            failed = error
        else:
            metadata = rehearsal_metadata(found, company=company.company_name)
            context.add_output_metadata(metadata)
            context.log.info(str(metadata["result"].value))
            return
        # Outside the handler, so that Dagster shows the sentence and not a chain of tracebacks.
        raise dg.Failure(
            description=failed.user_message,
            metadata={"code": failed.code, "remedy": str(failed.remedy)},
            allow_retries=False,
        )

    @dg.job(
        name=job_name(provider),
        partitions_def=BUILDERS,
        executor_def=dg.in_process_executor,
        description=f"What a sync of one builder with {title} would create, change, void, hold and leave in conflict,"
        " with amounts. Nothing is written to either book.",
        tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
        run_tags=NO_RETRY,
    )
    def rehearsal() -> None:
        rehearse()

    return rehearsal


def _entities(config: RehearsalConfig) -> set[Entity]:
    known = {entity.value for entity in SYNC_ORDER}
    if wrong := [name for name in config.entities if name not in known]:
        raise dg.Failure(
            description=f"There is no entity {wrong[0]}; choose of {', '.join(known)}.", allow_retries=False
        )
    return {Entity(name) for name in config.entities}

"""When dropped files are imported: a sensor looks into the folder, and one run per builder takes in what lies there."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
import time

import dagster as dg

# What `dg.define_asset_job` returns; Dagster has no public name for it.
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition as ImportJob,
)

from assets.imports import GROUP
from assets.tags import NO_RETRY
from pipelines.sensors import UNFINISHED
from resources.dagster.desk import Desk, DroppedFiles

JOB_NAME = "import_dropped_files"
TICK_SECONDS = 15
FILES_TAG = "import/files"
# A run that ended and left its files where they were did not get to say why: it is asked for again, so often at most.
TRIES_MAX = 3
# By then an import that broke off is known to have done so, and goes on where it stopped.
AGAIN_SECONDS = 90.0


def import_job() -> ImportJob:
    """Return the job that imports what lies in one builder's folder."""
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.groups(GROUP),
        description="Imports the files in one builder's drop folder.",
        executor_def=dg.in_process_executor,
        run_tags=NO_RETRY,
    )


def dropped_files_sensor() -> dg.SensorDefinition:
    """Return the sensor that watches the drop folder."""

    @dg.sensor(
        name="dropped_files",
        job_name=JOB_NAME,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Imports files that were put into TIEOUT_DROP_FOLDER.",
    )
    def dropped_files(
        context: dg.SensorEvaluationContext, tieout: dg.ResourceParam[Desk]
    ) -> dg.SensorResult | dg.SkipReason:
        present = set(context.instance.get_dynamic_partitions("builders"))
        found = [each for each in tieout.dropped_files() if each.builder_id in present]
        requests = [
            request for each in found if (request := _request(context.instance, each, now=time.time()))
        ]
        if requests:
            return dg.SensorResult(run_requests=requests)
        return dg.SkipReason(
            f"What waits was asked for: its run is under way, or ended {TRIES_MAX} times without taking it in."
            if found
            else "No file waits."
        )

    return dropped_files


def _request(instance: dg.DagsterInstance, dropped: DroppedFiles, *, now: float) -> dg.RunRequest | None:
    """Return the run to ask for, if there is one: the first, or another after a run that ended and left the files there."""
    key = f"{dropped.builder_id}:{dropped.fingerprint}"
    builder = {"dagster/partition": dropped.builder_id}
    under_way = dg.RunsFilter(job_name=JOB_NAME, tags=builder, statuses=UNFINISHED)
    if instance.get_runs(under_way, limit=1):
        return None
    tries = instance.get_run_records(dg.RunsFilter(tags={FILES_TAG: key}), limit=TRIES_MAX)
    if len(tries) >= TRIES_MAX:
        return None
    if any(
        now - (record.end_time or record.update_timestamp.timestamp()) < AGAIN_SECONDS for record in tries
    ):
        return None
    return dg.RunRequest(
        # A tick that is evaluated twice asks for one run.
        run_key=f"{key}:{len(tries) + 1}",
        partition_key=dropped.builder_id,
        tags={FILES_TAG: key},
    )

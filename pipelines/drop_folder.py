"""When dropped files are imported: a sensor looks into the folder, and one run per builder takes in what lies there."""

# No postponed annotations in this module: Dagster looks at them without resolving names.
import dagster as dg

# What `dg.define_asset_job` returns; Dagster has no public name for it.
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition as ImportJob,
)

from assets.imports import GROUP
from assets.tags import NO_RETRY
from resources.dagster.desk import Desk

JOB_NAME = "import_dropped_files"
TICK_SECONDS = 15


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
        found = tieout.dropped_files()
        present = set(context.instance.get_dynamic_partitions("builders"))
        requests = [
            # The same files are asked for once, however often they are seen before the run moves them.
            dg.RunRequest(run_key=f"{each.builder_id}:{each.fingerprint}", partition_key=each.builder_id)
            for each in found
            if each.builder_id in present
        ]
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("No file waits.")

    return dropped_files

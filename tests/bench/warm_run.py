"""What the start of a run costs where it is forked from a process that has loaded everything, as the product does it."""

from __future__ import annotations

import os
import time
from multiprocessing import forkserver
from multiprocessing.connection import Connection

import dagster as dg

from pipelines.code_server import WarmStart
from pipelines.cohort import JOB_NAME, OP_NAME
from pipelines.definitions import defs
from resources.settings import Settings


def warm_start(settings: Settings) -> float:
    """CPU seconds of a run of no builder: the process, Dagster's instance and events, the product opened and closed."""
    # The helper inherits the environment of its first moment, and so do the runs.
    os.environ["TIEOUT_DATABASE_URL"] = settings.database_url.get_secret_value()
    os.environ["TIEOUT_HOME"] = str(settings.home)
    context = WarmStart.get_context("spawn")
    forkserver.ensure_running()
    told, tells = context.Pipe(duplex=False)
    run = context.Process(target=_run, args=(tells,))  # type: ignore[attr-defined]  # each context has one
    run.start()
    # A run that breaks closes the other end, and is not waited for.
    tells.close()
    seconds: float = told.recv()
    run.join()
    return seconds


def _run(tells: Connection) -> None:
    began = time.process_time()
    with dg.DagsterInstance.get() as instance:
        done = defs.resolve_job_def(JOB_NAME).execute_in_process(
            run_config={"ops": {OP_NAME: {"config": {"members": []}}}}, instance=instance
        )
    assert done.success
    tells.send(time.process_time() - began)

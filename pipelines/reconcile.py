"""Runs that a crash of the host left behind as if they were still working.

Dagster's default launcher has no health check: such a run would keep its slot and its connection until its maximal
runtime has passed. At start-up, when nothing can be running yet, they are reported failed; a sensor then closes
their sync runs.
"""

from __future__ import annotations

import dagster as dg

# Queued runs are not among them: they have not begun, and the daemon takes them up.
_LEFT_BEHIND = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
SENTENCE = (
    "This run was under way when its machine or Dagster itself was stopped, and was ended at the next start."
    " Nothing is lost: the next sync takes up where it stopped."
)


def report_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report every run that cannot be running any more as failed, and return their ids."""
    lost = instance.get_runs(dg.RunsFilter(statuses=_LEFT_BEHIND))
    for run in lost:
        instance.report_run_failed(run, message=SENTENCE)
    return [run.run_id for run in lost]

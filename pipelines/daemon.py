"""Dagster's daemon, which waits for its word to begin and first reports what the last crash left behind.

The word is the end of its input: `python -m pipelines.daemon < /dev/null` begins at once.
For one machine only: where several hosts share one Dagster database, start `dagster-daemon run` itself, because a
run that this machine does not know may well be alive on another.
"""

from __future__ import annotations

import sys

import dagster as dg
from dagster._daemon.cli import main as daemon_main  # what the `dagster-daemon` command itself calls

from pipelines.reconcile import report_lost_runs


def main() -> None:
    """Wait, reconcile, then run the daemon with the given arguments."""
    sys.stdin.read()
    with dg.DagsterInstance.get() as instance:
        for run_id in report_lost_runs(instance):
            print(f"Run {run_id} was left behind by a crash and is now reported failed.", flush=True)  # noqa: T201 - its log
    sys.argv = ["dagster-daemon", "run", *sys.argv[1:]]
    daemon_main()


if __name__ == "__main__":
    main()

"""Dagster's code server, whose runs begin warm.

The stock server starts each run in a new Python, which spends two seconds of processor loading what every run loads.
Here one helper process has loaded it already and forks. The way in is one name of a private module
(`dagster._grpc.server.multiprocessing`); `tests/pipelines/test_code_server.py` fails when it moves, and
`dagster api grpc` with the same arguments is the stock way.

What is loaded beforehand must open no connection, start no thread and no channel while it is imported.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

import dagster._grpc.server as grpc_server
from dagster._cli import main as dagster_main  # what the `dagster` command itself calls

LOADED = (
    "dagster",
    "dagster_postgres",
    "pipelines.code_server",
    "pipelines.definitions",
    "pipelines.storage",
    "resources.dagster.wired",
)


class WarmStart:
    """Stands where Dagster expects the module `multiprocessing`, and forks where it would start anew."""

    def __getattr__(self, name: str) -> object:
        """Everything else is the real module's."""
        return getattr(multiprocessing, name)

    @staticmethod
    def get_context(method: str | None = None) -> BaseContext:
        """Return the context in which runs are started."""
        assert method == "spawn", "Dagster asks for its processes in another way than it did"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(LOADED))
        return context


def main() -> None:
    """Run `dagster api grpc` with the given arguments."""
    assert vars(grpc_server)["multiprocessing"] is multiprocessing, (
        "Dagster's code server has moved its processes"
    )
    vars(grpc_server)["multiprocessing"] = WarmStart()
    # Now, so that it loads while this process does: the first run is somebody's first impression.
    WarmStart.get_context("spawn")
    forkserver.ensure_running()
    sys.argv = ["dagster", "api", "grpc", *sys.argv[1:]]
    dagster_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()

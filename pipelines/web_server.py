"""Dagster's web server, which waits for the code server before it begins.

A code location that is not there when the web server starts stays an error on its pages; and starting the one after
the other has answered would cost the seconds that loading its modules takes.
"""

from __future__ import annotations

import sys
import time

from dagster_webserver.cli import main as webserver_main  # what the `dagster-webserver` command itself calls

from pipelines.processes import listens

POLL_SECONDS = 0.1


def main() -> None:
    """Wait for the code server's port, the first argument, then run the web server with the others."""
    port, *arguments = sys.argv[1:]
    is_there = listens(int(port))
    while not is_there():
        time.sleep(POLL_SECONDS)
    sys.argv = ["dagster-webserver", *arguments]
    webserver_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()

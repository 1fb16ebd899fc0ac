from __future__ import annotations

import multiprocessing
import subprocess
import sys

import dagster._grpc.server as grpc_server
import pytest

from pipelines.code_server import LOADED, WarmStart

IMPORTED = """
import importlib, os, pathlib, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
descriptors = [os.readlink(link) for link in pathlib.Path("/proc/self/fd").iterdir() if link.is_symlink()]
print(threading.active_count(), sum(target.startswith("socket:") for target in descriptors))
"""


def test_dagster_still_takes_its_processes_from_where_they_are_replaced() -> None:
    assert vars(grpc_server)["multiprocessing"] is multiprocessing


def test_runs_are_forked_from_a_process_that_has_loaded_everything() -> None:
    context = WarmStart.get_context("spawn")
    assert context.get_start_method() == "forkserver"
    assert vars(WarmStart()).get("Process") is None
    assert WarmStart().Process is multiprocessing.Process


def test_another_way_of_asking_for_processes_is_noticed() -> None:
    with pytest.raises(AssertionError, match="in another way"):
        WarmStart.get_context("fork")


def test_what_is_loaded_beforehand_starts_no_thread_and_opens_no_connection() -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTED, *LOADED],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.split() == ["1", "0"]

"""/metrics where several processes answer: whichever is asked tells what all did together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.metrics import SHARED_FOLDER, counted_together
from pipelines.demo.settings import as_environment
from pipelines.processes import free_port
from resources.settings import Settings

TOKEN = "prometheus-token"
PROCESSES = 2
REQUESTS = 30
SCRAPES = 8
SECONDS_MAX = 90
COUNTED = re.compile(
    r'^tieout_http_requests_total\{method="GET",route="/healthz",status="200"\} ([\d.]+)$', re.MULTILINE
)
UNDER_WAY = re.compile(r"^tieout_http_requests_under_way ([\d.]+)$", re.MULTILINE)


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, int]]:
    """Run `tieout serve` in two processes; its address and its own process id."""
    port = free_port()
    told = settings.model_copy(
        update={
            "api_port": port,
            "api_processes": PROCESSES,
            "metrics_token": type(settings.metrics_token)(TOKEN),
        }
    )
    environment = {**os.environ, **as_environment(told)}
    command = [sys.executable, "-m", "api.cli", "serve"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(30)


def get(url: str, path: str) -> httpx.Response:
    """Ask over a connection of its own, which any of the processes may take."""
    return httpx.get(f"{url}{path}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)


def told(url: str) -> tuple[float, float]:
    """How many requests for /healthz were answered, and how many of any kind are under way."""
    text = get(url, "/metrics").text
    counted, under_way = COUNTED.search(text), UNDER_WAY.search(text)
    assert counted is not None, text
    assert under_way is not None, text
    return float(counted[1]), float(under_way[1])


def workers(pid: int) -> list[int]:
    """The processes that answer: children of the one that was started which listen."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = folder.joinpath("stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[1]
            command = folder.joinpath("cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


def wait_until_up(url: str) -> None:
    ends = time.monotonic() + SECONDS_MAX
    while time.monotonic() < ends:
        try:
            if get(url, "/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError("it does not come up")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the processes in /proc")
def test_each_process_tells_what_all_of_them_answered(settings: Settings) -> None:
    with serving(settings) as (url, pid):
        wait_until_up(url)
        for _ in range(REQUESTS):
            assert get(url, "/healthz").status_code == 200
        # The question itself is under way in the process that answers it, and in no other.
        assert {told(url) for _ in range(SCRAPES)} == {(REQUESTS, 1)}
        # One dies, and another takes its place: what it answered stays counted.
        os.kill(workers(pid)[0], signal.SIGKILL)
        wait_until_up(url)
        assert {told(url) for _ in range(SCRAPES)} == {(REQUESTS, 1)}


def test_one_process_counts_in_its_memory() -> None:
    with counted_together(1):
        assert SHARED_FOLDER not in os.environ


def test_several_processes_are_given_a_place_that_goes_with_them() -> None:
    with counted_together(2):
        folder = Path(os.environ[SHARED_FOLDER])
        assert folder.is_dir()
    assert SHARED_FOLDER not in os.environ
    assert not folder.exists()

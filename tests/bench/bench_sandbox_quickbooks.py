"""How fast the QuickBooks sandbox seeds, pages, answers and restarts; one JSON line per figure."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sandbox.quickbooks import create_app  # noqa: E402 - the path comes first
from tests.bench.served import server_seconds  # noqa: E402
from tests.sandbox.quickbooks.driver import Books, cost_line  # noqa: E402

DOCUMENTS = int(os.environ.get("SANDBOX_BENCH_DOCUMENTS", "200000"))
REALM = "9341450000000101"


def figure(name: str, value: float, unit: str, limit: float | None = None) -> None:
    line = {"bench": "sandbox_quickbooks", "figure": name, "value": round(value, 2), "unit": unit}
    print(json.dumps(line if limit is None else {**line, "goal": limit}), flush=True)


def milliseconds(call: Callable[[], object], times: int = 9) -> float:
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def per_second(call: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return times / (time.perf_counter() - started)


def measure(url: str, pid: int) -> None:
    """Seed, then time pages, reads and writes over HTTP."""
    before = server_seconds(pid)
    seeded = httpx.post(f"{url}/_sandbox/seed", json={"realm": REALM, "size": DOCUMENTS}, timeout=300).json()
    figure(f"seed_{DOCUMENTS}_documents", seeded["seconds"], "s", 60)
    figure(f"seed_{DOCUMENTS}_documents_server_cpu", server_seconds(pid) - before, "s", 60)
    books = Books(url, REALM)
    middle = DOCUMENTS // 10
    pages = {
        "page_1000_by_id": f"select * from Bill orderby Id startposition {middle} maxresults 1000",
        "page_1000_by_change": "select * from Bill where MetaData.LastUpdatedTime >= '2020-01-01T00:00:00Z'"
        f" orderby MetaData.LastUpdatedTime, Id startposition {middle} maxresults 1000",
        "page_1000_unordered": "select * from Invoice maxresults 1000",
    }
    for name, text in pages.items():
        figure(
            name, milliseconds(lambda text=text: books.raw("GET", "query", params={"query": text})), "ms", 60
        )  # type: ignore[misc]
    first = books.rows("select * from Bill orderby Id maxresults 1")[0]["Id"]
    before = server_seconds(pid)
    figure("reads_per_second", per_second(lambda: books.raw("GET", f"bill/{first}"), 600), "1/s", 300)
    figure("reads_per_server_cpu_second", 600 / (server_seconds(pid) - before), "1/s", 300)
    line = {**cost_line("0"), "Amount": "12.34"}
    bill = {"VendorRef": {"value": "5"}, "Line": [line]}
    figure("writes_per_second", per_second(lambda: books.raw("POST", "bill", json=bill), 300), "1/s", 300)
    figure("trial_balance", milliseconds(lambda: books.raw("GET", "reports/TrialBalance"), 3), "ms")
    books.close()


def restart() -> None:
    """Time a start from a folder of books."""
    with tempfile.TemporaryDirectory() as folder:
        first = create_app(data=Path(folder)).emulator
        first.seed({"realm": REALM, "size": DOCUMENTS // 4})
        first.store.close()
        started = time.perf_counter()
        create_app(data=Path(folder)).emulator.store.close()
        figure(f"restart_with_{DOCUMENTS // 4}_documents", time.perf_counter() - started, "s")


def main() -> None:
    command = [sys.executable, "-m", "sandbox", "quickbooks", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = next(word for word in line.split() if word.startswith("http"))
            measure(url, process.pid)
        finally:
            process.terminate()
    restart()


if __name__ == "__main__":
    main()

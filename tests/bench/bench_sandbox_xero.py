"""How fast the Xero sandbox seeds, pages and answers; one JSON line per figure.

The server runs in its own process, so that the figures are those of one core behind HTTP.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.served import server_seconds  # noqa: E402 - the path comes first
from tests.sandbox.xero.client import Xero  # noqa: E402

SEED_SIZE = int(os.environ.get("SANDBOX_BENCH_DOCUMENTS", "200000"))
PAGES = 20
CALLS = 1_500


def report(name: str, value: float, unit: str, goal: float | None = None) -> None:
    line = {"bench": "sandbox_xero", "figure": name, "value": round(value, 2), "unit": unit}
    print(json.dumps(line if goal is None else {**line, "goal": goal}), flush=True)


def pages(xero: Xero, name: str, pid: int) -> None:
    """Time pages of a thousand documents, first as they are rendered, then again."""
    for label in ("first_read", "read_again"):
        times = []
        before = server_seconds(pid)
        for page in range(1, PAGES + 1):
            started = time.perf_counter()
            query = {"page": page, "pageSize": 1000, "order": "UpdatedDateUTC ASC"}
            answer = xero.send("GET", name, query=query)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200
        report(f"page_1000_{name.lower()}_{label}_median", statistics.median(times), "ms", 60)
        used = (server_seconds(pid) - before) * 1000 / PAGES
        report(f"page_1000_{name.lower()}_{label}_server_cpu", used, "ms", 60)
        report(f"page_1000_{name.lower()}_{label}_worst", max(times), "ms")


def calls(xero: Xero, pid: int) -> None:
    """Time simple reads and simple writes over one kept-alive connection."""
    started, before = time.perf_counter(), server_seconds(pid)
    for _ in range(CALLS):
        xero.send("GET", "Organisation")
    report("simple_reads", CALLS / (time.perf_counter() - started), "1/s", 300)
    report("simple_reads_per_server_cpu_second", CALLS / (server_seconds(pid) - before), "1/s", 300)
    contact = xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Bench Ltd"}]})["ContactID"]
    started = time.perf_counter()
    for _ in range(CALLS // 3):
        xero.send("PUT", "Invoices", {"Invoices": [xero.invoice(contact)]})
    report("invoice_creates", CALLS // 3 / (time.perf_counter() - started), "1/s")


def main() -> None:
    """Start a sandbox, seed it, measure it, stop it."""
    command = [sys.executable, "-m", "sandbox", "xero", "--port", "0", "--seed", "empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found is not None
            xero = Xero(found[0])
            xero.http.timeout = httpx.Timeout(120)
            xero.connect()
            started, before = time.perf_counter(), server_seconds(process.pid)
            xero.control("/seed", {"size": SEED_SIZE})
            report(f"seed_{SEED_SIZE}_documents", time.perf_counter() - started, "s", 60)
            report(f"seed_{SEED_SIZE}_documents_server_cpu", server_seconds(process.pid) - before, "s", 60)
            pages(xero, "Invoices", process.pid)
            pages(xero, "Payments", process.pid)
            calls(xero, process.pid)
            assert xero.http.get("/_sandbox/ledger").json()["balanced"]
        finally:
            process.terminate()


if __name__ == "__main__":
    main()

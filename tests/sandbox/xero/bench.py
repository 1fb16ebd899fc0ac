"""`python -m tests.sandbox.xero.bench` prints one JSON line per figure of the Xero sandbox's speed.

The server runs in its own process, so that the figures are those of one core behind HTTP.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time

import httpx

from tests.sandbox.xero.client import Xero

SEED_SIZE = 200_000
PAGES = 20
CALLS = 1_500


def report(name: str, value: float, unit: str) -> None:
    """Print one figure."""
    print(json.dumps({"figure": name, "value": round(value, 2), "unit": unit}), flush=True)


def pages(xero: Xero, name: str) -> None:
    """Time pages of a thousand documents, first as they are rendered, then again."""
    for label in ("first_read", "read_again"):
        times = []
        for page in range(1, PAGES + 1):
            started = time.perf_counter()
            query = {"page": page, "pageSize": 1000, "order": "UpdatedDateUTC ASC"}
            answer = xero.send("GET", name, query=query)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200
        report(f"xero_page_1000_{name.lower()}_{label}_median", statistics.median(times), "ms")
        report(f"xero_page_1000_{name.lower()}_{label}_worst", max(times), "ms")


def calls(xero: Xero) -> None:
    """Time simple reads and simple writes over one kept-alive connection."""
    started = time.perf_counter()
    for _ in range(CALLS):
        xero.send("GET", "Organisation")
    report("xero_simple_reads_per_second", CALLS / (time.perf_counter() - started), "1/s")
    contact = xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Bench Ltd"}]})["ContactID"]
    started = time.perf_counter()
    for _ in range(CALLS // 3):
        xero.send("PUT", "Invoices", {"Invoices": [xero.invoice(contact)]})
    report("xero_invoice_creates_per_second", CALLS // 3 / (time.perf_counter() - started), "1/s")


def main() -> None:
    """Start a sandbox, seed it, measure it, stop it."""
    command = [sys.executable, "-m", "sandbox", "xero", "--port", "0", "--seed", "empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found is not None
            xero = Xero(found[0])
            xero.http.timeout = httpx.Timeout(120)
            xero.connect()
            started = time.perf_counter()
            xero.control("/seed", {"size": SEED_SIZE})
            report("xero_seed_200000_documents", time.perf_counter() - started, "s")
            pages(xero, "Invoices")
            pages(xero, "Payments")
            calls(xero)
            assert xero.http.get("/_sandbox/ledger").json()["balanced"]
        finally:
            process.terminate()


if __name__ == "__main__":
    main()

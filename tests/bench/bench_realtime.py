"""From commit on the platform's table to the document in the ledger: the worker in a thread, the sandbox apart."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx

from resources.changes import ChangeBell
from resources.postgres import database_urls
from resources.realtime import Done, RealTimeWorker
from tests.bench.measure import bench, figure
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

# Below the 39 batches that one company may be sent in a minute: what waits for those is the provider's limit.
BILLS, BILLS_FULL = 20, 34


class Passed:
    """Notes when each pass ended."""

    def __init__(self) -> None:
        """Nothing has passed yet."""
        self.ended = threading.Event()

    def saw(self, done: Done) -> None:
        """Note that a pass ended."""
        if any(each.tallies["pushed"].count for each in done.summaries):
            self.ended.set()

    def flush(self) -> None:
        """Nothing to show."""


def main() -> None:
    """Approve bills one after the other and wait for each to be settled."""
    bills = BILLS_FULL if "--full" in sys.argv else BILLS
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        cost = world.query("select * from Account where AccountType = 'Cost of Goods Sold'")[0]["Id"]
        world.map_to({"cost_code": cost})
        vendor = world.vendor()
        world.bill(vendor, number="B-0")
        world.sync()
        world.run("""update v2_integration_connections set settings = settings || '{"real_time": true}'""")
        passed = Passed()
        worker = RealTimeWorker(
            world.tieout, ChangeBell(database_urls(stage.settings).scheduler), witness=passed
        )
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            time.sleep(2)
            with stage.measure() as took:
                waits = [_one(world, vendor, passed, f"R-{number}") for number in range(bills)]
        finally:
            worker.stop()
            thread.join()
        answer = answer_ms(world)
        beyond = sorted(wait - answer for wait in waits)
        figure(
            "realtime.approved_to_settled_p50", statistics.median(waits), "ms", bills=bills,
            p95=sorted(waits)[int(bills * 0.95) - 1], worst=max(waits), providers_answer_ms=answer,
            beyond_the_provider_p50=statistics.median(beyond), goal_p50=100,
            cpu_ms_each=(took.cpu + took.postgres_cpu) / bills * 1000,
        )  # fmt: skip


def _one(world: QuickBooksWorld, vendor: str, passed: Passed, number: str) -> float:
    # A draft with its line, approved by one statement: what a person's click does.
    bill = world.bill(vendor, number=number, status="draft")
    time.sleep(0.4)
    passed.ended.clear()
    started = time.perf_counter()
    world.run("update v2_bills set status = 'approved' where id = %s", bill)
    assert passed.ended.wait(30), f"{number} did not arrive"
    return (time.perf_counter() - started) * 1000


def answer_ms(world: QuickBooksWorld) -> float:
    """How long the provider takes to store one bill, in the middle of ten."""
    with writing(world) as write:
        return statistics.median(write() for _ in range(10))


@contextmanager
def writing(world: QuickBooksWorld) -> Iterator[Callable[[], float]]:
    """A way to store one bill over a connection that stays open; it returns the milliseconds the answer took."""
    vendor = world.query("select * from Vendor maxresults 1")[0]["Id"]
    cost = world.query("select * from Account where AccountType = 'Cost of Goods Sold'")[0]["Id"]
    line = {
        "Amount": 100,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": cost}},
    }
    headers = {"Authorization": f"Bearer {world.token()}", "Accept": "application/json"}
    with httpx.Client(base_url=f"{world.sandbox_url}/v3/company/{world.realm}", headers=headers) as http:

        def write() -> float:
            body = {"VendorRef": {"value": vendor}, "DocNumber": uuid4().hex[:12], "Line": [line]}
            started = time.perf_counter()
            assert http.post("/bill", json=body).is_success
            return (time.perf_counter() - started) * 1000

        yield write


if __name__ == "__main__":
    main()

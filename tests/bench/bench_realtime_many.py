"""Approved to settled for many builders at once, then the same beside a bulk import of another builder.

An open loop: documents are approved at fixed times whether or not earlier ones are done, so that a queue shows. The
worker is the product's own process; a probe writes to the ledger once a second, for the provider's answer at that load.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from resources.settings import Settings
from tests.bench.bench_initial_pull import seed
from tests.bench.bench_realtime import writing
from tests.bench.many_builders import Twin, multiply, superuser
from tests.bench.measure import Bench, bench, figure
from tests.bench.served import server_seconds
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

# Builders, documents a second, seconds, documents of the bulk import.
QUICK, FULL = (10, 5, 10, 2_000), (100, 20, 60, 20_000)
SETTLED_WITHIN_SECONDS = 180.0
DRAFTS = """
with drafts as (
    insert into v2_bills (builder_id, vendor_id, number, bill_date, status, total)
    select b.builder_id, v.id, %(prefix)s || n, '2026-05-20', 'draft', 100 + n
    from unnest(%(builders)s::uuid[]) b(builder_id)
    cross join generate_series(1, %(each)s) n
    cross join lateral (select id from v2_vendors where builder_id = b.builder_id order by name limit 1) v
    returning builder_id, id, total
), lines as (
    insert into v2_bill_lines (builder_id, bill_id, position, description, cost_code_id, amount)
    select d.builder_id, d.id, 1, 'Work', c.id, d.total from drafts d join v2_cost_codes c using (builder_id)
)
select id::text from drafts
"""
SETTLED = """
select record_id::text, settled_at from links
where record_id = any(%s::uuid[]) and remote_id is not null and state = 'open' and settled_at is not null
  and ours_checksum = base_ours_checksum and theirs_checksum = base_theirs_checksum
"""


def main() -> None:
    """Make the builders, start the worker, and approve."""
    builders, rate, seconds, imported = FULL if "--full" in sys.argv else QUICK
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        cost = world.query("select * from Account where AccountType = 'Cost of Goods Sold'")[0]["Id"]
        world.map_to({"cost_code": cost})
        # A vendor that every company of the sandbox has under one id: linked by its name.
        world.vendor(world.query("select * from Vendor maxresults 1")[0]["DisplayName"])
        for _ in range(3):
            world.sync()
        twins = multiply(world, stage.settings, builders)
        with superuser(stage.settings) as connection:
            connection.execute(
                """update v2_integration_connections set settings = settings || '{"real_time": true}'"""
                " where builder_id <> %s",
                (world.builder_id,),
            )
        first = _drafts(stage, twins, "F-", builders)
        alone = _drafts(stage, twins, "A-", rate * seconds)
        beside = _drafts(stage, twins, "B-", rate * seconds)
        seed(world, imported)
        with _worker(world.tieout.settings) as pid:
            # The first of each builder reads its company and compiles; that is nobody's every day.
            _approve(stage, first, rate=rate)
            assert len(_settled(stage, first)) == builders, "the worker did not get through the first bills"
            shape = {"builders": builders, "documents_a_second": rate, "documents": len(alone)}
            _loop(stage, world, alone, rate=rate, name="realtime_many.alone", pid=pid, **shape)
            bulk = threading.Thread(target=world.sync)
            bulk.start()
            began = time.monotonic()
            _loop(stage, world, beside, rate=rate, name="realtime_many.beside_a_bulk_import", pid=pid,
                  **shape, imported=imported)  # fmt: skip
            bulk.join()
            figure("realtime_many.bulk_import", time.monotonic() - began, "s", documents=imported)


def _loop(
    stage: Bench,
    world: QuickBooksWorld,
    bills: Sequence[str],
    *,
    rate: int,
    name: str,
    pid: int,
    **beside: Any,
) -> None:
    """Approve at fixed times, wait until all are settled, and print how long each took."""
    with _probe(world) as answers, stage.measure() as took:
        worker = server_seconds(pid)
        approved, late = _approve(stage, bills, rate=rate)
        settled = _settled(stage, bills)
        worker = server_seconds(pid) - worker
    missing = len(bills) - len(settled)
    assert not missing, f"{missing} of {len(bills)} were not settled within {SETTLED_WITHIN_SECONDS:.0f} s"
    answer = statistics.median(answers)
    waits = sorted((settled[each] - approved[each]).total_seconds() * 1000 - answer for each in bills)
    figure(
        f"{name}.beyond_the_provider_p50", _percentile(waits, 50), "ms", goal=100,
        p95=_percentile(waits, 95), p99=_percentile(waits, 99), goal_p99=1000, worst=waits[-1],
        providers_answer_ms=answer, approvals_late_ms=late, settled_per_s=len(bills) / took.wall,
        cpu_ms_each=(worker + took.postgres_cpu) / len(bills) * 1000, **beside,
    )  # fmt: skip


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def _drafts(stage: Bench, twins: Sequence[Twin], prefix: str, count: int) -> list[str]:
    """Bills with their lines, still drafts, in an order that goes through the builders by chance."""
    names = [each.builder_id for each in twins]
    with superuser(stage.settings) as connection:
        made = connection.execute(
            DRAFTS, {"builders": names, "each": -(-count // len(names)), "prefix": prefix}
        ).fetchall()
    bills = sorted(str(row[0]) for row in made)
    random.Random(9).shuffle(bills)
    return bills[:count]


def _approve(stage: Bench, bills: Sequence[str], *, rate: int) -> tuple[dict[str, datetime], float]:
    """Approve each at its time; when each was, and by how many milliseconds the latest came late."""
    approved: dict[str, datetime] = {}
    late = 0.0
    with superuser(stage.settings) as connection:
        began = time.monotonic()
        for number, bill in enumerate(bills):
            wait = began + number / rate - time.monotonic()
            late = max(late, -wait)
            time.sleep(max(wait, 0.0))
            approved[bill] = datetime.now(UTC)
            connection.execute("update v2_bills set status = 'approved' where id = %s", (bill,))
    return approved, late * 1000


def _settled(stage: Bench, bills: Sequence[str]) -> dict[str, datetime]:
    deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
    found: dict[str, Any] = {}
    with superuser(stage.settings) as connection:
        while len(found) < len(bills) and time.monotonic() < deadline:
            time.sleep(0.5)
            found = {str(row[0]): row[1] for row in connection.execute(SETTLED, (list(bills),)).fetchall()}
    return found


@contextmanager
def _probe(world: QuickBooksWorld) -> Iterator[list[float]]:
    """Write to another company about once a second, and note how long the provider took."""
    answers: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        with writing(world) as write:
            while not ended.is_set():
                answers.append(write())
                ended.wait(1.0)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


@contextmanager
def _worker(settings: Settings) -> Iterator[int]:
    """Run the product's worker in a process of its own, without Dagster to tell."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TIEOUT_", "DAGSTER_"))}
    given = {
        "TIEOUT_HOME": str(settings.home),
        "TIEOUT_DATABASE_URL": settings.database_url.get_secret_value(),
        "TIEOUT_QUICKBOOKS_BASE_URL": settings.quickbooks_base_url,
        "TIEOUT_QUICKBOOKS_TOKEN_URL": settings.quickbooks_token_url,
        "TIEOUT_QUICKBOOKS_CLIENT_ID": settings.quickbooks_client_id,
        "TIEOUT_QUICKBOOKS_CLIENT_SECRET": settings.quickbooks_client_secret.get_secret_value(),
    }
    command = [sys.executable, "-m", "pipelines.worker"]
    with subprocess.Popen(command, env=kept | given, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    main()

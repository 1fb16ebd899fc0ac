"""A push of many bills while QuickBooks enforces its own limits: calls, share of the batch quota, refusals.

In fast motion: the sandbox's minutes, the gate's and our waits pass some times as fast as a watch's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx

from resources.gate import Budget, SharedGate
from resources.quickbooks.provider import QuickBooks
from resources.quickbooks.spec import SPEC
from resources.store.sync_store import PostgresStore
from sync.engine import ConnectionSync
from sync.quota import Priority
from sync.records import Entity
from tests.bench.bench_push import wait_to_be_pushed
from tests.bench.fast_clock import FastClock
from tests.bench.measure import bench, figure
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

BILLS, BILLS_FULL = 2_500, 10_000
# How many times as fast; less for the whole size, so that a busy machine keeps up with the limits.
SCALE = 2.0 if "--full" in sys.argv else 4.0
# Intuit's own figure; we send a little less, because other programs of the company's send batches too.
BATCHES_A_MINUTE = 40


def main() -> None:
    """Approve bills, switch the limits on, and push."""
    bills = BILLS_FULL if "--full" in sys.argv else BILLS
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        wait_to_be_pushed(world, bills)
        with _limited(world) as (engine, provider, control), stage.measure() as took:
            before = provider.calls
            engine.pull_changes()
            pushed = {each.entity: each for each in engine.sync_entities()}[Entity.BILL]
            calls = provider.calls - before
            made = control.get("/requests", params={"count": 5_000}).json()["requests"]
        assert pushed.tallies["pushed"].count == bills, pushed.failed[:3]
        beside = {"cpu_s": took.cpu, "postgres_cpu_s": took.postgres_cpu, "wall_s": took.wall, "scale": SCALE}
        figure(
            "push_limits.calls",
            calls / bills * 1000,
            "calls/1000 documents",
            goal=40,
            documents=bills,
            **beside,
        )
        _quota(made)


def _quota(made: list[dict[str, Any]]) -> None:
    """What was used of the provider's batches in the minutes from the first to the last, and what it refused."""
    batches = sorted(datetime.fromisoformat(each["at"]) for each in made if each["entity"] == "batch")
    assert batches, "no batch was sent"
    assert SPEC.limits is not None
    assert SPEC.limits.batches is not None
    # A window's worth is used when the next one's first batch is sent: the wait for it belongs to the window.
    limit = SPEC.limits.batches.calls
    whole = (len(batches) - 1) // limit * limit
    minutes = (batches[whole] - batches[0]).total_seconds() / 60
    refused = sum(each["status"] == 429 for each in made)
    figure(
        "push_limits.quota_used", 100 * whole / (BATCHES_A_MINUTE * minutes), "%", goal=95, batches=whole,
        minutes=minutes, ours_at_a_time=limit, throttled=refused, goal_throttled=0,
    )  # fmt: skip


@contextmanager
def _limited(world: QuickBooksWorld) -> Iterator[tuple[ConnectionSync, QuickBooks, httpx.Client]]:
    """The product's engine over a provider in fast motion, the sandbox's limits switched on."""
    # The sandbox also counts what it was sent before its limits were switched on; that must be more than a minute ago.
    tieout, clock = world.tieout, FastClock(scale=SCALE, ahead=timedelta(minutes=2))
    assert SPEC.limits is not None
    run_id = world.add(
        "sync_runs",
        connection_id=world.connection_id,
        trigger="manual",
        requested_by="bench",
        status="started",
    )
    opened = tieout.connections.open(world.builder_id, world.connection_id)
    assert isinstance(opened, QuickBooks)
    gate = SharedGate(
        world.database,
        Budget(provider="bench", title=SPEC.title, limits=SPEC.limits),
        priority=Priority.BULK,
        clock=clock,
        sleep=clock.sleep,
    )
    provider = QuickBooks(opened._access, http=opened._client._http, clock=clock, gate=gate)
    store = PostgresStore(
        world.database,
        facts=tieout._facts(world.builder_id, world.connection_id),
        sync_run_id=run_id,
        trigger="manual",
        clock=clock,
        actor="bench",
    )
    with httpx.Client(base_url=f"{world.sandbox_url}/_sandbox", timeout=60) as control:
        control.post("/clock", json={"now": clock.now().isoformat(), "scale": SCALE}).raise_for_status()
        control.delete("/requests").raise_for_status()
        control.post("/limits", json={"enabled": True}).raise_for_status()
        yield ConnectionSync(store=store, provider=provider, clock=clock, actor="bench"), provider, control


if __name__ == "__main__":
    main()

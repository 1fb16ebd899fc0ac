"""Pushing documents: provider calls per thousand, and how fast, with the provider's pace as the bound."""

from __future__ import annotations

import sys

from sync.records import Entity
from tests.bench.measure import bench, figure
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

BILLS, BILLS_FULL = 600, 10_000
VENDORS = 20


def main() -> None:
    """Approve bills and push them in one sync."""
    bills = BILLS_FULL if "--full" in sys.argv else BILLS
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        wait_to_be_pushed(world, bills)
        with stage.measure() as took:
            _, summaries, _, calls = world.sync()
        pushed = summaries[Entity.BILL].tallies["pushed"].count
        assert pushed == bills, summaries[Entity.BILL].failed[:3]
        figure(
            "push.calls", calls / bills * 1000, "calls/1000 documents", goal=40, documents=bills,
            one_call_each=1000, cpu_s=took.cpu, postgres_cpu_s=took.postgres_cpu, wall_s=took.wall,
        )  # fmt: skip
        # The provider takes 40 batches of 30 a minute.
        figure("push.documents", bills / took.wall, "documents/s", providers_own_limit=20.0)


def wait_to_be_pushed(world: QuickBooksWorld, bills: int) -> None:
    """Push the first few, so that everything is warm, and approve so many more."""
    cost = world.query("select * from Account where AccountType = 'Cost of Goods Sold'")[0]["Id"]
    world.map_to({"cost_code": cost})
    approve(world, 30)
    world.sync()
    approve(world, bills, first=30)


def approve(world: QuickBooksWorld, count: int, *, first: int = 0) -> None:
    """Add so many approved bills of twenty vendors, one line each."""
    world.run(
        "insert into v2_vendors (builder_id, name) select %s, 'Vendor ' || n from generate_series(1, %s::int) n"
        " on conflict do nothing",
        world.builder_id,
        VENDORS,
    )
    world.run(
        "with b as (insert into v2_bills (builder_id, vendor_id, number, bill_date, status, total)"
        " select v.builder_id, v.id, 'P-' || n, '2026-05-20', 'approved', 100 + n from generate_series(%s::int, %s::int) n"
        " join (select *, row_number() over (order by name) - 1 as place from v2_vendors) v on v.place = mod(n, %s::int)"
        " returning builder_id, id, total)"
        " insert into v2_bill_lines (builder_id, bill_id, position, description, cost_code_id, amount)"
        " select builder_id, id, 1, 'Work', %s, total from b",
        first,
        first + count - 1,
        VENDORS,
        world.code,
    )


if __name__ == "__main__":
    main()

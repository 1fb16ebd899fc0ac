"""What a sync costs when nothing changed: provider calls and CPU per builder."""

from __future__ import annotations

import sys

from tests.bench.measure import bench, figure
from tests.flows.quickbooks_world import world_at

SYNCS, SYNCS_FULL = 40, 400


def main() -> None:
    """Sync one settled company again and again."""
    syncs = SYNCS_FULL if "--full" in sys.argv else SYNCS
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        for _ in range(3):
            world.sync()
        calls = 0
        with stage.measure() as took:
            for _ in range(syncs):
                calls += world.sync()[3]
        cpu = (took.cpu + took.postgres_cpu) / syncs * 1000
        figure(
            "idle_sync.cpu", cpu, "ms/builder", goal=30, python_ms=took.cpu / syncs * 1000,
            postgres_ms=took.postgres_cpu / syncs * 1000, syncs=syncs,
        )  # fmt: skip
        figure("idle_sync.calls", calls / syncs, "calls/builder", goal=1)
        figure("idle_sync.wall", took.wall / syncs * 1000, "ms/builder")


if __name__ == "__main__":
    main()

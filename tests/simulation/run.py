"""Running worlds: one by seed, or many, with planted bugs or without."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import stamina

from resources.store.database import Database
from tests.simulation.faults import Fault
from tests.simulation.invariants import broken_promises
from tests.simulation.people import People
from tests.simulation.world import SimWorld

STEPS_MAX = 24
FAULT_RATE = 0.15


@dataclass
class WorldResult:
    """What became of one world."""

    seed: int
    broken: list[str]
    story: list[str]
    struck: Counter[Fault] = field(default_factory=Counter)
    syncs: int = 0
    deaths: int = 0


def run_world(database: Database, seed: int, *, fault_rate: float = FAULT_RATE) -> WorldResult:
    """Live through the world of a seed and see which promises hold at its end."""
    stamina.set_testing(True, attempts=2)
    world = SimWorld(database, seed, fault_rate=fault_rate)
    try:
        people = People(world)
        for _ in range(world.random.randint(6, STEPS_MAX)):
            if world.random.random() < 0.65:
                people.act()
            else:
                world.sync(with_faults=True)
        world.settle()
        broken = broken_promises(world, people)
        return WorldResult(seed, broken, world.story, world.plan.struck, world.syncs, world.deaths)
    finally:
        world.close()
        stamina.set_testing(False)

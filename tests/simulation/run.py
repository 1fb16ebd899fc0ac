"""Running worlds: one by seed, with steps left out or kept quiet where a failing one is made smaller."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import stamina

from sync.records import Direction
from tests.simulation.database import SimDatabase
from tests.simulation.faults import Fault
from tests.simulation.invariants import broken_promises
from tests.simulation.reasons import ends
from tests.simulation.scenes import scene_at
from tests.simulation.world import SimWorld

# How the sentence about a world begins in which the product itself fell over.
CRASHED = "crashed:"
STEPS_MIN, STEPS_MAX = 6, 22
# How many worlds know drafts, acceptances and closed books.
PAPERWORK_SHARE = 0.3
# Once in a while nobody looks for a long time: Xero's request ids are forgotten, tokens end, a night passes.
PAUSES = (2, 2, 20, 90, 400, 4000, 90_000)
# Now and then a sync may only read, or only send.
DIRECTIONS: tuple[Direction, ...] = (*("both",) * 8, "pull", "push")


@dataclass
class WorldResult:
    """What became of one world."""

    seed: int
    shape: str
    broken: list[str]
    story: list[str]
    steps: int = 0
    struck: Counter[tuple[Fault, str]] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    syncs: int = 0
    deaths: int = 0
    ends: Counter[str] = field(default_factory=Counter)


def run_world(
    database: SimDatabase,
    seed: int,
    *,
    shape: str | None = None,
    has_paperwork: bool | None = None,
    left_out: Collection[int] = (),
    quiet: Collection[int] = (),
) -> WorldResult:
    """Live through the world of a seed and see which promises hold at its end.

    The seed says whether there is paperwork in it, where `has_paperwork` does not. Steps that are `left_out` do not
    happen; in `quiet` ones nothing goes wrong.
    """
    if has_paperwork is None:
        has_paperwork = Random(f"{seed}/paperwork").random() < PAPERWORK_SHARE
    stamina.set_testing(True, attempts=2)
    world, steps = None, 0
    try:
        world = SimWorld(database, seed, shape=shape, has_paperwork=has_paperwork)
        steps = world.random.randint(STEPS_MIN, STEPS_MAX)
        for step in range(steps):
            if step not in left_out:
                _live(world, step, with_faults=step not in quiet)
        world.settle()
        result = _result(world, broken_promises(world), steps)
        result.ends = ends(world)
        return result
    except Exception as error:  # noqa: BLE001 - a world is a process of its own; the others go on, and this one is told of
        crash = f"{CRASHED} {type(error).__name__}: {error} ({_place(error)})"
        return WorldResult(seed, "?", [crash], []) if world is None else _result(world, [crash], steps)
    finally:
        stamina.set_testing(False)


def _result(world: SimWorld, broken: list[str], steps: int) -> WorldResult:
    return WorldResult(
        world.seed,
        world.shape,
        broken,
        world.story,
        steps,
        world.plan.struck,
        world.plan.passed,
        sum(company.syncs for company in world.companies),
        sum(company.deaths for company in world.companies),
    )


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


def _live(world: SimWorld, step: int, *, with_faults: bool) -> None:
    world.throw(step)
    dice = world.random.random()
    if dice < 0.6:
        world.people.act()
        return
    company = world.random.choice(world.companies)
    scene = scene_at(dice, has_paperwork=world.has_paperwork)
    if scene is not None and with_faults:
        scene(world, company)
        return
    world.clock.move(world.random.choice(PAUSES))
    if dice < 0.75:
        company.look(with_faults=with_faults)
    elif dice < 0.97:
        company.sync(with_faults=with_faults, direction=world.random.choice(DIRECTIONS))
    else:
        company.reconnect()

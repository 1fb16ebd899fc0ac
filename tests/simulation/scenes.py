"""Scenes: troubles that follow on one another, which single dice would throw together only once in thousands of worlds.

What is sent and not heard of is taken up by people before anybody has looked, and the second asking goes wrong as well.
"""

from __future__ import annotations

from random import Random

from tests.simulation.books import Kind
from tests.simulation.company import Company
from tests.simulation.faults import WRITE_FAULTS, Fault
from tests.simulation.world import SimWorld

# The share of steps that are a scene.
SCENE_SHARE = 0.06
# After these nobody knows whether the write was executed.
UNHEARD = (Fault.LOST_REPLY, Fault.CUT_REPLY, Fault.ERROR_AFTER, Fault.DEATH_AFTER_SEND, Fault.LOST_REQUEST)
# The second asking is refused before it was looked at, goes wrong in any other way, or is heard.
REFUSED = (Fault.THROTTLED, Fault.NO_CONNECTION, Fault.REVOKED)
REFUSED_SHARE, HEARD_SHARE = 0.5, 0.05
DOCUMENTS = ("bill", "invoice")


def twice_unlucky(world: SimWorld, company: Company) -> None:
    """Send a document and hear nothing, let people on both sides act, and go wrong at the second asking."""
    dice, people = world.random, world.people
    # A deleted bill leaves the least to be found: no look-up shows it.
    kind: Kind = "bill" if dice.random() < 0.7 else "invoice"
    people.new_document(kind)
    if dice.random() < 0.3:
        # So that what is not heard of is a change.
        company.sync(with_faults=False)
        people.edit_newest_here()
    _sync(company, [dice.choice(UNHEARD)])
    _meanwhile(world, company, kind)
    world.clock.move(dice.choice([200, 400, 1000]))
    _sync(company, _second(dice), way=dice.random())
    if dice.random() < 0.5:
        people.edit_here()
    world.clock.move(dice.choice([20, 400]))


def _meanwhile(world: SimWorld, company: Company, kind: Kind) -> None:
    dice, people = world.random, world.people
    if dice.random() < 0.8:
        people.touch_newest(company, is_name=False, kind=kind, ending=0.7)
        # Mostly no webhook tells of it, so that a look at what changed here comes before any look there.
        if dice.random() < 0.2:
            company.announce()
    if dice.random() < 0.3:
        people.edit_newest_here()
    elif dice.random() < 0.85:
        people.new_document(kind)


def _second(dice: Random) -> list[Fault]:
    luck = dice.random()
    if luck < HEARD_SHARE:
        return []
    return [dice.choice(REFUSED if luck < HEARD_SHARE + REFUSED_SHARE else WRITE_FAULTS)]


def _sync(company: Company, faults: list[Fault], *, way: float = 0.0) -> None:
    plan = company.world.plan
    plan.sure, plan.sure_words = faults, DOCUMENTS
    try:
        if way < 0.65:
            company.look(with_faults=False)
        elif way < 0.85:
            company.sync(with_faults=False)
        else:
            company.sync(with_faults=False, direction="pull")
    finally:
        plan.sure, plan.sure_words = [], ()

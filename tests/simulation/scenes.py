"""Scenes: troubles that follow on one another, which single dice would throw together only once in thousands of worlds.

What is sent and not heard of is taken up by people before anybody has looked, and the second asking goes wrong as well;
it has overwritten what nobody else remembers; a sync that may only read comes upon it. Money that has come back does not
stay as it was. And nobody syncs for longer than a provider tells of its changes.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sync.compare import Strategy
from tests.simulation.books import KINDS, Kind
from tests.simulation.company import Company
from tests.simulation.faults import WRITE_FAULTS, Fault
from tests.simulation.world import SimWorld

Scene = Callable[[SimWorld, Company], None]
# After these nobody knows whether the write was executed.
UNHEARD = (Fault.LOST_REPLY, Fault.CUT_REPLY, Fault.ERROR_AFTER, Fault.DEATH_AFTER_SEND, Fault.LOST_REQUEST)
# The second asking is refused before it was looked at, goes wrong in any other way, or is heard.
REFUSED = (Fault.THROTTLED, Fault.NO_CONNECTION, Fault.REVOKED)
REFUSED_SHARE, HEARD_SHARE = 0.5, 0.05
DOCUMENTS = ("bill", "invoice")
# Which way a sync goes (`_sync`): by real time, as a whole, or a whole one that may only read.
BY_REAL_TIME, WHOLE, ONLY_READING = 0.0, 0.7, 0.9
# Longer than QuickBooks looks back for what was deleted (30 days), and than Xero's documents go unread as a whole (7).
AWAY_DAYS = 35


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


def unheard_over_a_memo(world: SimWorld, company: Company) -> None:
    """Overwrite the bookkeeper's memo, hear nothing of it, and let him end or edit the document before anybody looks."""
    dice, people = world.random, world.people
    company = _one_that_overwrites(world, company)
    kind: Kind = "bill" if company.books.has_bill_memo and dice.random() < 0.5 else "invoice"
    people.new_document(kind)
    _in_peace(company)
    paper = people.newest_there(company)
    if paper is None:
        return
    people.write_memo_there(company, paper)
    # Long enough for the office to be the later one by any clock.
    world.clock.move(dice.choice([600, 4000]))
    people.edit_newest_here(is_memo=True)
    _sync(company, [dice.choice(UNHEARD)], way=WHOLE)
    paper = people.newest_there(company)
    if paper is not None:
        people.touch(company, paper, ending=0.6)
        if dice.random() < 0.4:
            company.announce()
    world.clock.move(dice.choice([20, 400, 1000]))
    _sync(company, [], way=dice.random())


def _one_that_overwrites(world: SimWorld, company: Company) -> Company:
    """Return the company, or the other one where only that lets ours win by its strategy."""
    wins = (Strategy.PLATFORM_WINS, Strategy.LAST_WRITE_WINS)
    found = [each for each in world.companies if each.strategy in wins]
    return company if company in found or not found else found[0]


def unheard_then_only_reading(world: SimWorld, company: Company) -> None:
    """Send a document and hear nothing, edit it here, and let the next sync be one that may only read."""
    dice, people = world.random, world.people
    _in_peace(company)
    people.new_document()
    # Mostly it was never executed, so that only asking once more would make it.
    unheard = (Fault.LOST_REQUEST, Fault.LOST_REQUEST, Fault.LOST_REQUEST, Fault.DEATH_BEFORE_SEND, *UNHEARD)
    _sync(company, [dice.choice(unheard)], way=WHOLE if dice.random() < 0.5 else BY_REAL_TIME)
    people.edit_newest_here()
    # Longer than any call can be at work.
    world.clock.move(dice.choice([400, 1000]))
    _sync(company, [], way=ONLY_READING)


def paid_otherwise(world: SimWorld, company: Company) -> None:
    """Let a payment come back, and then let the bookkeeper take it out, make it less or apply it to another document."""
    dice, people = world.random, world.people
    kind: Kind = "invoice" if dice.random() < 0.7 else "bill"
    people.new_document(kind)
    people.new_document(kind, party=people.newest_party)
    _in_peace(company)
    paper = people.newest_there(company)
    if paper is None:
        return
    people.pay(company, paper)
    world.clock.move(dice.choice([3, 400]))
    company.sync(with_faults=False)
    people.pay_otherwise(company, paper)
    if dice.random() < 0.5:
        company.announce()
    world.clock.move(dice.choice([3, 400]))
    _sync(company, [], way=dice.random())


def away_for_weeks(world: SimWorld, company: Company) -> None:
    """Let the bookkeeper end documents and money or change one without a trace, and sync no more for weeks."""
    dice, people = world.random, world.people
    kind: Kind = "bill" if dice.random() < 0.6 else "invoice"
    people.new_document(kind)
    _in_peace(company)
    paper = people.newest_there(company)
    if paper is None:
        return
    luck = dice.random()
    if luck < 0.5:
        people.touch(company, paper, ending=0.9)
    else:
        people.pay(company, paper)
        world.clock.move(dice.choice([3, 400]))
        if dice.random() < 0.8:
            company.sync(with_faults=False)
        if luck < 0.75:
            people.pay_otherwise(company, paper)
        else:
            people.change_silently_there(company)
    # The webhook that told of it found nobody, too.
    if dice.random() < 0.3:
        people.edit_here()
    world.clock.move(AWAY_DAYS * 86400)
    _sync(company, _second(dice) if dice.random() < 0.3 else [], way=dice.random())


def _in_peace(company: Company) -> None:
    """Bring both books into agreement, as far as they can be, so that what follows is about one document."""
    company.end_outage()
    company.reconnect()
    company.sync(with_faults=False)


def _sync(
    company: Company,
    faults: list[Fault],
    *,
    way: float = BY_REAL_TIME,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Sync once, with these faults at the writes of documents; `meanwhile` happens while the first one is under way."""
    plan = company.world.plan
    if meanwhile is not None:
        company.world.interfering = [meanwhile]
        faults = [Fault.INTERFERENCE, *faults]
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
        company.world.interfering = []


# ---------------------------------------------------------------- paperwork


def set_back_meanwhile(world: SimWorld, company: Company) -> None:
    """Set a document back to draft while it is sent or before it was heard of, edit it, and approve it again."""
    dice, people, desk = world.random, world.people, world.people.desk
    people.new_document()
    assert people.newest is not None
    kind, document = people.newest
    _let_through(company)
    if dice.random() < 0.5:
        # So that what is under way is a change.
        _in_peace(company)
        people.edit_newest_here()
        _let_through(company)

    def set_back() -> None:
        desk.set_back(kind, document)

    if dice.random() < 0.4:
        _sync(company, [], way=dice.random(), meanwhile=set_back)
    else:
        _sync(company, [dice.choice(UNHEARD)], way=dice.random())
        set_back()
    if dice.random() < 0.6:
        people.edit_newest_here()
    if dice.random() < 0.5:
        people.touch_newest(company, is_name=False, kind=kind, ending=0.7)
        if dice.random() < 0.3:
            company.announce()
    world.clock.move(dice.choice([20, 200, 400, 1000]))
    _sync(company, _second(dice) if dice.random() < 0.5 else [], way=dice.random())
    if dice.random() < 0.7:
        desk.approve(kind, document)
    world.clock.move(dice.choice([20, 400]))
    _sync(company, [], way=dice.random())


def draft_of_something_unheard(world: SimWorld, company: Company) -> None:
    """Send a document and hear nothing, set it back to draft, let the bookkeeper end it, and approve it again."""
    dice, people, desk = world.random, world.people, world.people.desk
    # A deleted bill leaves the least to be found: no look-up shows it.
    people.new_document("bill" if dice.random() < 0.7 else "invoice")
    assert people.newest is not None
    kind, document = people.newest
    _let_through(company)
    _sync(company, [dice.choice(UNHEARD)])
    desk.set_back(kind, document)
    paper = people.newest_there(company)
    if paper is not None:
        people.touch(company, paper, ending=0.9)
    # Longer than any call can be at work; and mostly the ledger's changes are not read before it is asked for.
    world.clock.move(dice.choice([200, 400, 1000]))
    _sync(company, [], way=BY_REAL_TIME if dice.random() < 0.8 else dice.random())
    if dice.random() < 0.3:
        people.edit_newest_here()
    desk.approve(kind, document)
    if dice.random() < 0.3:
        desk.accept_all(company)
    _sync(company, [], way=BY_REAL_TIME if dice.random() < 0.8 else dice.random())


def accepted_meanwhile(world: SimWorld, company: Company) -> None:
    """Accept a document, and edit it before it is sent, while it is sent or before it was heard of."""
    dice, people, desk = world.random, world.people, world.people.desk
    company = next((one for one in (company, *world.companies) if one.reviewed), company)
    if not company.reviewed:
        set_back_meanwhile(world, company)
        return
    kind = dice.choice(company.reviewed)
    people.new_document(kind)
    _let_through(company)
    if dice.random() < 0.5:
        _in_peace(company)
        people.edit_newest_here()
        _in_peace(company)
        if dice.random() < 0.3:
            # After it was shown.
            people.edit_newest_here()
        desk.accept_all(company)
    luck = dice.random()
    if luck < 0.3:
        people.edit_newest_here()
        _sync(company, [], way=dice.random())
    elif luck < 0.6:
        _sync(company, [], way=dice.random(), meanwhile=people.edit_newest_here)
    else:
        _sync(company, [dice.choice(UNHEARD)], way=dice.random())
        people.edit_newest_here()
    if dice.random() < 0.4:
        people.touch_newest(company, is_name=False, kind=kind, ending=0.5)
    if dice.random() < 0.5:
        desk.accept_all(company)
    world.clock.move(dice.choice([20, 200, 400, 1000]))
    _sync(company, _second(dice), way=dice.random())
    desk.look_through()
    world.clock.move(dice.choice([20, 400]))
    _sync(company, [], way=dice.random())


def closed_meanwhile(world: SimWorld, company: Company) -> None:
    """Close the books before a document is sent, while it is sent, or before it was heard of; mostly open them again."""
    dice, people, desk = world.random, world.people, world.people.desk
    kind: Kind = dice.choice(KINDS)
    desk.choose_policy(company, kind)
    people.new_document(kind)
    _let_through(company)
    if dice.random() < 0.5:
        _in_peace(company)
        people.edit_newest_here()
        _let_through(company)

    def close() -> None:
        desk.close(company)

    luck = dice.random()
    if luck < 0.4:
        _sync(company, [], way=dice.random(), meanwhile=close)
    elif luck < 0.7:
        close()
        _sync(company, _second(dice), way=dice.random())
    else:
        _sync(company, [dice.choice(UNHEARD)], way=dice.random())
        close()
    luck = dice.random()
    if luck < 0.4:
        people.edit_newest_here()
    elif luck < 0.6:
        people.void_newest_here()
    elif luck < 0.8:
        people.touch_newest(company, is_name=False, kind=kind, ending=0.5)
    world.clock.move(dice.choice([20, 200, 400, 1000]))
    _sync(company, _second(dice), way=dice.random())
    if dice.random() < 0.5:
        desk.choose_day()
    if dice.random() < 0.6:
        desk.open(company)
    elif dice.random() < 0.5:
        close()
    world.clock.move(dice.choice([20, 400]))
    _sync(company, [], way=dice.random())


def _let_through(company: Company) -> None:
    """Have what the office entered accepted, where a person accepts it first; it is not sent yet."""
    if company.reviewed:
        _in_peace(company)
        company.world.people.desk.accept_all(company)


# Which of a step's dice are a scene: from, up to, and what happens. They leave the other steps of a world as they are.
SCENES: tuple[tuple[float, float, Scene], ...] = (
    (0.6, 0.66, twice_unlucky),
    (0.91, 0.92, away_for_weeks),
    (0.92, 0.94, unheard_over_a_memo),
    (0.94, 0.955, unheard_then_only_reading),
    (0.955, 0.97, paid_otherwise),
)
# The same, only in worlds with paperwork.
PAPERWORK_SCENES: tuple[tuple[float, float, Scene], ...] = (
    (0.75, 0.77, set_back_meanwhile),
    (0.77, 0.79, draft_of_something_unheard),
    (0.79, 0.83, accepted_meanwhile),
    (0.83, 0.88, closed_meanwhile),
)


def scene_at(dice: float, *, has_paperwork: bool = False) -> Scene | None:
    """Return the scene that a step's dice ask for, where they ask for one."""
    scenes = SCENES + PAPERWORK_SCENES if has_paperwork else SCENES
    return next((scene for begin, end, scene in scenes if begin <= dice < end), None)

"""Two connections of one builder: what the sync of one judges, the sync of the other may have absorbed anew by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from uuid import uuid4

import pytest

from resources.store.database import Database
from sync.errors import RejectedByProvider
from sync.ports import Rejected, Write, WriteOutcome
from sync.records import Entity
from sync.stored import LinkView
from tests.fakes.ledger import FakeLedger
from tests.fakes.world import World

REFUSED = RejectedByProvider("It was refused because of its memo.", provider="Fake Books", label="Bill B-1")


class Refusing(FakeLedger):
    """A ledger that refuses the first bill, and during the call something happens elsewhere."""

    meanwhile: Callable[[], None] | None = None

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Refuse what is sent while something is still to happen."""
        happens, is_bill = self.meanwhile, writes[0].entity is Entity.BILL
        if happens is None or not is_bill:
            return super().write(writes)
        self.meanwhile = None
        happens()
        return [Rejected(REFUSED) for _ in writes]


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.ledger = Refusing(**{each.name: getattr(made.ledger, each.name) for each in fields(FakeLedger)})
    return made


@pytest.fixture
def other(world: World) -> str:
    connection_id = str(uuid4())
    world.run(
        "insert into v2_integration_connections (id, builder_id, provider, status, provider_tenant_id, connected_at)"
        " values (%s, %s, 'xero', 'connected', %s, now())",
        connection_id,
        world.builder_id,
        connection_id,
    )
    return connection_id


def absorb(world: World, connection_id: str) -> None:
    """What the sync of a connection does in its first transaction about bills."""
    with world.store(connection_id).work() as work:
        work.absorb(Entity.BILL)


def the_link(world: World) -> str:
    found: str = world.value(
        "select id::text from links where entity = 'bill' and connection_id = %s", world.connection_id
    )
    return found


def held(world: World) -> str:
    """A bill that waits for its cost code to be mapped."""
    bill = world.bill(world.vendor())
    world.sync()
    assert len(world.queue("held")) == 1
    return bill


def test_a_bill_approved_again_while_its_draft_was_left_is_sent_all_the_same(
    world: World, other: str
) -> None:
    bill = held(world)
    world.change("v2_bills", bill, status="draft")
    absorb(world, other)
    with world.store().work() as work:
        (judged,) = work.links([the_link(world)])
        world.change("v2_bills", bill, status="approved")
        absorb(world, other)
        work.leave([judged])
    world.map_code()
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


@pytest.mark.parametrize(
    "is_absorbed", [False, True], ids=["nobody absorbed it", "the other sync absorbed it"]
)
def test_a_bill_corrected_while_its_refusal_was_on_the_way_is_sent_again(
    world: World, other: str, is_absorbed: bool
) -> None:
    world.map_code()
    bill = world.bill(world.vendor())

    def corrected() -> None:
        world.change("v2_bills", bill, memo="corrected")
        if is_absorbed:
            absorb(world, other)

    assert isinstance(world.ledger, Refusing)
    world.ledger.meanwhile = corrected
    world.sync()
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "corrected"
    assert world.queue("error") == []


def test_a_refusal_of_the_values_that_are_there_still_is_not_sent_again_by_itself(world: World) -> None:
    world.map_code()
    world.bill(world.vendor())
    assert isinstance(world.ledger, Refusing)
    world.ledger.meanwhile = lambda: None
    world.sync()
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert len(world.queue("error")) == 1


def test_a_choice_about_earlier_values_does_not_come_back_when_later_ones_are_held(world: World) -> None:
    bill = held(world)
    world.run(
        "update links set decision = 'use_ours', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where id = %s",
        the_link(world),
    )
    assert judged_now(world).decision == "use_ours"
    world.change("v2_bills", bill, memo="another one now")
    world.sync()
    assert judged_now(world).decision is None


def test_a_choice_stands_while_the_values_it_is_about_are_held(world: World) -> None:
    held(world)
    world.run(
        "update links set decision = 'use_ours', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where id = %s",
        the_link(world),
    )
    world.sync()
    assert judged_now(world).decision == "use_ours"


def judged_now(world: World) -> LinkView:
    with world.store().work() as work:
        (found,) = work.links([the_link(world)])
    return found

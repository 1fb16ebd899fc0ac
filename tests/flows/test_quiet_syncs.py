"""An idle sync is one look: what nobody will do anything about does not make it more."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World
from tests.flows.test_endings import policy


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def is_quiet(world: World) -> bool:
    with world.engine()._store.work() as work:
        return work.quiet(now=world.clock.now()) is not None


def test_a_lost_answer_that_a_person_chose_to_leave_keeps_no_sync_busy(world: World) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    assert not is_quiet(world)
    world.run(
        "update links set state = 'ignored', decision = 'dismissed', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where entity = 'bill'"
    )
    assert is_quiet(world)
    world.change("v2_bills", bill, memo="not left any more")
    world.later(minutes=10)
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "not left any more"
    assert is_quiet(world)


def test_an_entity_that_is_switched_off_keeps_no_sync_busy_whatever_waits_in_it(world: World) -> None:
    policy(world, Entity.BILL)
    vendor = world.vendor()
    lost = world.bill(vendor)
    world.ledger.lose_before.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.bill(vendor, number="B-2", amounts=("7.00",))
    with world.engine()._store.work() as work:
        work.absorb(Entity.BILL)
    world.change("v2_bills", lost, memo="noted, and not looked at")
    assert not is_quiet(world)
    world.run("update entity_settings set is_enabled = false where entity = 'bill'")
    assert is_quiet(world)
    world.run("update entity_settings set is_enabled = true where entity = 'bill'")
    assert not is_quiet(world)

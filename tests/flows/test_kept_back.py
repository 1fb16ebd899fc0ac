"""Writes that were kept back before they left: their turn came too late, or what went before was not confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resources.store.database import Database
from sync.errors import NotBegun, RateLimited
from sync.records import Entity
from tests.fakes.world import World

BILL = "Bill B-1 (Ridge Concrete)"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def _blamed(world: World) -> list[tuple[object, ...]]:
    return world.rows("select state, tries from links where state <> 'open' or tries > 0")


def test_what_is_sent_may_only_be_begun_a_short_time_after_it_was_stored(world: World) -> None:
    world.bill(world.vendor())
    world.sync()
    stored = dict(world.rows("select request_id, started_at from attempts"))
    assert {write.request_id: write.begin_by for write in world.ledger.writes} == {
        request: at + timedelta(seconds=20) for request, at in stored.items()
    }


def test_a_write_whose_turn_came_too_late_is_stored_anew_and_sent_in_the_same_sync(world: World) -> None:
    vendor = world.vendor()
    world.sync()
    world.bill(vendor)
    world.bill(vendor, number="B-2")
    world.ledger.turns_missed[BILL] = 2
    done = world.sync()
    assert done.count(Entity.BILL, "pushed") == 2
    assert done.count(Entity.BILL, "failed") == 0
    assert len(world.ledger.all(Entity.BILL)) == 2
    assert world.queue("error") == _blamed(world) == []


def test_when_no_turn_comes_in_time_the_sync_ends_and_no_record_is_blamed(world: World) -> None:
    vendor = world.vendor()
    world.sync()
    world.bill(vendor)
    world.ledger.turns_missed[BILL] = 3
    with pytest.raises(NotBegun):
        world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert world.queue("error") == _blamed(world) == []
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_a_lost_request_that_is_asked_again_too_late_stays_unknown_and_keeps_its_request_id(
    world: World,
) -> None:
    vendor = world.vendor()
    world.sync()
    world.bill(vendor)
    world.ledger.lose_before.add(BILL)
    world.sync()
    world.later(minutes=10)
    world.ledger.turns_missed[BILL] = 3
    with pytest.raises(NotBegun):
        world.sync()
    assert world.rows("select state from attempts where entity = 'bill'") == [("unknown",)]
    world.later(minutes=10)
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert len({write.request_id for write in world.ledger.writes if write.entity is Entity.BILL}) == 1


def test_an_edit_whose_lost_request_is_asked_again_too_late_waits_for_the_next_sync(world: World) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add(BILL)
    world.sync()
    world.change("v2_bills", bill, memo="second thoughts")
    world.later(minutes=10)
    world.ledger.turns_missed[BILL] = 1
    world.sync()
    assert world.ledger.all(Entity.BILL) == [], "nothing else is sent before the first request is asked for"
    ((label, _),) = world.queue("error")
    assert label == BILL, "it is as unknown as it was"
    world.later(minutes=10)
    world.sync()
    assert world.queue("error") == []
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"


def test_a_pause_asked_for_in_the_middle_of_a_call_ends_the_sync_and_blames_no_record(world: World) -> None:
    vendor = world.vendor()
    world.sync()
    world.bill(vendor)
    world.bill(vendor, number="B-2")
    world.ledger.turned_away[BILL] = RateLimited(provider="QuickBooks", wait_seconds=600)
    with pytest.raises(RateLimited):
        world.sync()
    assert world.queue("error") == _blamed(world) == []
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 2

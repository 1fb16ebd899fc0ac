"""Writes that were kept back before they left: their turn came too late, or what went before was not confirmed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from resources.store.database import Database
from sync.errors import NotBegun, ProviderUnavailable, RateLimited
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


def test_when_nothing_is_heard_of_two_calls_in_a_row_no_third_is_made_and_the_sync_ends(world: World) -> None:
    vendor = world.vendor()
    world.sync()
    world.ledger.call_size = 2
    for number in range(8):
        world.bill(vendor, number=f"B-{number}")
        world.ledger.lose_before.add(f"Bill B-{number} (Ridge Concrete)")
    with pytest.raises(ProviderUnavailable, match="confirms nothing"):
        world.sync()
    assert len(world.queue("error")) == 4, "only what was sent has to be looked up"
    world.ledger.lose_before.clear()
    world.later(minutes=10)
    world.sync()
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 8
    assert world.queue("error") == []


def test_one_call_that_is_never_confirmed_does_not_keep_the_others_back(world: World) -> None:
    vendor = world.vendor()
    world.sync()
    world.ledger.call_size = 1
    for number in range(3):
        world.bill(vendor, number=f"B-{number}")
    world.ledger.lose_before.add("Bill B-0 (Ridge Concrete)")
    assert world.sync().count(Entity.BILL, "pushed") == 2


def test_a_write_unknown_for_a_day_is_told_although_it_was_sent_again_since(world: World) -> None:
    world.bill(world.vendor())
    for _ in range(3):
        world.ledger.lose_before.add(BILL)
        world.sync()
        world.later(minutes=600)
    with world.database.builder_tx(UUID(world.builder_id)) as tx:
        rows = tx.rows(
            "check_stale_unknowns",
            builder_id=world.builder_id,
            connection_id=world.connection_id,
            before=world.clock.now() - timedelta(days=1),
        )
    assert [row["label"] for row in rows] == [BILL]

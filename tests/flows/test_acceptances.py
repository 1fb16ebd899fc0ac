"""What a person accepted or chose before a record was sent: it holds for one push, and not for the next of the same values."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World
from tests.flows.test_endings import policy

BILL = "Bill B-1 (Ridge Concrete)"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    policy(made, Entity.BILL)
    made.run("update entity_settings set approval = 'review' where entity = 'bill'")
    return made


def accept(world: World) -> None:
    """Accept what is shown in the lane, as `resources.store.lanes` does."""
    world.run(
        "update links set state = 'open', cause = null, approved_checksum = decided_ours_checksum, approved_by = 'rosa',"
        " approved_at = now() where entity = 'bill' and state = 'held'"
    )


def sent(world: World) -> str:
    """Send an accepted bill and return its id."""
    bill = world.bill(world.vendor())
    world.sync()
    accept(world)
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    return bill


def test_an_edit_back_to_values_accepted_before_asks_again(world: World) -> None:
    bill = sent(world)
    world.change("v2_bills", bill, memo="second thoughts")
    world.sync()
    accept(world)
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"
    world.change("v2_bills", bill, memo="")
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"
    assert [label for label, _ in world.queue("held")] == [BILL]


def test_an_acceptance_does_not_overwrite_what_the_bookkeeper_edits_later(world: World) -> None:
    world.run("update entity_settings set conflict_strategy = 'platform_wins' where entity = 'bill'")
    sent(world)
    world.ledger.edit(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, memo="the bookkeeper's own")
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "the bookkeeper's own"
    assert [label for label, _ in world.queue("held")] == [BILL]


def test_who_accepted_a_push_is_known_after_the_acceptance_has_ended(world: World) -> None:
    sent(world)
    assert world.rows("select approved_checksum, approved_by from links where entity = 'bill'") == [
        (None, "rosa")
    ]
    assert world.value("select details ->> 'approved_by' from attempts where entity = 'bill'") == "rosa"
    assert (
        world.value(
            "select after ->> 'approved_by' from audit_log where action = 'push.create' and entity = 'bill'"
        )
        == "rosa"
    )


def test_an_edit_accepted_while_its_predecessor_was_not_confirmed_needs_no_second_acceptance(
    world: World,
) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    accept(world)
    world.ledger.lose_after.add(BILL)
    world.sync()
    world.change("v2_bills", bill, memo="second thoughts")
    with world.engine()._store.work() as work:
        work.absorb(Entity.BILL)
    world.run("update links set approved_checksum = ours_checksum where entity = 'bill'")
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"


def test_a_choice_for_a_closed_period_ends_with_the_push_it_was_made_for(world: World) -> None:
    world.run("update entity_settings set approval = 'direct', closed_period = 'ask' where entity = 'bill'")
    world.ledger.closed_until = "2026-05-31"
    world.bill(world.vendor())
    world.sync()
    world.run(
        "update links set state = 'open', period_choice = 'first_open_day', period_choice_checksum = decided_ours_checksum"
        " where entity = 'bill'"
    )
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["date"] == "2026-06-01"
    assert world.value("select period_choice_checksum from links where entity = 'bill'") is None

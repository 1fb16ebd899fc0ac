"""A create whose answer was lost, where the ledger still has an older document with the same mark."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.ports import Write
from sync.records import Entity
from tests.fakes.world import World

BILL = "Bill B-1 (Ridge Concrete)"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    made.strategy = Strategy.MANUAL
    return made


def _make_again_after_void(world: World) -> Write:
    """Void the bill there, choose ours, and lose the request that makes it again."""
    world.ledger.shows_voided = True
    world.bill(world.vendor())
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "void")
    world.sync()
    world.run(
        "update links set decision = 'use_ours', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where state = 'conflict'"
    )
    world.ledger.lose_before.add(BILL)
    world.sync()
    world.strategy = Strategy.LAST_WRITE_WINS
    return world.ledger.writes[-1]


def test_a_document_made_again_is_not_taken_for_the_voided_one(world: World) -> None:
    _make_again_after_void(world)
    for _ in range(3):
        world.later(minutes=10)
        world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert world.value("select status from v2_bills") == "approved"


def test_a_document_made_again_that_arrives_late_is_not_voided_here(world: World) -> None:
    create = _make_again_after_void(world)
    world.sync()
    world.ledger._execute(create)
    for _ in range(3):
        world.later(minutes=10)
        world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert world.value("select status from v2_bills") == "approved"


def test_after_keeping_both_the_lost_answer_is_not_looked_for_in_the_old_document(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    old = world.ledger.only(Entity.BILL)
    world.ledger.edit(Entity.BILL, old.remote_id, number="X-9")
    world.change("v2_bills", bill, number="B-2")
    world.sync()
    world.run(
        "update links set remote_id = null, theirs_checksum = null, base_ours_checksum = null,"
        " base_theirs_checksum = null, base_ours = null, base_theirs = null, line_versions = '{}', linked_by = null,"
        " state = 'open', decision = null, not_remote_ids = array[%s] where entity = 'bill'",
        old.remote_id,
    )
    world.run(
        "insert into links (builder_id, connection_id, entity, remote_id, theirs_checksum)"
        " select builder_id, connection_id, entity, remote_id, checksum from mirror where entity = 'bill'"
    )
    world.ledger.lose_after.add(world.value("select label from records where entity = 'bill'"))
    world.engine().sync_entity(Entity.BILL)
    world.later(minutes=10)
    world.ledger.replies.clear()  # the provider's memory of request ids has ended
    sent = len(world.ledger.writes)
    world.engine().sync_entity(Entity.BILL)
    assert world.ledger.writes[sent:] == []


@pytest.mark.parametrize("status", ["draft", "void"])
def test_what_was_made_unheard_and_deleted_unseen_is_not_made_again_when_it_is_approved_again(
    world: World, status: str
) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add(BILL)
    world.sync()
    world.change("v2_bills", bill, status=status)
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.later(minutes=10)
    # A look at what changed here, as real time does: the ledger's own changes are not read.
    world.engine().sync_entity(Entity.BILL)
    assert world.value("select state from attempts where entity = 'bill'") == "unknown"
    world.change("v2_bills", bill, status="approved")
    for _ in range(3):
        world.engine().sync_entity(Entity.BILL)
        world.later(minutes=10)
    assert world.ledger.all(Entity.BILL) == []


@pytest.mark.parametrize("status", ["draft", "void"])
def test_what_never_arrived_is_known_as_such_once_the_changes_of_the_ledger_were_read(
    world: World, status: str
) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add(BILL)
    world.sync()
    world.change("v2_bills", bill, status=status)
    world.later(minutes=10)
    world.sync()
    assert world.rows("select state, code from attempts where entity = 'bill'") == [
        ("rejected", "push.not_executed")
    ]
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_what_was_seen_with_our_mark_and_deleted_before_it_was_looked_up_is_asked_about(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.lose_after.add(BILL)
    world.sync()
    # Another process reads the changes, and ends before it looks up what was not confirmed.
    world.engine().pull_changes()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.ledger.replies.clear()  # the provider's memory of request ids has ended
    world.later(minutes=10)
    for _ in range(2):
        world.engine().sync_entity(Entity.BILL)
    assert world.ledger.all(Entity.BILL) == []
    assert (
        world.value("select code from v2_sync_records where resolved_at is null") == "push.outcome_undecided"
    )

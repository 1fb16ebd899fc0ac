"""A write whose answer was lost and which the ledger changed or ended before anybody looked (found by the simulator)."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Entity
from tests.fakes.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def _is_asked_or_followed(world: World, bill: str) -> bool:
    status = world.value("select status from v2_bills where id = %s", bill)
    return status == "void" or bool(world.queue("conflict") + world.queue("error"))


def test_a_rename_that_came_before_a_lost_answer_was_settled_is_not_overlooked(world: World) -> None:
    vendor = world.vendor("Ridge Concrete")
    world.ledger.lose_after.add("Ridge Concrete")
    world.sync()
    kept = world.ledger.only(Entity.VENDOR)
    kept.marker = None  # no provider keeps our mark on a name
    world.ledger.edit(Entity.VENDOR, kept.remote_id, name="Ridge Concrete of Boise")
    world.later(minutes=10)
    world.sync()
    world.sync()
    assert len(world.ledger.all(Entity.VENDOR)) == 1, "asked again under the same request id"
    assert world.value("select name from v2_vendors where id = %s", vendor) == "Ridge Concrete of Boise"


def test_a_document_deleted_there_before_its_lost_answer_was_settled_is_not_taken_for_living(
    world: World,
) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.later(minutes=10)
    world.sync()
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert _is_asked_or_followed(world, bill)


def test_a_document_voided_there_before_its_lost_answer_was_settled_is_not_taken_for_living(
    world: World,
) -> None:
    world.ledger.shows_voided = True
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "void")
    world.later(minutes=10)
    for _ in range(2):
        world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert _is_asked_or_followed(world, bill)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_document_deleted_there_and_edited_here_before_its_lost_answer_was_settled_is_not_made_again(
    world: World, strategy: Strategy
) -> None:
    world.strategy = strategy
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.change("v2_bills", bill, memo="second thoughts")
    world.later(minutes=10)
    world.sync()
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert _is_asked_or_followed(world, bill)


def test_an_edit_made_before_a_lost_request_was_settled_reaches_the_ledger_once(world: World) -> None:
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.change("v2_bills", bill, memo="second thoughts")
    world.later(minutes=10)
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"
    first, second, third = [write for write in world.ledger.writes if write.entity is Entity.BILL]
    assert [first.operation, second.operation, third.operation] == ["create", "create", "update"]
    assert first.request_id == second.request_id


def test_a_memo_that_a_lost_change_overwrote_is_kept_though_the_document_ended_before_anybody_looked(
    world: World,
) -> None:
    world.strategy = Strategy.PLATFORM_WINS
    bill = world.bill(world.vendor())
    world.sync()
    remote_id = world.ledger.only(Entity.BILL).remote_id
    world.ledger.edit(Entity.BILL, remote_id, memo="call Joe before paying")
    world.change("v2_bills", bill, memo="second thoughts")
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.ledger.end(Entity.BILL, remote_id, "void")
    world.later(minutes=10)
    world.sync()
    ((overwritten, reason),) = world.rows(
        "select before -> 'canonical' ->> 'memo', reason from audit_log where action = 'push.unconfirmed'"
    )
    assert overwritten == "call Joe before paying"
    assert "nobody heard" in reason


def test_an_edit_here_and_one_there_before_a_lost_answer_was_settled_are_merged(world: World) -> None:
    bill = world.bill(world.vendor(), memo="")
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    remote_id = world.ledger.only(Entity.BILL).remote_id
    world.ledger.edit(Entity.BILL, remote_id, due_date="2026-07-01")
    world.change("v2_bills", bill, memo="second thoughts")
    world.later(minutes=10)
    for _ in range(2):
        world.sync()
    there = world.ledger.only(Entity.BILL).canonical
    assert (there["memo"], there["due_date"]) == ("second thoughts", "2026-07-01")
    assert world.rows("select memo, due_date::text from v2_bills") == [("second thoughts", "2026-07-01")]
    assert world.value("select count(*) from attempts where details ? 'ours'") == 0, (
        "kept only while it is needed"
    )


def test_what_the_ledger_fills_in_of_a_line_whose_answer_was_lost_is_nobodys_edit(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    made = world.ledger.only(Entity.BILL)
    # As Xero shows a bill without a due date, and a line that was sent as an amount alone.
    shown = [{**line, "quantity": "1", "unit_price": line["amount"]} for line in made.canonical["lines"]]
    world.ledger.edit(Entity.BILL, made.remote_id, lines=shown, due_date="2026-06-19")
    world.run("update v2_bill_lines set amount = 80 where bill_id = %s", bill)
    world.change("v2_bills", bill, total="80")
    world.later(minutes=10)
    for _ in range(2):
        world.sync()
    assert world.queue("conflict") == []
    assert world.ledger.only(Entity.BILL).canonical["total"] == "80.00"

"""The engine over a fake ledger where both sides changed: strategies, merges, and a person's choice."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Entity
from tests.fakes.ledger import outage
from tests.fakes.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def test_a_matching_number_with_another_amount_is_a_conflict_and_overwrites_nobody(world: World) -> None:
    vendor = world.ledger.enter(
        Entity.VENDOR, {"name": "Ridge Concrete", "email": None, "phone": None, "address": None}
    )
    existing = {
        "number": "B-1",
        "date": "2026-05-20",
        "due_date": None,
        "party": vendor,
        "currency": "USD",
        "memo": "",
        "total": "75.00",
        "lines": [{"id": "1", "description": "Concrete", "amount": "75.00", "account": world.costs}],
    }
    world.ledger.enter(Entity.BILL, existing)
    world.bill(world.vendor())
    synced = world.sync()
    assert synced.count(Entity.BILL, "conflict") == 1
    assert world.ledger.only(Entity.BILL).canonical == existing
    assert world.sync().count(Entity.BILL, "conflict") == 0, "the same conflict is told once"


def _changed_on_both_sides(world: World, *, last: str) -> tuple[str, str]:
    bill = world.bill(world.vendor(), amounts=("100.00",))
    world.sync()
    remote = world.ledger.only(Entity.BILL)

    def theirs() -> None:
        line = {**remote.canonical["lines"][0], "amount": "130.00"}
        world.ledger.edit(Entity.BILL, remote.remote_id, total="130.00", lines=[line])

    def ours() -> None:
        world.change("v2_bills", bill, total="120.00")
        world.run("update v2_bill_lines set amount = 120.00 where bill_id = %s", bill)

    first, second = (theirs, ours) if last == "ours" else (ours, theirs)
    first()
    world.later(minutes=5)
    second()
    return bill, remote.remote_id


def _totals(world: World, bill: str) -> tuple[str, str]:
    mine = world.value("select total from v2_bills where id = %s", bill)
    return f"{mine:.2f}", world.ledger.only(Entity.BILL).canonical["total"]


@pytest.mark.parametrize(
    ("strategy", "last", "expected"),
    [
        (Strategy.LAST_WRITE_WINS, "ours", "120.00"),
        (Strategy.LAST_WRITE_WINS, "theirs", "130.00"),
        (Strategy.PLATFORM_WINS, "theirs", "120.00"),
        (Strategy.PROVIDER_WINS, "ours", "130.00"),
    ],
)
def test_a_bill_changed_on_both_sides_ends_as_the_strategy_says(
    world: World, strategy: Strategy, last: str, expected: str
) -> None:
    world.strategy = strategy
    bill, _ = _changed_on_both_sides(world, last=last)
    world.sync()
    assert _totals(world, bill) == (expected, expected)
    lost = "130.00" if expected == "120.00" else "120.00"
    before = world.rows("select before -> 'canonical' ->> 'total' from audit_log where before is not null")
    assert (lost,) in before, "the overwritten value is in the audit log"


def test_a_manual_conflict_waits_with_three_values_and_moves_nothing(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill, _ = _changed_on_both_sides(world, last="ours")
    synced = world.sync()
    assert synced.count(Entity.BILL, "conflict") == 1
    assert _totals(world, bill) == ("120.00", "130.00")
    data = world.value(
        "select conflict_data from v2_sync_records where status = 'conflict' and resolved_at is null"
    )
    (total,) = [item for item in data["fields"] if item["field"] == "total"]
    assert (total["ours"], total["base"], total["theirs"]) == ("120.00", "100.00", "130.00")


def test_a_person_choosing_the_ledgers_value_settles_the_conflict(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill, _ = _changed_on_both_sides(world, last="ours")
    world.sync()
    world.run(
        "update links set decision = 'use_theirs', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where state = 'conflict'"
    )
    world.sync()
    assert _totals(world, bill) == ("130.00", "130.00")
    assert world.queue("conflict") == []


def test_changes_to_different_fields_merge_by_themselves(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    world.ledger.edit(Entity.BILL, remote.remote_id, due_date="2026-06-30")
    world.change("v2_bills", bill, memo="Second floor")
    world.sync()
    assert str(world.value("select due_date from v2_bills where id = %s", bill)) == "2026-06-30"
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "Second floor"
    assert world.ledger.only(Entity.BILL).canonical["due_date"] == "2026-06-30"


def test_changes_to_different_lines_merge_by_identity_and_still_add_up(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("100.00", "50.00"))
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    first, second = remote.canonical["lines"]
    # The bookkeeper turns the lines around and raises the second; we reword the first.
    world.ledger.edit(
        Entity.BILL, remote.remote_id, total="160.00", lines=[{**second, "amount": "60.00"}, first]
    )
    world.run("update v2_bill_lines set description = 'Footings' where bill_id = %s and position = 1", bill)
    world.sync()
    rows = world.rows(
        "select description, amount from v2_bill_lines where bill_id = %s order by amount", bill
    )
    assert [(text, f"{amount:.2f}") for text, amount in rows] == [("Pour 2", "60.00"), ("Footings", "100.00")]
    kept = world.ledger.only(Entity.BILL).canonical
    assert {line["id"]: line["description"] for line in kept["lines"]} == {"1": "Footings", "2": "Pour 2"}
    assert kept["total"] == "160.00"
    assert {(line["description"], line["amount"]) for line in kept["lines"]} == {
        ("Footings", "100.00"),
        ("Pour 2", "60.00"),
    }


def test_changes_that_no_longer_add_up_are_a_conflict_though_the_lines_differ(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill = world.bill(world.vendor(), amounts=("100.00", "50.00"))
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    first, second = remote.canonical["lines"]
    world.ledger.edit(
        Entity.BILL, remote.remote_id, total="160.00", lines=[first, {**second, "amount": "60.00"}]
    )
    world.run("update v2_bill_lines set amount = 110 where bill_id = %s and position = 1", bill)
    world.change("v2_bills", bill, total="160.00")
    synced = world.sync()
    assert synced.count(Entity.BILL, "conflict") == 1


def test_two_recodings_of_one_line_are_a_conflict_and_not_the_same_values(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill = world.bill(world.vendor())
    world.sync()
    elsewhere = world.ledger.enter(
        Entity.ACCOUNT, {"name": "Repairs", "number": None, "type": "expense", "description": None}
    )
    kept = world.ledger.only(Entity.BILL)
    world.ledger.edit(
        Entity.BILL, kept.remote_id, lines=[{**kept.canonical["lines"][0], "account": elsewhere}]
    )
    code = world.code
    world.code = world.add("v2_cost_codes", code="04-200", name="Masonry")
    world.costs = world.ledger.enter(
        Entity.ACCOUNT, {"name": "Masonry", "number": None, "type": "cost_of_goods_sold", "description": None}
    )
    world.map_code()
    world.run("update v2_bill_lines set cost_code_id = %s where bill_id = %s", world.code, bill)
    assert code != world.code
    assert world.sync().count(Entity.BILL, "conflict") == 1


def test_a_persons_choice_survives_a_push_that_did_not_get_through(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill, _ = _changed_on_both_sides(world, last="theirs")
    world.sync()
    world.run(
        "update links set decision = 'use_ours', state = 'open', decided_ours_checksum = ours_checksum,"
        " decided_theirs_checksum = theirs_checksum where state = 'conflict'"
    )
    world.ledger.down = outage()
    with pytest.raises(type(outage())):
        world.sync()
    world.ledger.down = None
    world.sync()
    assert _totals(world, bill) == ("120.00", "120.00")


def test_a_bill_deleted_there_and_approved_again_here_is_a_question(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.sync()
    world.change("v2_bills", bill, status="approved")
    assert world.sync().count(Entity.BILL, "conflict") == 1
    assert world.ledger.all(Entity.BILL) == []

"""Which version of the mapping a line goes out under, first and ever after, over a fake ledger and a real database."""

from __future__ import annotations

from typing import Any

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World, account


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def remap(world: World, name: str = "Site Costs") -> str:
    """Point the cost code at a new account, as a new version; return the account."""
    world.costs = world.ledger.enter(Entity.ACCOUNT, account(name, "cost_of_goods_sold"))
    world.sync()
    world.map_code()
    return world.costs


def accounts_in_ledger(world: World) -> dict[str, str]:
    """Amount → account of the only bill's lines."""
    return {line["amount"]: line["account"] for line in world.ledger.only(Entity.BILL).canonical["lines"]}


def versions_on_lines(world: World) -> dict[str, int]:
    """Amount → number of the mapping version that the line was sent under."""
    rows: list[Any] = world.rows(
        "select line.amount::numeric(12, 2)::text, v.number from links l"
        " cross join lateral jsonb_each_text(l.line_versions) as sent (key, version)"
        " join v2_bill_lines line on line.id = sent.key::uuid"
        " join mapping_versions v on v.id = sent.version::uuid where l.entity = 'bill'"
    )
    return dict(rows)


def test_every_pushed_line_carries_the_version_that_gave_it_its_account(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("60.00", "40.00"))
    world.sync()
    assert versions_on_lines(world) == {"60.00": 1, "40.00": 1}
    (attempt,) = world.rows("select details -> 'line_versions' from attempts where entity = 'bill'")
    assert len(attempt[0]) == 2
    remap(world)
    other = world.add("v2_cost_codes", code="03-200", name="Formwork")
    world.run("update v2_bill_lines set cost_code_id = %s where amount = 40", other)
    world.run(
        "update v2_account_mappings set platform_cost_code_id = %s where platform_entity_type = 'cost_code' and is_active",
        other,
    )
    world.change("v2_bills", bill, memo="Recoded")
    world.sync()
    assert versions_on_lines(world) == {"60.00": 1, "40.00": 2}
    (entry,) = world.rows("select after -> 'line_versions' from audit_log where action = 'push.update'")
    assert len(set(entry[0].values())) == 2


def test_an_edit_of_a_sent_document_keeps_the_accounts_of_its_version(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("60.00", "40.00"))
    world.sync()
    sent = world.costs
    remap(world)
    world.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", bill)
    world.change("v2_bills", bill, total=115)
    world.sync()
    assert accounts_in_ledger(world) == {"75.00": sent, "40.00": sent}
    assert versions_on_lines(world) == {"75.00": 1, "40.00": 1}


def test_a_line_added_to_a_sent_document_goes_where_its_code_went_in_it(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("60.00",))
    world.sync()
    sent = world.costs
    remap(world)
    world.add(
        "v2_bill_lines", bill_id=bill, position=2, description="Pour 2", cost_code_id=world.code, amount=40
    )
    world.change("v2_bills", bill, total=100)
    world.sync()
    assert accounts_in_ledger(world) == {"60.00": sent, "40.00": sent}
    assert versions_on_lines(world) == {"60.00": 1, "40.00": 1}


def test_lines_that_cannot_be_told_apart_still_keep_the_version_of_their_document(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("50.00", "50.00"))
    world.run("update v2_bill_lines set description = 'Pour'")
    world.sync()
    sent = world.costs
    remap(world)
    # Both lines are new to the eye: nothing pairs them with the ledger's any more.
    world.run(
        "update v2_bill_lines set amount = 45, description = 'Pour, less credit' where bill_id = %s", bill
    )
    world.change("v2_bills", bill, total=90)
    world.sync()
    assert [line["account"] for line in world.ledger.only(Entity.BILL).canonical["lines"]] == [sent, sent]


def test_a_recoded_line_and_a_new_document_take_the_mapping_as_it_is_now(world: World) -> None:
    vendor = world.vendor()
    world.bill(vendor)
    world.sync()
    sent, now = world.costs, remap(world)
    world.bill(vendor, number="B-2", amounts=("20.00",))
    world.sync()
    booked = {
        kept.canonical["number"]: kept.canonical["lines"][0]["account"]
        for kept in world.ledger.all(Entity.BILL)
    }
    assert booked == {"B-1": sent, "B-2": now}


def test_a_write_that_is_asked_again_is_the_write_that_was_asked(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.lose_before.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    sent = world.costs
    remap(world)
    world.later(hours=2)
    world.sync()
    world.sync()
    assert accounts_in_ledger(world) == {"100.00": sent}
    assert versions_on_lines(world) == {"100.00": 1}


def test_an_account_made_inactive_holds_what_is_not_sent_and_frees_it_when_it_is_back(world: World) -> None:
    vendor = world.vendor()
    world.bill(vendor)
    world.sync()
    world.ledger.end(Entity.ACCOUNT, world.costs, "inactive")
    world.bill(vendor, number="B-2")
    world.sync()
    ((label, sentence),) = world.queue("held")
    assert "B-2" in label
    assert "is mapped to Job Costs, which is inactive or gone in Fake Books" in sentence
    assert world.value("select code from v2_sync_records where status = 'held'") == "hold.mapping_broken"
    cause = world.value("select cause from v2_sync_records where status = 'held'")
    assert cause == f"hold.mapping_missing:expense:{world.code}"
    world.ledger.end(Entity.ACCOUNT, world.costs, "active")
    world.sync()
    assert world.queue("held") == []
    assert len(world.ledger.all(Entity.BILL)) == 2

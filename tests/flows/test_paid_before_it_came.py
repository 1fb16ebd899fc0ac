"""Money that was seen before what it pays: once that is here, it is paid here too, and a deposit holds its payment."""

from __future__ import annotations

from datetime import date

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World
from tests.flows.ledger_hands import (
    a_bill_in_the_ledger,
    a_bill_payment,
    a_vendor_in_the_ledger,
    begin_on,
    bills,
    direct,
)


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def paid(world: World) -> list[tuple[object, ...]]:
    return world.rows("select number, amount_paid from v2_bills order by number")


def unapplied(world: World) -> list[tuple[object, ...]]:
    return world.rows("select amount, unapplied_amount from v2_bill_payments order by amount")


def test_a_bill_that_waited_for_its_vendor_is_paid_by_the_payment_that_came_before_it(world: World) -> None:
    direct(world, {Entity.VENDOR: "push", Entity.BILL: "both"})
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    world.sync()
    assert bills(world) == []
    assert unapplied(world) == [(100, 100)]
    world.vendor(world.ledger.only(Entity.VENDOR).canonical["name"])
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 100)]
    assert unapplied(world) == [(100, 0)]
    assert proof.is_tied


def test_a_bill_that_a_direction_left_is_paid_once_the_direction_is_turned(world: World) -> None:
    direct(world, {Entity.VENDOR: "both", Entity.BILL: "push"})
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    world.sync()
    direct(world, {Entity.BILL: "both"})
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 100)]
    assert unapplied(world) == [(100, 0)]
    assert proof.is_tied


def test_a_bill_that_is_older_than_the_first_day_is_paid_once_the_day_is_moved_back(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 5, 21))
    world.sync()
    begin_on(world, date(2026, 1, 1))
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 100)]
    assert unapplied(world) == [(100, 0)]
    assert proof.is_tied


def test_a_bill_that_both_have_with_other_values_is_paid_here_while_a_person_chooses(world: World) -> None:
    direct(world, {Entity.VENDOR: "both", Entity.BILL: "push"})
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-7")
    a_bill_payment(world, party=vendor, bill=bill)
    world.sync()
    ours = world.rows("select id::text from v2_vendors")[0][0]
    world.bill(ours, number="B-7", amounts=("140.00",))
    world.sync()
    assert [why for _, why in world.queue("conflict")], "both have it, with different amounts"
    assert unapplied(world) == [(100, 0)], "what is paid is known, whatever is chosen"
    assert paid(world) == [("B-7", 100)]


def test_a_closed_old_bill_that_opens_again_comes_in(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    payment = a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 6, 1))
    world.sync()
    assert bills(world) == []
    world.ledger.end(Entity.BILL_PAYMENT, payment, "deleted")
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 0)]
    assert proof.is_tied


def test_an_old_bill_that_opens_again_in_part_comes_in_with_the_payment_that_is_left(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill, amount="60.00")
    taken_back = a_bill_payment(world, party=vendor, bill=bill, amount="40.00")
    begin_on(world, date(2026, 6, 1))
    world.sync()
    world.ledger.end(Entity.BILL_PAYMENT, taken_back, "deleted")
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 60)]
    assert unapplied(world) == [(60, 0)]
    assert proof.is_tied


def test_an_old_bill_that_is_dated_anew_comes_in_with_its_payment(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 6, 1))
    world.sync()
    world.ledger.edit(Entity.BILL, bill, date="2026-06-02")
    proof = world.sync().tie_out
    assert paid(world) == [("B-1", 100)]
    assert unapplied(world) == [(100, 0)]
    assert proof.is_tied


def test_an_old_closed_bill_that_is_only_seen_again_stays_there(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 6, 1))
    world.sync()
    world.ledger.edit(Entity.BILL, bill)
    world.sync()
    assert bills(world) == []
    assert world.engine().sync_all()[2].is_tied
    assert (
        world.value("select count(*) from links where theirs_checksum is distinct from base_theirs_checksum")
        == 0
    )


def a_payment(world: World, *, customer: str) -> str:
    return world.ledger.enter(
        Entity.PAYMENT,
        {
            "number": None,
            "date": "2026-05-21",
            "party": customer,
            "currency": "USD",
            "memo": "",
            "method": "Check",
            "amount": "100.00",
            "unapplied": "100.00",
            "applications": [],
        },
    )


def a_deposit(world: World, *, payment: str) -> str:
    return world.ledger.enter(
        Entity.DEPOSIT,
        {
            "date": "2026-06-03",
            "currency": "USD",
            "memo": "",
            "account": None,
            "amount": "100.00",
            "lines": [{"id": "1", "payment": payment, "amount": "100.00", "description": ""}],
        },
    )


def deposited(world: World) -> list[tuple[object, ...]]:
    return world.rows("select payment_id is not null from v2_deposit_lines")


def test_a_deposit_knows_its_older_payment_once_the_day_is_moved_back(world: World) -> None:
    customer = world.ledger.enter(Entity.CUSTOMER, {"name": "Ann Ortega"})
    a_deposit(world, payment=a_payment(world, customer=customer))
    begin_on(world, date(2026, 6, 1))
    world.sync()
    assert deposited(world) == [(False,)]
    begin_on(world, date(2026, 1, 1))
    world.sync()
    assert deposited(world) == [(True,)]


def test_a_deposit_knows_its_payment_once_payments_are_brought_in(world: World) -> None:
    direct(world, {Entity.PAYMENT: "pull"}, disabled=(Entity.PAYMENT,))
    customer = world.ledger.enter(Entity.CUSTOMER, {"name": "Ann Ortega"})
    a_deposit(world, payment=a_payment(world, customer=customer))
    world.sync()
    assert deposited(world) == [(False,)]
    direct(world, {Entity.PAYMENT: "pull"})
    world.sync()
    assert deposited(world) == [(True,)]

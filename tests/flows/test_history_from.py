"""How far back the ledger's documents are brought in: what is closed and older stays there, what is open comes."""

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
)


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def test_what_is_older_and_closed_stays_there_and_what_is_open_comes(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    paid = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=paid)
    half = a_bill_in_the_ledger(world, party=vendor, number="B-2")
    a_bill_payment(world, party=vendor, bill=half, amount="40.00")
    begin_on(world, date(2026, 6, 1))
    world.sync()
    assert bills(world) == ["B-2"], "B-1 is paid and older"
    assert world.rows("select amount from v2_bill_payments") == [(40,)], "the one that pays what is here"
    assert world.queue("held") == []
    assert world.sync().tie_out.is_tied


def test_moving_the_day_back_brings_in_what_it_left_behind(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    paid = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=paid)
    begin_on(world, date(2026, 6, 1))
    world.sync()
    assert bills(world) == []
    begin_on(world, date(2026, 5, 20))
    world.sync()
    assert bills(world) == ["B-1"]
    assert len(world.rows("select id from v2_bill_payments")) == 1


def test_moving_the_day_forward_takes_nothing_away(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    paid = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=paid)
    begin_on(world, None)
    world.sync()
    begin_on(world, date(2026, 6, 1))
    world.ledger.edit(Entity.BILL, paid, memo="seen again")
    world.sync()
    assert bills(world) == ["B-1"]
    assert world.value("select memo from v2_bills") == "seen again"


def free_money(world: World) -> list[tuple[object, ...]]:
    return world.rows("select amount, unapplied_amount from v2_bill_payments order by amount")


def test_a_payment_of_the_first_day_brings_in_the_closed_bill_of_before_that_it_pays(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 5, 21))
    proof = world.sync().tie_out
    assert bills(world) == ["B-1"], "or its payment would seem to be free"
    assert free_money(world) == [(100, 0)]
    assert proof.is_tied


def test_a_payment_that_is_moved_past_the_first_day_brings_in_the_closed_bill_that_it_pays(
    world: World,
) -> None:
    vendor = a_vendor_in_the_ledger(world)
    bill = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    payment = a_bill_payment(world, party=vendor, bill=bill)
    begin_on(world, date(2026, 6, 1))
    world.sync()
    assert bills(world) == []
    world.ledger.edit(Entity.BILL_PAYMENT, payment, date="2026-06-02")
    world.sync()
    proof = world.sync().tie_out
    assert bills(world) == ["B-1"]
    assert free_money(world) == [(100, 0)]
    assert proof.is_tied


def test_a_payment_of_an_open_and_a_closed_old_bill_brings_in_both(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    closed = a_bill_in_the_ledger(world, party=vendor, number="B-1")
    half = a_bill_in_the_ledger(world, party=vendor, number="B-2")
    payment = a_bill_payment(world, party=vendor, bill=closed)
    applied = [{"bill": closed, "amount": "100.00"}, {"bill": half, "amount": "40.00"}]
    world.ledger.edit(Entity.BILL_PAYMENT, payment, amount="140.00", applications=applied)
    a_bill_payment(world, party=vendor, bill=a_bill_in_the_ledger(world, party=vendor, number="B-3"))
    begin_on(world, date(2026, 6, 1))
    world.sync()
    proof = world.sync().tie_out
    assert bills(world) == ["B-1", "B-2"], "and B-3 stays: the money that pays it stays as well"
    assert free_money(world) == [(140, 0)]
    assert proof.is_tied
    assert (
        world.value("select count(*) from links where theirs_checksum is distinct from base_theirs_checksum")
        == 0
    )

"""Voids, deletions, merges and inactivations from either side: followed, asked about or kept, and never made again unasked."""

from __future__ import annotations

import pytest

from resources.store.connection_settings import EntityChoice
from resources.store.database import Database
from sync.compare import EndPolicy
from sync.records import DEFAULT_DIRECTION, Entity
from tests.fakes.world import World
from tests.flows.ledger_hands import choose


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def policy(
    world: World, entity: Entity, *, here: EndPolicy | None = None, there: EndPolicy | None = None
) -> None:
    """Save what becomes of the other side's when one side's ended."""
    choice = EntityChoice(
        entity,
        is_enabled=True,
        direction=DEFAULT_DIRECTION[entity],
        conflict_strategy=None,
        ended_here=here,
        ended_there=there,
    )
    choose(world, [choice])


def a_payment(world: World, amount: str, *, entity: Entity = Entity.PAYMENT) -> str:
    document = Entity.INVOICE if entity is Entity.PAYMENT else Entity.BILL
    kept = world.ledger.only(document)
    return world.ledger.enter(
        entity,
        {
            "date": "2026-05-28",
            "party": kept.canonical["party"],
            "currency": "USD",
            "amount": amount,
            "unapplied": "0.00",
            "reference": "CHK 1",
            "method": None,
            "memo": "",
            "applications": [{document.value: kept.remote_id, "amount": amount}],
        },
    )


def test_voiding_a_paid_invoice_here_waits_for_the_payments_and_orphans_no_money(world: World) -> None:
    invoice = world.invoice(world.client())
    world.sync()
    payment = a_payment(world, "200.00")
    world.sync()
    world.change("v2_invoices", invoice, status="void")
    assert world.sync().count(Entity.INVOICE, "held") == 1
    ((_, sentence),) = world.queue("held")
    assert "200.00 USD was paid on it in Fake Books" in sentence
    assert world.ledger.only(Entity.INVOICE).state == "active"
    world.ledger.end(Entity.PAYMENT, payment, "deleted")
    world.sync()
    world.sync()
    assert world.ledger.all(Entity.INVOICE) == [], "it follows by itself once the money is off it"
    assert world.queue("held") == []


def test_deleting_a_paid_bill_here_waits_too(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    a_payment(world, "100.00", entity=Entity.BILL_PAYMENT)
    world.sync()
    world.change("v2_bills", bill, status="void")
    world.sync()
    assert "100.00 USD was paid on it" in world.queue("held")[0][1]
    assert len(world.ledger.all(Entity.BILL)) == 1
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert world.queue("held") == [], "or it is set back here"


def test_the_ledger_keeps_a_bill_voided_here_where_the_setting_says_so(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    policy(world, Entity.BILL, here="keep")
    world.change("v2_bills", bill, status="void")
    world.sync()
    kept = world.ledger.only(Entity.BILL)
    world.ledger.edit(Entity.BILL, kept.remote_id, memo="still ours")
    world.sync()
    assert world.value("select status from v2_bills") == "void", "an edit there does not bring it back here"
    policy(world, Entity.BILL, here="follow")
    world.sync()
    assert world.ledger.all(Entity.BILL) == [], "turning the setting reaches what it had kept"


def test_a_person_is_asked_about_a_bill_voided_here_where_the_setting_says_so(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    policy(world, Entity.BILL, here="ask")
    world.change("v2_bills", bill, status="void")
    assert world.sync().count(Entity.BILL, "conflict") == 1
    assert len(world.ledger.all(Entity.BILL)) == 1


@pytest.mark.parametrize("state", ["deleted", "void"])
def test_ours_stays_where_the_setting_keeps_it_and_is_never_made_again(world: World, state: str) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    policy(world, Entity.BILL, there="keep")
    remote_id = world.ledger.only(Entity.BILL).remote_id
    world.ledger.end(Entity.BILL, remote_id, state)  # type: ignore[arg-type]  # a literal of the parameter
    world.sync()
    assert world.value("select status from v2_bills where id = %s", bill) == "approved"
    world.change("v2_bills", bill, memo="edited")
    assert world.sync().count(Entity.BILL, "conflict") == 1, "an edit afterwards is a question"
    assert world.ledger.all(Entity.BILL) == []
    assert world.value("select canonical ->> 'number' from mirror where entity = 'bill'") == "B-1", (
        "the tombstone"
    )


def test_a_payment_that_disappeared_is_asked_about_where_the_setting_says_so(world: World) -> None:
    world.invoice(world.client())
    world.sync()
    payment = a_payment(world, "200.00")
    world.sync()
    policy(world, Entity.PAYMENT, there="ask")
    world.ledger.end(Entity.PAYMENT, payment, "deleted")
    assert world.sync().count(Entity.PAYMENT, "conflict") == 1
    assert world.value("select payment_status from v2_invoices") == "partially_paid"


def test_a_name_made_inactive_in_the_ledger_is_kept_or_followed(world: World) -> None:
    world.bill(world.vendor())
    world.sync()
    policy(world, Entity.VENDOR, there="keep")
    remote_id = world.ledger.only(Entity.VENDOR).remote_id
    world.ledger.end(Entity.VENDOR, remote_id, "inactive")
    world.sync()
    assert world.value("select is_active from v2_vendors")
    policy(world, Entity.VENDOR, there=None)
    world.sync()
    assert world.value("select is_active from v2_vendors") is False

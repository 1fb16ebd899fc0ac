"""The engine over a fake ledger: payments and deposits that come back, and what they pay here."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def _pay(world: World, invoice: str, amount: str, *, day: str = "2026-05-28") -> str:
    party = world.ledger.only(Entity.CUSTOMER).remote_id
    return world.ledger.enter(
        Entity.PAYMENT,
        {
            "date": day,
            "party": party,
            "currency": "USD",
            "amount": amount,
            "unapplied": "0.00",
            "reference": "CHK 118",
            "method": "Check",
            "memo": "",
            "applications": [{"invoice": invoice, "amount": amount}],
        },
    )


def test_payments_mark_an_invoice_part_paid_and_then_paid(world: World) -> None:
    invoice = world.invoice(world.client())
    world.sync()
    remote = world.ledger.only(Entity.INVOICE).remote_id
    _pay(world, remote, "200.00")
    synced = world.sync()
    assert world.value("select payment_status from v2_invoices where id = %s", invoice) == "partially_paid"
    assert synced.tie_out.is_tied, synced.tie_out.lines
    _pay(world, remote, "300.00")
    world.sync()
    assert world.value("select payment_status from v2_invoices where id = %s", invoice) == "paid"


def test_a_payment_deleted_in_the_ledger_unpays_its_invoice(world: World) -> None:
    invoice = world.invoice(world.client())
    world.sync()
    payment = _pay(world, world.ledger.only(Entity.INVOICE).remote_id, "500.00")
    world.sync()
    world.ledger.end(Entity.PAYMENT, payment, "deleted")
    world.sync()
    assert world.value("select payment_status from v2_invoices where id = %s", invoice) == "unpaid"
    assert world.value("select status from v2_payments") == "void"


def test_a_deposit_says_when_a_payment_reached_the_bank(world: World) -> None:
    world.invoice(world.client())
    world.sync()
    payment = _pay(world, world.ledger.only(Entity.INVOICE).remote_id, "500.00")
    world.ledger.enter(
        Entity.DEPOSIT,
        {
            "date": "2026-05-30",
            "account": world.bank,
            "currency": "USD",
            "amount": "500.00",
            "memo": "",
            "reference": None,
            "lines": [{"payment": payment, "amount": "500.00", "description": "", "reference": None}],
        },
    )
    world.sync()
    assert str(world.value("select deposited_on from v2_payments")) == "2026-05-30"
    assert world.value("select count(*) from v2_deposit_lines where payment_id is not null") == 1


def test_an_invoice_matched_after_its_payment_came_in_is_paid_here(world: World) -> None:
    client = world.ledger.enter(
        Entity.CUSTOMER, {"name": "Ann Ortega", "email": None, "phone": None, "address": None}
    )
    remote = world.ledger.enter(
        Entity.INVOICE,
        {
            "number": "I-1",
            "date": "2026-05-21",
            "due_date": None,
            "party": client,
            "currency": "USD",
            "memo": "",
            "total": "500.00",
            "lines": [{"id": "1", "description": "Work 1", "amount": "500.00", "account": world.sales}],
        },
    )
    _pay(world, remote, "500.00")
    world.sync()
    invoice = world.invoice(world.client())
    world.sync()
    assert world.value("select payment_status from v2_invoices where id = %s", invoice) == "paid"

"""Writing to Xero exactly once: lists, replays, refusals inside a list, changes nobody announced, and payments."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from resources.xero.provider import Xero
from sync.errors import RejectedByProvider
from sync.ports import Done, Moved, Rejected, Unknown, Write, WriteOutcome
from sync.records import Entity, RemoteRecord
from tests.support.books import DATE
from tests.support.office import Office
from tests.support.xero_books import XeroBooks


def marker() -> str:
    return "tieout:" + base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")


def document(
    entity: Entity, party: str, account: str, *, number: str | None, amount: str = "100.00"
) -> Write:
    line = {
        "id": None,
        "description": "Pour",
        "amount": amount,
        "quantity": None,
        "unit_price": None,
        "account": account,
    }
    canonical = {
        "number": number,
        "date": DATE,
        "due_date": None,
        "party": party,
        "currency": "USD",
        "memo": "",
        "total": amount,
        "lines": [line],
    }
    return Write(
        entity=entity,
        operation="create",
        canonical=canonical,
        request_id=secrets.token_hex(16),
        marker=marker(),
        label=f"{entity.value} {number}",
    )


def record_of(outcome: WriteOutcome) -> RemoteRecord:
    assert isinstance(outcome, Done), outcome
    return outcome.record


def kinds(outcomes: Sequence[WriteOutcome]) -> list[type[Any]]:
    return [type(outcome) for outcome in outcomes]


@pytest.fixture
def party(books: XeroBooks, office: Office) -> str:
    return books.vendor("Ridge Concrete")


@pytest.fixture
def cost(books: XeroBooks, office: Office) -> str:
    return books.account("cost")


def test_a_hundred_documents_are_two_calls(provider: Xero, books: XeroBooks, party: str, cost: str) -> None:
    before = provider.calls
    writes = [document(Entity.BILL, party, cost, number=f"B-{n}") for n in range(100)]
    outcomes = provider.write(writes)
    assert {type(outcome) for outcome in outcomes} == {Done}
    assert provider.calls - before == 2
    assert [record_of(one).canonical["number"] for one in outcomes] == [f"B-{n}" for n in range(100)]
    assert len(books.valid("bill")) == 100


def test_a_thousand_documents_and_the_checks_of_their_changes_stay_below_their_budget(
    provider: Xero, party: str, cost: str
) -> None:
    before = provider.calls
    for start in range(0, 1000, 50):
        made = provider.write(
            [document(Entity.BILL, party, cost, number=f"B-{n}") for n in range(start, start + 50)]
        )
        assert {type(outcome) for outcome in made} == {Done}
    assert provider.calls - before <= 25


def test_changing_fifty_documents_is_one_read_and_one_write(provider: Xero, party: str, cost: str) -> None:
    writes = [document(Entity.BILL, party, cost, number=f"B-{n}") for n in range(50)]
    made = [record_of(one) for one in provider.write(writes)]
    before = provider.calls
    changes = [change(write, record, amount="120.00") for write, record in zip(writes, made, strict=True)]
    assert {type(outcome) for outcome in provider.write(changes)} == {Done}
    assert provider.calls - before == 2


def change(write: Write, record: RemoteRecord, *, amount: str) -> Write:
    line = {**write.canonical["lines"][0], "id": record.canonical["lines"][0]["id"], "amount": amount}
    return replace(
        write,
        operation="update",
        canonical={**write.canonical, "total": amount, "lines": [line]},
        request_id=secrets.token_hex(16),
        remote_id=record.remote_id,
        version=record.version,
        previous=dict(record.raw),
    )


def test_the_same_list_sent_again_within_minutes_makes_nothing_new(
    provider: Xero, books: XeroBooks, party: str, cost: str
) -> None:
    writes = [document(Entity.BILL, party, cost, number=None) for _ in range(3)]
    first, second = provider.write(writes), provider.write(writes)
    assert [record_of(one).remote_id for one in first] == [record_of(one).remote_id for one in second]
    assert len(books.valid("bill")) == 3


def test_one_bad_element_of_a_list_is_refused_alone(
    provider: Xero, books: XeroBooks, party: str, cost: str
) -> None:
    books.enter("invoice", party, number="I-2", amount="5.00")
    income = books.account("income")
    writes = [document(Entity.INVOICE, party, income, number=f"I-{n}") for n in (1, 2, 3)]
    outcomes = provider.write(writes)
    assert kinds(outcomes) == [Done, Rejected, Done]
    refused = outcomes[1]
    assert isinstance(refused, Rejected)
    assert refused.error.details["is_taken"]
    assert "invoice I-2" in refused.error.user_message
    assert {one.number: one.total for one in books.valid("invoice")}["I-2"] == Decimal("5.00")


def test_a_list_refused_as_a_whole_is_taken_apart_and_nothing_is_doubled(
    provider: Xero, books: XeroBooks, party: str, cost: str
) -> None:
    writes = [document(Entity.BILL, party, cost, number=None) for _ in range(5)]
    stranger = str(uuid4())
    writes[3] = replace(writes[3], canonical={**writes[3].canonical, "party": stranger})
    outcomes = provider.write(writes)
    assert kinds(outcomes) == [Done, Done, Done, Rejected, Done]
    assert len(books.valid("bill")) == 4


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_list_that_may_not_be_looked_at_is_unknown_and_not_sent_again(
    provider: Xero, books: XeroBooks, party: str, cost: str, status: int
) -> None:
    writes = [document(Entity.BILL, party, cost, number=None) for _ in range(4)]
    writes[3] = replace(writes[3], canonical={**writes[3].canonical, "party": str(uuid4())})
    looks = {"method": "GET", "path": "/api.xro/2.0/Invoices", "count": None, "options": {"wait": 1}}
    books.fault("status", status=status, **looks)
    outcomes = provider.write(writes)
    assert kinds(outcomes) == [Unknown] * 4
    books.control("DELETE", "/faults")
    assert books.valid("bill") == []


def test_a_batch_that_cannot_be_read_again_was_still_sent(office: Office, books: XeroBooks) -> None:
    vendor = books.vendor("Ridge Concrete")
    two = [books.enter("bill", vendor, number=f"B-{n}", amount="50.00") for n in (1, 2)]
    office.run(
        "update v2_integration_connections set settings = settings || jsonb_build_object('payment_account', %s::text)",
        books.account("bank"),
    )
    found = office.tieout.connections.open(office.builder_id, office.connection_id)
    assert isinstance(found, Xero)
    list(found.changes(None))
    paid = Write(
        entity=Entity.BILL_PAYMENT,
        operation="create",
        canonical={
            "date": DATE,
            "reference": "CHK 9",
            "amount": "100.00",
            "applications": [{"bill": one, "amount": "50.00"} for one in two],
        },
        request_id=secrets.token_hex(16),
        marker=marker(),
        label="bill payment CHK 9",
    )
    books.fault(
        "status", status=429, method="GET", path="/api.xro/2.0/Payments", count=None, options={"wait": 1}
    )
    assert kinds(found.write([paid])) == [Unknown]
    books.control("DELETE", "/faults")
    assert [one.open for one in books.valid("bill")] == [Decimal(0), Decimal(0)]


def test_a_lost_answer_leaves_the_whole_list_unknown_and_every_record_can_be_found(
    provider: Xero, books: XeroBooks, party: str, cost: str
) -> None:
    writes = [document(Entity.BILL, party, cost, number=None, amount=f"{n}.00") for n in (10, 20)]
    books.fault("drop_after", method="PUT")
    assert kinds(provider.write(writes)) == [Unknown, Unknown]
    for write in writes:
        found = provider.find(write.entity, canonical=write.canonical, marker=write.marker)
        assert [one.marker for one in found] == [write.marker]


def test_a_change_that_moved_no_timestamp_is_still_seen_before_we_write(
    provider: Xero, books: XeroBooks, party: str, cost: str
) -> None:
    write = document(Entity.BILL, party, cost, number="B-1")
    (made,) = provider.write([write])
    key = record_of(made).remote_id
    books.pay("bill", {key: "10.00"}, reference="1")
    known = provider.read(Entity.BILL, key)
    assert known is not None
    books.bookkeep("set_due_date", id=key, date="2026-09-09")
    seen = provider.read(Entity.BILL, key)
    assert seen is not None
    assert seen.changed_at == known.changed_at
    (outcome,) = provider.write([change(write, known, amount="120.00")])
    assert isinstance(outcome, Moved)


def test_the_weekly_sweep_brings_what_moved_no_timestamp(office: Office, books: XeroBooks) -> None:
    office.bill(office.vendor(), due_date="2026-06-20")
    office.sync()
    (bill,) = books.valid("bill")
    books.pay("bill", {bill.id: "10.00"}, reference="1")
    office.sync()
    # Beyond the overlap of the cursor.
    office.later(minutes=10)
    office.sync()
    books.bookkeep("set_due_date", id=bill.id, date="2026-09-09")
    office.sync()
    assert str(office.value("select due_date from v2_bills")) == "2026-06-20"
    office.later(days=8)
    office.sync()
    assert str(office.value("select due_date from v2_bills")) == "2026-09-09"


def test_a_journal_that_lost_a_line_is_voided_and_told(provider: Xero, books: XeroBooks) -> None:
    books.control("POST", "/switches", {"journal_unknown_account": "drop_with_warning"})
    fields = {"Name": "Short-lived", "Code": "S1", "Type": "EXPENSE"}
    (short_lived,) = books._send("PUT", "Accounts", fields)
    list(provider.changes(None))
    # Somebody deletes it between our look at the chart and our write.
    books._send("DELETE", f"Accounts/{short_lived['AccountID']}")
    lines = [
        {
            "description": text,
            "debit": debit,
            "credit": credit,
            "account": account,
            "party_kind": None,
            "party": None,
            "id": None,
        }
        for text, debit, credit, account in (
            ("a", "70.00", "0.00", books.account("cost")),
            ("b", "0.00", "70.00", books.account("clearing")),
            ("c", "0.00", "0.00", short_lived["AccountID"]),
        )
    ]
    canonical = {"number": "J-1", "date": DATE, "currency": "USD", "memo": "", "lines": lines}
    write = Write(
        entity=Entity.JOURNAL_ENTRY,
        operation="create",
        canonical=canonical,
        request_id=secrets.token_hex(16),
        marker=marker(),
        label="Manual journal J-1",
    )
    (outcome,) = provider.write([write])
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, RejectedByProvider)
    assert "left out a line" in outcome.error.user_message
    assert books.journals() == []


def test_a_payment_of_one_invoice_is_a_payment_and_of_two_a_batch(office: Office, books: XeroBooks) -> None:
    office.run(
        "update v2_integration_connections set settings = settings || jsonb_build_object('payment_account', %s::text)",
        books.account("bank"),
    )
    office.set_direction(Entity.PAYMENT, "both")
    client = office.client()
    invoices = [office.invoice(client, number=f"I-{n}") for n in range(3)]
    office.sync()
    for parts, reference in (({0: "500.00"}, "CHK 1"), ({1: "500.00", 2: "40.00"}, "CHK 2")):
        total = sum((Decimal(amount) for amount in parts.values()), Decimal(0))
        payment = office.add(
            "v2_payments", client_id=client, payment_date=DATE, amount=total, reference=reference
        )
        for place, amount in parts.items():
            office.add(
                "v2_payment_applications", payment_id=payment, invoice_id=invoices[place], amount=amount
            )
    done = office.sync()
    assert done.failed == []
    assert len(books._rows("Payments")) == 3
    (batch,) = books._send("GET", "BatchPayments")
    assert Decimal(batch["TotalAmount"]) == Decimal("540.00")
    assert {one.number: one.open for one in books.valid("invoice")}["I-2"] == Decimal("460.00")
    assert office.value("select count(*) from v2_payments") == 2
    # What the platform knows of its own payments, and what the next look reads of their effect there.
    for place, amount in ((0, 500), (1, 500), (2, 40)):
        office.run("update v2_invoices set amount_paid = %s where id = %s", amount, invoices[place])
    done = office.sync()
    assert done.proof.is_tied, done.differences
    office.settled()
    assert office.rows("select reference from v2_payments order by 1") == [("CHK 1",), ("CHK 2",)]


def test_a_payment_that_pays_nothing_yet_is_held_with_the_way_out(office: Office, books: XeroBooks) -> None:
    office.set_direction(Entity.PAYMENT, "both")
    client = office.client()
    office.sync()
    office.add("v2_payments", client_id=client, payment_date=DATE, amount="10.00", reference="CHK 1")
    office.sync()
    ((_, sentence),) = office.queue("error")
    assert "overpayment" in sentence
    assert books._rows("Payments") == []


def test_an_archived_contact_cannot_be_brought_back_and_says_who_can(
    provider: Xero, books: XeroBooks, party: str
) -> None:
    record = provider.read(Entity.VENDOR, party)
    assert record is not None
    write = Write(
        entity=Entity.VENDOR,
        operation="void",
        canonical={},
        request_id=secrets.token_hex(16),
        marker=marker(),
        label="Ridge Concrete",
        remote_id=party,
        version=record.version,
    )
    (gone,) = provider.write([write])
    assert record_of(gone).state == "inactive"
    again = replace(
        write,
        operation="activate",
        version=record_of(gone).version,
        canonical=record.canonical,
        request_id=secrets.token_hex(16),
    )
    (outcome,) = provider.write([again])
    assert isinstance(outcome, Rejected)
    assert "only a person can restore it" in outcome.error.user_message


def test_bytes_are_counted_for_the_price_tier(provider: Xero) -> None:
    assert provider.bytes_read > 1000

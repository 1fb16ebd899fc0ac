"""A rehearsal says what a sync would do, and does nothing: not at the provider, not in our tables."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from resources.store import rehearsals
from resources.store.rehearsals import RehearsalRequest
from sync.records import Entity
from sync.rehearsal import Foreseen, Rehearsal
from tests.support.office import Office

READS = {"GET", "HEAD"}
OWN_TABLES = ("rehearsals", "rehearsal_records")


def rehearse(office: Office, *entities: Entity) -> Rehearsal:
    """Rehearse as somebody who presses the button does."""
    request = RehearsalRequest(UUID(office.connection_id), "test", entities)
    rehearsal_id = rehearsals.create(
        office.database, UUID(office.builder_id), request=request, now=office.books.clock.now()
    )
    return office.tieout.rehearse(office.builder_id, rehearsal_id)


def fingerprint(office: Office) -> dict[str, str]:
    """A checksum of every table of ours, as the builder sees it."""
    tables = [
        row[0]
        for row in office.rows(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'builder_id'"
            " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1"
        )
        if row[0] not in OWN_TABLES
    ]
    assert len(tables) > 25
    return {
        table: str(office.value(f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t"))
        for table in tables
    }


def told(rehearsal: Rehearsal) -> set[tuple[str, str, str | None, str | None]]:
    """What was foreseen, without what waits already."""
    return {
        (each.entity.value, each.outcome, each.book, None if each.amount is None else f"{each.amount:.2f}")
        for each in rehearsal.records
    }


def one(rehearsal: Rehearsal, entity: Entity, outcome: str) -> Foreseen:
    (found,) = [each for each in rehearsal.records if (each.entity, each.outcome) == (entity, outcome)]
    return found


@pytest.fixture
def changed(office: Office) -> Office:
    """A builder with something of everything to do at the next sync."""
    vendor, client = office.vendor(), office.client()
    office.bill(vendor, number="B-1", amounts=("60.00", "40.00"))
    office.bill(vendor, number="B-2", amounts=("20.00",))
    office.bill(vendor, number="B-3", amounts=("30.00",))
    office.invoice(client, number="I-1")
    office.settled()
    kept = {bill.number: bill.id for bill in office.books.valid("bill")}
    ours = dict(office.rows("select number, id::text from v2_bills"))
    # changed here · voided here · changed there · new with a new vendor · held
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", ours["B-1"])
    office.change("v2_bills", ours["B-1"], total=115)
    office.change("v2_bills", ours["B-2"], status="void")
    office.later(minutes=5)
    office.books.reprice("bill", kept["B-3"], "33.00")
    office.bill(office.vendor("New Roofing"), number="B-4", amounts=("44.00",))
    code = office.add("v2_cost_codes", code="99-900", name="Not mapped")
    held = office.bill(vendor, number="B-5", amounts=("55.00",))
    office.run("update v2_bill_lines set cost_code_id = %s where bill_id = %s", code, held)
    return office


def test_a_rehearsal_foresees_what_the_sync_then_does(changed: Office) -> None:
    rehearsal = rehearse(changed)
    assert told(rehearsal) == {
        ("vendor", "created", "ledger", None),
        ("bill", "changed", "ledger", "115.00"),
        ("bill", "voided", "ledger", "20.00"),
        ("bill", "changed", "platform", "30.00"),
        ("bill", "created", "ledger", "44.00"),
        ("bill", "held", None, "55.00"),
    }
    edited = one(rehearsal, Entity.BILL, "voided")
    assert edited.label.startswith("Bill B-2")
    (ours,) = [each for each in rehearsal.records if each.book == "ledger" and each.outcome == "changed"]
    assert {"field": "total", "before": "100.00", "after": "115.00"} in ours.fields
    (theirs,) = [each for each in rehearsal.records if each.book == "platform"]
    assert {"field": "total", "before": "30.00", "after": "33.00"} in theirs.fields
    new = one(rehearsal, Entity.BILL, "created")
    assert {"field": "party", "before": None, "after": "New Roofing"} in new.fields
    assert new.remote_id is None
    assert "99-900" in one(rehearsal, Entity.BILL, "held").reason
    sums = {(each.outcome, each.book): each.amount for each in rehearsal.totals if each.entity is Entity.BILL}
    assert sums["created", "ledger"] == Decimal("44.0000")

    done = changed.sync()
    assert done.count(Entity.VENDOR, "pushed") == 1
    assert done.count(Entity.BILL, "pushed") == 3
    assert done.count(Entity.BILL, "pulled") == 1
    assert done.count(Entity.BILL, "held") == 1


def test_a_rehearsal_writes_nothing_to_either_book(changed: Office) -> None:
    before, calls = fingerprint(changed), len(changed.books.calls())
    documents = changed.books.documents("bill")
    rehearse(changed)
    after = fingerprint(changed)
    assert {table for table in before if before[table] != after[table]} == set()
    made = changed.books.calls()[: len(changed.books.calls()) - calls]
    assert made, "the ledger was not read at all"
    assert {call.method for call in made} <= READS
    assert changed.books.documents("bill") == documents


def test_the_first_sync_can_be_rehearsed_before_anything_was_linked(office: Office) -> None:
    party = office.books.vendor("Ridge Concrete")
    office.books.enter("bill", party, number="B-1", amount="100.00")
    office.bill(office.vendor("Ridge Concrete"))
    office.invoice(office.client())
    before = fingerprint(office)
    rehearsal = rehearse(office)
    assert {each for each in told(rehearsal) if each[0] != "account"} == {
        ("vendor", "linked", None, None),
        ("bill", "linked", None, "100.00"),
        ("customer", "created", "ledger", None),
        ("invoice", "created", "ledger", "500.00"),
    }
    assert fingerprint(office) == before


def test_only_the_chosen_entities_are_rehearsed(changed: Office) -> None:
    rehearsal = rehearse(changed, Entity.VENDOR)
    assert {each.entity for each in rehearsal.records} == {Entity.VENDOR}


def test_what_is_rehearsed_twice_is_foreseen_twice(changed: Office) -> None:
    assert told(rehearse(changed)) == told(rehearse(changed))

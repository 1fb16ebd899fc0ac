"""What must not be left behind: a queue row without its link, a proof that no longer stands, records a setting passed over."""

from __future__ import annotations

from datetime import date

import pytest

from resources.store.database import Database
from sync.records import Entity
from tests.fakes.world import World
from tests.flows.ledger_hands import a_bill_in_the_ledger, a_vendor_in_the_ledger, direct


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def test_the_queue_keeps_no_row_of_a_half_that_found_its_other_half(world: World) -> None:
    vendor = a_vendor_in_the_ledger(world)
    direct(world, {Entity.BILL: "both"})
    direct(world, {Entity.VENDOR: "push"})
    a_bill_in_the_ledger(world, party=vendor)
    world.sync()
    assert [label for label, _ in world.queue("held")] == ["bill B-1"], "its vendor is not on the platform"
    world.bill(world.vendor())
    world.sync()
    assert world.queue("held") == []
    assert (
        world.value(
            "select count(*) from v2_sync_records r where not exists (select from links where id = r.link_id) and resolved_at is null"
        )
        == 0
    )


def test_a_proof_no_longer_stands_once_a_record_was_edited_here_and_held(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("100.00",))
    world.sync()
    world.sync()
    proof = world.sync().tie_out
    assert (proof.is_tied, proof.is_fresh) == (True, False), "nothing changed, so the last proof stands"
    world.run("update v2_account_mappings set is_active = false")
    other = world.add("v2_cost_codes", code="05-500", name="Steel")
    world.change("v2_bills", bill, total="140.00")
    world.run("update v2_bill_lines set amount = 140.00, cost_code_id = %s where bill_id = %s", other, bill)
    proof = world.sync().tie_out
    assert world.queue("held")
    assert proof.is_fresh
    differences = {line.name: str(line.difference) for line in proof.lines if line.difference}
    assert differences == {"Bills": "40.0000", "Open on bills": "40.0000"}


def test_the_books_are_asked_for_up_to_the_latest_document_even_next_year(world: World) -> None:
    world.invoice(world.client(), invoice_date="2027-02-03")
    assert world.sync().tie_out.is_tied
    assert world.ledger.balanced_until == date(2027, 2, 3)


def test_records_that_a_direction_left_behind_follow_when_it_is_turned(world: World) -> None:
    a_vendor_in_the_ledger(world, "Slate & Sons")
    world.client("Ann Ortega")
    direct(world, {Entity.CUSTOMER: "pull"})
    world.sync()
    assert (world.value("select count(*) from v2_vendors"), world.ledger.all(Entity.CUSTOMER)) == (0, [])
    direct(world, {Entity.VENDOR: "both"})
    direct(world, {Entity.CUSTOMER: "push"})
    world.sync()
    assert world.value("select name from v2_vendors") == "Slate & Sons"
    assert world.ledger.only(Entity.CUSTOMER).canonical["name"] == "Ann Ortega"


def test_settings_saved_without_a_turn_reopen_nothing(world: World) -> None:
    a_vendor_in_the_ledger(world, "Slate & Sons")
    world.sync()
    direct(world, {Entity.VENDOR: "push"})
    assert world.value("select base_theirs_checksum is not null from links where entity = 'vendor'")

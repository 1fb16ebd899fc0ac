"""The engine over a fake ledger and a real database: what a builder and a bookkeeper would see."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.records import SYNC_ORDER, Entity
from tests.fakes.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def test_the_chart_of_accounts_is_brought_in(world: World) -> None:
    synced = world.sync()
    assert synced.count(Entity.ACCOUNT, "pulled") == 5
    assert world.value("select count(*) from v2_accounts") == 5


def test_an_approved_bill_is_sent_with_its_vendor_and_mapped_account(world: World) -> None:
    world.bill(world.vendor(), amounts=("60.00", "40.00"))
    synced = world.sync()
    kept = world.ledger.only(Entity.BILL)
    assert [line["account"] for line in kept.canonical["lines"]] == [world.costs, world.costs]
    assert kept.canonical["party"] == world.ledger.only(Entity.VENDOR).remote_id
    assert (kept.canonical["number"], kept.canonical["total"]) == ("B-1", "100.00")
    assert synced.count(Entity.BILL, "pushed") == 1
    assert synced.tie_out.is_tied, synced.tie_out.lines


def test_a_second_sync_writes_nothing_and_asks_once(world: World) -> None:
    world.bill(world.vendor())
    world.invoice(world.client())
    world.sync()
    written = len(world.ledger.writes)
    world.sync()  # reads back what the first one wrote
    synced = world.sync()
    assert len(world.ledger.writes) == written
    assert synced.calls == 1
    assert all(summary.processed == 0 for summary in synced.entities.values())


def test_a_draft_is_not_sent_until_it_is_approved(world: World) -> None:
    bill = world.bill(world.vendor(), status="draft")
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_an_unmapped_code_holds_the_bill_with_its_cause_and_a_mapping_releases_it(database: Database) -> None:
    world = World(database)
    world.bill(world.vendor())
    synced = world.sync()
    assert synced.count(Entity.BILL, "held") == 1
    ((label, sentence),) = world.queue("held")
    assert label == "Bill B-1 (Ridge Concrete)"
    assert "03-100 Concrete" in sentence
    assert "Map it" in sentence
    world.map_code()
    assert world.sync().count(Entity.BILL, "pushed") == 1
    assert world.queue("held") == []


def test_a_record_that_exists_on_both_sides_is_linked_and_not_created_again(world: World) -> None:
    vendor = world.ledger.enter(
        Entity.VENDOR, {"name": "ridge  concrete", "email": None, "phone": None, "address": None}
    )
    world.ledger.enter(
        Entity.BILL,
        {
            "number": "b-1",
            "date": "2026-05-20",
            "due_date": None,
            "party": vendor,
            "currency": "USD",
            "memo": "",
            "total": "100.00",
            "lines": [{"id": "1", "description": "Concrete", "amount": "100.00", "account": world.costs}],
        },
    )
    world.bill(world.vendor())
    synced = world.sync()
    assert synced.count(Entity.VENDOR, "linked") == 1
    assert synced.count(Entity.BILL, "linked") == 1
    assert world.ledger.writes == []


def test_a_change_in_the_ledger_keeps_the_cost_code_of_its_line(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    line = {**remote.canonical["lines"][0], "amount": "90.00"}
    world.ledger.edit(Entity.BILL, remote.remote_id, total="90.00", lines=[line])
    world.sync()
    rows = world.rows("select amount::text, cost_code_id::text from v2_bill_lines where bill_id = %s", bill)
    assert rows == [("90.0000", world.code)]


def test_a_new_mapping_does_not_rewrite_a_line_that_was_sent(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    sent = world.costs
    world.costs = world.ledger.enter(
        Entity.ACCOUNT,
        {"name": "Site Costs", "number": None, "type": "cost_of_goods_sold", "description": None},
    )
    world.map_code()
    world.change("v2_bills", bill, memo="Second floor")
    world.sync()
    kept = world.ledger.only(Entity.BILL)
    assert kept.canonical["memo"] == "Second floor"
    assert kept.canonical["lines"][0]["account"] == sent


def test_a_bill_deleted_in_the_ledger_is_voided_here_and_never_made_again(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.sync()
    world.sync()
    assert world.value("select status from v2_bills where id = %s", bill) == "void"
    assert world.ledger.all(Entity.BILL) == []


def test_a_bill_voided_here_is_voided_in_the_ledger(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.change("v2_bills", bill, status="void")
    world.sync()
    assert world.ledger.all(Entity.BILL) == []


def test_a_bill_set_back_to_draft_waits_with_a_sentence(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.change("v2_bills", bill, status="draft")
    world.sync()
    ((_, sentence),) = world.queue("held")
    assert "set back to draft" in sentence
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_a_draft_whose_document_ended_in_the_ledger_is_not_said_to_be_there(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.change("v2_bills", bill, status="draft")
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.sync()
    ((_, sentence),) = world.queue("held")
    assert "is no longer valid in Fake Books" in sentence
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert world.value("select status from v2_bills where id = %s", bill) == "void"
    assert world.ledger.all(Entity.BILL) == []


def test_an_unbalanced_journal_entry_is_queued_with_both_sums(world: World) -> None:
    world.sync()
    entry = world.add("v2_journal_entries", number="J-1", entry_date="2026-05-31", status="posted")
    accounts = dict(world.rows("select name, id::text from v2_accounts"))
    for position, (debit, credit, name) in enumerate(
        [("10.00", "0", "Job Costs"), ("0", "9.00", "Checking")], start=1
    ):
        world.add(
            "v2_journal_entry_lines",
            journal_entry_id=entry,
            position=position,
            account_id=accounts[name],
            debit=debit,
            credit=credit,
        )
    synced = world.sync()
    assert synced.count(Entity.JOURNAL_ENTRY, "failed") == 1
    ((_, sentence),) = world.queue("error")
    assert "debits are 10.00" in sentence
    assert "credits 9.00" in sentence


def test_a_name_the_ledger_refuses_is_queued_and_holds_what_names_it(world: World) -> None:
    world.bill(world.vendor("North: Framing"))
    synced = world.sync()
    assert synced.count(Entity.VENDOR, "failed") == 1
    assert synced.count(Entity.BILL, "held") == 1
    ((_, sentence),) = world.queue("held")
    assert "the vendor North: Framing" in sentence


def test_a_duplicate_number_of_another_vendor_stays_two_documents(world: World) -> None:
    world.bill(world.vendor("Ridge Concrete"), number="1001")
    world.bill(world.vendor("Summit Steel"), number="1001")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 2


def test_an_edit_made_by_any_sql_client_is_noticed(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("10.00", "20.00"))
    world.sync()
    world.run("update v2_bill_lines set description = 'Rebar' where bill_id = %s and position = 2", bill)
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["lines"][1]["description"] == "Rebar"


def test_counts_and_amounts_stand_in_the_sync_log(world: World) -> None:
    world.bill(world.vendor(), amounts=("60.00", "40.00"))
    world.sync()
    ((status, processed, summary),) = world.rows(
        "select status, records_processed, summary from v2_sync_log where entity_type = 'bill' and direction = 'push'"
    )
    assert (status, processed) == ("completed", 1)
    assert summary["pushed"] == {"count": 1, "amount": "100.0000"}


def test_a_vendor_renamed_to_a_name_in_use_here_stops_nobody_else(world: World) -> None:
    world.vendor("Ridge Concrete")
    world.vendor("Summit Steel")
    world.sync()
    ridge, steel = sorted(world.ledger.all(Entity.VENDOR), key=lambda kept: kept.canonical["name"])
    world.add("v2_vendors", name="Delta Glass", is_active=False)
    world.ledger.edit(Entity.VENDOR, ridge.remote_id, name="Delta Glass")
    world.ledger.edit(Entity.VENDOR, steel.remote_id, name="Summit Steel & Rail")
    synced = world.sync()
    assert (synced.count(Entity.VENDOR, "pulled"), synced.count(Entity.VENDOR, "failed")) == (1, 1)
    ((label, sentence),) = world.queue("error")
    assert label == "Ridge Concrete"
    assert "another vendor already has this name" in sentence
    assert world.value("select count(*) from v2_vendors where name = 'Summit Steel & Rail'") == 1


def _typed_in_another_order(world: World) -> str:
    """The bookkeeper has the bill with its lines the other way round, on accounts of their own choosing."""
    other = world.ledger.enter(
        Entity.ACCOUNT, {"name": "Masonry", "number": None, "type": "cost_of_goods_sold", "description": None}
    )
    vendor = world.ledger.enter(
        Entity.VENDOR, {"name": "Ridge Concrete", "email": None, "phone": None, "address": None}
    )
    lines = [
        {"id": "1", "description": "masonry", "amount": "40.00", "account": other},
        {"id": "2", "description": "concrete", "amount": "60.00", "account": world.costs},
    ]
    world.ledger.enter(
        Entity.BILL,
        {
            "number": "B-1",
            "date": "2026-05-20",
            "due_date": None,
            "party": vendor,
            "currency": "USD",
            "memo": "",
            "total": "100.00",
            "lines": lines,
        },
    )
    return other


def test_lines_typed_in_another_order_keep_their_accounts_after_a_match(world: World) -> None:
    other = _typed_in_another_order(world)
    bill = world.bill(world.vendor(), amounts=("60.00", "40.00"))
    world.sync()
    world.change("v2_bills", bill, memo="Second floor")
    world.sync()
    kept = world.ledger.only(Entity.BILL).canonical
    assert kept["memo"] == "Second floor"
    assert {line["amount"]: line["account"] for line in kept["lines"]} == {
        "40.00": other,
        "60.00": world.costs,
    }
    assert {line["amount"]: line["id"] for line in kept["lines"]} == {"40.00": "1", "60.00": "2"}


def test_a_pull_only_sync_writes_nothing_to_the_ledger(world: World) -> None:
    world.bill(world.vendor())
    engine = world.engine(direction="pull")
    engine.sync_all()
    assert world.ledger.writes == []
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_undoing_what_held_a_record_clears_the_queue(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.change("v2_bills", bill, status="draft")
    world.sync()
    assert len(world.queue("held")) == 1
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert world.queue("held") == []


def test_a_sweep_finds_a_change_that_nobody_noted(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.run("update v2_bills set memo = 'Second floor' where id = %s", bill)
    world.run("delete from record_changes")
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == ""
    world.later(days=2)
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "Second floor"


def test_where_nothing_is_to_be_done_one_look_says_so_and_each_entity_has_its_row(world: World) -> None:
    world.sync()
    world.sync()
    before = world.value("select count(*) from v2_sync_log")
    summaries = list(world.engine().sync_entities())
    assert [each.processed for each in summaries] == [0] * len(SYNC_ORDER)
    assert world.value("select count(*) from v2_sync_log where status = 'completed'") - before == len(
        SYNC_ORDER
    )


def test_one_change_is_found_though_all_was_quiet_before(world: World) -> None:
    world.sync()
    world.sync()
    world.vendor()
    done = {each.entity: each for each in world.engine().sync_entities()}
    assert done[Entity.VENDOR].processed == 1
    assert len(world.ledger.all(Entity.VENDOR)) == 1


def test_an_entity_that_is_switched_off_is_said_to_be_off_where_all_else_is_quiet(world: World) -> None:
    world.sync()
    world.run(
        "insert into entity_settings (builder_id, connection_id, entity, is_enabled, direction)"
        " values (%s, %s, 'deposit', false, 'pull')",
        world.builder_id,
        world.connection_id,
    )
    world.sync()
    done = {each.entity: each for each in world.engine().sync_entities()}
    assert (done[Entity.DEPOSIT].is_enabled, done[Entity.BILL].is_enabled) == (False, True)

"""The engine over a fake ledger and a real database: what a builder and a bookkeeper would see."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import SYNC_ORDER, Entity
from sync.store import Apply
from tests.fakes.ledger import outage
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


def test_a_lost_answer_after_the_write_is_found_in_the_ledger_and_not_sent_twice(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    synced = world.sync()
    assert synced.count(Entity.BILL, "failed") == 1
    assert "did not confirm" in world.queue("error")[0][1]
    synced = world.sync()
    assert synced.count(Entity.BILL, "pushed") == 1
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert world.queue("error") == []


def test_an_edit_made_before_a_lost_answer_was_looked_up_comes_back(world: World) -> None:
    """Simulation seed 42: the bookkeeper's note on a just-adopted bill was taken for agreed and stayed unseen here."""
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.ledger.edit(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, memo="checked by Rosa")
    world.sync()
    assert world.value("select memo from v2_bills where id = %s", bill) == "checked by Rosa"


def test_what_a_lost_answer_overwrote_is_in_the_audit_log(world: World) -> None:
    """Simulation seed 177: the process died after overwriting a note, and nobody had written down what it said."""
    world.strategy = Strategy.PLATFORM_WINS
    bill = world.bill(world.vendor())
    world.sync()
    world.ledger.edit(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, memo="checked by Rosa")
    world.change("v2_bills", bill, memo="Second floor")
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "Second floor"
    before = world.rows("select before -> 'canonical' ->> 'memo' from audit_log where before is not null")
    assert ("checked by Rosa",) in before


def test_a_write_that_never_arrived_is_sent_again_only_after_the_providers_own_timeout(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.lose_before.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.engine().sync_entity(Entity.BILL)
    assert world.ledger.all(Entity.BILL) == [], "not found alone does not license a second send"
    world.later(minutes=5)
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    first, second = [write for write in world.ledger.writes if write.entity is Entity.BILL]
    assert first.request_id == second.request_id


def test_a_process_that_died_while_sending_leaves_nothing_that_is_sent_twice(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.lose_after.add("Bill B-1 (Ridge Concrete)")
    world.sync()
    world.run("update attempts set state = 'sending' where entity = 'bill'")
    world.run("update links set state = 'open'")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert world.rows("select distinct state from attempts") == [("done",)]


def test_an_unreachable_ledger_stops_the_step_and_loses_nothing(world: World) -> None:
    world.bill(world.vendor())
    world.ledger.down = outage()
    with pytest.raises(type(outage())):
        world.sync()
    assert world.queue("error") == [], "an outage is one event, not one error per record"
    world.ledger.down = None
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


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


def test_the_bookkeeper_editing_during_our_write_is_not_overwritten_blindly(world: World) -> None:
    world.strategy = Strategy.MANUAL
    bill = world.bill(world.vendor())
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    world.change("v2_bills", bill, number="B-9")
    engine = world.engine()
    # The edit comes after the look and before the write: the mirror knows the old version.
    world.ledger.edit(Entity.BILL, remote.remote_id, number="B-7")
    summary = engine.sync_entity(Entity.BILL)
    assert summary.tallies["conflict"].count == 1
    assert world.ledger.only(Entity.BILL).canonical["number"] == "B-7"


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


def test_a_pull_only_sync_writes_nothing_to_the_ledger(world: World) -> None:
    world.bill(world.vendor())
    engine = world.engine(direction="pull")
    engine.sync_all()
    assert world.ledger.writes == []
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1


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


def test_undoing_what_held_a_record_clears_the_queue(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.change("v2_bills", bill, status="draft")
    world.sync()
    assert len(world.queue("held")) == 1
    world.change("v2_bills", bill, status="approved")
    world.sync()
    assert world.queue("held") == []


def test_a_bill_deleted_there_and_approved_again_here_is_a_question(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.sync()
    world.change("v2_bills", bill, status="approved")
    assert world.sync().count(Entity.BILL, "conflict") == 1
    assert world.ledger.all(Entity.BILL) == []


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


def test_an_edit_made_while_the_sync_was_busy_is_not_overwritten_by_the_ledgers_value(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    world.ledger.edit(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, memo="checked by Rosa")
    engine = world.engine()
    engine.pull_changes()
    with engine._store.work() as work:
        world.change("v2_bills", bill, memo="Second floor")
        refused = work.apply(Entity.BILL, [Apply(bill, "active", {})])
    assert refused == {bill: None}
    assert world.value("select memo from v2_bills where id = %s", bill) == "Second floor"


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

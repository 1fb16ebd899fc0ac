"""The main job on QuickBooks: the product's own wiring against the real sandbox, over HTTP and OAuth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from resources.settings import Settings
from resources.store.database import Database
from sync.records import Entity
from tests.flows.quickbooks_world import QuickBooksWorld, quickbooks_world


@pytest.fixture
def world(settings: Settings, database: Database) -> Iterator[QuickBooksWorld]:
    with quickbooks_world(settings, database) as made:
        accounts = {row["Name"]: row for row in made.query("select * from Account maxresults 1000")}
        income = next(row["Id"] for row in accounts.values() if row["AccountType"] == "Income")
        cost = next(row["Id"] for row in accounts.values() if row["AccountType"] == "Cost of Goods Sold")
        made.map_to({"revenue": income, "cost_code": cost})
        yield made


def test_a_bill_and_an_invoice_arrive_and_the_trial_balance_ties_out(world: QuickBooksWorld) -> None:
    world.bill(world.vendor(), amounts=("60.00", "40.25"))
    world.invoice(world.client(), amounts=("500.00", "250.50"))
    _, summaries, proof, _ = world.sync()
    assert summaries[Entity.BILL].failed == []
    assert summaries[Entity.INVOICE].failed == []
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    (invoice,) = world.query("select * from Invoice where DocNumber = 'I-1'")
    assert (bill["TotalAmt"], invoice["TotalAmt"]) == (100.25, 750.5)
    assert proof.is_tied, [line for line in proof.lines if line.difference]


def test_the_second_sync_writes_nothing_and_costs_one_call(world: QuickBooksWorld) -> None:
    world.bill(world.vendor())
    world.invoice(world.client())
    world.sync()
    world.sync()
    _, summaries, _, calls = world.sync()
    assert calls == 1
    assert all(summary.processed == 0 for summary in summaries.values())


def test_payments_bill_payments_and_deposits_come_back(world: QuickBooksWorld) -> None:
    bill_id, invoice_id = world.bill(world.vendor()), world.invoice(world.client())
    world.sync()
    (invoice,) = world.query("select * from Invoice where DocNumber = 'I-1'")
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    bank = world.query("select * from Account where AccountType = 'Bank'")[0]["Id"]
    payment = world.post(
        "payment",
        {
            "CustomerRef": invoice["CustomerRef"],
            "TotalAmt": 200,
            "PaymentRefNum": "CHK 118",
            "Line": [{"Amount": 200, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}],
        },
    )
    world.post(
        "billpayment",
        {
            "VendorRef": bill["VendorRef"],
            "TotalAmt": 100,
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": bank}},
            "Line": [{"Amount": 100, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}],
        },
    )
    world.post(
        "deposit",
        {
            "DepositToAccountRef": {"value": bank},
            "Line": [
                {
                    "Amount": 200,
                    "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
                }
            ],
        },
    )
    _, summaries, proof, _ = world.sync()
    assert summaries[Entity.PAYMENT].tallies["pulled"].count == 1
    assert summaries[Entity.DEPOSIT].tallies["pulled"].count == 1
    assert world.value("select payment_status from v2_invoices where id = %s", invoice_id) == "partially_paid"
    assert world.value("select payment_status from v2_bills where id = %s", bill_id) == "paid"
    ((amount, reference, deposited),) = world.rows(
        "select amount, reference, deposited_on is not null from v2_payments"
    )
    assert (amount, reference, deposited) == (Decimal("200.0000"), "CHK 118", True)
    assert proof.is_tied, [line for line in proof.lines if line.difference]


def test_a_bookkeepers_change_of_a_bill_comes_back_to_its_line(world: QuickBooksWorld) -> None:
    bill_id = world.bill(world.vendor(), amounts=("60.00", "40.00"))
    world.sync()
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    bill["Line"][1]["Amount"] = 45
    world.post("bill", {**bill, "sparse": True})
    _, _, proof, _ = world.sync()
    amounts = [
        f"{row[0]:.2f}"
        for row in world.rows(
            "select amount from v2_bill_lines where bill_id = %s order by position", bill_id
        )
    ]
    assert amounts == ["60.00", "45.00"]
    assert world.value("select total from v2_bills where id = %s", bill_id) == Decimal("105.0000")
    assert proof.is_tied, [line for line in proof.lines if line.difference]


def test_our_edit_of_a_bill_reaches_the_ledger_after_a_payment_moved_its_version(
    world: QuickBooksWorld,
) -> None:
    bill_id = world.bill(world.vendor())
    world.sync()
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    bank = world.query("select * from Account where AccountType = 'Bank'")[0]["Id"]
    world.post(
        "billpayment",
        {
            "VendorRef": bill["VendorRef"],
            "TotalAmt": 40,
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": bank}},
            "Line": [{"Amount": 40, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}],
        },
    )
    world.change("v2_bills", bill_id, memo="Second floor")
    world.sync()
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    assert bill["PrivateNote"].startswith("Second floor")
    assert bill["Balance"] == 60


def test_a_later_edit_by_a_client_that_moves_no_timestamp_still_wins(world: QuickBooksWorld) -> None:
    bill_id = world.bill(world.vendor(), amounts=("40.00",))
    world.sync()
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    bill["Line"][0]["Amount"] = 45
    world.post("bill", {**bill, "sparse": True})
    time.sleep(4)
    world.run("update v2_bill_lines set amount = 50 where bill_id = %s", bill_id)
    world.run("update v2_bills set total = 50 where id = %s", bill_id)
    world.sync()
    assert world.query("select * from Bill")[0]["TotalAmt"] == 50


def test_an_existing_vendor_and_bill_are_linked_and_not_doubled(world: QuickBooksWorld) -> None:
    vendor = world.post("vendor", {"DisplayName": "Ridge Concrete"})
    cost = world.query("select * from Account where AccountType = 'Cost of Goods Sold'")[0]["Id"]
    line = {
        "Amount": 100,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": cost}},
    }
    world.post(
        "bill",
        {"VendorRef": {"value": vendor["Id"]}, "DocNumber": "B-1", "TxnDate": "2026-05-20", "Line": [line]},
    )
    world.bill(world.vendor("Ridge Concrete"))
    _, summaries, _, _ = world.sync()
    assert summaries[Entity.VENDOR].tallies["linked"].count == 1
    assert summaries[Entity.BILL].tallies["linked"].count == 1
    assert len(world.query("select * from Bill where DocNumber = 'B-1'")) == 1


def test_a_voided_invoice_a_deleted_bill_and_an_inactive_vendor_follow_from_either_side(
    world: QuickBooksWorld,
) -> None:
    client, vendor = world.client(), world.vendor()
    ours, theirs = world.invoice(client, number="I-1"), world.invoice(client, number="I-2")
    bill = world.bill(vendor)
    world.sync()
    world.change("v2_invoices", ours, status="void")
    (invoice,) = world.query("select * from Invoice where DocNumber = 'I-2'")
    world.post("invoice", {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"]}, operation="void")
    (entered,) = world.query("select * from Bill where DocNumber = 'B-1'")
    world.post("bill", {"Id": entered["Id"], "SyncToken": entered["SyncToken"]}, operation="delete")
    world.sync()
    world.sync()
    assert [row["TotalAmt"] for row in world.query("select * from Invoice")] == [0, 0]
    assert world.value("select status from v2_invoices where id = %s", theirs) == "void"
    assert world.value("select status from v2_bills where id = %s", bill) == "void"
    assert world.query("select * from Bill") == []


def test_a_journal_entry_with_a_customer_on_its_receivable_line_is_sent(world: QuickBooksWorld) -> None:
    client = world.client()
    world.sync()
    accounts = dict(world.rows("select account_type, min(id::text) from v2_accounts group by account_type"))
    entry = world.add(
        "v2_journal_entries", number="J-1", entry_date="2026-05-31", status="posted", kind="retainage"
    )
    lines = [("accounts_receivable", "10.00", "0.00", client), ("income", "0.00", "10.00", None)]
    for position, (kind, debit, credit, party) in enumerate(lines, start=1):
        world.add(
            "v2_journal_entry_lines",
            journal_entry_id=entry,
            position=position,
            account_id=accounts[kind],
            client_id=party,
            debit=debit,
            credit=credit,
        )
    _, summaries, proof, _ = world.sync()
    assert summaries[Entity.JOURNAL_ENTRY].failed == []
    assert len(world.query("select * from JournalEntry where DocNumber = 'J-1'")) == 1
    assert proof.is_tied, [line for line in proof.lines if line.difference]


def test_a_new_account_of_the_platform_is_pushed(world: QuickBooksWorld) -> None:
    world.add("v2_accounts", name="Retainage Held", account_type="other_current_asset")
    world.sync()
    (account,) = world.query("select * from Account where Name = 'Retainage Held'")
    assert account["AccountType"] == "Other Current Asset"


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("last_write_wins", "45.00"),
        ("platform_wins", "50.00"),
        ("provider_wins", "45.00"),
        ("manual", None),
    ],
)
def test_a_bill_changed_in_both_books_ends_as_its_own_strategy_says(
    world: QuickBooksWorld, strategy: str, expected: str | None
) -> None:
    world.run("update entity_settings set conflict_strategy = %s where entity = 'bill'", strategy)
    bill_id = world.bill(world.vendor(), amounts=("40.00",))
    world.sync()
    world.change("v2_bills", bill_id, total="50.00")
    world.run("update v2_bill_lines set amount = 50 where bill_id = %s", bill_id)
    # QuickBooks tells times by the second, and two sides closer than two seconds wait for a person.
    world.run("update v2_bills set updated_at = updated_at - interval '1 minute' where id = %s", bill_id)
    world.run("update record_changes set changed_at = changed_at - interval '1 minute'")
    (bill,) = world.query("select * from Bill where DocNumber = 'B-1'")
    bill["Line"][0]["Amount"] = 45
    world.post("bill", {**bill, "sparse": True})
    _, summaries, _, _ = world.sync()
    here = f"{world.value('select total from v2_bills where id = %s', bill_id):.2f}"
    there = f"{world.query('select * from Bill')[0]['TotalAmt']:.2f}"
    if expected is None:
        assert (here, there) == ("50.00", "45.00")
        assert summaries[Entity.BILL].tallies["conflict"].count == 1
    else:
        assert (here, there) == (expected, expected)

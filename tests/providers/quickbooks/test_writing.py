"""Writing to a company over real HTTP: exactly once, and without losing what the platform does not know."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from resources.http import api_client
from resources.quickbooks.provider import QuickBooks
from sync.errors import (
    PeriodLocked,
    ProviderUnavailable,
    Remedy,
)
from sync.ports import Done, Moved, NotSent, Rejected, Unknown
from sync.records import Entity
from tests.providers.quickbooks.looking import a_party, done, no_balance_is_off, without_ids
from tests.providers.quickbooks.writes import (
    a_bill,
    a_line,
    a_name,
    an_account,
    an_entry,
    an_entry_line,
    an_invoice,
    change,
    create,
)
from tests.support.quickbooks_sandbox import Sandbox, TokenAccess

# ---------------------------------------------------------------- writing


def test_what_is_written_reads_back_as_it_was_meant(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    address = {"line": "1 Foundry St", "city": "Alder Falls", "region": "CA", "postal_code": "94025"}
    person = a_name("O'Brien & Søns", email="o@example.com", phone="555-0100", address=address)
    customer, vendor = done(
        provider, create(Entity.CUSTOMER, person), create(Entity.VENDOR, a_name("Tile, Inc."))
    )
    assert customer.canonical == person
    invoice = an_invoice(
        customer.remote_id,
        a_line("1000.00", quantity="4.00", unit_price="250.00"),
        a_line("-100.00", account="9"),
    )
    bill = a_bill(vendor.remote_id, a_line("80.10", account="36"), a_line("-8.01", account="19"))
    records = done(
        provider,
        create(Entity.INVOICE, invoice),
        create(Entity.BILL, bill),
        create(Entity.JOURNAL_ENTRY, an_entry()),
    )
    for record, meant in zip(records, (invoice, bill), strict=False):
        assert without_ids(record.canonical) == without_ids(meant)
    assert [record.balance for record in records[:2]] == [Decimal(900), Decimal("72.09")]
    assert no_balance_is_off(sandbox, realm)


def test_a_write_sent_again_alone_or_in_other_company_is_not_done_again(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    writes = [create(Entity.BILL, a_bill(vendor)) for _ in range(3)]
    first = done(provider, *writes)
    other = create(Entity.BILL, a_bill(vendor))
    [again_alone] = done(sandbox.provider(realm), writes[1])
    again = done(sandbox.provider(realm), other, writes[2], writes[0])
    assert [again[2].remote_id, again_alone.remote_id, again[1].remote_id] == [one.remote_id for one in first]
    assert len(sandbox.rows(realm, "Bill")) == 4


def test_more_writes_than_one_batch_holds_come_back_in_order(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    writes = [create(Entity.BILL, a_bill(vendor)) for _ in range(31)]
    records = done(provider, *writes)
    assert [one.canonical["number"] for one in records] == [one.canonical["number"] for one in writes]


@pytest.mark.parametrize("kind", ["drop_after", "cut_body", "status_after", "drop_before"])
def test_an_unconfirmed_write_is_unknown_and_a_replay_finds_out(
    sandbox: Sandbox, realm: str, provider: QuickBooks, kind: str
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    writes = [create(Entity.BILL, a_bill(vendor)) for _ in range(2)]
    provider.check(Entity.BILL, writes[0].canonical)
    sandbox.fault(kind, path="*/batch", tenant=realm)
    outcomes = provider.write(writes)
    assert all(isinstance(outcome, Unknown) for outcome in outcomes), outcomes
    for write in writes:
        done(provider, write)
    assert len(sandbox.rows(realm, "Bill")) == 2


def test_after_an_unknown_outcome_no_further_batch_is_sent(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    sandbox.fault("drop_after", path="*/batch", tenant=realm)
    outcomes = provider.write([create(Entity.BILL, a_bill(vendor)) for _ in range(40)])
    assert [type(outcome) for outcome in outcomes] == [Unknown] * 30 + [NotSent] * 10
    assert len(sandbox.rows(realm, "Bill")) == 30
    last = outcomes[-1]
    assert isinstance(last, NotSent), "kept back here, and no fault of its own"
    assert last.error.remedy is Remedy.RETRY_LATER


def test_a_marked_document_can_be_found_after_an_unknown_outcome(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    customer = a_party(sandbox, realm, "Customer")
    write = create(Entity.INVOICE, an_invoice(customer, number=None))
    sandbox.fault("drop_after", path="*/batch", tenant=realm)
    assert isinstance(provider.write([write])[0], Unknown)
    [found] = [
        one
        for one in provider.find(Entity.INVOICE, canonical=write.canonical, marker=write.marker)
        if one.marker
    ]
    assert found.marker == write.marker


def test_where_no_connection_can_be_made_nothing_was_written(sandbox: Sandbox, realm: str) -> None:
    access = TokenAccess(sandbox, realm)
    with api_client("http://127.0.0.1:9") as nowhere:
        cut_off = QuickBooks(access, http=nowhere, clock=sandbox.emulator.clock)
        with pytest.raises(ProviderUnavailable):
            cut_off.write([create(Entity.VENDOR, a_name("Nobody"))])


def test_one_bad_record_does_not_stop_the_others(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    [taken] = done(provider, create(Entity.BILL, a_bill(vendor, number="SAME")))
    good = create(Entity.BILL, a_bill(vendor))
    outcomes = provider.write(
        [create(Entity.BILL, a_bill(vendor, number="SAME")), good, create(Entity.BILL, a_bill("987654"))]
    )
    refused, fine, unknown_vendor = outcomes
    assert isinstance(fine, Done)
    assert isinstance(refused, Rejected)
    assert refused.error.details["is_taken"]
    assert refused.error.details["existing_remote_id"] == taken.remote_id
    assert isinstance(unknown_vendor, Rejected)
    assert "987654" in unknown_vendor.error.user_message


def test_a_name_that_is_taken_tells_by_whom(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    [first] = done(provider, create(Entity.VENDOR, a_name("Delgado Tile")))
    [outcome] = provider.write([create(Entity.VENDOR, a_name("delgado TILE"))])
    assert isinstance(outcome, Rejected)
    assert outcome.error.details["existing_remote_id"] == first.remote_id


def test_a_version_that_moved_is_told_and_nothing_is_written(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    [bill] = done(provider, create(Entity.BILL, a_bill(vendor)))
    sandbox.act(
        realm, "Bill", {"VendorRef": {"value": vendor}, "PrivateNote": "by hand"}, number=bill.remote_id
    )
    [outcome] = provider.write([change("update", bill, bill.canonical | {"memo": "ours"})])
    assert isinstance(outcome, Moved)
    assert sandbox.object(realm, "Bill", bill.remote_id)["PrivateNote"] == "by hand"


def test_a_record_deleted_meanwhile_has_moved(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    [bill] = done(provider, create(Entity.BILL, a_bill(a_party(sandbox, realm, "Vendor"))))
    sandbox.act(realm, "Bill", {}, operation="delete", number=bill.remote_id)
    assert isinstance(provider.write([change("update", bill, bill.canonical | {"memo": "ours"})])[0], Moved)
    assert isinstance(provider.write([change("void", bill)])[0], Moved)


def test_an_update_keeps_what_the_platform_does_not_know(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    customer = a_party(sandbox, realm, "Customer")
    [invoice] = done(provider, create(Entity.INVOICE, an_invoice(customer, a_line(), a_line("50.00"))))
    body = sandbox.object(realm, "Invoice", invoice.remote_id)
    lines = [line for line in body["Line"] if line.get("Id")]
    lines[0]["SalesItemLineDetail"]["ServiceDate"] = "2026-05-02"
    sandbox.act(
        realm, "Invoice", {"CustomerMemo": {"value": "Thank you"}, "Line": lines}, number=invoice.remote_id
    )
    fresh = provider.read(Entity.INVOICE, invoice.remote_id)
    assert fresh is not None
    edited = fresh.canonical["lines"][0] | {"amount": "120.00"}
    canonical = fresh.canonical | {
        "total": "170.00",
        "lines": [edited, fresh.canonical["lines"][1]],
        "memo": "Draw 4",
    }
    [updated] = done(provider, change("update", fresh, canonical))
    after = sandbox.object(realm, "Invoice", invoice.remote_id)
    assert updated.canonical == canonical
    assert after["CustomerMemo"]["value"] == "Thank you"
    assert after["Line"][0]["SalesItemLineDetail"]["ServiceDate"] == "2026-05-02"
    assert after["Line"][0]["Id"] == lines[0]["Id"]


def test_a_line_less_and_a_line_more_are_just_that(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    [bill] = done(
        provider,
        create(Entity.BILL, a_bill(vendor, a_line("10.00", account="36"), a_line("20.00", account="37"))),
    )
    kept = bill.canonical["lines"][1]
    canonical = bill.canonical | {
        "total": "25.00",
        "lines": [kept, a_line("5.00", account="38", description="Grout")],
    }
    [updated] = done(provider, change("update", bill, canonical))
    assert [(line["amount"], line["account"]) for line in updated.canonical["lines"]] == [
        ("20.00", "37"),
        ("5.00", "38"),
    ]
    assert updated.canonical["lines"][0]["id"] == kept["id"]


def test_an_update_of_a_name_keeps_its_notes_and_can_clear_its_mail(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    [customer] = done(provider, create(Entity.CUSTOMER, a_name("Amy Bird", email="amy@example.com")))
    sandbox.act(realm, "Customer", {"Notes": "pays late"}, number=customer.remote_id)
    fresh = provider.read(Entity.CUSTOMER, customer.remote_id)
    assert fresh is not None
    [updated] = done(provider, change("update", fresh, fresh.canonical | {"name": "Amy Byrd", "email": None}))
    after = sandbox.object(realm, "Customer", customer.remote_id)
    assert (updated.canonical["name"], updated.canonical["email"], after["Notes"]) == (
        "Amy Byrd",
        None,
        "pays late",
    )
    assert after["PrintOnCheckName"] == "Amy Byrd"


def test_a_mirror_that_lags_behind_is_read_again_before_a_whole_update(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    [vendor] = done(provider, create(Entity.VENDOR, a_name("Tile One")))
    without_raw = replace(change("update", vendor, vendor.canonical | {"phone": "555-0199"}), previous={})
    [updated] = done(provider, without_raw)
    assert updated.canonical == vendor.canonical | {"phone": "555-0199"}


def test_an_invoice_is_voided_and_a_bill_deleted(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    invoice, bill = done(
        provider,
        create(Entity.INVOICE, an_invoice(a_party(sandbox, realm, "Customer"))),
        create(Entity.BILL, a_bill(a_party(sandbox, realm, "Vendor"))),
    )
    voided, deleted = done(provider, change("void", invoice), change("void", bill))
    assert (voided.state, voided.total) == ("void", Decimal(0))
    assert deleted.state == "deleted"
    assert provider.read(Entity.BILL, bill.remote_id) is None
    assert no_balance_is_off(sandbox, realm)


def test_a_name_is_made_inactive_and_active_again(provider: QuickBooks) -> None:
    [vendor] = done(provider, create(Entity.VENDOR, a_name("Seasonal Roofing")))
    [inactive] = done(provider, change("void", vendor))
    [active] = done(provider, change("activate", inactive, vendor.canonical))
    assert (inactive.state, inactive.canonical["name"]) == ("inactive", "Seasonal Roofing")
    assert (active.state, active.canonical) == ("active", vendor.canonical)


def test_an_account_is_made_below_another_and_renamed_there(provider: QuickBooks) -> None:
    [account] = done(
        provider, create(Entity.ACCOUNT, an_account("Job Costs:Scaffolding", type="cost_of_goods_sold"))
    )
    assert account.canonical["name"] == "Job Costs:Scaffolding"
    renamed = account.canonical | {"name": "Job Costs:Scaffold rent", "description": "by the week"}
    [after] = done(provider, change("update", account, renamed))
    assert after.canonical == renamed


def test_an_account_below_one_that_is_not_there_is_refused_with_the_meaning_of_a_colon(
    provider: QuickBooks,
) -> None:
    [outcome] = provider.write([create(Entity.ACCOUNT, an_account("Framing: labor"))])
    assert isinstance(outcome, Rejected)
    assert "no account 'Framing' in QuickBooks to put 'labor' below" in outcome.error.user_message


def test_receivables_without_a_customer_are_refused_before_the_call(provider: QuickBooks) -> None:
    entry = an_entry(an_entry_line("10.00", account="8"), an_entry_line(credit="10.00", account="5"))
    [outcome] = provider.write([create(Entity.JOURNAL_ENTRY, entry)])
    assert isinstance(outcome, Rejected)
    assert "line 1 posts to Accounts Receivable (A/R) and names no customer" in outcome.error.user_message


def test_receivables_with_a_customer_are_posted(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    party = {"party_kind": "customer", "party": a_party(sandbox, realm, "Customer")}
    entry = an_entry(an_entry_line("10.00", account="8", **party), an_entry_line(credit="10.00", account="5"))
    [record] = done(provider, create(Entity.JOURNAL_ENTRY, entry))
    assert without_ids(record.canonical) == without_ids(entry)
    assert no_balance_is_off(sandbox, realm)


def test_a_closed_period_says_until_when(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    sandbox.control("POST", "/close-books", {"realm": realm, "date": "2026-06-30"})
    [outcome] = provider.write([create(Entity.BILL, a_bill(a_party(sandbox, realm, "Vendor")))])
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, PeriodLocked)
    assert "2026-05-04" in outcome.error.user_message
    assert "2026-06-30" in outcome.error.user_message


def test_the_mark_of_a_write_comes_back_and_stays_out_of_the_memo(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    write = create(Entity.BILL, a_bill(a_party(sandbox, realm, "Vendor"), memo="Deliver to lot 7"))
    [record] = done(provider, write)
    assert (record.marker, record.canonical["memo"]) == (write.marker, "Deliver to lot 7")
    assert (
        sandbox.object(realm, "Bill", record.remote_id)["PrivateNote"] == f"Deliver to lot 7\n{write.marker}"
    )


def test_a_journal_entry_is_corrected_in_place(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    [entry] = done(provider, create(Entity.JOURNAL_ENTRY, an_entry()))
    first, second = entry.canonical["lines"]
    lines = [first | {"debit": "80.00"}, second | {"credit": "80.00"}]
    [after] = done(provider, change("update", entry, entry.canonical | {"lines": lines}))
    assert after.canonical == entry.canonical | {"lines": lines}
    assert no_balance_is_off(sandbox, realm)


def test_a_payment_is_made_corrected_and_voided(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    customer = a_party(sandbox, realm, "Customer")
    [invoice] = done(provider, create(Entity.INVOICE, an_invoice(customer)))
    meant = {
        "date": "2026-05-10",
        "party": customer,
        "currency": "USD",
        "amount": "60.00",
        "unapplied": "0.00",
        "reference": "CHK 5521",
        "method": None,
        "memo": "first part",
        "applications": [{"invoice": invoice.remote_id, "amount": "60.00"}],
    }
    [payment] = done(provider, create(Entity.PAYMENT, meant))
    assert payment.canonical == meant
    [corrected] = done(provider, change("update", payment, meant | {"reference": "CHK 5522"}))
    assert corrected.canonical["reference"] == "CHK 5522"
    [voided] = done(provider, change("void", corrected))
    paid = provider.read(Entity.INVOICE, invoice.remote_id)
    assert voided.state == "void"
    assert paid is not None
    assert paid.balance == Decimal(100)
    assert no_balance_is_off(sandbox, realm)


def test_payments_reach_the_bank_in_a_deposit(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    customer = a_party(sandbox, realm, "Customer")
    paid = {"CustomerRef": {"value": customer}, "TotalAmt": 75}
    payment = sandbox.act(realm, "Payment", paid, operation="create")["Id"]
    line = {"payment": payment, "amount": "75.00", "description": "", "reference": None}
    meant = {
        "date": "2026-05-13",
        "account": "5",
        "currency": "USD",
        "amount": "75.00",
        "memo": "branch",
        "reference": None,
        "lines": [line],
    }
    [deposit] = done(provider, create(Entity.DEPOSIT, meant))
    assert deposit.canonical == meant
    assert no_balance_is_off(sandbox, realm)

"""Reading a company over real HTTP: changes, pages, reports, and looking for a record."""

from __future__ import annotations

from decimal import Decimal

import pytest

from resources.quickbooks.provider import QuickBooks
from sync.records import Entity
from tests.providers.quickbooks.looking import a_party, done, provider_today
from tests.providers.quickbooks.writes import (
    a_bill,
    a_line,
    a_name,
    an_entry,
    change,
    create,
)
from tests.support.quickbooks_sandbox import Sandbox

# ---------------------------------------------------------------- reading


def test_the_company_is_read_with_its_currency_country_and_closing_date(sandbox: Sandbox, realm: str) -> None:
    sandbox.control("POST", "/close-books", {"realm": realm, "date": "2026-03-31"})
    company = sandbox.provider(realm).company()
    assert company.name.startswith("Test Builders LLC")
    assert (company.currency, company.country, company.books_closed_until) == ("USD", "USA", "2026-03-31")


def test_a_record_that_is_not_there_is_none(provider: QuickBooks) -> None:
    assert provider.read(Entity.INVOICE, "999999") is None


def test_everything_there_is_comes_without_a_cursor_and_only_changes_with_it(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    pages = list(provider.changes(None))
    kinds = {record.entity for page in pages for record in page.records}
    assert {"account", "customer", "vendor", "item"} <= kinds
    cursor = pages[-1].cursor
    assert cursor is not None
    assert all(page.cursor is None for page in pages[:-1])
    sandbox.control("POST", "/clock", {"shift_seconds": 600})
    later = list(provider.changes(cursor))[-1].cursor
    assert later is not None
    before = provider.calls
    assert [page.records for page in provider.changes(later)] == [[]]
    assert provider.calls == before + 1


def test_one_call_tells_of_new_changed_deleted_and_inactive_records(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    first, second = done(provider, create(Entity.BILL, a_bill(vendor)), create(Entity.BILL, a_bill(vendor)))
    [gone] = done(provider, create(Entity.VENDOR, a_name("Gone Supply")))
    sandbox.control("POST", "/clock", {"shift_seconds": 600})
    cursor = list(provider.changes(None))[-1].cursor
    sandbox.control("POST", "/clock", {"shift_seconds": 600})
    sandbox.act(realm, "Bill", {}, operation="delete", number=first.remote_id)
    sandbox.act(
        realm, "Bill", {"VendorRef": {"value": vendor}, "DocNumber": "OTHER"}, number=second.remote_id
    )
    sandbox.act(realm, "Vendor", {"Active": False}, number=gone.remote_id)
    before = provider.calls
    found = {(one.entity, one.remote_id): one for page in provider.changes(cursor) for one in page.records}
    assert provider.calls == before + 1
    assert found["bill", first.remote_id].state == "deleted"
    assert found["bill", second.remote_id].canonical["number"] == "OTHER"
    assert found["vendor", gone.remote_id].state == "inactive"


def test_a_cursor_older_than_quickbooks_looks_back_is_answered_by_queries(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    cursor = list(provider.changes(None))[-1].cursor
    vendor = a_party(sandbox, realm, "Vendor")
    sandbox.control("POST", "/clock", {"shift_seconds": 40 * 86400})
    try:
        [bill] = done(sandbox.provider(realm), create(Entity.BILL, a_bill(vendor)))
        pages = list(sandbox.provider(realm).changes(cursor))
    finally:
        sandbox.control("POST", "/clock", {"reset": True})
    found = {(one.entity, one.remote_id) for page in pages for one in page.records}
    assert ("bill", bill.remote_id) in found
    assert pages[-1].cursor is not None


@pytest.mark.slow
def test_more_changes_than_one_answer_holds_are_all_told_deletions_included(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    [bill] = done(provider, create(Entity.BILL, a_bill(a_party(sandbox, realm, "Vendor"))))
    cursor = list(provider.changes(None))[-1].cursor
    vendors = done(
        provider, *(create(Entity.VENDOR, a_name(f"Supplier {number:04}")) for number in range(1005))
    )
    done(provider, change("void", bill))
    pages = list(provider.changes(cursor))
    told = {(one.entity, one.remote_id): one.state for page in pages for one in page.records}
    assert all(told["vendor", one.remote_id] == "active" for one in vendors)
    assert told["bill", bill.remote_id] == "deleted"
    assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.slow
def test_a_full_load_reads_lists_of_more_than_one_page(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendors = done(
        provider, *(create(Entity.VENDOR, a_name(f"Supplier {number:04}")) for number in range(1005))
    )
    read = [
        one.remote_id for page in provider.changes(None) for one in page.records if one.entity == "vendor"
    ]
    assert len(read) == len(set(read))
    assert {one.remote_id for one in vendors} <= set(read)


def test_the_trial_balance_is_quickbooks_own(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    done(provider, create(Entity.JOURNAL_ENTRY, an_entry(date=provider_today(sandbox))))
    balances = {row.account_id: row.amount for row in provider.trial_balance()}
    assert (balances["53"], balances["5"]) == (Decimal("75.25"), Decimal("-75.25"))
    assert sum(balances.values()) == 0


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize("name", ["O'Hare \\ Sons", "100% Tile", "Søren – Ålesund"])
def test_a_name_is_found_whatever_characters_it_has(provider: QuickBooks, name: str) -> None:
    [vendor] = done(provider, create(Entity.VENDOR, a_name(name)))
    found = provider.find(Entity.VENDOR, canonical=a_name(name), marker="tieout:" + "x" * 22)
    assert [one.remote_id for one in found] == [vendor.remote_id]


def test_a_document_is_found_by_its_number_and_by_date_amount_and_party(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    numbered, plain = done(
        provider,
        create(Entity.BILL, a_bill(vendor, number="L-77")),
        create(Entity.BILL, a_bill(vendor, a_line("33.33", account="36"), number=None)),
    )
    stranger = "tieout:" + "x" * 22
    by_number = provider.find(
        Entity.BILL, canonical=a_bill(vendor, number="l-77", date="2026-01-01"), marker=stranger
    )
    by_amount = provider.find(
        Entity.BILL, canonical=a_bill(vendor, a_line("33.33"), number=None), marker=stranger
    )
    nothing = provider.find(
        Entity.BILL, canonical=a_bill(vendor, a_line("33.34"), number=None), marker=stranger
    )
    assert [one.remote_id for one in by_number] == [numbered.remote_id]
    assert [one.remote_id for one in by_amount] == [plain.remote_id]
    assert list(nothing) == []


@pytest.mark.parametrize(
    ("entity", "name"), [(Entity.ACCOUNT, "Job Costs:Job Materials"), (Entity.CUSTOMER, "Marlow Residence")]
)
def test_an_account_is_found_by_its_path_and_a_customer_by_name(
    provider: QuickBooks, entity: Entity, name: str
) -> None:
    found = provider.find(entity, canonical={"name": name.upper()}, marker="tieout:" + "x" * 22)
    assert [one.label for one in found] == [name]


def test_an_entry_without_a_number_is_found_by_date_and_sum(provider: QuickBooks) -> None:
    [entry] = done(provider, create(Entity.JOURNAL_ENTRY, an_entry(number=None)))
    found = provider.find(Entity.JOURNAL_ENTRY, canonical=an_entry(number=None), marker="tieout:" + "x" * 22)
    assert [one.remote_id for one in found] == [entry.remote_id]


@pytest.mark.slow
def test_our_mark_is_found_among_more_documents_of_one_day_than_a_page_holds(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    vendor = a_party(sandbox, realm, "Vendor")
    done(provider, *(create(Entity.BILL, a_bill(vendor, number=None)) for _ in range(1010)))
    last = create(Entity.BILL, a_bill(vendor, number=None))
    [record] = done(provider, last)
    found = provider.find(Entity.BILL, canonical=last.canonical, marker=last.marker)
    assert found[0].remote_id == record.remote_id

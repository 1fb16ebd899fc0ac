"""Links to a record's page on the platform and in the accounting system."""

from __future__ import annotations

from uuid import uuid4

import pytest

from resources.record_links import RecordLinks
from resources.settings import Settings, SettingsError, load_settings

GUID = "1cf1a11c-a067-4a05-9c8b-06f281f7afed"


def links(**settings: str) -> RecordLinks:
    return RecordLinks(load_settings(_env_file=None, **settings))


@pytest.mark.parametrize(
    ("provider", "entity", "remote_id", "address"),
    [
        ("quickbooks_online", "invoice", "145", "https://app.qbo.intuit.com/app/invoice?txnId=145"),
        ("quickbooks_online", "bill", "145", "https://app.qbo.intuit.com/app/bill?txnId=145"),
        ("quickbooks_online", "vendor", "7", "https://app.qbo.intuit.com/app/vendordetail?nameId=7"),
        ("quickbooks_online", "account", "7", "https://app.qbo.intuit.com/app/register?accountId=7"),
        ("quickbooks_online", "bill", "7&x=1", None),
        ("xero", "invoice", GUID, f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={GUID}"),
        ("xero", "bill", GUID, f"https://go.xero.com/AccountsPayable/View.aspx?InvoiceID={GUID}"),
        ("xero", "customer", GUID, f"https://go.xero.com/Contacts/View/{GUID}"),
        ("xero", "account", GUID, "https://go.xero.com/GeneralLedger/ChartOfAccounts.aspx"),
        ("xero", "payment", f"batch/{GUID}/{GUID}", None),
        ("xero", "payment", "receipt/a/b/2026-05-01/Cheque 7", None),
        ("xero", "bill", "javascript:alert(1)", None),
        ("xero", "bill", None, None),
        ("sage", "bill", "1", None),
    ],
)
def test_a_record_is_linked_to_its_page_in_the_accounting_system(
    provider: str, entity: str, remote_id: str | None, address: str | None
) -> None:
    assert links().provider(provider, entity, remote_id) == address


def test_a_stand_in_for_the_accounting_system_has_pages_only_where_a_setting_says_so() -> None:
    local = "http://127.0.0.1:8101"
    assert links(quickbooks_base_url=local).provider("quickbooks_online", "bill", "1") is None
    told = links(quickbooks_base_url=local, quickbooks_app_url="https://books.example")
    assert told.provider("quickbooks_online", "bill", "1") == "https://books.example/app/bill?txnId=1"
    intuits = links(quickbooks_base_url="https://sandbox-quickbooks.api.intuit.com")
    assert (
        intuits.provider("quickbooks_online", "bill", "1")
        == "https://app.sandbox.qbo.intuit.com/app/bill?txnId=1"
    )
    told = links(xero_base_url=local, xero_app_url="https://xero.example")
    assert told.provider("xero", "vendor", GUID) == f"https://xero.example/Contacts/View/{GUID}"


def test_the_platforms_page_is_named_by_a_setting_and_only_for_what_the_platform_has() -> None:
    record = uuid4()
    told = links(platform_record_url="https://platform.example/records/{entity}/{id}/")
    assert told.platform("bill", record) == f"https://platform.example/records/bill/{record}"
    assert told.platform("bill", None) is None
    assert links().platform("bill", record) is None


def test_an_address_without_a_place_for_the_id_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        SettingsError, match=r"does not say where the record's id goes; write it like https://"
    ):
        load_settings(_env_file=None, platform_record_url="https://platform.example/")


def test_an_event_about_a_record_carries_both_links() -> None:
    made = RecordLinks(Settings(_env_file=None, platform_record_url="https://platform.example/{id}"))
    record = str(uuid4())
    data = {
        "provider": "quickbooks_online",
        "entity_type": "bill",
        "record_id": record,
        "provider_id": "184",
        "is_here": True,
    }
    assert made.onto_event(data) == {
        "provider": "quickbooks_online",
        "entity_type": "bill",
        "record_id": record,
        "provider_id": "184",
        "platform_url": f"https://platform.example/{record}",
        "provider_url": "https://app.qbo.intuit.com/app/bill?txnId=184",
    }
    only_there = made.onto_event(data | {"is_here": False})
    assert (only_there["platform_url"], only_there["provider_url"] is None) == (None, False)
    assert made.onto_event({"run_id": "7"}) == {"run_id": "7"}

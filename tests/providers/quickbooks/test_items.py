"""The item that an invoice line needs."""

from __future__ import annotations

from resources.quickbooks.provider import QuickBooks
from sync.errors import (
    Remedy,
)
from sync.ports import Rejected
from sync.records import Entity
from tests.providers.quickbooks.looking import a_party, done
from tests.providers.quickbooks.writes import (
    a_line,
    an_invoice,
    create,
)
from tests.support.quickbooks_sandbox import Sandbox

# ---------------------------------------------------------------- items


def test_an_invoice_line_takes_the_item_that_posts_to_its_account(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    customer = a_party(sandbox, realm, "Customer")
    before = len(sandbox.rows(realm, "Item"))
    [record] = done(provider, create(Entity.INVOICE, an_invoice(customer, a_line(account="29"))))
    item = sandbox.object(realm, "Invoice", record.remote_id)["Line"][0]["SalesItemLineDetail"]["ItemRef"]
    assert item["name"] == "Design Fee"
    assert len(sandbox.rows(realm, "Item")) == before


def test_where_no_item_posts_to_the_account_one_is_made_and_only_one(sandbox: Sandbox, realm: str) -> None:
    customer = a_party(sandbox, realm, "Customer")
    for _ in range(2):
        provider = sandbox.provider(realm)
        write = create(Entity.INVOICE, an_invoice(customer, a_line(account="58"), a_line(account="58")))
        [record] = done(provider, write)
        assert {line["account"] for line in record.canonical["lines"]} == {"58"}
    made = [
        item for item in sandbox.rows(realm, "Item").values() if item["IncomeAccountRef"]["value"] == "58"
    ]
    assert [item["Name"] for item in made] == ["Interest Earned"]


def test_an_item_of_that_name_for_another_account_does_not_confuse(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    other = {"Name": "Interest Earned", "Type": "Service", "IncomeAccountRef": {"value": "1"}}
    sandbox.act(realm, "Item", other, operation="create")
    [record] = done(
        provider,
        create(Entity.INVOICE, an_invoice(a_party(sandbox, realm, "Customer"), a_line(account="58"))),
    )
    assert record.canonical["lines"][0]["account"] == "58"
    assert "Interest Earned (58)" in {item["Name"] for item in sandbox.rows(realm, "Item").values()}


def test_an_account_that_is_gone_sends_the_bookkeeper_to_the_mapping(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    [outcome] = provider.write(
        [create(Entity.INVOICE, an_invoice(a_party(sandbox, realm, "Customer"), a_line(account="4711")))]
    )
    assert isinstance(outcome, Rejected)
    assert outcome.error.remedy is Remedy.FIX_MAPPING

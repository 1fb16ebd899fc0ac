"""The item that an invoice line needs."""

from __future__ import annotations

from typing import Any

import pytest

from resources.quickbooks.provider import QuickBooks
from sandbox.quickbooks.change import changing
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


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"Name": "Finance charges", "IncomeAccountRef": {"value": "1"}}, id="pointed-elsewhere"),
        pytest.param({"Active": False}, id="made-inactive"),
    ],
)
def test_an_item_of_ours_that_the_bookkeeper_takes_away_puts_no_money_on_another_account(
    sandbox: Sandbox, realm: str, edit: dict[str, Any]
) -> None:
    customer = a_party(sandbox, realm, "Customer")
    first, second = (create(Entity.INVOICE, an_invoice(customer, a_line(account="58"))) for _ in range(2))
    [record] = done(sandbox.provider(realm), first)
    ours = sandbox.object(realm, "Item", item_of(sandbox, realm, record.remote_id))
    sandbox.act(realm, "Item", {**ours, **edit}, number=ours["Id"])

    [record] = done(sandbox.provider(realm), second)
    assert record.canonical["lines"][0]["account"] == "58"
    item = sandbox.object(realm, "Item", item_of(sandbox, realm, record.remote_id))
    assert (item["Active"], item["IncomeAccountRef"]["value"]) == (True, "58")
    assert item["Id"] != ours["Id"]


def test_an_item_of_ours_that_was_merged_away_is_made_anew(sandbox: Sandbox, realm: str) -> None:
    customer = a_party(sandbox, realm, "Customer")
    # Made and merged away twice: QuickBooks has answers to both requests, and shows neither item any more.
    for _ in range(2):
        [record] = done(
            sandbox.provider(realm), create(Entity.INVOICE, an_invoice(customer, a_line(account="58")))
        )
        number = item_of(sandbox, realm, record.remote_id)
        company = sandbox.emulator.company(realm)
        with changing(company) as change:
            change.remove("Item", company.find("Item", number))
    [record] = done(
        sandbox.provider(realm), create(Entity.INVOICE, an_invoice(customer, a_line(account="58")))
    )
    item = sandbox.object(realm, "Item", item_of(sandbox, realm, record.remote_id))
    assert (item["Name"], item["IncomeAccountRef"]["value"]) == ("Interest Earned", "58")


def item_of(sandbox: Sandbox, realm: str, invoice: str) -> str:
    line = sandbox.object(realm, "Invoice", invoice)["Line"][0]
    return str(line["SalesItemLineDetail"]["ItemRef"]["value"])

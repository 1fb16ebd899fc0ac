"""Mappings over the API against both sandboxes: what a bookkeeper does, and what the ledger shows of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sync.records import Entity
from tests.api.world import exact, problem
from tests.support.office import Office
from tests.support.office_api import OfficeApi


def row(code: str | None, account: str, profile: str = "cost_code") -> dict[str, Any]:
    return {
        "platform_entity_type": profile,
        "platform_cost_code_id": code,
        "provider_account_id": account,
    }


def rows_now(api: OfficeApi) -> list[dict[str, Any]]:
    """The rows of the mapping as it is."""
    return [
        row(each["platform_cost_code_id"], each["provider_account_id"], each["platform_entity_type"])
        for each in api.get("/mappings")["rows"]
        if each["provider_account_id"]
    ]


def remapped(api: OfficeApi, account: str) -> list[dict[str, Any]]:
    """The same with the office's one cost code on another account."""
    others = [each for each in rows_now(api) if each["platform_entity_type"] != "cost_code"]
    return [*others, row(api.office.code, account)]


def version(api: OfficeApi) -> int:
    number: int = api.get("/mappings")["version"]
    return number


def put(api: OfficeApi, rows: list[dict[str, Any]]) -> Any:
    return exact(api.client.put("/mappings", {"version": version(api), "rows": rows}))


def another_account(api: OfficeApi, name: str = "Site Works", number: str = "5190") -> str:
    """An account that the bookkeeper has just opened, as the product has seen it."""
    account = api.office.books.add_account(name, "cost", number=number)
    api.sync()
    return account


def test_a_new_mapping_leaves_yesterday_s_documents_as_they_are_to_the_byte(
    office: Office, api: OfficeApi
) -> None:
    vendor, first = office.vendor(), office.books.account("cost")
    office.bill(vendor, amounts=("60.00", "40.00"))
    office.invoice(office.client())
    api.sync()
    office.settled()
    site = another_account(api)
    yesterday = {kind: office.books.kept(kind) for kind in ("bill", "invoice")}
    draft = api.post("/mappings/drafts", {"rows": remapped(api, site), "note": "site works apart"})
    office.bill(vendor, number="B-2", amounts=("25.00",))
    seen = api.get(f"/mappings/drafts/{draft['id']}/impact")
    assert [(each["lines"], each["amount"]) for each in seen["unsent"]] == [(1, "25.0000")]
    assert [(each["lines"], each["documents"]) for each in seen["stay"]] == [(2, 1)]
    published = api.post(f"/mappings/drafts/{draft['id']}/publish", {"revision": 1})
    api.sync()
    done = office.settled()
    assert {kind: office.books.kept(kind).items() >= kept.items() for kind, kept in yesterday.items()} == {
        "bill": True,
        "invoice": True,
    }
    assert office.books.bill_lines("B-1") == [(Decimal(60), first), (Decimal(40), first)]
    assert office.books.bill_lines("B-2") == [(Decimal(25), site)]
    assert done.proof.is_tied, done.differences
    back = api.post(
        f"/mappings/versions/{published['version'] - 1}/roll-back", {"version": published["version"]}
    )
    office.bill(vendor, number="B-3", amounts=("30.00",))
    api.sync()
    assert office.books.bill_lines("B-3") == [(Decimal(30), first)]
    assert office.books.bill_lines("B-2") == [(Decimal(25), site)], "rolling back moves nothing that was sent"
    assert api.items("/mappings/versions")[0]["number"] == back["version"]


def test_an_edited_document_keeps_its_version_s_accounts_in_the_ledger(
    office: Office, api: OfficeApi
) -> None:
    bill, first = office.bill(office.vendor(), amounts=("60.00", "40.00")), office.books.account("cost")
    api.sync()
    site = another_account(api)
    put(api, remapped(api, site))
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", bill)
    office.add(
        "v2_bill_lines", bill_id=bill, position=3, description="Extra", cost_code_id=office.code, amount=10
    )
    office.change("v2_bills", bill, total=125)
    api.sync()
    office.settled()
    assert office.books.bill_lines("B-1") == [
        (Decimal(75), first),
        (Decimal(40), first),
        (Decimal(10), first),
    ]


def test_one_fix_releases_all_that_a_missing_account_blocks(office: Office, api: OfficeApi) -> None:
    put(api, [each for each in rows_now(api) if each["platform_entity_type"] != "cost_code"])
    vendor = office.vendor()
    office.bill(vendor, number="B-2", amounts=("30.00",), bill_date="2026-05-22")
    office.bill(vendor, number="B-1", amounts=("20.00",), bill_date="2026-05-21")
    api.sync()
    (cause,) = api.items("/sync/holds")
    assert (cause["records"], cause["amounts"], cause["action"]) == (2, {"USD": "50.0000"}, "fix_mapping")
    listed = api.items("/sync/holds/records", cause=cause["cause"])
    assert [each["label"].split()[1] for each in listed] == ["B-1", "B-2"]
    account = office.books.account("cost")
    fixes = [{"cause": cause["cause"], "provider_account_id": account}]
    fixed = api.post("/sync/holds/fix", {"fixes": fixes, "start_sync": True})
    assert (fixed["records"], len(fixed["runs"])) == (2, 1)
    assert api.items("/sync/holds") == []
    assert office.books.bill_lines("B-1") == [(Decimal(20), account)]
    assert office.books.bill_lines("B-2") == [(Decimal(30), account)]
    assert office.books.arrived() == ["B-1", "B-2"], "the oldest document goes first"
    assert office.settled().proof.is_tied


def test_an_account_made_inactive_there_breaks_its_mapping_and_holds_what_needs_it(
    office: Office, api: OfficeApi
) -> None:
    site = another_account(api)
    put(api, remapped(api, site))
    office.books.switch_account(site, is_active=False)
    office.bill(office.vendor())
    api.sync()
    assert [code for _, code in api.held()] == ["hold.mapping_broken"]
    (broken,) = api.get("/mappings", state="broken")["rows"]
    assert (broken["provider_account_id"], broken["held_records"]) == (site, 1)
    assert office.books.valid("bill") == []
    office.books.switch_account(site, is_active=True)
    api.sync()
    assert api.held() == []
    assert office.books.bill_lines("B-1") == [(Decimal(100), site)]


def test_of_two_bookkeepers_the_second_is_told_and_the_ledger_follows_the_first(
    office: Office, api: OfficeApi
) -> None:
    site = another_account(api)
    mine = api.post("/mappings/drafts", {"rows": remapped(api, site)})
    theirs = api.post("/mappings/drafts")
    api.post(f"/mappings/drafts/{mine['id']}/publish", {"revision": 1})
    late = api.client.post(f"/mappings/drafts/{theirs['id']}/publish", {"revision": 1})
    assert "look at what changed" in problem(late, 409, "mapping.stale")["detail"]
    office.bill(office.vendor())
    api.sync()
    assert office.books.bill_lines("B-1") == [(Decimal(100), site)]
    assert office.linked(Entity.BILL) == 1


def test_a_document_refused_for_its_account_is_sent_when_another_one_is_published(
    office: Office, api: OfficeApi
) -> None:
    office.map_to({"cost_code": office.books.account("payable"), "revenue": office.books.account("income")})
    office.bill(office.vendor(), number="M-1")
    api.sync()
    ((_, sentence),) = office.queue("error")
    assert "account" in sentence
    api.sync()
    assert len(office.queue("error")) == 1, "the same account is no better the second time"
    put(api, remapped(api, office.books.account("cost")))
    api.sync()
    assert office.queue("error") == []
    assert len(office.books.valid("bill")) == 1

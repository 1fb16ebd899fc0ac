"""Links to both sides of a record, in every list that shows records which wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from resources.settings import Settings
from resources.store.database import Database
from resources.store.webhooks import write_events
from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import NOW, House, World, exact

PLATFORM = "https://platform.example/{entity}/{id}"
CONFLICT = {"fields": [], "ours_checksum": "ours-1", "theirs_checksum": "theirs-1"}
BILL_PAGE = "https://app.qbo.intuit.com/app/bill?txnId=1187"


@pytest.fixture(scope="module")
def linked(settings: Settings, database: Database) -> Iterator[World]:
    given = settings.model_copy(
        update={"platform_record_url": PLATFORM, "quickbooks_app_url": "https://app.qbo.intuit.com"}
    )
    with asyncio.Runner() as runner:
        yield World(given, database, runner)


@pytest.fixture
def house(linked: World) -> House:
    return linked.a_house()


def ours(house: House) -> str:
    record_id: UUID = house.one("select record_id from links where record_id is not null")
    return f"https://platform.example/bill/{record_id}"


@pytest.mark.parametrize(
    ("status", "path"), [("error", "/sync/errors"), ("held", "/sync/errors"), ("conflict", "/conflicts")]
)
def test_a_waiting_record_shows_its_page_on_both_sides(house: House, status: str, path: str) -> None:
    house.a_waiting_record(status, link={"remote_id": "1187"})
    (row,) = exact(house.client().get(path))["items"]
    assert (row["platform_url"], row["provider_url"]) == (ours(house), BILL_PAGE)


def test_a_record_of_one_side_only_has_one_link(house: House) -> None:
    house.a_waiting_record("held", link={"remote_id": None})
    (row,) = exact(house.client().get("/sync/errors"))["items"]
    assert (row["platform_url"], row["provider_url"]) == (ours(house), None)


def test_what_only_the_ledger_has_leads_nowhere_on_the_platform(house: House) -> None:
    house.a_waiting_record("error", link={"remote_id": "1187", "record_id": None})
    (row,) = exact(house.client().get("/sync/errors"))["items"]
    assert (row["platform_url"], row["provider_url"]) == (None, BILL_PAGE)


def test_a_record_that_waits_for_approval_shows_its_page_on_both_sides(house: House) -> None:
    house.a_waiting_record("held", link={"remote_id": "1187", "state": "held"}, code="hold.approval_missing")
    (row,) = exact(house.client().get("/approvals"))["items"]
    assert (row["platform_url"], row["provider_url"]) == (ours(house), BILL_PAGE)


def test_an_event_shows_the_page_of_a_record_that_the_platform_has(house: House) -> None:
    house.a_waiting_record("error", provider_entity_id="1187", platform_entity_id=uuid4())
    write_events(house.world.database, house.id, now=NOW)
    (event,) = exact(house.client().get("/events"))["items"]
    assert (event["data"]["platform_url"], event["data"]["provider_url"]) == (None, BILL_PAGE)
    assert "is_here" not in event["data"]


# ---------------------------------------------------------------- the same on the pages


def on_page(house: House, path: str) -> str:
    visitor = Browser(house.world)
    visitor.sign_in(house, role="viewer")
    answer = visitor.get(path)
    assert answer.status_code == 200
    return answer.text


def link_to(address: str, text: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{text}'


@pytest.mark.parametrize(
    ("status", "tab"), [("error", "errors"), ("held", "errors"), ("conflict", "conflicts")]
)
def test_a_page_of_what_waits_leads_to_both_sides(house: House, status: str, tab: str) -> None:
    waiting, _ = house.a_waiting_record(status, link={"remote_id": "1187"}, conflict_data=CONFLICT)
    pages = [place(house, tab)] + [place(house, f"conflicts/{waiting}")] * (status == "conflict")
    for path in pages:
        shown = on_page(house, path)
        assert link_to(ours(house), "Open on the platform") in shown
        assert link_to(BILL_PAGE, "Open in QuickBooks Online") in shown


def test_all_that_a_cause_blocks_leads_to_both_sides(house: House) -> None:
    cause = "hold.mapping_missing"
    house.a_waiting_record("held", link={"remote_id": "1187", "cause": cause}, cause=cause)
    (row,) = exact(house.client().get("/sync/holds/records", cause=cause))["items"]
    assert (row["platform_url"], row["provider_url"]) == (ours(house), BILL_PAGE)
    shown = on_page(house, place(house, f"held?cause={cause}"))
    assert link_to(ours(house), "Open on the platform") in shown
    assert link_to(BILL_PAGE, "Open in QuickBooks Online") in shown


def test_where_a_side_has_no_page_words_say_where_it_stands(house: House) -> None:
    house.a_waiting_record("error", link={"remote_id": None})
    shown = on_page(house, place(house, "errors"))
    assert "Not in QuickBooks Online yet" in shown
    assert "Open in QuickBooks Online" not in shown


def test_a_record_s_own_page_leads_to_both_sides(house: House) -> None:
    vendor = house.one(
        "insert into v2_vendors (builder_id, name) values (%(builder)s, 'Summit Electric') returning id"
    )
    house.sql(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, changed_at)"
        " values (%(builder)s, 'vendor', %(id)s, 'active', '{}', 'c', 'Summit Electric', now())"
        " on conflict do nothing",
        id=vendor,
    )
    house.a_link("vendor", record_id=vendor, state="failed", remote_id="31")
    shown = on_page(house, f"/integrations/records/vendor/{vendor}")
    assert link_to(f"https://platform.example/vendor/{vendor}", "Open on the platform") in shown
    assert (
        link_to("https://app.qbo.intuit.com/app/vendordetail?nameId=31", "Open in QuickBooks Online") in shown
    )

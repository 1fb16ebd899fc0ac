"""The mapping on the page: choose in a draft, review what it would do, publish, go back."""

from __future__ import annotations

import re

import pytest

from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import FakeLauncher, House, World, exact


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    house.an_account("84", "Concrete", "cost_of_goods_sold", number="5033")
    house.an_account("85", "Lumber", "cost_of_goods_sold", number="5034")
    house.an_account("12", "Sales", "income", number="4000")
    return visitor


def field(code: str, profile: str = "cost_code") -> str:
    return f"to.{profile}.{code}.-"


def draft_of(location: str) -> str:
    found = re.search(r"(?:draft=|drafts/)([0-9a-f-]{36})", location)
    assert found, location
    return found[1]


def publish(office: Browser, house: House, choices: dict[str, str]) -> None:
    reviewed = office.post(place(house, "mapping"), choices | {"draft": "", "do": "review"})
    draft = draft_of(reviewed.headers["location"])
    done = office.post(place(house, f"mapping/drafts/{draft}/publish"), {"revision": "2", "note": "by hand"})
    assert done.headers.get("location") == place(house, "mapping") + "?done=published", done.text


def mapped(house: House) -> dict[str, str]:
    rows = exact(house.client().get("/mappings", connection_id=str(house.connection_id)))["rows"]
    return {
        row["code"]: row["provider_account_id"]
        for row in rows
        if row["platform_entity_type"] == "cost_code" and row["provider_account_id"]
    }


def test_codes_stand_beside_the_accounts_that_fit_with_what_is_missing(office: Browser, house: House) -> None:
    code = house.a_cost_code("03-300", "Cast-in-place concrete", division="03 Concrete")
    shown = office.get(place(house, "mapping")).text
    assert f'name="{field(code)}"' in shown
    assert "Unmapped" in shown
    assert 'data-account="84"' in shown
    assert 'data-account="12"' not in shown, "an income account is for the revenue profile"
    revenue = office.get(place(house, "mapping") + "?profile=revenue").text
    assert 'data-account="12"' in revenue
    assert f'name="{field(code, "revenue")}"' in revenue


def test_a_suggestion_says_how_sure_it_is_and_why(office: Browser, house: House) -> None:
    house.a_cost_code("03-300", "Concrete")
    shown = office.get(place(house, "mapping") + "?state=suggested").text
    assert re.search(r"<strong>5033 Concrete</strong> <span class=\"faint\">\d+ of 100: .+?</span>", shown)


def test_what_is_chosen_goes_into_a_draft_and_books_nothing_yet(office: Browser, house: House) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    saved = office.post(place(house, "mapping"), {field(code): "85", "draft": "", "do": "save"})
    assert "done=draft_saved" in saved.headers["location"]
    assert mapped(house) == {}
    shown = office.get(saved.headers["location"]).text
    assert "Changed in the draft" in shown
    assert '<option value="85" selected>' in shown
    assert "no account" in shown


def test_a_draft_is_reviewed_with_its_impact_and_published(office: Browser, house: House) -> None:
    code, other = house.a_cost_code("03-300", "Concrete"), house.a_cost_code("06-100", "Framing")
    reviewed = office.post(
        place(house, "mapping"), {field(code): "84", field(other): "", "draft": "", "do": "review"}
    )
    shown = office.get(reviewed.headers["location"]).text
    for text in ("What the draft changes", "5033 Concrete", "What publishing would do", "0 unsent lines"):
        assert text in shown, text
    publish(office, house, {field(code): "84"})
    assert mapped(house) == {"03-300": "84"}
    assert "by hand" in office.get(place(house, "mapping/versions")).text


def test_publishing_what_held_records_waited_for_offers_the_sync_that_sends_them(
    world: World, office: Browser, house: House
) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    cause = f"hold.mapping_missing:expense:{code}"
    house.a_waiting_record("held", link={"cause": cause}, cause=cause, code="hold.mapping_missing")
    reviewed = office.post(place(house, "mapping"), {field(code): "84", "draft": "", "do": "review"})
    draft = draft_of(reviewed.headers["location"])
    done = office.post(place(house, f"mapping/drafts/{draft}/publish"), {"revision": "2"})
    assert done.headers["location"] == place(house, "mapping") + "?done=published_released&n=1"
    offer = f'action="{place(house, "sync")}"><button type="submit">Sync now</button>'
    shown = office.get(done.headers["location"]).text
    assert "1 record is released by it" in shown
    assert offer in shown
    assert offer not in office.get(place(house, "mapping")).text
    viewer = Browser(world)
    viewer.sign_in(house, role="viewer")
    assert offer not in viewer.get(done.headers["location"]).text


def test_publishing_sends_what_held_records_waited_for_if_one_says_so(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    cause = f"hold.mapping_missing:expense:{code}"
    house.a_waiting_record("held", link={"cause": cause}, cause=cause, code="hold.mapping_missing")
    reviewed = office.post(place(house, "mapping"), {field(code): "84", "draft": "", "do": "review"})
    assert "Publish, and send what it releases" in office.get(reviewed.headers["location"]).text
    draft = draft_of(reviewed.headers["location"])
    form = {"revision": "2", "send": "true"}
    done = office.post(place(house, f"mapping/drafts/{draft}/publish"), form)
    assert done.headers["location"] == place(house) + "?done=published_sent&n=1"
    assert launcher.launched[-1]["entities"] == ["bill"]


def test_rows_that_the_page_did_not_show_stay_as_they_are(office: Browser, house: House) -> None:
    first, second = house.a_cost_code("03-300", "Concrete"), house.a_cost_code("06-100", "Framing")
    publish(office, house, {field(first): "84", field(second): "85"})
    publish(office, house, {field(first): "85"})
    assert mapped(house) == {"03-300": "85", "06-100": "85"}
    publish(office, house, {field(first): ""})
    assert mapped(house) == {"06-100": "85"}


def test_an_older_version_is_brought_back(office: Browser, house: House) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    publish(office, house, {field(code): "84"})
    publish(office, house, {field(code): "85"})
    shown = office.get(place(house, "mapping/versions/1")).text
    assert "Go back to version 1" in shown
    stale = office.post(place(house, "mapping/versions/1"), {"version": "1"})
    assert (stale.status_code, "mapping.stale" in stale.text) == (409, True)
    done = office.post(place(house, "mapping/versions/1"), {"version": "2", "note": "wrong month"})
    assert done.headers["location"].endswith("done=rolled_back")
    assert mapped(house) == {"03-300": "84"}


def test_a_stale_draft_is_carried_over_before_it_can_be_published(office: Browser, house: House) -> None:
    first, second = house.a_cost_code("03-300", "Concrete"), house.a_cost_code("06-100", "Framing")
    begun = office.post(place(house, "mapping"), {field(first): "84", "draft": "", "do": "save"})
    draft = draft_of(begun.headers["location"])
    publish(office, house, {field(first): "85", field(second): "85"})
    review = place(house, f"mapping/drafts/{draft}")
    assert "Carry it over" in office.get(review).text
    carried = office.post(f"{review}/rebase", {"revision": "2"})
    assert carried.headers["location"].endswith("done=draft_rebased_both&n=1")
    shown = office.get(carried.headers["location"]).text
    assert "Publish</button>" in shown
    assert office.post(f"{review}/discard", {}).headers["location"].endswith("done=draft_discarded")
    assert office.get(review).status_code == 404


def test_everything_sure_enough_is_filled_in_at_once(office: Browser, house: House) -> None:
    house.a_cost_code("03-300", "Concrete")
    begun = office.post(place(house, "mapping/suggest"), {})
    assert "5033 Concrete" in office.get(begun.headers["location"]).text


def test_two_people_at_one_draft_do_not_overwrite_each_other(office: Browser, house: House) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    begun = office.post(place(house, "mapping"), {field(code): "84", "draft": "", "do": "save"})
    form = {field(code): "85", "draft": draft_of(begun.headers["location"]), "revision": "1", "do": "save"}
    refused = office.post(place(house, "mapping"), form)
    assert (refused.status_code, "mapping.stale_draft" in refused.text) == (409, True)


@pytest.mark.parametrize(
    "form",
    [
        {"to.nothing.-.-": "84"},
        {"to.cost_code.no-id.-": "84"},
        {"to.cost_code": "84"},
        {"draft": "no-id"},
        {"draft": "00000000-0000-4000-8000-000000000000"},
    ],
    ids=str,
)
def test_a_form_that_names_what_is_not_there_is_refused(
    office: Browser, house: House, form: dict[str, str]
) -> None:
    refused = office.post(place(house, "mapping"), {"do": "save"} | form)
    assert refused.status_code in (404, 422), refused.text
    assert mapped(house) == {}
    assert house.one("select count(*) from mapping_drafts") == 0


def test_a_viewer_reads_the_mapping(world: World, office: Browser, house: House) -> None:
    code = house.a_cost_code("03-300", "Concrete")
    publish(office, house, {field(code): "84"})
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    shown = visitor.get(place(house, "mapping")).text
    assert "Concrete" in shown
    assert '<select id="to-' not in shown
    assert "Mapping needs a bookkeeper" in shown

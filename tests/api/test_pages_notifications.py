"""Notifications on the pages: seen from everywhere, led to what they are about, read and preferred per person."""

from __future__ import annotations

import pytest

from resources.store.notices import raise_notifications
from tests.api.test_pages import OURS, Browser
from tests.api.test_pages_sync import place
from tests.api.world import NOW, House, World

HERE = "/integrations/notifications"


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def something_is_the_matter(house: House) -> None:
    house.a_waiting_record()
    house.a_conflict()
    raise_notifications(house.world.database, house.id, now=NOW)


def test_every_page_says_how_much_is_unread(office: Browser, house: House) -> None:
    something_is_the_matter(house)
    for path in ("/integrations", place(house, "errors"), HERE):
        assert '<span class="badge">2<span class="unseen"> unread' in office.get(path).text, path


def test_a_notice_leads_to_what_it_is_about(office: Browser, house: House) -> None:
    something_is_the_matter(house)
    shown = office.get(HERE).text
    assert "1 record could not be synced with Cedar Ridge Homes LLC" in shown
    assert f'href="{place(house, "errors")}">Look at it' in shown
    assert f'href="{place(house, "conflicts")}">Look at it' in shown


def test_a_difference_is_told_in_cents_and_not_twice(office: Browser, house: House) -> None:
    house.sql(
        "insert into tie_outs (builder_id, connection_id, is_tied, difference, lines)"
        " values (%(builder)s, %(connection)s, false, 1165.5, '[]')"
    )
    raise_notifications(house.world.database, house.id, now=NOW)
    assert "differences of up to 1,165.50." in office.get(HERE).text


def test_what_one_person_read_another_has_not(office: Browser, world: World, house: House) -> None:
    something_is_the_matter(house)
    one = house.one("select max(id::text) from notifications")
    office.post(f"{HERE}/read", {"id": one})
    assert "Mark all 1 as read" in office.get(HERE).text
    office.post(f"{HERE}/read", {})
    assert "badge" not in office.get(HERE).text
    assert "Nothing unread." in office.get(f"{HERE}?unread=true").text
    other = Browser(world)
    other.sign_in(house, person="bob@example.com")
    assert "Mark all 2 as read" in other.get(HERE).text


def test_a_person_says_where_mail_goes_and_what_is_not_wanted(office: Browser, house: House) -> None:
    something_is_the_matter(house)
    answer = office.post(f"{HERE}/preferences", {"email": "ann@example.com", "wanted": "dead_letters"}, OURS)
    assert answer.headers["location"] == f"{HERE}?done=notices_saved"
    kept = house.sql("select email, muted from notification_preferences")
    assert kept[0]["email"] == "ann@example.com"
    assert "conflicts" in kept[0]["muted"]
    assert "dead_letters" not in kept[0]["muted"]
    shown = office.get(HERE).text
    assert 'value="ann@example.com"' in shown
    assert "changed on both sides in" not in shown, "what is not wanted is not told"


def test_an_address_that_is_none_is_refused_at_its_field(office: Browser, house: House) -> None:
    refused = office.post(f"{HERE}/preferences", {"email": "ann at home", "wanted": "conflicts"})
    assert (refused.status_code, "Write one address" in refused.text) == (422, True)
    assert 'value="ann at home"' in refused.text
    assert house.sql("select * from notification_preferences") == []


def test_a_viewer_reads_and_prefers_too(world: World, house: House) -> None:
    something_is_the_matter(house)
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    assert visitor.post(f"{HERE}/read", {}).status_code == 303
    assert visitor.post(f"{HERE}/preferences", {"email": ""}).status_code == 303


def test_who_is_told_of_no_mail_server_knows_why_no_mail_comes(office: Browser) -> None:
    assert "No mail is sent from here yet" in office.get(HERE).text

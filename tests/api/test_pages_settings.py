"""The settings on the page: what is saved is what sync reads, and a refusal stands at its field."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import House, World, exact


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def form_in(page: str) -> dict[str, Any]:
    """What a browser would send of the settings' form as it stands."""
    form = page.split('<form method="post" action="/integrations')[1].split("</form>", maxsplit=1)[0]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if given.get("type") != "checkbox" or " checked" in tag:
            value = given.get("value", "")
            found[given["name"]] = [*found.get("days", []), value] if given["name"] == "days" else value
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        found[name] = chosen[1] if chosen else ""
    return found | {"do": "save"}


def saved(house: House) -> dict[str, Any]:
    found: dict[str, Any] = exact(house.client().get(f"/connections/{house.connection_id}/settings"))
    return found


def test_saving_what_is_shown_changes_nothing(office: Browser, house: House) -> None:
    before = saved(house)
    answer = office.post(place(house, "settings"), form_in(office.get(place(house, "settings")).text))
    assert answer.headers["location"] == place(house, "settings") + "?done=settings_saved"
    after = saved(house)
    assert {**after, "next_due_at": None} == {**before, "next_due_at": None}


def test_everything_a_person_chooses_is_saved(office: Browser, house: House) -> None:
    form = form_in(office.get(place(house, "settings")).text)
    form |= {
        "schedule": "custom",
        "cron": "30 6 * * 1-5",
        "time_zone": "America/Denver",
        "conflict_strategy": "manual",
        "is_real_time": "true",
        "has_window": "true",
        "days": ["mon", "fri"],
        "opens": "07:00",
        "closes": "18:00",
        "bill.conflict_strategy": "platform_wins",
        "bill.closed_period": "ask",
        "invoice.approval": "review",
        "vendor.ended_there": "keep",
    }
    del form["deposit.is_enabled"]
    assert office.post(place(house, "settings"), form).status_code == 303
    found = saved(house)
    assert (
        found["sync_schedule"],
        found["time_zone"],
        found["conflict_strategy"],
        found["is_real_time"],
    ) == (
        "30 6 * * 1-5",
        "America/Denver",
        "manual",
        True,
    )
    assert found["sync_window"] == {"days": ["mon", "fri"], "from": "07:00", "until": "18:00"}
    of = {each["entity"]: each for each in found["entities"]}
    assert (of["bill"]["conflict_strategy"], of["bill"]["closed_period"]) == ("platform_wins", "ask")
    assert (of["invoice"]["approval"], of["vendor"]["ended_there"]) == ("review", "keep")
    assert (of["deposit"]["is_enabled"], of["payment"]["is_enabled"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"schedule": "custom", "cron": "every day"}, "sync_schedule", "cron expression that ever comes due"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "there is no time zone"),
        ({"has_window": "true", "days": []}, "sync_window", "Choose at least one day"),
        ({"has_window": "true", "days": ["mon"], "opens": "25:00"}, "sync_window", "25:00"),
        ({"payment.direction": "push"}, "entities.payment.direction", "only brought in from the ledger"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_refused_setting_has_its_sentence_at_the_field_and_keeps_what_was_typed(
    office: Browser, house: House, changes: dict[str, Any], field: str, sentence: str
) -> None:
    form = form_in(office.get(place(house, "settings")).text) | changes | {"conflict_strategy": "manual"}
    refused = office.post(place(house, "settings"), form)
    assert refused.status_code == 422
    assert "Nothing was saved." in refused.text
    (shown,) = re.findall(r'<p class="wrong"[^>]*>(.*?)</p>', refused.text)
    assert sentence in shown
    if not field.startswith("entities"):
        assert f'aria-describedby="wrong-{field}"' in refused.text
    assert form_in(refused.text)["conflict_strategy"] == "manual", "what else was typed is still there"
    assert saved(house)["conflict_strategy"] == "last_write_wins"


def test_how_far_back_history_is_brought_in_is_chosen_here(office: Browser, house: House) -> None:
    form = form_in(office.get(place(house, "settings")).text)
    assert office.post(place(house, "settings"), form | {"history_from": "2026-01-01"}).status_code == 303
    shown = office.get(place(house, "settings")).text
    assert 'name="history_from" type="date" value="2026-01-01"' in shown
    refused = office.post(place(house, "settings"), form | {"history_from": "last year"})
    assert (refused.status_code, "Write the day as 2026-01-31" in refused.text) == (422, True)
    office.post(place(house, "settings"), form | {"history_from": ""})
    assert house.one("select settings ->> 'history_from' from v2_integration_connections") is None


def test_a_preview_saves_nothing(office: Browser, house: House) -> None:
    form = form_in(office.get(place(house, "settings")).text)
    shown = office.post(
        place(house, "settings"), form | {"conflict_strategy": "platform_wins", "do": "preview"}
    )
    assert shown.status_code == 200
    assert "Nothing was saved yet." in shown.text
    assert shown.text.index("Nothing was saved yet.") < shown.text.index("Schedule"), "where the page opens"
    assert saved(house)["conflict_strategy"] == "last_write_wins"


def test_a_bookkeeper_sees_the_settings_and_changes_none(world: World, house: House) -> None:
    visitor = Browser(world)
    visitor.sign_in(house, role="bookkeeper")
    shown = visitor.get(place(house, "settings")).text
    assert '<fieldset class="settings" disabled>' in shown
    assert "Save the settings" not in shown
    assert visitor.post(place(house, "settings"), form_in(shown)).status_code == 403

"""GET and PUT /connections/:id/settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import Client, House, World, exact, problem

OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "06:00", "until": "20:00"}


def path(house: House) -> str:
    return f"/connections/{house.connection_id}/settings"


def wanted(**changes: Any) -> dict[str, Any]:
    return {
        "sync_schedule": "hourly",
        "sync_window": None,
        "time_zone": "America/Denver",
        "conflict_strategy": "last_write_wins",
        "is_real_time": False,
        "entities": [],
    } | changes


def test_a_connection_starts_with_the_defaults_of_every_entity(client: Client, house: House) -> None:
    shown = exact(client.get(path(house)))
    directions = {each["entity"]: each["direction"] for each in shown["entities"]}
    assert (directions["invoice"], directions["payment"], directions["account"]) == ("push", "pull", "both")
    assert (shown["is_real_time"], shown["sync_window"], shown["waits"]) == (False, None, None)


def test_what_is_saved_is_what_sync_reads(client: Client, house: House) -> None:
    entity = {
        "entity": "vendor",
        "is_enabled": False,
        "direction": "push",
        "conflict_strategy": "manual",
        "ended_here": "ask",
        "ended_there": "keep",
    }
    entity |= {"closed_period": "ask", "approval": "review"}
    saved = exact(client.put(path(house), wanted(is_real_time=True, entities=[entity])))
    assert saved["is_real_time"] is True
    assert [each for each in saved["entities"] if each["entity"] == "vendor"] == [entity]
    assert house.one("select settings ->> 'real_time' from v2_integration_connections") == "true"
    assert house.one("select is_enabled from entity_settings where entity = 'vendor'") is False
    (entry,) = house.audit("settings.saved")
    assert (entry["before"]["is_real_time"], entry["after"]["is_real_time"]) == (False, True)


def test_how_far_back_is_kept_until_it_is_chosen_anew(client: Client, house: House) -> None:
    assert exact(client.get(path(house)))["history_from"] is None
    saved = exact(client.put(path(house), wanted(history_from="2026-01-01")))
    assert saved["history_from"] == "2026-01-01"
    assert exact(client.put(path(house), wanted()))["history_from"] == "2026-01-01", "left out, it stays"
    assert exact(client.put(path(house), wanted(history_from=None)))["history_from"] is None
    assert house.audit("settings.saved")[-1]["before"]["history_from"] == "2026-01-01"


def test_a_closed_window_says_until_when_syncs_wait(client: Client, house: House) -> None:
    # The world's clock stands at Monday 08:00 in Denver.
    night = OFFICE | {"from": "20:00", "until": "04:00"}
    saved = exact(client.put(path(house), wanted(sync_window=night)))
    assert saved["waits"] == "Syncs wait until Monday 20:00 (America/Denver)."
    assert saved["next_due_at"].startswith("2026-03-03T03:00")


def test_an_open_window_holds_nothing_up(client: Client, house: House) -> None:
    saved = exact(client.put(path(house), wanted(sync_window=OFFICE)))
    assert (saved["sync_window"], saved["waits"]) == (OFFICE, None)


def test_a_manual_connection_is_never_due(client: Client, house: House) -> None:
    assert exact(client.put(path(house), wanted(sync_schedule="manual")))["next_due_at"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sync_schedule": "61 * * * *"}, "nor a cron expression that ever comes due"),
        ({"sync_schedule": "0 0 31 2 *"}, "nor a cron expression that ever comes due"),
        ({"sync_window": OFFICE | {"until": "06:00"}}, "no scheduled sync could ever run"),
        ({"time_zone": "Denver"}, "there is no time zone “Denver”"),
        ({"entities": [{"entity": "payment", "direction": "push"}]}, "only brought in from the ledger"),
    ],
    ids=["no cron", "never", "empty window", "no zone", "pushed payments"],
)
def test_what_could_never_run_is_refused_with_a_sentence(
    client: Client, house: House, change: dict[str, Any], words: str
) -> None:
    before = exact(client.get(path(house)))
    refused = problem(client.put(path(house), wanted(**change)), 422, "input.setting")
    assert words in refused["detail"]
    assert exact(client.get(path(house))) == before


def test_only_an_owner_changes_them_and_only_their_own(world: World, house: House) -> None:
    problem(house.client("bookkeeper").put(path(house), wanted()), 403, "access.not_allowed")
    problem(world.a_house().client().put(path(house), wanted()), 404, "access.not_found")


def test_a_lane_or_a_policy_that_is_left_out_stays_as_it_is(client: Client, house: House) -> None:
    entity = {"entity": "bill", "direction": "push", "closed_period": "first_open_day", "approval": "review"}
    exact(client.put(path(house), wanted(entities=[entity])))
    saved = exact(client.put(path(house), wanted(entities=[{"entity": "bill", "direction": "push"}])))
    (bill,) = [each for each in saved["entities"] if each["entity"] == "bill"]
    assert (bill["closed_period"], bill["approval"]) == ("first_open_day", "review")
    (vendor,) = [each for each in saved["entities"] if each["entity"] == "vendor"]
    assert (vendor["closed_period"], vendor["approval"]) == ("hold", "direct")


def test_what_only_one_accounting_system_has_is_chosen_named_and_taken_back(
    client: Client, house: House
) -> None:
    house.sql("update v2_integration_connections set provider = 'xero' where id = %(connection)s")
    shown = {each["name"]: each for each in exact(client.get(path(house)))["preferences"]}
    assert shown.keys() == {"document_status", "tax", "payment_account"}
    assert (shown["document_status"]["value"], shown["document_status"]["values"]) == (
        None,
        ["authorised", "draft"],
    )
    bank = house.an_account("bank-1", "Operating Checking", "bank")
    chosen = {"document_status": "draft", "payment_account": bank}
    saved = exact(client.put(path(house), wanted(preferences=chosen)))
    values = {each["name"]: each["value"] for each in saved["preferences"]}
    assert values == {"document_status": "draft", "tax": None, "payment_account": bank}
    # What is left out stays; null takes a choice back.
    again = exact(client.put(path(house), wanted(preferences={"payment_account": None})))
    values = {each["name"]: each["value"] for each in again["preferences"]}
    assert values == {"document_status": "draft", "tax": None, "payment_account": None}
    assert house.one("select settings from v2_integration_connections") == {
        "real_time": False,
        "document_status": "draft",
    }


@pytest.mark.parametrize(
    ("provider", "preferences", "words"),
    [
        ("quickbooks_online", {"document_status": "draft"}, "does not know it; it has none of its own"),
        ("xero", {"colour": "red"}, "it has document_status, tax, payment_account"),
        ("xero", {"tax": "exclusive"}, "'exclusive' is none of none and inclusive"),
        ("xero", {"payment_account": "nowhere"}, "'nowhere' is no active account of this connection"),
    ],
    ids=["of another system", "unknown", "no such value", "no such account"],
)
def test_a_preference_that_could_not_work_is_refused_with_a_sentence(
    client: Client, house: House, provider: str, preferences: dict[str, str], words: str
) -> None:
    house.sql(
        "update v2_integration_connections set provider = %(provider)s where id = %(connection)s",
        provider=provider,
    )
    refused = problem(client.put(path(house), wanted(preferences=preferences)), 422, "input.setting")
    assert words in refused["detail"]
    assert all(each["value"] is None for each in exact(client.get(path(house)))["preferences"])


def test_ending_policies_left_out_stay_and_null_goes_by_the_strategy(client: Client, house: House) -> None:
    def save(**policies: str | None) -> tuple[str | None, str | None]:
        entity = {"entity": "bill", "direction": "push"} | policies
        saved = exact(client.put(path(house), wanted(entities=[entity])))
        (bill,) = [each for each in saved["entities"] if each["entity"] == "bill"]
        return bill["ended_here"], bill["ended_there"]

    assert save(ended_here="keep", ended_there="ask") == ("keep", "ask")
    assert save() == ("keep", "ask")
    assert save(ended_here=None) == (None, "ask")


def test_two_ledgers_that_both_win_about_the_same_records_are_refused(client: Client, house: House) -> None:
    other = house.a_second_connection()
    exact(client.put(path(house), wanted(conflict_strategy="provider_wins")))
    there = f"/connections/{other}/settings"
    refused = problem(client.put(there, wanted(conflict_strategy="provider_wins")), 422, "input.setting")
    assert "two ledgers that both win would change the same records to and fro" in refused["detail"]
    assert exact(client.get(there))["conflict_strategy"] == "last_write_wins", "nothing was saved"
    only_names = {
        "entity": "vendor",
        "is_enabled": True,
        "direction": "both",
        "conflict_strategy": "provider_wins",
    }
    problem(client.put(there, wanted(entities=[only_names])), 422, "input.setting")
    exact(client.put(there, wanted(entities=[only_names | {"is_enabled": False}])))
    house.sql("update v2_integration_connections set status = 'disconnected' where id = %(connection)s")
    exact(client.put(there, wanted(conflict_strategy="provider_wins")))

"""GET /conflicts and POST /conflicts/:id/resolve."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import NOW, Client, FakeLauncher, House, exact, problem


def test_a_conflict_shows_three_values_per_field_and_the_money(client: Client, house: House) -> None:
    house.a_conflict()
    (conflict,) = exact(client.get("/conflicts"))["items"]
    assert conflict["fields"][0] == {
        "field": "due_date",
        "ours": "2026-04-30",
        "base": "2026-04-15",
        "theirs": "2026-05-15",
        "changed_by": None,
        "ours_shown": None,
        "base_shown": None,
        "theirs_shown": None,
    }
    assert (conflict["money_difference"], conflict["is_stale"]) == ("250.00", False)


@pytest.mark.parametrize(
    ("choice", "decision"),
    [
        ("platform", "use_ours"),
        ("provider", "use_theirs"),
        ({"memo": "provider", "due_date": "platform"}, 'merge:{"due_date":"platform","memo":"provider"}'),
    ],
)
def test_a_choice_is_stored_where_the_next_sync_honours_it(
    client: Client, house: House, choice: Any, decision: str
) -> None:
    record, link = house.a_conflict()
    resolved = exact(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": choice, "reason": "as agreed"})
    )
    assert resolved == {"id": str(record), "decision": decision, "run": None}
    row = house.link(link)
    assert (row["state"], row["decision"], row["decided_ours_checksum"], row["decided_theirs_checksum"]) == (
        "open",
        decision,
        "ours-1",
        "theirs-1",
    )
    shown = house.record(record)
    assert (shown["resolved_at"], shown["resolution"]) == (NOW, decision)
    (entry,) = house.audit("conflict.resolved")
    assert (entry["reason"], entry["after"]) == ("as agreed", {"decision": decision})
    # Both values are kept, whichever of them the sync overwrites.
    assert [(each["ours"], each["theirs"]) for each in entry["before"]["fields"]] == [
        ("2026-04-30", "2026-05-15"),
        ("Phase 2", "second phase"),
    ]
    assert exact(client.get("/conflicts"))["items"] == []


@pytest.mark.parametrize("side", ["ours_checksum", "theirs_checksum"])
def test_a_choice_about_older_values_gets_the_fresh_conflict(client: Client, house: House, side: str) -> None:
    record, link = house.a_conflict()
    house.sql(f"update links set {side} = 'moved' where id = %(id)s", id=link)
    found = problem(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": "platform"}), 409, "conflict.stale"
    )
    assert (found["conflict"]["id"], found["conflict"]["is_stale"]) == (str(record), True)
    assert house.link(link)["decision"] is None
    assert house.record(record)["resolved_at"] is None
    assert exact(client.get("/conflicts"))["items"][0]["is_stale"]


def test_a_choice_made_before_the_conflict_was_refreshed_is_stale(client: Client, house: House) -> None:
    record, link = house.a_conflict()
    version = exact(client.get("/conflicts"))["items"][0]["version"]
    fresh = {
        "fields": [{"field": "memo", "ours": "Phase 3", "base": "", "theirs": "second phase"}],
        "ours_checksum": "ours-2",
        "theirs_checksum": "theirs-1",
    }
    house.sql(
        "update v2_sync_records set conflict_data = %(fresh)s where id = %(id)s", id=record, fresh=fresh
    )
    house.sql("update links set ours_checksum = 'ours-2' where id = %(id)s", id=link)
    body = {"chosen_value": "platform", "version": version}
    found = problem(client.post(f"/conflicts/{record}/resolve", body), 409, "conflict.stale")
    assert found["conflict"]["fields"][0]["ours"] == "Phase 3"
    exact(client.post(f"/conflicts/{record}/resolve", body | {"version": found["conflict"]["version"]}))


def test_a_conflict_is_resolved_once(client: Client, house: House) -> None:
    record, link = house.a_conflict()
    exact(client.post(f"/conflicts/{record}/resolve", {"chosen_value": "platform"}))
    problem(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": "provider"}), 409, "access.already_done"
    )
    assert house.link(link)["decision"] == "use_ours"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"memo": "platform"}, "no side was chosen for due_date"),
        ({"memo": "platform", "due_date": "platform", "total": "platform"}, "total is not in conflict"),
        ({}, "no side was chosen for due_date, memo"),
    ],
)
def test_a_choice_that_does_not_answer_the_conflict_is_refused(
    client: Client, house: House, choice: Any, words: str
) -> None:
    record, link = house.a_conflict()
    found = problem(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": choice}), 422, "conflict.choice_rejected"
    )
    assert words in found["detail"]
    assert house.link(link)["state"] == "conflict"


@pytest.mark.parametrize(
    "choice", ["ours", 7, None, ["platform"], {"memo": "ours"}, {"memo": {"memo": "platform"}}]
)
def test_a_choice_of_another_form_is_refused(client: Client, house: House, choice: Any) -> None:
    record, _ = house.a_conflict()
    problem(client.post(f"/conflicts/{record}/resolve", {"chosen_value": choice}), 422, "request.invalid")


def test_resolving_may_start_a_sync_of_that_entity(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    record, _ = house.a_conflict()
    resolved = exact(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": "platform", "start_sync": True})
    )
    assert resolved["run"]["entities"] == ["bill"]
    assert launcher.launched[0]["entities"] == ["bill"]


def test_an_error_is_not_resolved_as_a_conflict(client: Client, house: House) -> None:
    record, _ = house.a_waiting_record()
    problem(
        client.post(f"/conflicts/{record}/resolve", {"chosen_value": "platform"}), 404, "access.not_found"
    )
    problem(
        client.post(f"/conflicts/{uuid4()}/resolve", {"chosen_value": "platform"}), 404, "access.not_found"
    )


def test_conflicts_are_filtered_and_paged(client: Client, house: House) -> None:
    for entity in ("bill", "bill", "invoice"):
        house.a_conflict(entity=entity)
    assert len(exact(client.get("/conflicts", entity="invoice"))["items"]) == 1
    first = exact(client.get("/conflicts", limit=2))
    second = exact(client.get("/conflicts", limit=2, cursor=first["next_cursor"]))
    assert (len(first["items"]), len(second["items"]), second["next_cursor"]) == (2, 1, None)


def test_a_conflict_with_lines_shows_them_as_they_are(client: Client, house: House) -> None:
    lines = [{"key": "1", "amount": "10.00"}]
    conflict = {
        "fields": [{"field": "lines", "ours": lines, "base": [], "theirs": None}],
        "ours_checksum": "ours-1",
        "theirs_checksum": "theirs-1",
    }
    house.a_conflict(conflict_data=conflict)
    (shown,) = exact(client.get("/conflicts"))["items"]
    assert json.dumps(shown["fields"][0]["ours"]) == json.dumps(lines)
    assert shown["money_difference"] is None


def test_of_two_choices_at_the_same_moment_one_counts(client: Client, house: House) -> None:
    record, link = house.a_conflict()
    bodies = [{"chosen_value": "platform"}, {"chosen_value": "provider"}]
    answers = client.together("POST", f"/conflicts/{record}/resolve", bodies=bodies)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (won,) = [answer.json()["decision"] for answer in answers if answer.status_code == 200]
    assert house.link(link)["decision"] == won

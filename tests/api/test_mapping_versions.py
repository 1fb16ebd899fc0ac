"""Drafts of a mapping: begin, edit, compare, look at the impact, publish, roll back; and who is too late."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.test_mappings import chart, find, row, save, table
from tests.api.world import Client, House, World, exact, problem

__all__ = ["chart"]


def begin(client: Client, **body: Any) -> Any:
    response = client.post("/mappings/drafts", body or None)
    assert response.status_code == 201, response.text
    return exact(response)


def edit(client: Client, draft: Any, *rows: dict[str, Any], **more: Any) -> Any:
    body = {"revision": draft["revision"], "rows": list(rows), **more}
    return exact(client.put(f"/mappings/drafts/{draft['id']}", body))


def publish(client: Client, draft: Any, **more: Any) -> Any:
    body = {"revision": draft["revision"], **more}
    return exact(client.post(f"/mappings/drafts/{draft['id']}/publish", body))


def changes(diff: Any) -> list[tuple[str, str | None, str, str | None, str | None]]:
    return [
        (
            each["platform_entity_type"],
            each["code"],
            each["change"],
            each["before_account_id"],
            each["after_account_id"],
        )
        for each in diff["changes"]
    ]


# ---------------------------------------------------------------- drafts


def test_a_draft_begins_with_the_mapping_and_books_nothing_before_it_is_published(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    draft = begin(client, note="new chart")
    assert (draft["base_version"], draft["revision"], draft["is_stale"]) == (1, 1, False)
    assert [each["provider_account_name"] for each in draft["rows"]] == ["5033 Concrete"]
    draft = edit(client, draft, row("cost_code", chart["concrete"], "85"), note="new chart")
    assert (draft["revision"], draft["problems"]) == (2, [])
    assert table(house).lookup("cost_code", chart["concrete"]) == "84"
    published = publish(client, draft)
    assert (published["version"], published["note"]) == (2, "new chart")
    assert table(house).lookup("cost_code", chart["concrete"]) == "85"
    problem(client.get(f"/mappings/drafts/{draft['id']}"), 404, "access.not_found")
    assert exact(client.get("/mappings/drafts"))["items"] == []


def test_a_draft_may_be_wrong_and_says_so_and_cannot_be_published(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    draft = begin(client, rows=[row("cost_code", chart["concrete"], "777")])
    (found,) = draft["problems"]
    assert (found["position"], found["field"]) == (0, "provider_account_id")
    assert draft["rows"][0]["is_broken"]
    body = {"revision": draft["revision"]}
    problem(client.post(f"/mappings/drafts/{draft['id']}/publish", body), 422, "mapping.rejected")
    assert exact(client.get("/mappings"))["version"] == 0


def test_a_draft_with_suggestions_fills_the_gaps_and_leaves_what_is_mapped(
    client: Client, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "85"))
    draft = begin(client, with_suggestions=True)
    found = {
        (each["platform_entity_type"], each["code"]): each["provider_account_id"] for each in draft["rows"]
    }
    assert found["cost_code", "03-300"] == "85"
    assert found["cost_code", "26-100"] == "85"
    assert found["liability", None] == "30"


def test_a_draft_begins_in_one_way_only(client: Client, chart: dict[str, str]) -> None:
    found = problem(
        client.post("/mappings/drafts", {"rows": [], "with_suggestions": True}), 422, "input.invalid"
    )
    assert "not with both" in found["detail"]


def test_the_diff_names_what_is_added_changed_and_removed(client: Client, chart: dict[str, str]) -> None:
    save(
        client,
        0,
        row("cost_code", chart["concrete"], "84"),
        row("cost_code", chart["electrical"], "85"),
    )
    draft = begin(client, rows=[row("cost_code", chart["concrete"], "85"), row("asset", None, "20")])
    diff = exact(client.get(f"/mappings/drafts/{draft['id']}/diff"))
    assert (diff["before_version"], diff["after_version"]) == (1, None)
    assert changes(diff) == [
        ("asset", None, "added", None, "20"),
        *sorted(
            [
                ("cost_code", "03-300", "changed", "84", "85"),
                ("cost_code", "26-100", "removed", "85", None),
            ],
            key=lambda each: chart["concrete"] if each[1] == "03-300" else chart["electrical"],
        ),
    ]
    named = next(each for each in diff["changes"] if each["change"] == "changed")
    assert (named["before_account_name"], named["after_account_name"]) == (
        "5033 Concrete",
        "5160 Electrical Subcontractors",
    )


def test_a_discarded_draft_is_gone_and_its_rows_are_in_the_audit_log(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    draft = begin(client, rows=[row("cost_code", chart["concrete"], "84")])
    assert client.delete(f"/mappings/drafts/{draft['id']}").status_code == 204
    problem(client.get(f"/mappings/drafts/{draft['id']}"), 404, "access.not_found")
    (entry,) = house.audit("mapping.draft_discarded")
    assert entry["before"]["rows"][0]["account_id"] == "84"


def test_there_are_only_so_many_drafts(client: Client, house: House, chart: dict[str, str]) -> None:
    begin(client)
    house.sql(
        "insert into mapping_drafts (builder_id, connection_id, base_number, created_by, created_at, updated_by, updated_at)"
        " select builder_id, connection_id, 0, 'a', now(), 'a', now() from mapping_drafts, generate_series(1, 49)"
    )
    problem(client.post("/mappings/drafts"), 422, "mapping.too_many_drafts")


def test_another_builder_s_draft_is_not_found(client: Client, world: World, chart: dict[str, str]) -> None:
    draft = begin(client)
    other = world.a_house("Another").client()
    for path in ("", "/diff", "/impact"):
        problem(other.get(f"/mappings/drafts/{draft['id']}{path}"), 404, "access.not_found")


def test_a_viewer_reads_drafts_and_changes_none(house: House, client: Client, chart: dict[str, str]) -> None:
    draft = begin(client)
    viewer = house.client("viewer")
    exact(viewer.get(f"/mappings/drafts/{draft['id']}/impact"))
    problem(
        viewer.post(f"/mappings/drafts/{draft['id']}/publish", {"revision": 1}), 403, "access.not_allowed"
    )


# ---------------------------------------------------------------- who is too late


def test_of_two_drafts_the_second_to_be_published_is_stale_until_it_is_rebased(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"), row("asset", None, "20"))
    first = begin(client, rows=[row("cost_code", chart["concrete"], "85"), row("asset", None, "20")])
    second = begin(
        client,
        rows=[
            row("cost_code", chart["concrete"], "84"),
            row("cost_code", chart["electrical"], "85"),
            row("asset", None, "21"),
        ],
    )
    publish(client, first)
    assert exact(client.get(f"/mappings/drafts/{second['id']}"))["is_stale"]
    body = {"revision": second["revision"]}
    found = problem(client.post(f"/mappings/drafts/{second['id']}/publish", body), 409, "mapping.stale")
    assert "saved as version 2 after you loaded version 1" in found["detail"]
    onto = exact(client.post(f"/mappings/drafts/{second['id']}/rebase", body))
    assert onto["both_changed"] == []
    assert publish(client, onto["draft"])["version"] == 3
    mapping = table(house)
    assert (mapping.lookup("cost_code", chart["concrete"]), mapping.lookup("asset", None)) == ("85", "21")


def test_a_rebase_names_what_both_changed(client: Client, chart: dict[str, str]) -> None:
    draft = begin(client, rows=[row("cost_code", chart["concrete"], "84")])
    save(client, 0, row("cost_code", chart["concrete"], "85"))
    onto = exact(client.post(f"/mappings/drafts/{draft['id']}/rebase", {"revision": 1}))
    (both,) = onto["both_changed"]
    assert (both["before_account_id"], both["after_account_id"]) == ("85", "84")
    assert not onto["draft"]["is_stale"]


def test_a_draft_saved_by_somebody_else_meanwhile_is_refused_with_their_name(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    draft = begin(client)
    edit(house.client("bookkeeper"), draft, row("cost_code", chart["concrete"], "84"))
    body = {"revision": 1, "rows": []}
    found = problem(client.put(f"/mappings/drafts/{draft['id']}", body), 409, "mapping.stale_draft")
    assert "api key bookkeeper" in found["detail"]
    problem(
        client.post(f"/mappings/drafts/{draft['id']}/publish", {"revision": 1}), 409, "mapping.stale_draft"
    )


def test_if_match_is_honoured(client: Client, chart: dict[str, str]) -> None:
    draft = begin(client)
    shown = client.get(f"/mappings/drafts/{draft['id']}")
    assert shown.headers["etag"] == '"1"'
    refused = client.call(
        "PUT",
        f"/mappings/drafts/{draft['id']}",
        json={"revision": 1, "rows": []},
        headers={"If-Match": '"7"'},
    )
    problem(refused, 412, "request.version_moved_on")


def test_of_two_publications_at_the_same_moment_one_is_stale(client: Client, chart: dict[str, str]) -> None:
    drafts = [begin(client, rows=[row("cost_code", chart["concrete"], each)]) for each in ("84", "85")]
    answers = [
        client.together("POST", f"/mappings/drafts/{draft['id']}/publish", bodies=[{"revision": 1}] * 2)
        for draft in drafts
    ]
    statuses = sorted(answer.status_code for pair in answers for answer in pair)
    # One goes through; its twin finds no draft any more, and the other draft's two are both stale.
    assert statuses == [200, 404, 409, 409]


# ---------------------------------------------------------------- versions


def test_rolling_back_is_a_new_version_with_the_old_rows(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    save(client, 1, row("cost_code", chart["concrete"], "85"))
    back = exact(client.post("/mappings/versions/1/roll-back", {"version": 2, "note": "wrong bucket"}))
    assert (back["version"], back["note"]) == (3, "wrong bucket")
    assert table(house).lookup("cost_code", chart["concrete"]) == "84"
    history = exact(client.get("/mappings/versions"))["items"]
    assert [(each["number"], each["restores_version"]) for each in history] == [(3, 1), (2, None), (1, None)]
    assert house.audit("mapping.rolled_back")[0]["after"]["version"] == 3


def test_a_stale_roll_back_is_refused(client: Client, chart: dict[str, str]) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    save(client, 1, row("cost_code", chart["concrete"], "85"))
    problem(client.post("/mappings/versions/1/roll-back", {"version": 1}), 409, "mapping.stale")
    problem(client.post("/mappings/versions/9/roll-back", {"version": 2}), 404, "access.not_found")


def test_the_history_says_who_drafted_and_who_published_and_what_changed(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    draft = begin(house.client("bookkeeper"), rows=[row("cost_code", chart["concrete"], "85")])
    publish(client, draft)
    newest = exact(client.get("/mappings/versions", limit=1))
    (shown,) = newest["items"]
    assert shown["drafted_by"].startswith("api key bookkeeper")
    assert shown["published_by"].startswith("api key owner")
    older = exact(client.get("/mappings/versions", cursor=newest["next_cursor"]))
    assert [each["number"] for each in older["items"]] == [1]
    assert changes(exact(client.get("/mappings/versions/2/diff"))) == [
        ("cost_code", "03-300", "changed", "84", "85")
    ]
    assert changes(exact(client.get("/mappings/versions/1/diff", against=2))) == [
        ("cost_code", "03-300", "changed", "85", "84")
    ]
    assert [each["provider_account_id"] for each in exact(client.get("/mappings/versions/1"))["rows"]] == [
        "84"
    ]


def test_one_row_can_be_mended_while_another_is_broken(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"), row("cost_code", chart["electrical"], "85"))
    house.sql("update mirror set state = 'inactive' where remote_id in ('84', '85')")
    house.an_account("86", "Concrete work", "cost_of_goods_sold")
    saved = save(
        client, 1, row("cost_code", chart["concrete"], "86"), row("cost_code", chart["electrical"], "85")
    )
    assert find(saved, "cost_code", chart["concrete"])["state"] == "mapped"
    assert find(saved, "cost_code", chart["electrical"])["state"] == "broken"
    body = {"version": 2, "rows": [row("cost_code", chart["concrete"], "84")]}
    problem(client.put("/mappings", body), 422, "mapping.rejected")


# ---------------------------------------------------------------- impact


def a_bill(house: House, *codes: str | None, status: str = "approved", role: str = "work") -> UUID:
    vendor = house.one(
        "insert into v2_vendors (builder_id, name) values (%(builder)s, %(name)s) returning id",
        name=uuid4().hex,
    )
    bill: UUID = house.one(
        "insert into v2_bills (builder_id, vendor_id, bill_date, status) values (%(builder)s, %(vendor)s, '2026-03-01', %(status)s) returning id",
        vendor=vendor,
        status=status,
    )
    for position, code in enumerate(codes):
        house.sql(
            "insert into v2_bill_lines (builder_id, bill_id, position, cost_code_id, role, amount)"
            " values (%(builder)s, %(bill)s, %(position)s, %(code)s, %(role)s, 100)",
            bill=bill,
            position=position,
            code=code,
            role=role,
        )
    return bill


def sent(house: House, bill: UUID, **values: Any) -> None:
    """Have the bill in the ledger, as it is coded now."""
    lines = house.sql(
        "select id::text as key, cost_code_id::text as code, role from v2_bill_lines where bill_id = %(bill)s",
        bill=bill,
    )
    house.a_link(
        **{
            "record_id": bill,
            "remote_id": uuid4().hex,
            "state": "open",
            "base_ours": {"lines": lines},
            "base_ours_checksum": "ours-1",
            **values,
        }
    )


def moved(lines: list[Any]) -> list[tuple[str | None, str | None, str | None, int, str]]:
    return [
        (
            each["code"],
            each["before_account_id"],
            each["after_account_id"],
            each["lines"],
            each["amount"].rstrip("0").rstrip("."),
        )
        for each in lines
    ]


def test_the_impact_counts_what_would_move_what_stays_and_what_is_not_approved_yet(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"), row("cost_code", chart["electrical"], "85"))
    a_bill(house, chart["concrete"], chart["concrete"], chart["electrical"])
    a_bill(house, chart["concrete"], status="draft")
    a_bill(house, chart["concrete"], status="void")
    sent(house, a_bill(house, chart["concrete"], chart["concrete"], chart["concrete"]))
    draft = begin(
        client,
        rows=[row("cost_code", chart["concrete"], "85"), row("cost_code", chart["electrical"], "85")],
    )
    found = exact(client.get(f"/mappings/drafts/{draft['id']}/impact"))
    assert moved(found["unsent"]) == [("03-300", "84", "85", 2, "200")]
    assert moved(found["drafts"]) == [("03-300", "84", "85", 1, "100")]
    assert moved(found["stay"]) == [("03-300", "84", "85", 3, "300")]
    assert (found["released"], found["broken"]) == ([], [])
    assert found["summary"].startswith("2 unsent lines would be booked otherwise; 3 sent lines stay")
    assert exact(client.get("/mappings/versions/1/impact"))["unsent"] == []


def test_a_line_recoded_or_added_after_it_was_sent_counts_as_unsent(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    bill = a_bill(house, chart["concrete"], chart["electrical"])
    sent(house, bill, ours_checksum="ours-2")
    house.sql("update v2_bill_lines set cost_code_id = %(code)s where position = 1", code=chart["concrete"])
    draft = begin(client, rows=[row("cost_code", chart["concrete"], "85")])
    found = exact(client.get(f"/mappings/drafts/{draft['id']}/impact"))
    assert moved(found["unsent"]) == [("03-300", "84", "85", 1, "100")]
    assert moved(found["stay"]) == [("03-300", "84", "85", 1, "100")]


def test_the_impact_follows_the_default_of_a_role(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("liability", None, "30"), row("asset", None, "20"))
    a_bill(house, None, role="retainage")
    a_bill(house, chart["concrete"], role="stored_materials")
    draft = begin(client, rows=[row("asset", None, "21")])
    found = exact(client.get(f"/mappings/drafts/{draft['id']}/impact"))
    assert [
        (each["role"], each["before_account_id"], each["after_account_id"]) for each in found["unsent"]
    ] == [
        ("retainage", "30", None),
        ("stored_materials", "20", "21"),
    ]
    assert "1 line would have no account and wait" in found["summary"]


def test_the_impact_names_lost_accounts_and_the_holds_that_would_end(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["electrical"], "85"))
    house.sql("update mirror set state = 'inactive' where remote_id = '85'")
    house.a_waiting_record("held", link={"cause": f"hold.mapping_missing:expense:{chart['concrete']}"})
    house.a_waiting_record("held", link={"cause": "hold.period_locked"})
    draft = begin(
        client,
        rows=[row("cost_code", chart["concrete"], "84"), row("cost_code", chart["electrical"], "85")],
    )
    assert draft["problems"] == [], "what was broken before may stay"
    found = exact(client.get(f"/mappings/drafts/{draft['id']}/impact"))
    assert [(each["platform_cost_code_id"], each["records"]) for each in found["released"]] == [
        (chart["concrete"], 1)
    ]
    assert [each["provider_account_id"] for each in found["broken"]] == ["85"]


@pytest.mark.parametrize("cursor", ["bm9uc2Vuc2U", "WyJtYXBwaW5nIHZlcnNpb25zIiwgIngiLCAiIl0"])
def test_a_cursor_of_another_list_is_refused(client: Client, chart: dict[str, str], cursor: str) -> None:
    problem(client.get("/mappings/versions", cursor=cursor), 422, "input.invalid")


def test_the_impact_of_a_job_s_default_is_its_own_lines_only(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    job = house.one(
        "insert into v2_jobs (builder_id, number, name) values (%(builder)s, '24-011', 'Hill House') returning id"
    )
    save(client, 0, row("asset", None, "20"))
    a_bill(house, chart["concrete"], role="stored_materials")
    there = a_bill(house, chart["concrete"], role="stored_materials")
    house.sql("update v2_bill_lines set job_id = %(job)s where bill_id = %(bill)s", job=job, bill=there)
    rows = [row("asset", None, "20"), {**row("asset", None, "21"), "platform_job_id": str(job)}]
    draft = begin(client, rows=rows)
    assert [(each["job"], each["is_broken"]) for each in draft["rows"]] == [
        (None, False),
        ("24-011 Hill House", False),
    ]
    found = exact(client.get(f"/mappings/drafts/{draft['id']}/impact"))
    assert [(each["job"], each["after_account_id"], each["lines"]) for each in found["unsent"]] == [
        ("24-011 Hill House", "21", 1)
    ]
    publish(client, draft)
    assert table(house).lookup("asset", chart["concrete"], job_id=str(job)) == "21"

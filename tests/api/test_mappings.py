"""GET and PUT /mappings, and the table that sync looks accounts up in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from resources.store.mappings import load_mapping
from sync.mapping import MappingTable
from sync.records import Entity
from tests.api.world import Client, House, World, exact, problem


@pytest.fixture
def chart(house: House) -> dict[str, str]:
    """A small chart of accounts."""
    house.an_account("84", "Concrete", "cost_of_goods_sold", number="5033")
    house.an_account("85", "Electrical Subcontractors", "cost_of_goods_sold", number="5160")
    house.an_account("10", "Construction Income", "income", number="4000")
    house.an_account("20", "Retainage Receivable", "other_current_asset", number="1250")
    house.an_account("21", "Stored Materials", "other_current_asset", number="1260")
    house.an_account("30", "Retainage Payable", "other_current_liability", number="2150")
    return {
        "concrete": house.a_cost_code("03-300", "Cast-in-place concrete", division="Concrete"),
        "electrical": house.a_cost_code("26-100", "Electrical rough-in", division="Electrical"),
    }


def row(profile: str, code: str | None, account: str, direction: str = "both") -> dict[str, Any]:
    return {
        "platform_entity_type": profile,
        "platform_cost_code_id": code,
        "provider_account_id": account,
        "mapping_direction": direction,
    }


def save(client: Client, version: int, *rows: dict[str, Any], **more: Any) -> Any:
    return exact(client.put("/mappings", {"version": version, "rows": list(rows), **more}))


def table(house: House) -> MappingTable:
    with house.world.database.builder_tx(house.id) as tx:
        return load_mapping(tx, house.connection_id)


def find(mapping: Any, profile: str, code: str | None) -> Any:
    (found,) = [
        each
        for each in mapping["rows"]
        if (each["platform_entity_type"], each["platform_cost_code_id"]) == (profile, code)
    ]
    return found


def test_before_the_first_save_everything_is_unmapped_and_suggested(
    client: Client, chart: dict[str, str]
) -> None:
    mapping = exact(client.get("/mappings"))
    assert (mapping["version"], mapping["counts"]["mapped"]) == (0, 0)
    concrete = find(mapping, "cost_code", chart["concrete"])
    assert concrete["state"] == "unmapped"
    assert concrete["suggestion"]["provider_account_id"] == "84"
    assert concrete["suggestion"]["score"] >= 90
    assert "concrete" in concrete["suggestion"]["reason"].lower()
    assert find(mapping, "asset", None)["suggestion"]["provider_account_id"] == "20"
    assert find(mapping, "liability", None)["suggestion"]["provider_account_id"] == "30"
    assert find(mapping, "revenue", chart["concrete"])["suggestion"]["provider_account_id"] == "10"


def test_a_saved_mapping_is_a_version_and_what_sync_looks_up(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    saved = save(
        client,
        0,
        row("cost_code", chart["concrete"], "84"),
        row("cost_code", chart["electrical"], "84"),
        row("revenue", chart["concrete"], "10"),
        row("asset", None, "20"),
        row("asset", chart["concrete"], "21"),
        row("liability", None, "30"),
        note="first",
    )
    assert (saved["version"], saved["note"]) == (1, "first")
    assert saved["saved_by"].startswith("api key owner")
    found = table(house)
    assert found.number == 1
    assert found.account_for_line(Entity.BILL, role="work", cost_code_id=chart["electrical"]) == "84"
    assert found.account_for_line(Entity.INVOICE, role="work", cost_code_id=chart["concrete"]) == "10"
    assert found.account_for_line(Entity.INVOICE, role="work", cost_code_id=chart["electrical"]) is None
    assert found.account_for_line(Entity.INVOICE, role="retainage", cost_code_id=chart["concrete"]) == "20"
    assert found.account_for_line(Entity.BILL, role="retainage", cost_code_id=None) == "30"
    assert (
        found.account_for_line(Entity.BILL, role="stored_materials", cost_code_id=chart["concrete"]) == "21"
    )
    assert (
        found.account_for_line(Entity.BILL, role="stored_materials", cost_code_id=chart["electrical"]) == "20"
    )
    assert set(found.codes_on("cost_code", "84")) == {chart["concrete"], chart["electrical"]}


def test_a_version_keeps_its_rows_after_the_next_save(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    first = table(house)
    save(client, 1, row("cost_code", chart["concrete"], "85"))
    assert table(house).lookup("cost_code", chart["concrete"]) == "85"
    with house.world.database.builder_tx(house.id) as tx:
        old = load_mapping(tx, house.connection_id, version_id=first.version_id)
    assert (old.number, old.lookup("cost_code", chart["concrete"])) == (1, "84")


def test_a_stale_save_is_refused_and_changes_nothing(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    body = {"version": 0, "rows": [row("cost_code", chart["concrete"], "85")]}
    found = problem(client.put("/mappings", body), 409, "mapping.stale")
    assert "version 1" in found["detail"]
    assert table(house).lookup("cost_code", chart["concrete"]) == "84"


def test_the_same_rows_again_are_no_new_version(client: Client, chart: dict[str, str]) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    assert save(client, 1, row("cost_code", chart["concrete"], "84"))["version"] == 1


def test_what_is_left_out_is_unmapped_from_now_on(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    assert save(client, 1)["version"] == 2
    assert table(house).lookup("cost_code", chart["concrete"]) is None


def test_a_save_is_in_the_audit_log_with_what_changed(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"), row("asset", None, "20"))
    save(client, 1, row("cost_code", chart["concrete"], "85"), row("asset", None, "20"), note="moved")
    entry = house.audit("mapping.saved")[-1]
    assert entry["reason"] == "moved"
    assert entry["before"]["rows"] == [
        {"profile": "cost_code", "cost_code_id": chart["concrete"], "account_id": "84"}
    ]
    assert entry["after"] == {
        "version": 2,
        "rows": [{"profile": "cost_code", "cost_code_id": chart["concrete"], "account_id": "85"}],
    }


def test_a_change_of_direction_alone_is_a_version_and_in_the_audit_log(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    assert save(client, 1, row("cost_code", chart["concrete"], "84", "push"))["version"] == 2
    (changed,) = house.audit("mapping.saved")[-1]["after"]["rows"]
    assert (changed["account_id"], changed["direction"]) == ("84", "push")


def test_every_wrong_row_has_its_sentence_and_nothing_is_saved(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    house.an_account("99", "Old account", "expense", state="inactive")
    unknown = str(uuid4())
    body = {
        "version": 0,
        "rows": [
            row("cost_code", chart["concrete"], "84"),
            row("cost_code", unknown, "84"),
            row("cost_code", chart["electrical"], "777"),
            row("revenue", chart["concrete"], "84"),
            row("revenue", None, "10") | {"platform_job_id": unknown},
            row("cost_code", chart["concrete"], "85"),
            row("liability", None, "99"),
        ],
    }
    found = problem(client.put("/mappings", body), 422, "mapping.rejected")
    assert [(each["position"], each["field"]) for each in found["problems"]] == [
        (1, "platform_cost_code_id"),
        (2, "provider_account_id"),
        (3, "provider_account_id"),
        (4, "platform_job_id"),
        (5, "platform_cost_code_id"),
        (6, "provider_account_id"),
    ]
    messages = [each["message"] for each in found["problems"]]
    assert "does not have" in messages[0]
    assert "not in the provider's chart of accounts" in messages[1]
    assert messages[2].endswith("choose one of type income.")
    assert "Rows 1 and 6" in messages[4]
    assert "inactive" in messages[5]
    assert found["detail"].startswith("The mapping was not saved: 6 row(s)")
    assert exact(client.get("/mappings"))["version"] == 0


def test_defaults_of_the_company_and_of_a_job_are_saved_and_shown_with_what_inherits_them(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    job = house.a_job("1204", "Maple Street")
    saved = save(
        client,
        0,
        row("cost_code", chart["concrete"], "84"),
        row("cost_code", None, "85"),
        row("asset", None, "21") | {"platform_job_id": job},
    )
    electrical = find(saved, "cost_code", chart["electrical"])
    assert (electrical["state"], electrical["inherited_from"]) == ("mapped", "company")
    assert electrical["provider_account_name"] == "Electrical Subcontractors"
    assert find(saved, "cost_code", chart["concrete"])["inherited_from"] is None
    (of_job,) = [each for each in saved["rows"] if each["platform_job_id"] is not None]
    assert (of_job["job"], of_job["platform_entity_type"]) == ("1204 Maple Street", "asset")
    assert table(house).find("cost_code", chart["electrical"]) == ("85", "company")
    assert table(house).find("asset", None, job_id=job) == ("21", "job")
    assert table(house).find("asset", None) is None


def test_an_account_that_went_inactive_breaks_its_mapping_visibly(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(
        client,
        0,
        row("cost_code", chart["concrete"], "84"),
        row("asset", None, "20"),
        row("asset", chart["concrete"], "21"),
    )
    house.sql("update mirror set state = 'inactive' where remote_id in ('84', '21')")
    mapping = exact(client.get("/mappings"))
    broken = find(mapping, "cost_code", chart["concrete"])
    assert (broken["state"], broken["provider_account_id"]) == ("broken", "84")
    assert mapping["counts"]["broken"] == 2
    found = table(house)
    assert found.lookup("cost_code", chart["concrete"]) is None
    # The default does not take over for an account that somebody chose on purpose.
    assert found.lookup("asset", chart["concrete"]) is None
    assert found.lookup("asset", chart["electrical"]) == "20"


def test_an_account_that_is_gone_from_the_mirror_breaks_its_mapping(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    house.sql("delete from mirror where remote_id = '84'")
    assert find(exact(client.get("/mappings")), "cost_code", chart["concrete"])["state"] == "broken"
    assert table(house).lookup("cost_code", chart["concrete"]) is None


def test_a_pull_only_row_is_not_pushed_and_a_push_only_row_is_not_read_back(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(
        client,
        0,
        row("cost_code", chart["concrete"], "84", "pull"),
        row("cost_code", chart["electrical"], "85", "push"),
    )
    found = table(house)
    assert (found.lookup("cost_code", chart["concrete"]), found.lookup("cost_code", chart["electrical"])) == (
        None,
        "85",
    )
    assert (found.codes_on("cost_code", "84"), found.codes_on("cost_code", "85")) == (
        (chart["concrete"],),
        (),
    )


# ---------------------------------------------------------------- holds


def test_saving_a_mapping_releases_what_it_held_and_nothing_else(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    waits = {
        "concrete": house.a_link(
            state="held", cause=f"hold.mapping_missing:expense:{chart['concrete']}", tries=2
        ),
        "electrical": house.a_link(state="held", cause=f"hold.mapping_missing:expense:{chart['electrical']}"),
        "retainage": house.a_link("invoice", state="held", cause="hold.mapping_missing:asset:retainage"),
        "no code": house.a_link(state="held", cause="hold.mapping_missing:expense:work"),
        "period": house.a_link(state="held", cause="hold.period_locked"),
    }
    save(client, 0, row("cost_code", chart["concrete"], "84"), row("asset", None, "20"))
    states = {name: house.link(link)["state"] for name, link in waits.items()}
    assert states == {
        "concrete": "open",
        "electrical": "held",
        "retainage": "open",
        "no code": "held",
        "period": "held",
    }
    assert (house.link(waits["concrete"])["cause"], house.link(waits["concrete"])["tries"]) == (None, 0)


def test_used_and_held_targets_are_flagged(client: Client, house: House, chart: dict[str, str]) -> None:
    vendor = house.one(
        "insert into v2_vendors (builder_id, name) values (%(builder)s, 'Summit') returning id"
    )
    bill = house.one(
        "insert into v2_bills (builder_id, vendor_id, bill_date) values (%(builder)s, %(vendor)s, '2026-03-01') returning id",
        vendor=vendor,
    )
    for position, (code, role) in enumerate(
        [(chart["concrete"], "work"), (chart["concrete"], "work"), (None, "retainage")]
    ):
        house.sql(
            "insert into v2_bill_lines (builder_id, bill_id, position, cost_code_id, role, amount)"
            " values (%(builder)s, %(bill)s, %(position)s, %(code)s, %(role)s, 100)",
            bill=bill,
            position=position,
            code=code,
            role=role,
        )
    house.a_link(state="held", cause=f"hold.mapping_missing:expense:{chart['concrete']}")
    mapping = exact(client.get("/mappings"))
    concrete = find(mapping, "cost_code", chart["concrete"])
    assert (concrete["lines"], concrete["held_records"]) == (2, 1)
    assert find(mapping, "liability", None)["lines"] == 1
    assert find(mapping, "cost_code", chart["electrical"])["lines"] == 0
    assert (mapping["counts"]["needed"], mapping["counts"]["held_records"]) == (2, 1)
    assert len(exact(client.get("/mappings", state="unmapped", profile="liability"))["rows"]) == 1


def test_inactive_codes_are_left_out_unless_used(client: Client, house: House, chart: dict[str, str]) -> None:
    house.a_cost_code("99-999", "Retired", is_active=False)
    assert "Retired" not in client.get("/mappings").text


def test_a_mapping_of_an_ended_connection_cannot_be_saved(world: World) -> None:
    house = world.a_house(status="disconnected")
    body = {"connection_id": str(house.connection_id), "version": 0, "rows": []}
    problem(house.client().put("/mappings", body), 409, "connection.not_connected")


def test_each_connection_has_a_mapping_of_its_own(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    xero = house.a_second_connection()
    save(client, 0, row("cost_code", chart["concrete"], "84"), connection_id=str(house.connection_id))
    problem(client.get("/mappings"), 422, "input.which_connection")
    assert exact(client.get("/mappings", connection_id=str(xero)))["version"] == 0
    body = {"connection_id": str(xero), "version": 0, "rows": [row("cost_code", chart["concrete"], "84")]}
    problem(client.put("/mappings", body), 422, "mapping.rejected")


def test_of_two_saves_at_the_same_moment_one_is_stale(client: Client, chart: dict[str, str]) -> None:
    body = {"version": 0, "rows": [row("cost_code", chart["concrete"], "84")]}
    other = {"version": 0, "rows": [row("cost_code", chart["concrete"], "85")]}
    first, second = client.together("PUT", "/mappings", bodies=[body, other])
    assert sorted([first.status_code, second.status_code]) == [200, 409]
    assert exact(client.get("/mappings"))["version"] == 1

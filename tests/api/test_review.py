"""The review queue by cause: what one cause blocks, in which order it goes, and ending it where it stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.api.test_mappings import chart, row, save, table
from tests.api.world import Client, House, exact, problem

__all__ = ["chart"]


def waits(
    house: House, entity: str, label: str, cause: str, *, day: str = "2026-02-01", amount: str = "100.00"
) -> UUID:
    """Hold a record for a cause; return the record's id."""
    _, link = house.a_waiting_record(
        "held",
        entity=entity,
        link={"cause": cause},
        label=label,
        cause=cause,
        amount=amount,
        error_message=f"{label} waits because cost code 03-300 Cast-in-place concrete has no expense account.",
        code="hold.mapping_missing" if "mapping" in cause else "hold.reference_missing",
        remedy="fix_mapping" if "mapping" in cause else "retry_later",
    )
    record_id: UUID = house.link(link)["record_id"]
    house.sql(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, document_date, total, currency, changed_at)"
        " values (%(builder)s, %(entity)s, %(id)s, 'active', '{}', 'c', %(label)s, %(day)s, %(amount)s, 'USD', now())",
        entity=entity,
        id=record_id,
        label=label,
        day=day,
        amount=amount,
    )
    return record_id


def concrete(chart: dict[str, str]) -> str:
    return f"hold.mapping_missing:expense:{chart['concrete']}"


def test_one_cause_lists_all_that_it_blocks_with_amounts_and_what_waits_for_that(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    bill = waits(house, "bill", "Bill 2", concrete(chart), day="2026-02-02", amount="250.00")
    waits(house, "bill", "Bill 1", concrete(chart), day="2026-01-15", amount="50.50")
    waits(house, "bill_payment", "Check 9", f"hold.reference_missing:bill:{bill}", amount="250.00")
    waits(house, "invoice", "Draw 3", "hold.mapping_missing:asset:retainage", day="2026-03-01")
    first, second = exact(client.get("/sync/holds"))["items"]
    assert (first["cause"], first["records"], first["direct"]) == (concrete(chart), 3, 2)
    assert first["amounts"] == {"USD": "550.5000"}
    assert (first["entities"], first["oldest"]) == (["bill", "bill_payment"], "2026-01-15")
    assert (first["action"], first["platform_cost_code_id"]) == ("fix_mapping", chart["concrete"])
    assert first["message"].startswith("Bill 1 waits")
    assert (second["platform_entity_type"], second["platform_cost_code_id"]) == ("asset", None)


def test_what_a_cause_blocks_is_listed_in_the_order_it_is_sent(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    bill = waits(house, "bill", "Bill 2", concrete(chart), day="2026-02-02")
    waits(house, "bill_payment", "Check 9", f"hold.reference_missing:bill:{bill}", day="2026-01-01")
    waits(house, "bill", "Bill 1", concrete(chart), day="2026-01-15")
    waits(house, "invoice", "Draw 3", "hold.mapping_missing:asset:retainage")
    wanted = {"cause": concrete(chart), "limit": 2}
    first = exact(client.get("/sync/holds/records", **wanted))
    rest = exact(client.get("/sync/holds/records", **wanted, cursor=first["next_cursor"]))
    listed = [(each["label"], each["is_direct"]) for each in first["items"] + rest["items"]]
    assert listed == [("Bill 1", True), ("Bill 2", True), ("Check 9", False)]
    assert rest["next_cursor"] is None


def test_fixing_a_cause_where_it_stands_releases_all_of_it_as_one_version(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["electrical"], "85"))
    bill = waits(house, "bill", "Bill 2", concrete(chart))
    waits(house, "bill", "Bill 1", concrete(chart))
    waits(house, "bill_payment", "Check 9", f"hold.reference_missing:bill:{bill}")
    waits(house, "invoice", "Draw 3", "hold.mapping_missing:asset:retainage")
    fixes = [
        {"cause": concrete(chart), "provider_account_id": "84"},
        {"cause": "hold.mapping_missing:asset:retainage", "provider_account_id": "20"},
    ]
    fixed = exact(client.post("/sync/holds/fix", {"fixes": fixes, "note": "gaps", "start_sync": True}))
    assert (fixed["version"], fixed["records"], len(fixed["runs"])) == (2, 4, 1)
    (launched,) = house.world.launcher.launched
    assert launched["entities"] == ["invoice", "bill", "bill_payment"]
    found = table(house)
    assert found.lookup("cost_code", chart["concrete"]) == "84"
    assert found.lookup("cost_code", chart["electrical"]) == "85", "the other rows stay"
    held = house.sql("select entity from links where state = 'held'")
    # The payment is judged again by the next sync, after its bill.
    assert [each["entity"] for each in held] == ["bill_payment"]
    assert house.audit("mapping.saved")[-1]["reason"] == "gaps"


def test_a_hold_that_no_account_ends_says_so_and_nothing_is_saved(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    waits(house, "bill", "Bill 1", concrete(chart))
    waits(house, "bill", "Bill 2", "hold.period_locked")
    fixes = [
        {"cause": concrete(chart), "provider_account_id": "84"},
        {"cause": "hold.period_locked", "provider_account_id": "84"},
    ]
    problem(client.post("/sync/holds/fix", {"fixes": fixes}), 422, "review.not_mended_by_account")
    assert exact(client.get("/mappings"))["version"] == 0


def test_a_cause_that_holds_nothing_is_not_found(client: Client, chart: dict[str, str]) -> None:
    body = {"fixes": [{"cause": concrete(chart), "provider_account_id": "84"}]}
    problem(client.post("/sync/holds/fix", body), 404, "access.not_found")


def test_a_fix_with_an_account_that_is_inactive_or_of_the_wrong_type_is_refused(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["concrete"], "84"))
    house.sql("update mirror set state = 'inactive' where remote_id = '84'")
    waits(house, "bill", "Bill 1", concrete(chart))
    again: Any = {"fixes": [{"cause": concrete(chart), "provider_account_id": "84"}]}
    found = problem(client.post("/sync/holds/fix", again), 422, "input.invalid")
    assert "inactive or gone" in found["detail"]
    again["fixes"][0]["provider_account_id"] = "10"
    problem(client.post("/sync/holds/fix", again), 422, "mapping.rejected")


def test_a_fix_may_insist_on_the_version_that_was_looked_at(
    client: Client, house: House, chart: dict[str, str]
) -> None:
    save(client, 0, row("cost_code", chart["electrical"], "85"))
    waits(house, "bill", "Bill 1", concrete(chart))
    body = {"version": 0, "fixes": [{"cause": concrete(chart), "provider_account_id": "84"}]}
    problem(client.post("/sync/holds/fix", body), 409, "mapping.stale")


def test_a_viewer_sees_causes_and_fixes_none(house: House, chart: dict[str, str]) -> None:
    viewer = house.client("viewer")
    assert exact(viewer.get("/sync/holds"))["items"] == []
    body = {"fixes": [{"cause": "x", "provider_account_id": "84"}]}
    problem(viewer.post("/sync/holds/fix", body), 403, "access.not_allowed")

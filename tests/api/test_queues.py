"""GET /sync/errors, retry, retry-all, dismiss, dismiss-all."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from sync.errors import ProviderUnavailable
from tests.api.world import NOW, Client, FakeLauncher, House, exact, problem


def test_an_error_shows_what_happened_and_what_to_do(client: Client, house: House) -> None:
    house.a_waiting_record(
        code="provider.rejected",
        remedy="ask_user",
        category="validation",
        error_message="QuickBooks refused the bill: its number is used already. Change it.",
    )
    (item,) = exact(client.get("/sync/errors"))["items"]
    assert item["error_message"].startswith("QuickBooks refused")
    assert (item["action"], item["amount"], item["provider"]) == (
        "edit_record",
        "1250.0000",
        "quickbooks_online",
    )
    assert not item["is_queued"]


def test_held_records_are_listed_too_and_conflicts_are_not(client: Client, house: House) -> None:
    house.a_waiting_record()
    house.a_waiting_record("held", remedy="fix_mapping")
    house.a_conflict()
    assert sorted(item["status"] for item in exact(client.get("/sync/errors"))["items"]) == ["error", "held"]
    (held,) = exact(client.get("/sync/errors", status="held"))["items"]
    assert held["action"] == "fix_mapping"


def test_resolved_records_are_not_listed(client: Client, house: House) -> None:
    house.a_waiting_record(resolved_at=NOW)
    assert exact(client.get("/sync/errors"))["items"] == []


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"entity": "invoice"}, 1),
        ({"category": "network"}, 1),
        ({"cause": "hold.period_locked"}, 1),
        ({"since": "2026-03-01T00:00:00Z"}, 2),
        ({"until": "2026-03-01T00:00:00Z"}, 1),
        ({"connection_id": str(uuid4())}, 0),
    ],
)
def test_errors_are_filtered(client: Client, house: House, filters: dict[str, str], count: int) -> None:
    house.a_waiting_record(entity="invoice", created_at=NOW - timedelta(days=7))
    house.a_waiting_record(category="network")
    house.a_waiting_record("held", cause="hold.period_locked")
    assert len(exact(client.get("/sync/errors", **filters))["items"]) == count


def test_errors_are_paged_without_gap_or_repeat(client: Client, house: House) -> None:
    written = {str(house.a_waiting_record()[0]) for _ in range(5)}
    first = exact(client.get("/sync/errors", limit=3))
    second = exact(client.get("/sync/errors", limit=3, cursor=first["next_cursor"]))
    assert {item["id"] for item in (*first["items"], *second["items"])} == written
    assert second["next_cursor"] is None


# ---------------------------------------------------------------- retry


def test_retry_opens_the_link_again_from_the_beginning(client: Client, house: House) -> None:
    record, link = house.a_waiting_record(
        link={"tries": 5, "first_failed_at": NOW, "next_try_at": None, "cause": "hold.x"},
        retry_count=5,
        next_retry_at=NOW,
    )
    assert exact(client.post(f"/sync/errors/{record}/retry")) == {"records": 1, "runs": []}
    row = house.link(link)
    assert (row["state"], row["tries"], row["next_try_at"], row["first_failed_at"], row["cause"]) == (
        "open",
        0,
        None,
        None,
        None,
    )
    assert house.record(record)["resolved_at"] is None
    (item,) = exact(client.get("/sync/errors"))["items"]
    assert (item["is_queued"], item["retry_count"]) == (True, 0)
    (entry,) = house.audit("queue.retried")
    assert entry["link_id"] == link


def test_a_write_that_was_not_confirmed_is_looked_up_and_never_simply_sent_again(
    client: Client, house: House
) -> None:
    record, link = house.a_waiting_record(link={"state": "unknown", "next_try_at": NOW}, category="unknown")
    exact(client.post(f"/sync/errors/{record}/retry"))
    assert (house.link(link)["state"], house.link(link)["next_try_at"]) == ("unknown", None)
    exact(client.post("/sync/errors/retry-all"))
    assert house.link(link)["state"] == "unknown"
    problem(client.delete(f"/sync/errors/{record}"), 409, "queue.still_looked_up")
    assert exact(client.post("/sync/errors/dismiss-all"))["records"] == 0
    assert house.link(link)["state"] == "unknown"


def test_retry_may_start_a_sync_of_that_entity(client: Client, house: House, launcher: FakeLauncher) -> None:
    record, _ = house.a_waiting_record(entity="invoice")
    retried = exact(client.post(f"/sync/errors/{record}/retry", {"start_sync": True}))
    assert retried["runs"][0]["entities"] == ["invoice"]
    assert launcher.launched[0]["entities"] == ["invoice"]


def test_a_retry_stands_although_its_sync_could_not_be_started(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    launcher.refuses = ProviderUnavailable(provider="Dagster", reason="connection refused")
    record, link = house.a_waiting_record()
    problem(client.post(f"/sync/errors/{record}/retry", {"start_sync": True}), 503, "provider.unavailable")
    assert house.link(link)["state"] == "open"


def test_retry_all_opens_everything(client: Client, house: House, launcher: FakeLauncher) -> None:
    links = [house.a_waiting_record(entity=entity)[1] for entity in ("bill", "bill", "invoice")]
    _, conflict_link = house.a_conflict()
    retried = exact(client.post("/sync/errors/retry-all", {"start_sync": True}))
    assert retried["records"] == 3
    assert [run["entities"] for run in retried["runs"]] == [["invoice", "bill"]]
    assert {house.link(link)["state"] for link in links} == {"open"}
    assert house.link(conflict_link)["state"] == "conflict"
    assert {entry["after"]["records"] for entry in house.audit("queue.retried_all")} == {1, 2}


def test_retry_all_may_be_narrowed_to_one_cause(client: Client, house: House) -> None:
    _, wanted = house.a_waiting_record("held", cause="hold.period_locked")
    _, other = house.a_waiting_record("held", cause="hold.reference_missing:vendor")
    assert exact(client.post("/sync/errors/retry-all", {"cause": "hold.period_locked"}))["records"] == 1
    assert (house.link(wanted)["state"], house.link(other)["state"]) == ("open", "held")


def test_retry_all_with_nothing_to_do_does_nothing(client: Client, launcher: FakeLauncher) -> None:
    assert exact(client.post("/sync/errors/retry-all", {"start_sync": True})) == {"records": 0, "runs": []}
    assert launcher.launched == []


# ---------------------------------------------------------------- dismiss


def test_dismiss_leaves_the_record_alone_until_either_side_changes(client: Client, house: House) -> None:
    record, link = house.a_waiting_record(link={"ours_checksum": "o7", "theirs_checksum": None})
    assert exact(client.delete(f"/sync/errors/{record}", reason="entered by hand")) == {"records": 1}
    row = house.link(link)
    assert (row["state"], row["decision"], row["decided_ours_checksum"], row["decided_theirs_checksum"]) == (
        "ignored",
        "dismissed",
        "o7",
        None,
    )
    shown = house.record(record)
    assert (shown["resolved_at"], shown["resolution"]) == (NOW, "dismissed")
    assert shown["resolved_by"].startswith("api key owner")
    (entry,) = house.audit("queue.dismissed")
    assert (entry["reason"], entry["before"], entry["link_id"]) == (
        "entered by hand",
        {"message": "Bill 4471 waits."},
        link,
    )
    assert exact(client.get("/sync/errors"))["items"] == []


def test_what_was_dismissed_cannot_be_dismissed_or_retried_again(client: Client, house: House) -> None:
    record, link = house.a_waiting_record()
    exact(client.delete(f"/sync/errors/{record}"))
    problem(client.delete(f"/sync/errors/{record}"), 409, "access.already_done")
    problem(client.post(f"/sync/errors/{record}/retry"), 409, "access.already_done")
    assert house.link(link)["state"] == "ignored"


def test_dismiss_all_leaves_what_the_filter_names(client: Client, house: House) -> None:
    bill, bill_link = house.a_waiting_record(entity="bill")
    _, invoice_link = house.a_waiting_record(entity="invoice")
    dismissed = exact(client.post("/sync/errors/dismiss-all", {"entity": "bill", "reason": "old year"}))
    assert dismissed == {"records": 1}
    assert (house.link(bill_link)["state"], house.link(invoice_link)["state"]) == ("ignored", "failed")
    assert house.record(bill)["resolution"] == "dismissed"
    (entry,) = house.audit("queue.dismissed")
    assert (entry["reason"], entry["link_id"], entry["entity"]) == ("old year", bill_link, "bill")


def test_a_conflict_is_not_dismissed_as_an_error(client: Client, house: House) -> None:
    conflict, _ = house.a_conflict()
    problem(client.delete(f"/sync/errors/{conflict}"), 404, "access.not_found")
    problem(client.post(f"/sync/errors/{conflict}/retry"), 404, "access.not_found")


def test_an_unknown_record_is_not_found(client: Client) -> None:
    problem(client.post(f"/sync/errors/{uuid4()}/retry"), 404, "access.not_found")
    problem(client.delete(f"/sync/errors/{uuid4()}"), 404, "access.not_found")

"""POST /rehearsals, and reading what a sync would do."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from resources.launcher import DagsterUnavailable
from resources.store import rehearsals
from sync.records import Entity
from sync.rehearsal import Foreseen
from tests.api.world import NOW, Client, FakeLauncher, House, exact, problem


@pytest.fixture
def rehearsed(client: Client, house: House) -> str:
    """A rehearsal that has ended."""
    rehearsal_id: str = exact(client.post("/rehearsals"))["id"]
    fields = [{"field": "total", "before": "100.00", "after": "115.00"}]
    found = [
        Foreseen(Entity.VENDOR, "created", "Vendor Ridge", "ledger"),
        Foreseen(
            Entity.BILL,
            "changed",
            "Bill B-1",
            "ledger",
            amount=Decimal("115.00"),
            currency="USD",
            fields=fields,
            remote_id="77",
        ),
        Foreseen(Entity.BILL, "held", "Bill B-2", is_known=True, amount=Decimal("5.00"), currency="USD"),
    ]
    rehearsals.end(
        house.world.database,
        house.id,
        rehearsal_id=rehearsal_id,
        found=found,
        facts={"calls": 1, "records_read": 9},
        error=None,
        now=NOW,
    )
    return rehearsal_id


def test_a_rehearsal_is_asked_for_and_carried_out_in_dagster(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    answer = client.post("/rehearsals", {"entities": ["bill", "vendor"], "direction": "push"})
    started = exact(answer)
    assert answer.status_code == 202
    assert answer.headers["location"].endswith(f"/rehearsals/{started['id']}")
    assert (started["status"], started["entities"], started["direction"]) == (
        "queued",
        ["vendor", "bill"],
        "push",
    )
    assert launcher.launched == [
        {"builder_id": str(house.id), "provider": "quickbooks_online", "rehearsal_id": started["id"]}
    ]
    assert started["dagster_run_id"] == "dagster-1"


def test_its_totals_and_records_are_read_later_in_pages(client: Client, rehearsed: str) -> None:
    shown = exact(client.get(f"/rehearsals/{rehearsed}"))
    assert (shown["status"], shown["provider_calls"], shown["records_read"]) == ("completed", 1, 9)
    assert [(each["entity"], each["outcome"], each["book"], each["amount"]) for each in shown["totals"]] == [
        ("vendor", "created", "ledger", "0"),
        ("bill", "changed", "ledger", "115.0000"),
        ("bill", "held", None, "5.0000"),
    ]
    first = exact(client.get(f"/rehearsals/{rehearsed}/records", limit=2))
    assert [each["label"] for each in first["items"]] == ["Vendor Ridge", "Bill B-1"]
    assert first["items"][1]["fields"][0]["after"] == "115.00"
    assert first["items"][1]["provider_entity_id"] == "77"
    second = exact(client.get(f"/rehearsals/{rehearsed}/records", cursor=first["next_cursor"]))
    assert [(each["label"], each["is_known"]) for each in second["items"]] == [("Bill B-2", True)]
    held = exact(client.get(f"/rehearsals/{rehearsed}/records", outcome="held", entity="bill"))["items"]
    assert len(held) == 1
    assert [each["id"] for each in exact(client.get("/rehearsals"))["items"]] == [rehearsed]


def test_a_launch_that_fails_leaves_a_failed_rehearsal(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    launcher.refuses = DagsterUnavailable(url="http://dagster", reason="refused")
    problem(client.post("/rehearsals"), 503, "sync.dagster_unavailable")
    ((status, sentence),) = [
        (row["status"], row["error_summary"]) for row in house.sql("select * from rehearsals")
    ]
    assert status == "failed"
    assert "does not answer" in sentence


def test_a_rehearsal_whose_process_is_gone_ends_and_an_old_one_is_forgotten(
    client: Client, house: House
) -> None:
    lost = exact(client.post("/rehearsals"))["id"]
    house.sql("update rehearsals set requested_at = requested_at - interval '3 hours'")
    old = exact(client.post("/rehearsals"))["id"]
    house.sql(
        "update rehearsals set requested_at = requested_at - interval '31 days' where id = %(id)s", id=old
    )
    exact(client.post("/rehearsals"))
    assert exact(client.get(f"/rehearsals/{lost}"))["status"] == "failed"
    problem(client.get(f"/rehearsals/{old}"), 404, "access.not_found")


def test_a_viewer_reads_and_does_not_start(house: House, rehearsed: str) -> None:
    viewer = house.client("viewer")
    exact(viewer.get(f"/rehearsals/{rehearsed}/records"))
    problem(viewer.post("/rehearsals"), 403, "access.not_allowed")


def test_one_that_does_not_exist_is_not_found(client: Client) -> None:
    problem(client.get(f"/rehearsals/{uuid4()}"), 404, "access.not_found")
    problem(client.get(f"/rehearsals/{uuid4()}/records"), 404, "access.not_found")

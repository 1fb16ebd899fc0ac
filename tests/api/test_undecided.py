"""GET /sync/errors/:id/evidence and POST /sync/errors/:id/decide."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.world import Client, FakeLauncher, House, exact, problem


def an_undecided_write(house: House) -> tuple[UUID, UUID]:
    """An unconfirmed bill, and one bill of the ledger that could be it."""
    record, link = house.a_waiting_record(
        link={"state": "unknown", "theirs_checksum": None, "base_ours_checksum": None},
        code="push.outcome_undecided",
        remedy="decide",
        category="unknown",
        details={"candidates": ["1187"], "request_id": "r1"},
    )
    house.an_attempt(link)
    for entity, remote_id, label, canonical in (
        ("vendor", "7", "Summit Electric", {"name": "Summit Electric"}),
        ("bill", "1187", "Bill 4471", {"number": "4471", "party": "7"}),
    ):
        house.sql(
            "insert into mirror (builder_id, connection_id, entity, remote_id, state, canonical, checksum, label, total)"
            " values (%(builder)s, %(connection)s, %(entity)s, %(id)s, 'active', %(canonical)s, 'c', %(label)s, 1250)",
            entity=entity,
            id=remote_id,
            label=label,
            canonical=canonical,
        )
    return record, link


def test_the_evidence_names_the_candidates_and_what_can_be_decided(client: Client, house: House) -> None:
    record, _ = an_undecided_write(house)
    (item,) = exact(client.get("/sync/errors"))["items"]
    assert item["action"] == "decide"
    shown = exact(client.get(f"/sync/errors/{record}/evidence"))
    (candidate,) = shown["candidates"]
    assert (candidate["label"], candidate["party"], candidate["amount"]) == (
        "Bill 4471",
        "Summit Electric",
        "1250.0000",
    )
    assert (shown["attempt"]["request_id"], shown["choices"]) == ("r1", ["adopt", "send_again", "leave"])


def test_a_decision_pairs_the_two_and_may_start_a_sync(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    record, link = an_undecided_write(house)
    body = {"outcome": "adopt", "provider_entity_id": "1187", "reason": "same delivery", "start_sync": True}
    assert exact(client.post(f"/sync/errors/{record}/decide", body))["outcome"] == "adopt"
    assert (house.link(link)["remote_id"], house.link(link)["linked_by"]) == ("1187", "person")
    assert launcher.launched[0]["entities"] == ["bill"]
    (entry,) = house.audit("push.decided")
    assert (entry["reason"], entry["after"]["remote_id"]) == ("same delivery", "1187")


def test_a_record_that_is_no_candidate_is_refused(client: Client, house: House) -> None:
    record, link = an_undecided_write(house)
    body = {"outcome": "adopt", "provider_entity_id": "9"}
    problem(client.post(f"/sync/errors/{record}/decide", body), 422, "queue.outcome_rejected")
    assert house.link(link)["state"] == "unknown"


@pytest.mark.parametrize("outcome", ["send_again", "leave"])
def test_the_other_decisions_leave_the_ledger_to_the_next_sync(
    client: Client, house: House, outcome: str
) -> None:
    record, link = an_undecided_write(house)
    exact(client.post(f"/sync/errors/{record}/decide", {"outcome": outcome}))
    row = house.link(link)
    assert (row["state"], row["not_remote_ids"]) == (
        ("unknown", ["1187"]) if outcome == "send_again" else ("ignored", [])
    )


def test_an_ordinary_error_has_nothing_to_decide(client: Client, house: House) -> None:
    record, _ = house.a_waiting_record()
    problem(client.get(f"/sync/errors/{record}/evidence"), 409, "queue.nothing_to_decide")
    problem(
        client.post(f"/sync/errors/{record}/decide", {"outcome": "leave"}), 409, "queue.nothing_to_decide"
    )

"""A conflict in words: the names of parties, accounts and cost codes, and never an id."""

from __future__ import annotations

import re
from typing import Any

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Entity
from tests.fakes.world import World

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}")


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    made.strategy = Strategy.MANUAL
    return made


def fields(world: World) -> dict[str, dict[str, Any]]:
    data = world.value(
        "select conflict_data from v2_sync_records where status = 'conflict' and resolved_at is null"
    )
    return {each["field"]: each for each in data["fields"]}


def test_a_conflict_shows_vendors_accounts_and_cost_codes_by_name(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("100.00",))
    world.vendor("Slate & Sons")
    world.sync()
    kept = world.ledger.only(Entity.BILL)
    other = next(one for one in world.ledger.all(Entity.VENDOR) if one.canonical["name"] == "Slate & Sons")
    line = {**kept.canonical["lines"][0], "amount": "130.00"}
    world.ledger.edit(Entity.BILL, kept.remote_id, total="130.00", party=other.remote_id, lines=[line])
    world.change("v2_bills", bill, total="120.00")
    world.run("update v2_bill_lines set amount = 120.00 where bill_id = %s", bill)
    assert world.sync().count(Entity.BILL, "conflict") == 1
    found = fields(world)
    party = found["party"]
    assert (party["ours_shown"], party["base_shown"], party["theirs_shown"]) == (
        "Ridge Concrete",
        "Ridge Concrete",
        "Slate & Sons",
    )
    lines = found["lines"]
    assert lines["ours_shown"] == ["Pour 1 · 120.00 · 03-100 Concrete"]
    assert lines["base_shown"] == ["Pour 1 · 100.00 · Job Costs"]
    assert lines["theirs_shown"] == ["Pour 1 · 130.00 · Job Costs"]
    words = [
        str(each[side]) for each in found.values() for side in ("ours_shown", "base_shown", "theirs_shown")
    ]
    assert [text for text in words if ID.search(text)] == []


def test_two_records_that_were_never_linked_show_both_parties_by_name(world: World) -> None:
    vendor = world.ledger.enter(
        Entity.VENDOR, {"name": "Ridge Concrete", "email": None, "phone": None, "address": None}
    )
    world.ledger.enter(
        Entity.BILL,
        {
            "number": "B-1",
            "date": "2026-05-20",
            "due_date": None,
            "party": vendor,
            "currency": "USD",
            "memo": "",
            "total": "75.00",
            "lines": [{"id": "1", "description": "Concrete", "amount": "75.00", "account": world.costs}],
        },
    )
    world.bill(world.vendor())
    assert world.sync().count(Entity.BILL, "conflict") == 1
    lines = fields(world)["lines"]
    assert (lines["theirs_shown"], lines["base_shown"]) == (["Concrete · 75.00 · Job Costs"], None)

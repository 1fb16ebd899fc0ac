"""GET /connections/:id/quota."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from resources.meter import key_of
from tests.api.world import NOW, Client, House, World, exact, problem


def metered(house: House, **row: Any) -> None:
    """Put a day on the meter of the house's company."""
    (company,) = house.sql("select provider_tenant_id from v2_integration_connections")
    key = key_of("quickbooks_online", company["provider_tenant_id"] or "")
    house.sql("insert into call_pace (key) values (%(key)s) on conflict do nothing", key=key)
    house.sql(
        "insert into call_meter values (%(key)s, %(day)s, %(priority)s, %(calls)s, %(reads)s, %(bytes)s, 0)",
        **({"key": key, "day": NOW.date(), "priority": 2, "calls": 0, "reads": 0, "bytes": 0} | row),
    )


def test_the_calls_of_a_connection_are_shown_with_who_waits(client: Client, house: House) -> None:
    metered(house, calls=12, reads=9, bytes=4096)
    metered(house, priority=3, calls=30, reads=30, bytes=1000)
    shown = exact(client.get(f"/connections/{house.connection_id}/quota"))
    assert (shown["calls_today"], shown["metered_reads_this_month"]) == (42, 39)
    assert shown["bytes_read_this_month"] == 5096
    assert (shown["mode"], shown["sentence"]) == ("normal", "Within its limits; nothing waits.")
    assert shown["calls_left_today"] is None
    assert shown["is_waiting"] is False


def test_a_call_that_waits_for_its_turn_is_shown(client: Client, house: House) -> None:
    metered(house)
    house.sql("update call_pace set waiting[2] = %(until)s", until=NOW + timedelta(seconds=3))
    assert exact(client.get(f"/connections/{house.connection_id}/quota"))["is_waiting"] is True
    house.sql("update call_pace set waiting[2] = %(until)s", until=NOW - timedelta(seconds=1))
    assert exact(client.get(f"/connections/{house.connection_id}/quota"))["is_waiting"] is False


def test_a_connection_that_never_called_has_a_quota_too(client: Client, house: House) -> None:
    shown = exact(client.get(f"/connections/{house.connection_id}/quota"))
    assert shown["calls_today"] == 0


def test_a_plan_that_is_nearly_used_up_says_who_waits(client: Client, house: House, world: World) -> None:
    metered(house, calls=490_000, reads=490_000)
    shown = exact(client.get(f"/connections/{house.connection_id}/quota"))
    assert shown["mode"] == "people_only"
    assert "Only what a person asks for" in shown["sentence"]


def test_another_builder_s_connection_has_no_quota_here(client: Client) -> None:
    problem(client.get(f"/connections/{uuid4()}/quota"), 404, "access.not_found")

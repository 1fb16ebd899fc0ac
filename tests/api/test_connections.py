"""GET /providers, GET and DELETE /connections, GET /connections/:id/accounts."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from sync.errors import ProviderUnavailable
from tests.api.world import NOW, Client, House, World, exact, problem


def test_providers_show_what_is_connected_and_what_may_be(client: Client, house: House) -> None:
    quickbooks, xero = exact(client.get("/providers"))["items"]
    assert (quickbooks["provider"], quickbooks["title"], quickbooks["is_available"]) == (
        "quickbooks_online",
        "QuickBooks Online",
        True,
    )
    assert quickbooks["connection"]["id"] == str(house.connection_id)
    assert (xero["is_available"], xero["connection"]) == (False, None)


def test_a_connection_shows_its_company_and_days_until_expiry_and_no_secret(world: World) -> None:
    house = world.a_house(access_token_encrypted="sealed-access", refresh_token_encrypted="sealed-refresh")
    response = house.client().get("/connections")
    (connection,) = exact(response)["items"]
    assert connection["company_name"] == "Cedar Ridge Homes LLC"
    assert connection["days_until_expiry"] == 92
    assert "sealed" not in response.text


def test_disconnected_ones_are_listed_only_when_asked_for(client: Client, house: House) -> None:
    house.a_second_connection(status="disconnected", provider_tenant_id=None)
    assert [row["provider"] for row in exact(client.get("/connections"))["items"]] == ["quickbooks_online"]
    assert [row["provider"] for row in exact(client.get("/connections", status="disconnected"))["items"]] == [
        "xero"
    ]


def test_connections_are_paged(client: Client, house: House) -> None:
    house.a_second_connection(created_at=NOW - timedelta(days=400))
    first = exact(client.get("/connections", limit=1))
    second = exact(client.get("/connections", limit=1, cursor=first["next_cursor"]))
    assert [page["items"][0]["provider"] for page in (first, second)] == ["quickbooks_online", "xero"]
    assert second["next_cursor"] is None


def test_disconnecting_says_what_is_left_to_do_at_the_provider(client: Client, house: House) -> None:
    ended = exact(client.delete(f"/connections/{house.connection_id}"))
    assert ended == {
        "connection_id": str(house.connection_id),
        "status": "disconnected",
        "notice": "Remove the app in the provider's settings.",
    }


def test_an_id_that_is_none_is_a_problem(client: Client) -> None:
    found = problem(client.delete("/connections/7"), 422, "request.invalid")
    assert found["problems"][0]["field"] == "path.id"


# ---------------------------------------------------------------- accounts


def test_the_chart_of_accounts_is_listed_by_name(client: Client, house: House) -> None:
    house.an_account("9", "Materials", "cost_of_goods_sold", number="5020")
    house.an_account("8", "Checking", "bank")
    house.an_account("7", "Old account", "expense", state="inactive")
    house.an_account("6", "Gone", "expense", state="deleted")
    items = exact(client.get(f"/connections/{house.connection_id}/accounts"))["items"]
    assert [item["name"] for item in items] == ["Checking", "Materials", "Old account"]
    assert (items[1]["number"], items[1]["account_type"], items[1]["balance"]) == (
        "5020",
        "cost_of_goods_sold",
        "12.5000",
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"account_type": "bank"}, ["Checking"]),
        ({"state": "inactive"}, ["Old account"]),
        ({"account_type": "equity"}, []),
    ],
)
def test_accounts_are_filtered(
    client: Client, house: House, filters: dict[str, str], names: list[str]
) -> None:
    house.an_account("8", "Checking", "bank")
    house.an_account("7", "Old account", "expense", state="inactive")
    items = exact(client.get(f"/connections/{house.connection_id}/accounts", **filters))["items"]
    assert [item["name"] for item in items] == names


def test_accounts_of_one_name_are_paged_without_gap_or_repeat(client: Client, house: House) -> None:
    for number in range(5):
        house.an_account(str(number), "Same name – with a dash", "expense")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = exact(client.get(f"/connections/{house.connection_id}/accounts", limit=2, **cursor))
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["0", "1", "2", "3", "4"]


def test_the_chart_is_read_from_the_provider_when_asked_for(
    client: Client, house: House, world: World
) -> None:
    exact(client.get(f"/connections/{house.connection_id}/accounts"))
    assert world.tieout.pulled == []
    exact(client.get(f"/connections/{house.connection_id}/accounts", refresh="true"))
    assert world.tieout.pulled == [str(house.connection_id)]


def test_a_viewer_sees_the_chart_and_cannot_start_a_sync_by_asking_for_a_fresh_one(
    house: House, world: World
) -> None:
    viewer = house.client("viewer")
    exact(viewer.get(f"/connections/{house.connection_id}/accounts"))
    problem(
        viewer.get(f"/connections/{house.connection_id}/accounts", refresh="true"), 403, "access.not_allowed"
    )
    assert world.tieout.pulled == []
    exact(house.client("bookkeeper").get(f"/connections/{house.connection_id}/accounts", refresh="true"))
    assert world.tieout.pulled == [str(house.connection_id)]


def test_an_ended_connection_shows_what_was_last_seen_but_reads_nothing(world: World) -> None:
    house = world.a_house(status="disconnected")
    exact(house.client().get(f"/connections/{house.connection_id}/accounts"))
    problem(
        house.client().get(f"/connections/{house.connection_id}/accounts", refresh="true"),
        409,
        "connection.not_connected",
    )


def test_accounts_of_an_unknown_connection_are_not_found(client: Client) -> None:
    problem(client.get(f"/connections/{uuid4()}/accounts"), 404, "access.not_found")


def test_a_provider_that_is_down_is_a_problem_with_a_time_to_come_back(
    client: Client, house: House, world: World
) -> None:
    world.connections.fails = ProviderUnavailable(provider="QuickBooks Online", reason="HTTP 503")
    response = client.delete(f"/connections/{house.connection_id}")
    assert problem(response, 503, "provider.unavailable")["action"] == "wait"
    assert response.headers["retry-after"]

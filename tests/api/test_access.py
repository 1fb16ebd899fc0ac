"""Who may: keys, roles, and builders that never meet."""

from __future__ import annotations

import itertools
import pkgutil
from collections.abc import AsyncIterator
from importlib import import_module
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

import api.routes
from resources.store.api_keys import create_api_key, find_caller, is_well_formed, revoke_api_key
from sync.mapping import PROFILES
from tests.api.world import ROOT, Client, House, World, exact, problem

# The last has a token of its own (test_manners.py).
OPEN_ROUTES = {"/healthz", "/readyz", f"{ROOT}/callback/{{provider}}", "/metrics"}

# The requirement's table, word for word.
REQUIRED = {
    ("GET", "/providers"),
    ("GET", "/connections"),
    ("POST", "/connect/{provider}"),
    ("GET", "/callback/{provider}"),
    ("DELETE", "/connections/{id}"),
    ("GET", "/connections/{id}/accounts"),
    ("GET", "/mappings"),
    ("PUT", "/mappings"),
    ("POST", "/sync"),
    ("GET", "/sync/status"),
    ("GET", "/sync/log"),
    ("GET", "/sync/errors"),
    ("POST", "/sync/errors/{id}/retry"),
    ("POST", "/sync/errors/retry-all"),
    ("DELETE", "/sync/errors/{id}"),
    ("GET", "/conflicts"),
    ("POST", "/conflicts/{id}/resolve"),
}
BODIES = {
    ("PUT", "/mappings"): {"version": 0, "rows": []},
    ("POST", "/conflicts/{id}/resolve"): {"chosen_value": "platform"},
    ("POST", "/sync/errors/{id}/decide"): {"outcome": "leave"},
    ("PUT", "/notifications/preferences"): {"email": None},
    ("POST", "/webhooks"): {"url": "https://example.com/hook"},
    ("PUT", "/webhooks/{id}"): {"url": "https://example.com/hook"},
    ("POST", "/webhooks/{id}/replay"): {"since": "2026-03-01T00:00:00Z"},
    ("POST", "/hooks"): {"target_url": "https://example.com/hook", "event": "bill.paid"},
    ("POST", "/keys"): {"name": "made", "role": "viewer"},
}


def routes_of(world: World) -> list[tuple[str, str]]:
    """Every (method, path) that the application answers, from its OpenAPI document and its route table alike."""
    documented = {
        (method.upper(), path) for path, item in world.app.openapi()["paths"].items() for method in item
    }
    assert documented, "the document lists routes"
    return sorted(documented)


def test_the_requirements_routes_are_all_there(world: World) -> None:
    assert {(method, f"{ROOT}{path}") for method, path in REQUIRED} - set(routes_of(world)) == set()


def test_no_route_hides_from_the_document(world: World) -> None:
    modules = [
        import_module(f"api.routes.{found.name}") for found in pkgutil.iter_modules(api.routes.__path__)
    ]
    routes = [route for module in modules for route in module.router.routes if isinstance(route, APIRoute)]
    assert len(routes) >= len(REQUIRED)
    # What providers send is theirs, and signed (test_inbound.py); what people see has a walk of its own (test_pages.py).
    hidden = {route.path for route in routes if not route.include_in_schema}
    assert {path for path in hidden if path.startswith("/api")} == {"/api/v1/webhooks/{provider}"}
    routes = [route for route in routes if route.include_in_schema]
    assert len(routes_of(world)) == sum(len(route.methods) for route in routes)


def test_every_route_but_health_docs_and_callback_needs_a_key(world: World) -> None:
    nobody = world.client()
    for method, path in routes_of(world):
        if path in OPEN_ROUTES:
            continue
        place = (
            path.removeprefix(ROOT).replace("{id}", str(uuid4())).replace("{provider}", "quickbooks_online")
        )
        body = BODIES.get((method, path.removeprefix(ROOT)))
        response = nobody.call(method, place, **({"json": body} if body else {}))
        found = problem(response, 401, "access.unauthenticated")
        assert "tieout_" in found["detail"], path
        assert response.headers["www-authenticate"] == "Bearer"


def test_routes_that_change_something_refuse_a_viewer(world: World, house: House) -> None:
    viewer = house.client("viewer")
    for method, path in routes_of(world):
        # What a viewer has read, and wants to be told, is the viewer's own.
        if method == "GET" or path in OPEN_ROUTES or "/notifications" in path:
            continue
        place = (
            path.removeprefix(ROOT).replace("{id}", str(uuid4())).replace("{provider}", "quickbooks_online")
        )
        body = BODIES.get((method, path.removeprefix(ROOT)))
        problem(viewer.call(method, place, **({"json": body} if body else {})), 403, "access.not_allowed")


def test_a_bookkeeper_may_decide_but_not_disconnect(house: House) -> None:
    bookkeeper = house.client("bookkeeper")
    exact(bookkeeper.post("/sync/errors/retry-all"))
    problem(bookkeeper.delete(f"/connections/{house.connection_id}"), 403, "access.not_allowed")
    problem(bookkeeper.post("/connect/quickbooks_online"), 403, "access.not_allowed")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer tieout_short",
        "Basic dXNlcjpwYXNz",
        "Bearer \xff",
        f"Bearer tieout_{'A' * 49}",
        "Bearer " + "x" * 9000,
    ],
)
def test_a_key_that_is_none_opens_nothing(world: World, header: str) -> None:
    response = world.client().call("GET", "/connections", headers={"Authorization": header.encode("latin-1")})
    problem(response, 401, "access.unauthenticated")


def test_a_revoked_key_opens_nothing(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="old", role="owner")
    caller = find_caller(world.database, key)
    assert caller is not None
    assert revoke_api_key(world.database, house.id, key_id=caller.key_id)
    assert not revoke_api_key(world.database, house.id, key_id=caller.key_id)
    problem(world.client(key).get("/connections"), 401, "access.unauthenticated")


def test_a_key_is_recognised_by_its_form_and_checksum(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="form", role="viewer")
    assert key.startswith("tieout_")
    assert is_well_formed(key)
    assert not is_well_formed(key[:-1] + ("a" if key[-1] != "a" else "b"))
    assert not is_well_formed(key.removeprefix("tieout_"))


def test_the_key_itself_is_nowhere_stored(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="hidden", role="viewer")
    (row,) = house.sql("select to_jsonb(k) as row from api_keys k where name = 'hidden'")
    assert key not in str(row)
    assert key.removeprefix("tieout_") not in str(row)


def test_a_key_of_one_builder_opens_nothing_of_another(world: World) -> None:
    ours, theirs = world.a_house("Ours"), world.a_house("Theirs")
    record, _ = theirs.a_waiting_record()
    conflict, _ = theirs.a_conflict()
    run, log = theirs.a_run(), theirs.a_log()
    theirs.a_cost_code("99-001", "Their secret work")
    stranger = ours.client()
    for path in (
        f"/connections/{theirs.connection_id}/accounts",
        f"/sync/runs/{run}",
        f"/sync/log/{log}/records",
    ):
        problem(stranger.get(path), 404, "access.not_found")
    for path, params in itertools.product(
        ("/connections", "/sync/log", "/sync/errors", "/conflicts"),
        ({}, {"connection_id": str(theirs.connection_id)}),
    ):
        if path == "/connections" and params:
            continue
        ids = {row.get("connection_id", row["id"]) for row in exact(stranger.get(path, **params))["items"]}
        assert str(theirs.connection_id) not in ids
    for path in ("/mappings", "/sync/status"):
        problem(stranger.get(path, connection_id=str(theirs.connection_id)), 404, "access.not_found")
    assert "Their secret work" not in stranger.get("/mappings").text
    problem(stranger.post(f"/sync/errors/{record}/retry"), 404, "access.not_found")
    problem(stranger.delete(f"/sync/errors/{record}"), 404, "access.not_found")
    problem(
        stranger.post(f"/conflicts/{conflict}/resolve", {"chosen_value": "platform"}), 404, "access.not_found"
    )
    problem(
        stranger.put("/mappings", {"connection_id": str(theirs.connection_id), "version": 0, "rows": []}),
        404,
        "access.not_found",
    )
    exact(stranger.post("/sync/errors/retry-all", {"connection_id": str(theirs.connection_id)}))
    exact(stranger.post("/sync/errors/dismiss-all", {}))
    assert theirs.record(record)["resolved_at"] is None
    assert theirs.record(conflict)["resolved_at"] is None


def test_a_mapping_may_not_name_a_cost_code_of_another_builder(world: World) -> None:
    ours, theirs = world.a_house("Ours"), world.a_house("Theirs")
    ours.an_account("84", "Materials", "cost_of_goods_sold")
    row = {
        "platform_entity_type": PROFILES[0],
        "platform_cost_code_id": theirs.a_cost_code("01", "Theirs"),
        "provider_account_id": "84",
    }
    problem(ours.client().put("/mappings", {"version": 0, "rows": [row]}), 422, "mapping.rejected")


# ---------------------------------------------------------------- health, and what the edge says


def test_health_and_readiness_need_no_key(world: World) -> None:
    nobody: Client = world.client()
    assert exact(nobody.get("/healthz")) == {"status": "ok"}
    assert exact(nobody.get("/readyz")) == {"status": "ok"}


def test_an_unknown_route_is_a_problem(client: Client) -> None:
    problem(client.get("/nothing"), 404, "request.not_found")


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(client: Client) -> None:
    response = client.call("PATCH", "/mappings")
    problem(response, 405, "request.method_not_allowed")
    assert response.headers["allow"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"rows": NaN'])
def test_a_body_that_is_no_json_is_a_problem(client: Client, content: bytes) -> None:
    response = client.call("PUT", "/mappings", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_unread(client: Client) -> None:
    body = {"reason": "x" * 1_100_000}
    problem(client.post("/sync/errors/dismiss-all", body), 413, "input.too_large")


def test_a_body_that_grows_too_large_while_it_comes_is_refused(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    response = client.call(
        "POST", "/sync/errors/dismiss-all", content=pieces(), headers={"Content-Type": "application/json"}
    )
    problem(response, 413, "input.too_large")


def test_a_whole_mapping_may_be_larger_than_other_bodies(client: Client) -> None:
    problem(
        client.put("/mappings", {"version": 0, "rows": [], "note": "x" * 1_100_000}), 422, "request.invalid"
    )


def test_half_a_surrogate_pair_in_a_field_name_is_a_problem_and_no_crash(client: Client) -> None:
    response = client.call(
        "POST", "/sync", content=b'{"\\ud800": 1}', headers={"Content-Type": "application/json"}
    )
    problem(response, 422, "request.invalid")


def test_a_nul_character_is_refused(client: Client) -> None:
    problem(client.post("/sync/errors/dismiss-all", {"reason": "a\x00b"}), 422, "request.invalid")
    problem(client.get("/sync/errors", cause="a\x00b"), 422, "request.invalid")

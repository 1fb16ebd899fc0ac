"""Whatever is sent, the answer is one that the document promises, and never a 5xx."""

from __future__ import annotations

import json
import os
import pkgutil
from importlib import import_module
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Case
from schemathesis.generation import GenerationMode

import api.routes
from tests.api.world import ROOT, Client, House, World

# `python -m tests.api.fuzz` sets them for the long run.
CASES_PER_ROUTE = int(os.environ.get("TESTS_FUZZ_CASES_PER_ROUTE", "16"))
FIRST_ROUTE = int(os.environ.get("TESTS_FUZZ_FIRST_ROUTE", "1"))
# Kept small, so that a long run does not end at the rate limit instead of at the routes.
CASES_PER_KEY = 300
JSON_LINES = "application/x-ndjson"


def documented() -> list[str]:
    """Every operation under the root, read from the routes so that a new one is fuzzed from its first day."""
    modules = [
        import_module(f"api.routes.{found.name}") for found in pkgutil.iter_modules(api.routes.__path__)
    ]
    return sorted(
        f"{method} {ROOT}{route.path}"
        for module in modules
        for route in module.router.routes
        if isinstance(route, APIRoute)
        # What providers send, and what supervisors ask, have tests of their own.
        and route.include_in_schema
        and not route.path.startswith(("/healthz", "/readyz", "/metrics"))
        for method in route.methods
    )


@pytest.fixture(scope="module")
def furnished(shared_world: World) -> House:
    """A builder with a little of everything, so that lists have rows."""
    house = shared_world.a_house()
    house.a_cost_code("03-300", "Concrete")
    house.an_account("84", "Concrete", "cost_of_goods_sold")
    house.a_log(sync_run_id=house.a_run())
    for _ in range(3):
        house.a_waiting_record()
        house.a_conflict()
    return house


def real_ids(house: House, path: str) -> list[UUID]:
    """Ids that the route knows, so that not every case ends at "not found"."""
    table = {
        "connections": "v2_integration_connections",
        "runs": "sync_runs",
        "log": "v2_sync_log",
        "errors": "v2_sync_records",
        "conflicts": "v2_sync_records",
        "webhooks": "webhook_endpoints",
        "hooks": "webhook_endpoints",
        "webhook-deliveries": "webhook_deliveries",
    }
    found = next((name for part, name in table.items() if f"/{part}/{{id}}" in path), None)
    return [row["id"] for row in house.sql(f"select id from {found} limit 3")] if found else []


def send(client: Client, case: Case, *, path_id: UUID | None) -> httpx.Response:
    """Send the case with a valid key; what else it says is left as it is."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    url = sent["url"]
    if path_id is not None:
        url = f"http://testserver{case.operation.path.replace('{id}', str(path_id))}"
    headers = {
        name: value
        for name, value in (sent.get("headers") or {}).items()
        if name.lower() not in ("authorization", "content-length", "cookie", "host", "transfer-encoding")
        and name.isascii()
        and str(value).isascii()
    }
    content = sent.get("data")
    if "json" in sent:
        content = json.dumps(sent["json"]).encode()
    elif isinstance(content, dict | list):
        content = str(content).encode()
    request = client.http.build_request(
        sent["method"], url, params=sent.get("params") or None, headers=headers, content=content
    )
    return client._runner.run(client.http.send(request))


def check_answer(document: dict[str, Any], operation: dict[str, Any], response: httpx.Response) -> None:
    """Compare status, media type and body with what the document promises for this operation."""
    status = str(response.status_code)
    if status == "405":
        return  # the case named another method
    assert status in operation["responses"] or status == "404", f"{status} is not documented: {response.text}"
    media_type = response.headers["content-type"].split(";")[0]
    promised = operation["responses"].get(status, {}).get("content", {"application/problem+json": None})
    assert media_type in promised, (media_type, response.text)
    if media_type == JSON_LINES:
        # A line each, and none where there is nothing.
        assert all(isinstance(json.loads(line), dict) for line in response.text.splitlines())
    elif "json" in media_type and promised[media_type]:
        schema = {**promised[media_type]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(response.json())


def test_no_text_that_postgres_cannot_hold_gets_as_far_as_postgres(
    shared_world: World, furnished: House
) -> None:
    client, asked = furnished.client(), 0
    for path, item in shared_world.app.openapi()["paths"].items():
        for each in item.get("get", {}).get("parameters", []):
            if each["in"] == "query":
                asked += 1
                answer = client.call("GET", path.removeprefix(ROOT), params={each["name"]: "a\x00b"})
                assert answer.status_code < 500, (path, each["name"])
    assert asked > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", documented()[FIRST_ROUTE - 1 :])
def test_whatever_is_sent_gets_an_answer_the_document_promises(
    shared_world: World, furnished: House, name: str
) -> None:
    method, path = name.split()
    document = shared_world.app.openapi()
    operation = schemathesis.openapi.from_dict(document)[path][method]
    clients: list[Client] = []
    ids = real_ids(furnished, path)
    answered: list[int] = []

    @seed(20260302)
    @settings(
        max_examples=CASES_PER_ROUTE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        path_id=st.sampled_from([*ids, None]),
    )
    def check(case: Case, path_id: UUID | None) -> None:
        # Disconnecting is faked and a consent needs none, so that every case meets the same world.
        shared_world.connections.completed = None
        if len(answered) % CASES_PER_KEY == 0:
            clients.append(furnished.client())
        response = send(clients[-1], case, path_id=path_id if "{id}" in path else None)
        answered.append(response.status_code)
        assert response.status_code < 500, response.text
        check_answer(document, document["paths"][path][method.lower()], response)

    check()
    assert len(answered) >= CASES_PER_ROUTE

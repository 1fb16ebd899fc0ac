"""The OpenAPI document: valid, complete, and good enough that a client is generated from it and works."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from resources.store.api_keys import create_api_key
from tests.api.world import World
from tests.support.generated import authenticated, generated_client, model
from tests.support.generated import operation as client_operation


@pytest.fixture(scope="module")
def document(shared_world: World) -> dict[str, Any]:
    return shared_world.app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_the_document_is_served(world: World) -> None:
    response = world.client().get("/openapi.json")
    assert response.json() == json.loads(json.dumps(world.app.openapi()))


def test_operation_ids_are_plain_names_and_unique(document: dict[str, Any]) -> None:
    ids = [each["operationId"] for _, each in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(each.isidentifier() and each.islower() for each in ids), ids


def test_every_refusal_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status: each for status, each in operation["responses"].items() if status >= "400"}
        assert refusals or "/healthz" in name, name
        assert all(list(each["content"]) == ["application/problem+json"] for each in refusals.values()), name
        if "security" in operation:
            assert {"401", "403", "422"} <= refusals.keys(), name


def test_every_route_says_what_it_does(document: dict[str, Any]) -> None:
    assert [name for name, operation in operations(document) if not operation.get("description")] == []


def test_every_model_says_what_it_is_and_the_important_ones_give_examples(document: dict[str, Any]) -> None:
    schemas = {name: each for name, each in document["components"]["schemas"].items() if "properties" in each}
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert any("examples" in field for schema in schemas.values() for field in schema["properties"].values())


def test_amounts_are_texts_and_never_numbers(document: dict[str, Any]) -> None:
    found = json.dumps(document["components"]["schemas"])
    assert '"type": "number"' not in found


@pytest.fixture(scope="module")
def generated(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A client package, generated into a folder of its own and importable."""
    with generated_client(document, tmp_path_factory.mktemp("client")):
        yield


def call(name: str, **arguments: Any) -> Any:
    return asyncio.run(client_operation(name).asyncio(**arguments))


@pytest.mark.slow
def test_a_generated_client_maps_syncs_and_resolves(generated: None, world: World) -> None:
    house = world.a_house()
    code = house.a_cost_code("03-300", "Concrete")
    house.an_account("84", "Concrete", "cost_of_goods_sold")
    conflict, _ = house.a_conflict()
    house.a_waiting_record()
    key = create_api_key(world.database, house.id, name="generated", role="owner")

    def client() -> Any:
        made = authenticated()(base_url="http://testserver", token=key)
        transport = httpx.ASGITransport(world.app)
        headers = {"Authorization": f"Bearer {key}"}
        return made.set_async_httpx_client(
            httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)
        )

    connections = call("connections.list_connections", client=client())
    assert [each.id for each in connections.items] == [house.connection_id]
    mapping = call("mappings.get_mapping", client=client())
    row = model("MappingRowIn")(
        platform_entity_type=model("ProfileName").COST_CODE,
        platform_cost_code_id=UUID(code),
        provider_account_id="84",
    )
    saved = call(
        "mappings.save_mapping",
        client=client(),
        body=model("MappingSave")(version=mapping.version, rows=[row]),
    )
    assert (saved.version, saved.counts.mapped) == (1, 1)
    choice = model("ConflictChoice")(chosen_value=model("WholeChoice").PLATFORM)
    assert (
        call("conflicts.resolve_conflict", client=client(), id=conflict, body=choice).decision == "use_ours"
    )
    assert call("errors.retry_all_sync_errors", client=client(), body=model("RetryAll")()).records == 1
    started = call(
        "sync.start_sync", client=client(), body=model("SyncStart")(entities=[model("EntityName").BILL])
    )
    assert started.run.status == "queued"
    assert call("sync.get_sync_status", client=client()).health.color == "red"
    refused = call("sync.get_sync_run", client=client(), id=conflict)
    assert (type(refused).__name__, refused.code) == ("Problem", "access.not_found")

"""Imports over the API: a file is sent, looked at, put right, confirmed, followed, and taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from resources.imports.spool import UPLOAD_BYTES_MAX
from resources.settings import Settings
from resources.store.database import Database
from tests.api.world import Client, House, World, exact, problem

VENDORS = "Vendor,Phone\nSparrow Electric,555-1\nCedar Hollow Lumber,555-2\n"


@pytest.fixture(scope="module")
def world(settings: Settings, database: Database) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings, database, runner)


@pytest.fixture
def house(world: World) -> House:
    return world.a_house()


@pytest.fixture
def client(house: House) -> Client:
    return house.client("bookkeeper")


def send(client: Client, text: str, *, entity: str = "vendors", name: str = "v.csv", **form: Any) -> Any:
    return client.call(
        "POST", "/imports", files={"file": (name, text.encode())}, data={"entity": entity, **form}
    )


def test_a_file_is_checked_confirmed_and_written(client: Client, house: House) -> None:
    answer = send(client, VENDORS)
    assert answer.status_code == 202
    started = exact(answer)
    shown = exact(client.get(f"/imports/{started['id']}"))
    assert answer.headers["location"].endswith(f"/imports/{started['id']}")
    assert (shown["status"], shown["rows_read"], shown["rows_to_write"]) == ("ready", 2, 2)
    assert shown["preview"][0]["values"] == {"name": "Sparrow Electric", "phone": "555-1"}
    assert house.one("select count(*) from v2_vendors") == 0
    exact(client.post(f"/imports/{started['id']}/confirm"))
    done = exact(client.get(f"/imports/{started['id']}"))
    assert (done["status"], done["documents_written"]) == ("done", 2)
    assert house.one("select count(*) from v2_vendors") == 2
    listed = exact(client.get("/imports", entity="vendors"))["items"]
    assert [each["id"] for each in listed] == [started["id"]]
    assert exact(client.post(f"/imports/{started['id']}/undo")) == {"removed": 2, "restored": 0}
    problem(client.post(f"/imports/{started['id']}/undo"), 409, "import.moved_on")


def test_columns_are_put_right_and_saved(client: Client, house: House) -> None:
    started = exact(send(client, "Firm\nAcme\n"))
    assert exact(client.get(f"/imports/{started['id']}"))["status"] == "refused"
    path = f"/imports/{started['id']}"
    exact(client.call("PATCH", path, json={"columns": {"name": "Firm"}, "save_as": "Yard list"}))
    assert exact(client.get(path))["columns"] == {"name": "Firm"}
    second = exact(send(client, "Firm\nBolt\n"))
    assert exact(client.get(f"/imports/{second['id']}"))["layout"] == "Yard list"
    (saved,) = exact(client.get("/imports/templates"))["items"]
    assert client.delete(f"/imports/templates/{saved['id']}").status_code == 204
    assert house.one("select count(*) from import_templates") == 0


def test_problems_are_listed_downloaded_and_kept_out(client: Client, house: House) -> None:
    text = VENDORS + 'Sparrow Electric,555-9\n"=HYPERLINK(1)",1\n'
    started = exact(send(client, text))
    path = f"/imports/{started['id']}"
    shown = exact(client.get(path))
    assert shown["problem_count"] == 2
    refused = problem(client.post(f"{path}/confirm"), 422, "import.rejected")
    assert "2 problem(s)" in refused["detail"]
    download = client.get(f"{path}/problems")
    assert download.headers["content-type"].startswith("text/csv")
    assert "'=HYPERLINK(1)" in download.text
    exact(client.post(f"{path}/confirm", {"partial": True}))
    assert house.one("select count(*) from v2_vendors") == 2


def test_the_same_file_twice_is_one_import(client: Client, house: House) -> None:
    first = exact(send(client, VENDORS))
    exact(client.post(f"/imports/{first['id']}/confirm"))
    second = exact(send(client, VENDORS, name="other.csv"))
    assert exact(client.get(f"/imports/{second['id']}"))["repeats"] == first["id"]
    assert house.one("select count(*) from v2_vendors") == 2


def test_choices_come_with_the_file(client: Client, house: House) -> None:
    choices = json.dumps({"columns": {"name": "Firm"}, "fixed": {"city": "Rutland"}})
    started = exact(send(client, "Firm\nAcme\n", choices=choices, duplicates="update"))
    exact(client.post(f"/imports/{started['id']}/confirm"))
    assert house.one("select city from v2_vendors") == "Rutland"
    for wrong in ("[]", "{", '{"colour": 1}'):
        problem(send(client, VENDORS, choices=wrong), 422, "input.invalid")


def test_an_import_that_waits_is_cancelled(client: Client) -> None:
    started = exact(send(client, VENDORS))
    assert exact(client.post(f"/imports/{started['id']}/cancel"))["status"] == "cancelled"
    problem(client.post(f"/imports/{started['id']}/confirm"), 409, "import.moved_on")
    problem(client.post(f"/imports/{started['id']}/resume"), 409, "import.moved_on")


def test_a_wrong_file_is_refused_in_words_and_a_missing_one_is_a_problem(client: Client) -> None:
    started = exact(send(client, "%PDF-1.7 nothing"))
    shown = exact(client.get(f"/imports/{started['id']}"))
    assert "this is a PDF" in shown["error"]
    problem(client.call("POST", "/imports", data={"entity": "vendors"}), 422, "request.invalid")
    problem(send(client, VENDORS, entity="dragons"), 422, "request.invalid")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    answer = client.call(
        "POST", "/imports", content=b"", headers={"content-length": str(UPLOAD_BYTES_MAX * 2)}
    )
    problem(answer, 413, "input.too_large")


def test_a_viewer_looks_and_brings_nothing_in(house: House) -> None:
    viewer = house.client("viewer")
    assert exact(viewer.get("/imports"))["items"] == []
    problem(send(viewer, VENDORS), 403, "access.not_allowed")


def test_another_builder_sees_nothing_of_it(world: World, client: Client) -> None:
    started = exact(send(client, VENDORS))
    other = world.a_house().client()
    for path in ("", "/problems"):
        problem(other.get(f"/imports/{started['id']}{path}"), 404, "access.not_found")
    for step in ("confirm", "cancel", "resume", "undo"):
        problem(other.post(f"/imports/{started['id']}/{step}"), 404, "access.not_found")

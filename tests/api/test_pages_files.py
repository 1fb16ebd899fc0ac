"""Files on the pages: what is wrong with one is said before anything is written, and it is put right and taken back there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from resources.settings import Settings
from resources.store.database import Database
from tests.api.test_pages import OURS, Browser
from tests.api.world import House, World

HERE = "/integrations/files"
VENDORS = "Vendor,Phone\nSparrow Electric,555-1\nCedar Hollow Lumber,555-2\n"


@pytest.fixture(scope="module")
def world(settings: Settings, database: Database) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings, database, runner)


@pytest.fixture
def house(world: World) -> House:
    return world.a_house()


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def send(office: Browser, world: World, text: str | bytes, **form: Any) -> str:
    """Send a file as the form does, and return the address that it leads to."""
    answer = world.runner.run(
        office.http.post(
            f"{HERE}/imports",
            files={"file": ("yard.csv", text if isinstance(text, bytes) else text.encode())},
            data={"entity": "vendors"} | form,
            headers=OURS,
        )
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_file_is_looked_at_before_it_is_written_and_taken_back(
    office: Browser, world: World, house: House
) -> None:
    place = send(office, world, VENDORS)
    shown = office.get(place).text
    for text in ("2 rows read; 2 rows would be written", "Sparrow Electric", "Write 2 rows", "Stop it"):
        assert text in shown, text
    assert house.one("select count(*) from v2_vendors") == 0
    assert office.post(f"{place}/confirm", {}).headers["location"] == f"{place}?done=import_confirmed"
    assert house.one("select count(*) from v2_vendors") == 2
    assert "yard.csv" in office.get(HERE).text
    assert "Take it back" in office.get(place).text
    office.post(f"{place}/undo", {})
    assert house.one("select count(*) from v2_vendors") == 0
    assert "Taken back" in office.get(place).text


def test_each_problem_says_its_line_and_what_to_do_and_the_rest_goes_in(
    office: Browser, world: World, house: House
) -> None:
    place = send(office, world, VENDORS + "Sparrow Electric,555-9\n")
    shown = office.get(place).text
    assert "1 problem to correct" in shown
    assert "The rows to correct, as a file" in shown
    assert office.get(f"{place}/problems").headers["content-type"].startswith("text/csv")
    assert "Write what has no problem" in shown
    office.post(f"{place}/confirm", {"partial": "true"})
    assert house.one("select count(*) from v2_vendors where phone = '555-9'") == 0
    assert house.one("select count(*) from v2_vendors") == 2


def test_a_file_of_which_no_row_can_be_used_does_not_ask_for_a_yes(office: Browser, world: World) -> None:
    shown = office.get(send(office, world, "Vendor,Phone\nAcme,1\nAcme,2\n,3\n")).text
    assert "1 row would be written" in shown
    spoilt = office.get(send(office, world, "Vendor,Phone\n,3\n")).text
    assert "To be corrected first" in spoilt
    assert "nothing of it is new" not in spoilt


def test_a_file_with_headings_of_its_own_is_put_right_where_it_is_refused(
    office: Browser, world: World, house: House
) -> None:
    place = send(office, world, "Firm\nAcme\n")
    shown = office.get(place).text
    assert "Cannot be used as it is" in shown
    assert 'name="column.name"' in shown
    form = {"column.name": "Firm", "duplicates": "skip", "save_as": "Yard list"}
    assert office.post(f"{place}/columns", form).headers["location"].endswith("done=import_read_anew")
    assert "Write 1 row" in office.get(place).text
    assert house.one("select name from import_templates") == "Yard list"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"%PDF-1.7 nothing", "This is a PDF"), (b"", "file is empty"), (b"Vendor\x00,\n\xff\xfe", "")],
    ids=["pdf", "empty", "bytes"],
)
def test_a_broken_file_ends_in_a_sentence(
    office: Browser, world: World, content: bytes, sentence: str
) -> None:
    shown = office.get(send(office, world, content))
    assert (shown.status_code, "Write " in shown.text) == (200, False)
    assert sentence in shown.text
    assert "/problems" not in shown.text, "there is no row to correct"


def test_nothing_without_a_file_or_of_an_unknown_kind_is_taken(office: Browser) -> None:
    refused = office.post(f"{HERE}/imports", {"entity": "vendors"})
    assert (refused.status_code, "text/html" in refused.headers["content-type"]) == (422, True)


def test_a_viewer_looks_and_takes_out_and_brings_nothing_in(world: World, house: House) -> None:
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    shown = visitor.get(HERE).text
    assert "Bringing files in needs a bookkeeper" in shown
    assert 'type="file"' not in shown
    assert visitor.post(f"{HERE}/imports", {}).status_code == 403
    assert visitor.get(f"{HERE}/export?dataset=vendors&format=csv").status_code == 200


@pytest.mark.parametrize(("form", "kind"), [("csv", "text/csv"), ("xlsx", "spreadsheet"), ("jsonl", "json")])
def test_everything_is_taken_out_as_what_one_chooses(
    office: Browser, world: World, form: str, kind: str
) -> None:
    place = send(office, world, VENDORS)
    office.post(f"{place}/confirm", {})
    file = office.get(f"{HERE}/export?dataset=vendors&format={form}")
    assert kind in file.headers["content-type"]
    assert "attachment" in file.headers["content-disposition"]


def test_a_preview_cell_is_never_markup(office: Browser, world: World) -> None:
    shown = office.get(send(office, world, "Vendor,Phone\n<img src=x>,1\n")).text
    assert "<img" not in shown
    assert "&lt;img" in shown

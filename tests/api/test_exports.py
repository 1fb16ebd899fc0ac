"""GET /exports/:dataset."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest

from sync.exports.datasets import DATASETS
from tests.api.world import Client, House, World, problem


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_file_is_sent_with_its_name_kind_and_row_count(client: Client, house: House) -> None:
    house.a_cost_code("03-100", "Footings", division="03")
    answer = client.get("/exports/cost_codes")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="cost_codes_')
    assert answer.headers["x-row-count"] == "1"
    (row,) = rows(answer.text)
    assert (row["Code"], row["Name"], row["Division"], row["Active"]) == ("03-100", "Footings", "03", "yes")


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_every_dataset_is_sent_in_every_format(client: Client, dataset: str, kind: str) -> None:
    answer = client.get(f"/exports/{dataset}", format=kind)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith({"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "jsonl": b""}[kind])


def test_what_waits_is_exported_with_its_sentence_and_filtered_as_the_list_is(
    client: Client, house: House
) -> None:
    house.a_waiting_record("error", error_message="QuickBooks refused it.")
    house.a_waiting_record("held", entity="invoice", error_message="=cmd|'/C calc'!A0")
    waiting = rows(client.get("/exports/errors").text)
    assert {row["What happened"] for row in waiting} == {"QuickBooks refused it.", "'=cmd|'/C calc'!A0"}
    (held,) = rows(client.get("/exports/errors", entity="invoice", status="held").text)
    assert held["Entity"] == "invoice"


def test_a_conflict_has_a_row_per_field(client: Client, house: House) -> None:
    house.a_conflict()
    found = rows(client.get("/exports/conflicts").text)
    assert [(row["Field"], row["Ours"], row["Theirs"]) for row in found] == [
        ("due_date", "2026-04-30", "2026-05-15"),
        ("memo", "Phase 2", "second phase"),
    ]
    assert {row["Money difference"] for row in found} == {"250.00"}


def test_a_filter_that_does_not_fit_is_refused_with_those_that_do(client: Client) -> None:
    refused = problem(client.get("/exports/bills", category="network"), 422, "input.invalid")
    assert "status, since, until" in refused["detail"]


def test_a_time_in_a_zone_that_the_database_does_not_know_is_a_time_all_the_same(
    client: Client, house: House
) -> None:
    house.a_waiting_record()
    for place in ("/exports/errors", "/sync/errors", "/sync/log"):
        assert client.get(place, since="2026-03-01T00:00:00-19:54").status_code == 200, place
        problem(client.get(place, since="0001-01-01T00:00:00+19:54"), 422, "request.invalid")
    assert len(rows(client.get("/exports/errors", since="2026-03-02T10:00:00-05:00").text)) == 1
    assert rows(client.get("/exports/errors", since="2026-03-02T10:00:01-05:00").text) == []


def test_nothing_of_a_file_stays_behind(client: Client, house: House) -> None:
    before = set(Path(tempfile.gettempdir()).glob("tieout-export-*"))
    client.get("/exports/vendors")
    client.get("/exports/bills", category="network")
    assert set(Path(tempfile.gettempdir()).glob("tieout-export-*")) <= before


def test_another_builder_s_records_are_in_nobody_else_s_file(
    client: Client, house: House, world: World
) -> None:
    house.a_cost_code("03-100", "Footings")
    other = world.a_house("Birch Row")
    assert rows(other.client().get("/exports/cost_codes").text) == []

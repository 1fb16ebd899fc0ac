"""Every answer of Xero's table of errors has one sentence and one remedy; the table is data, not this test's idea."""

from __future__ import annotations

import csv
from pathlib import Path

import httpx
import pytest

from resources.xero.catalogue import CATALOGUE, OTHER
from resources.xero.faults import error_of

TABLE = list(
    csv.DictReader(Path(__file__).with_name("fault_table.csv").read_text(encoding="utf-8").splitlines())
)


def answer(row: dict[str, str]) -> httpx.Response:
    status = int(row["status"])
    if status in (401, 403):
        return httpx.Response(status, json={"Title": "Unauthorized", "Status": status, "Detail": row["text"]})
    if status == 400 and row["type"]:
        return httpx.Response(400, json={"ErrorNumber": 14, "Type": row["type"], "Message": row["text"]})
    if status == 400 and row["code"] == "unexplained":
        return httpx.Response(
            400, json={"Type": "ValidationException", "Message": row["text"], "Elements": []}
        )
    if status == 400:
        element = {"ValidationErrors": [{"Message": row["text"]}]}
        body = {
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [element],
        }
        return httpx.Response(400, json=body)
    return httpx.Response(status, text=row["text"])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['status']} {row['type'] or row['text'][:40]}")
def test_an_answer_is_told_in_one_sentence_with_whose_move_it_is(row: dict[str, str]) -> None:
    error = error_of(answer(row), label="Bill 4471 of Summit Electric", is_write=True)
    assert str(error.remedy) == row["whose_move"], error.user_message
    assert error.details.get("provider_code", "") == row["code"]
    assert error.user_message.endswith(".")
    assert "{" not in error.user_message
    if row["status"] == "400":
        assert "Bill 4471" in error.user_message


def test_no_message_of_the_table_is_left_to_the_general_sentence() -> None:
    told = {row["code"] for row in TABLE}
    assert OTHER.code not in told
    # What the table does not name was met elsewhere: in recorded answers.
    assert {line.code for line in CATALOGUE} - told == {
        "archived_contact", "tax", "reconciled", "currency", "idempotency",
    }  # fmt: skip

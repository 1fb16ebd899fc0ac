"""Every code of QuickBooks' table of faults has one sentence and one remedy; the table is data, not this test's idea."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from resources.quickbooks.catalogue import CATALOGUE
from resources.quickbooks.faults import Fault, error_of

TABLE = list(
    csv.DictReader(Path(__file__).with_name("fault_table.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["code"] or f"HTTP {row['status']}")
def test_a_fault_is_told_in_one_sentence_with_the_records_name_and_whose_move_it_is(
    row: dict[str, str],
) -> None:
    fault = Fault(row["code"], int(row["status"]), "Message", "Detail of the fault", "TxnDate")
    error = error_of(fault, label="Bill 4471 of Summit Electric", is_write=True)
    assert str(error.remedy) == row["whose_move"]
    assert error.user_message.rstrip().endswith((".", "!"))
    assert "{" not in error.user_message
    is_about_the_record = (
        row["whose_move"] in ("ask_user", "fix_mapping", "look_in_ledger") and row["code"] != "6190"
    )
    assert ("Bill 4471" in error.user_message) == is_about_the_record


def test_the_table_and_the_catalogue_name_the_same_codes() -> None:
    assert {row["code"] for row in TABLE if row["code"]} == set(CATALOGUE)

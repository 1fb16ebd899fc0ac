"""The demo builders' files: they can be made again, and importing them reports exactly what their manifest says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from assets.demo import FOLDER, demo_builders, demo_file, demo_manifest
from assets.demo.making.made import made_files
from resources.store.database import Database
from tests.support.imports import Books

SLUGS = demo_builders()
COUNTS = {
    "v2_cost_codes": 60,
    "v2_jobs": 8,
    "v2_vendors": 25,
    "v2_clients": 15,
    "v2_journal_entries": 15,
    "v2_purchase_orders": 8,
}


@pytest.fixture(scope="module", params=SLUGS)
def imported(
    request: pytest.FixtureRequest, database: Database
) -> tuple[dict[str, Any], Books, dict[str, Any]]:
    manifest = demo_manifest(request.param)
    books = Books(database)
    reports = {
        file["file"]: books.bring(file["entity"], demo_file(request.param, file["file"]), allow_partial=True)
        for file in manifest["files"]
    }
    return manifest, books, reports


def test_there_are_two_builders() -> None:
    assert len(SLUGS) == 2


def test_the_files_can_be_made_again_byte_for_byte() -> None:
    made = dict(made_files())
    there = {
        str(path.relative_to(FOLDER)): path.read_bytes()
        for slug in SLUGS
        for path in (FOLDER / slug).iterdir()
    }
    assert [name for name in made if made[name] != there.get(name)] == []
    assert there.keys() == made.keys()


def test_every_file_reports_exactly_the_problems_of_its_manifest(imported: Any) -> None:
    manifest, _, reports = imported
    found = {name: [problem.as_json() for problem in report.problems] for name, report in reports.items()}
    assert found == {file["file"]: file["problems"] for file in manifest["files"]}


def test_a_builder_is_as_large_as_a_real_one(imported: Any) -> None:
    _, books, _ = imported
    short = {
        table: count
        for table, least in COUNTS.items()
        if (count := books.value(f"select count(*) from {table}")) < least
    }
    assert short == {}
    documents = books.value(
        "select (select count(*) from v2_invoices) + (select count(*) from v2_bills)"
        " + (select count(*) from v2_journal_entries)"
    )
    assert documents >= 150


def test_every_document_adds_up(imported: Any) -> None:
    _, books, _ = imported
    for one, line in (("invoice", "v2_invoice_lines"), ("bill", "v2_bill_lines")):
        wrong = books.rows(
            f"select number from v2_{one}s as d where total <> (select sum(amount) from {line} as l where l.{one}_id = d.id)"
            " or total <= 0"
        )
        assert wrong == []
    assert (
        books.rows(
            "select journal_entry_id from v2_journal_entry_lines group by 1 having sum(debit) <> sum(credit)"
        )
        == []
    )


def test_draws_bill_no_more_than_the_contract(imported: Any) -> None:
    _, books, _ = imported
    over = books.rows(
        "select j.number from v2_jobs j join v2_invoices i on i.job_id = j.id and i.kind = 'draw'"
        " join v2_invoice_lines l on l.invoice_id = i.id and l.role <> 'retainage'"
        " group by j.number, j.contract_amount having sum(l.amount) > j.contract_amount"
    )
    assert over == []


def test_retainage_is_the_last_line_and_what_is_released_was_withheld(imported: Any) -> None:
    _, books, _ = imported
    assert books.value("select count(*) from v2_invoice_lines where role = 'retainage' and amount < 0") > 10
    assert books.value("select count(*) from v2_bill_lines where role = 'retainage' and amount < 0") > 10
    not_last = books.rows(
        "select i.number from v2_invoices i join v2_invoice_lines l on l.invoice_id = i.id and l.role = 'retainage'"
        " where l.position <> (select max(position) from v2_invoice_lines m where m.invoice_id = i.id)"
    )
    assert not_last == []
    released = books.rows(
        "select i.job_id, sum(l.amount) from v2_invoices i join v2_invoice_lines l on l.invoice_id = i.id"
        " where l.role = 'retainage' and i.job_id in (select job_id from v2_invoices where number like '%%-R') group by 1"
    )
    assert released
    assert [amount for _, amount in released if amount != 0] == []


def test_the_traps_that_the_ledger_has_to_find_are_imported(imported: Any) -> None:
    manifest, books, _ = imported
    numbers = {
        row[0] for row in books.rows("select number from v2_invoices union select number from v2_bills")
    }
    assert set(manifest["held"]["numbers_too_long"]) <= numbers
    assert all(len(number) == 22 for number in manifest["held"]["numbers_too_long"])
    assert set(manifest["held"]["bills_with_unmapped_codes"]) <= numbers
    assert set(manifest["held"]["invoices_of_held_clients"]) <= numbers
    clients = {row[0] for row in books.rows("select name from v2_clients")}
    assert set(manifest["held"]["names_with_a_colon"]) <= clients


def test_everything_the_manifest_tells_the_bookkeeper_exists(imported: Any) -> None:
    manifest, books, _ = imported
    invoices = dict(books.rows("select number, total from v2_invoices"))
    bills = {
        (vendor, number): total
        for vendor, number, total in books.rows(
            "select v.name, b.number, b.total from v2_bills b join v2_vendors v on v.id = b.vendor_id"
        )
    }
    script = manifest["bookkeeper"]
    assert len(script["payments"]) > 30
    assert {payment["is_full"] for payment in script["payments"]} == {True, False}
    for payment in script["payments"]:
        assert Decimal(payment["amount"]) <= invoices[payment["invoice"]]
    for payment in script["bill_payments"]:
        assert Decimal(payment["amount"]) <= bills[payment["vendor"], payment["bill"]]
    references = [reference for deposit in script["deposits"] for reference in deposit["payments"]]
    assert len(references) == len(set(references)) > 20
    for invoice in manifest["ledger"]["invoices"]:
        assert Decimal(invoice["total"]) == invoices[invoice["number"]]
    assert (manifest["conflict"]["vendor"], manifest["conflict"]["bill"]) in bills


def test_the_mapping_names_every_division_and_only_accounts_of_the_ledger(imported: Any) -> None:
    manifest, books, _ = imported
    divisions = {row[0].split(" ")[0] for row in books.rows("select distinct division from v2_cost_codes")}
    mapping = manifest["mapping"]
    assert divisions == mapping["accounts_by_division"].keys()
    names = {account["name"] for account in manifest["ledger"]["accounts"]}
    roles = [
        mapping[role] for role in ("revenue", "retainage_receivable", "retainage_payable", "stored_materials")
    ]
    assert {*mapping["accounts_by_division"].values(), *roles} <= names
    codes = {row[0] for row in books.rows("select code from v2_cost_codes")}
    assert set(mapping["unmapped"]) < codes


def test_importing_the_demo_twice_changes_nothing(imported: Any) -> None:
    manifest, books, _ = imported
    tables = (
        "v2_clients",
        "v2_vendors",
        "v2_invoices",
        "v2_invoice_lines",
        "v2_bills",
        "v2_bill_lines",
    )
    before = {table: books.value(f"select count(*) from {table}") for table in tables}
    again = [
        books.bring(file["entity"], demo_file(manifest["slug"], file["file"]), allow_partial=True)
        for file in manifest["files"]
    ]
    assert {report.rows_written for report in again} == {0}
    assert all(report.is_repeated for report in again)
    assert {table: books.value(f"select count(*) from {table}") for table in tables} == before

"""Headings as people write them are taken for fields; what is only alike is offered, never taken."""

from __future__ import annotations

import pytest

from sync.imports.columns import heading_key, likely_entity, nearest_heading, recognise
from sync.imports.formats import FORMATS, ImportEntity

BILLS = FORMATS[ImportEntity.BILLS]
INVOICES = FORMATS[ImportEntity.INVOICES]


def columns(headings: list[str], entity: ImportEntity) -> dict[str, str]:
    found = recognise(headings, FORMATS[entity])
    return {name: headings[position] for name, position in found.columns.items()}


def test_usual_headings_are_recognised() -> None:
    headings = ["Inv #", "Customer Name", "Txn Date", "Due", "Cost Code", "Line Amount", "Invoice Total"]
    assert columns(headings, ImportEntity.INVOICES) == {
        "number": "Inv #",
        "party": "Customer Name",
        "date": "Txn Date",
        "due_date": "Due",
        "cost_code": "Cost Code",
        "amount": "Line Amount",
        "total": "Invoice Total",
    }


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("Job #", "job number"),
        ("Job No.", "job number"),
        ("unitPrice", "unit price"),
        ("  COST_CODE ", "cost code"),
        ("Amount ($)", "amount"),
        ("Accounts Receivable (A/R)", "accounts receivable a r"),
    ],
)
def test_a_heading_is_compared_without_its_dress(heading: str, key: str) -> None:
    assert heading_key(heading) == key


def test_a_slip_of_the_pen_is_still_the_column() -> None:
    assert columns(["Vender Name", "Bill Date", "Ammount"], ImportEntity.BILLS) == {
        "party": "Vender Name",
        "date": "Bill Date",
        "amount": "Ammount",
    }


def test_the_surest_heading_gets_the_field() -> None:
    assert (
        columns(["Reference", "Bill Number", "Vendor", "Date", "Amount"], ImportEntity.BILLS)["number"]
        == "Bill Number"
    )


def test_a_due_date_is_never_taken_for_the_date() -> None:
    found = recognise(["Vendor", "Due Date", "Amount"], BILLS)
    assert [field.name for field in found.missing] == ["date"]


def test_what_is_merely_alike_is_offered_and_not_taken() -> None:
    headings = ["Vendor", "Date", "Net value"]
    assert [field.name for field in recognise(headings, BILLS).missing] == ["amount"]
    assert nearest_heading(BILLS.of("party"), ["Vndr", "Colour"]) == "Vndr"
    assert nearest_heading(BILLS.of("party"), ["Colour"]) is None


def test_quantity_and_price_stand_for_the_amount() -> None:
    assert recognise(["Vendor", "Date", "Qty", "Unit Cost"], BILLS).missing == []
    assert recognise(["Vendor", "Date", "Qty"], BILLS).missing != []


def test_a_file_of_something_else_is_told() -> None:
    assert likely_entity(
        ["Entry No", "Date", "Account", "Debit", "Credit"], other_than=ImportEntity.BILLS
    ) == (ImportEntity.JOURNAL_ENTRIES)
    assert likely_entity(["Colour", "Taste"], other_than=ImportEntity.BILLS) is None


def test_unused_columns_are_known() -> None:
    headings = ["Vendor", "Date", "Amount", "Favourite colour"]
    assert [headings[position] for position in recognise(headings, BILLS).unused] == ["Favourite colour"]


@pytest.mark.parametrize("format_", FORMATS.values(), ids=lambda format_: format_.entity)
def test_every_field_is_recognised_by_its_own_title(format_: object) -> None:
    assert hasattr(format_, "fields")
    titles = [field.title for field in format_.fields]
    found = recognise(titles, format_)  # type: ignore[arg-type]  # a parametrised format
    assert {name: titles[position] for name, position in found.columns.items()} == {
        field.name: field.title for field in format_.fields
    }

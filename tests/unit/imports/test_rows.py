"""Rows become values and problems: continued documents, totals, blank rows, formulas, rows that are too wide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sync.errors import ImportRejected
from sync.imports.cells import Reading
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.problems import PROBLEMS_KEPT_MAX, ProblemList
from sync.imports.references import References
from sync.imports.rows import RowReader, stage_columns
from sync.imports.survey import SourceRow, survey
from sync.imports.texts import Cell

Row = Sequence[Cell]


class Read:
    """What reading a table gave: rows as dictionaries, problems as (line, column, problem, suggestion), notes."""

    def __init__(self, entity: ImportEntity, rows: Sequence[Row]) -> None:
        format_ = FORMATS[entity]
        source = [SourceRow(line, row) for line, row in enumerate(rows, start=1)]
        looked = survey(source, format_, file_name="file.csv")
        references = References()
        references.of("vendor").add("v1", names=["Cedar Hollow Lumber"])
        references.of("vendor").add("v2", names=["Sparrow Electric"])
        references.of("client").add("c1", names=["Bertrand Quillon"])
        references.of("job").add("j1", names=["2603", "Quillon Cabin"])
        references.of("cost_code").add("k1", names=["0310", "Footings"])
        references.of("cost_code").add("k2", names=["0320", "Slab"])
        references.of("cost_code").add("k3", names=["0330", "Slab"])
        references.of("account").add("a1", names=["Depreciation", "6100"])
        collected = ProblemList()
        reader = RowReader(Reading(format_, looked, references, "USD"), problems=collected)
        names = stage_columns(format_)
        self.rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in reader.read(source)]
        self.problems = [tuple(problem.as_json().values()) for problem in collected.in_order()]
        self.rejected = collected.rejected
        self.notes = reader.notes
        self.rows_read = reader.rows_read

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def bills(*rows: Row, headings: Row = ("Bill No", "Vendor", "Date", "Code", "Amount")) -> Read:
    return Read(ImportEntity.BILLS, [headings, *rows])


def test_a_row_is_read_into_typed_values() -> None:
    (row,) = bills(("A-1", " Cedar  Hollow Lumber ", "2026-03-31", "0310", "$1,250.00")).rows
    assert (row["party"], row["date"], row["cost_code"], row["amount"]) == (
        "v1",
        date(2026, 3, 31),
        "k1",
        Decimal("1250.00"),
    )
    assert (row["line"], row["currency"], row["role"], row["status"]) == (2, "USD", "work", "approved")


def test_rows_that_leave_the_document_out_continue_it() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("", "", "", "0310", "20"),
        ("A-1", "", "", "0310", "30"),
        ("A-2", "Cedar Hollow Lumber", "2026-04-01", "0310", "40"),
    )
    assert read.column("document") == ["cedar hollow lumber|a-1"] * 3 + ["cedar hollow lumber|a-2"]
    assert read.column("date")[2] == date(2026, 3, 31)
    assert read.problems == []


def test_the_same_number_of_another_vendor_is_another_bill() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("A-1", "Sparrow Electric", "2026-03-31", "0310", "20"),
    )
    assert len(set(read.column("document"))) == 2


def test_bills_without_a_number_are_one_each() -> None:
    read = bills(
        ("", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("", "", "", "0310", "20"),
        ("", "Cedar Hollow Lumber", "2026-03-31", "0310", "30"),
    )
    assert read.column("document") == ["line 2", "line 2", "line 4"]
    assert read.column("number") == [None, None, None]


def test_a_total_at_the_end_is_left_out_and_proves_the_file() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("A-2", "Cedar Hollow Lumber", "2026-03-31", "0310", "20"),
        ("Total", "", "", "", "30.00"),
    )
    assert read.rows_read == 2
    assert read.problems == []
    assert read.notes == ["1 totals row left out; the rows add up to the total at the end."]


def test_a_total_that_the_rows_do_not_add_up_to_is_a_problem() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10.00"), ("Grand total:", "", "", "", "30.00")
    )
    assert read.problems == [
        (3, "Amount", "the totals row says 30.00, the rows above add up to 10.00",
         "Look for a row that is missing, doubled or changed.")
    ]  # fmt: skip


def test_a_vendor_called_total_is_a_vendor() -> None:
    names = Read(
        ImportEntity.VENDORS,
        [("Vendor", "Phone"), ("Total Signal & Alarm", "1"), ("Totally Tile", ""), ("Total:", "")],
    )
    assert names.column("name") == ["Total Signal & Alarm", "Totally Tile"]


def test_subtotals_under_each_document_are_left_out() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("Total for A-1", "", "", "", "10"),
        ("A-2", "Cedar Hollow Lumber", "2026-03-31", "0310", "20"),
        ("Total for A-2", "", "", "", "20"),
    )
    assert read.column("amount") == [Decimal(10), Decimal(20)]


def test_blank_rows_and_repeated_headings_are_left_out() -> None:
    headings = ("Bill No", "Vendor", "Date", "Code", "Amount")
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("", " ", None, "", ""),
        headings,
        ("A-2", "Cedar Hollow Lumber", "2026-03-31", "0310", "20"),
    )
    assert read.column("line") == [2, 5]
    assert read.notes == ["The headings are repeated on 1 row; left out."]


def test_a_note_beside_the_table_is_no_row() -> None:
    headings = ("Vendor", "Date", "Amount", "Checked by")
    read = bills(("Sparrow Electric", "2026-01-02", "5", ""), ("", "", "", "Rita"), headings=headings)
    assert (read.rows_read, read.problems) == (1, [])


def test_headings_below_a_title_are_found() -> None:
    rows = [
        ("Larkspur Custom Homes",),
        (),
        ("Bills 2026", "", ""),
        ("Vendor", "Date", "Amount"),
        ("Sparrow Electric", "2026-01-02", "5"),
    ]
    assert Read(ImportEntity.BILLS, rows).column("line") == [5]


def test_two_rows_of_headings_are_read_as_one() -> None:
    rows: list[Row] = [
        ("", "", "", "Amount", ""),
        ("Entry No", "Date", "Account", "Debit", "Credit"),
        ("1", "2026-01-31", "Depreciation", "5.00", ""),
        ("1", "", "6100", "", "5.00"),
    ]
    read = Read(ImportEntity.JOURNAL_ENTRIES, rows)
    assert read.problems == []
    assert read.column("debit") == [Decimal("5.00"), Decimal(0)]
    assert read.column("account") == ["a1", "a1"]


def test_every_problem_of_a_row_is_said_at_once() -> None:
    read = bills(("A-1", "Cedar Holow Lumber", "31/02/2026", "9999", "ten"))
    assert [problem[:2] for problem in read.problems] == [
        (2, "Amount"),
        (2, "Code"),
        (2, "Date"),
        (2, "Vendor"),
    ]
    assert ('Correct it to "Cedar Hollow Lumber" if that is meant, or import the vendor first.' in
            [problem[3] for problem in read.problems])  # fmt: skip


def test_one_bad_line_spoils_its_document_and_no_other() -> None:
    read = bills(
        ("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "10"),
        ("", "", "", "0310", "ten"),
        ("A-2", "Cedar Hollow Lumber", "2026-03-31", "0310", "20"),
    )
    assert read.rejected == {"cedar hollow lumber|a-1"}


def test_a_name_missing_on_many_lines_of_a_document_is_said_once() -> None:
    row = ("A-1", "Nobody", "2026-03-31", "0310", "10")
    assert len(bills(row, row, row).problems) == 1


def test_a_formula_is_not_taken_for_its_value() -> None:
    read = bills(("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "=SUM(D2:D9)"))
    assert read.problems == [
        (2, "Amount", '"=SUM(D2:D9)" is a formula, not a value', "Replace it by its value and save again.")
    ]


def test_a_text_kept_as_a_formula_for_its_zeros_is_that_text() -> None:
    assert bills(('="0012"', "Cedar Hollow Lumber", "2026-03-31", "0310", "1")).column("number") == ["0012"]


def test_a_row_wider_than_the_headings_is_refused() -> None:
    read = bills(("A-1", "Cedar Hollow Lumber", "2026-03-31", "0310", "1", "250.00"))
    assert [problem[2] for problem in read.problems] == ["the row has more values than the 5 headings"]


def test_quantity_times_price_is_the_amount_where_none_is_given() -> None:
    headings = ("Vendor", "Date", "Qty", "Unit Cost")
    assert bills(("Sparrow Electric", "2026-01-02", "3.5", "$10.25"), headings=headings).column("amount") == [
        Decimal("35.88")
    ]


def test_quantity_times_price_must_be_the_amount_where_one_is_given() -> None:
    headings = ("Vendor", "Date", "Qty", "Unit Cost", "Amount")
    read = bills(("Sparrow Electric", "2026-01-02", "3", "10.00", "35.00"), headings=headings)
    assert [problem[2] for problem in read.problems] == ["3 × 10.00 is 30.00, not 35.00"]


def test_a_quantity_and_price_beyond_what_can_be_kept_are_a_problem() -> None:
    headings = ("Vendor", "Date", "Qty", "Unit Cost")
    read = bills(("Sparrow Electric", "2026-01-02", "99999999999999", "99999999999999"), headings=headings)
    assert read.problems[0][2].endswith("is more than can be kept")


def test_a_line_without_any_amount_is_a_problem() -> None:
    read = bills(("A-1", "Sparrow Electric", "2026-01-02", "0310", ""))
    assert [problem[1:3] for problem in read.problems] == [("Amount", "the amount is missing")]


def test_what_must_be_there_is_asked_for() -> None:
    read = bills(("A-1", "", "2026-01-02", "0310", "5"), ("A-2", "Sparrow Electric", "", "0310", "5"))
    assert [problem[:3] for problem in read.problems] == [
        (2, "Vendor", "the vendor is missing"), (3, "Date", "the date is missing"),
    ]  # fmt: skip


def test_a_code_is_found_in_front_of_its_name() -> None:
    read = bills(
        ("A-1", "Sparrow Electric", "2026-01-02", "0310 - Footings", "5"),
        ("A-2", "Sparrow Electric", "2026-01-02", "Footings", "5"),
        ("A-3", "Sparrow Electric", "2026-01-02", Decimal(310), "5"),
    )
    assert read.column("cost_code") == ["k1", "k1", None]
    assert read.problems[0][2] == 'there is no cost code "310"'


def test_a_name_that_two_records_share_names_neither() -> None:
    read = bills(("A-1", "Sparrow Electric", "2026-01-02", "Slab", "5"))
    assert [problem[2] for problem in read.problems] == ['several records go by "Slab"']


def test_a_line_type_is_one_of_three() -> None:
    headings = ("Vendor", "Date", "Amount", "Line type")
    read = bills(
        ("Sparrow Electric", "2026-01-02", "(5)", "Retention"),
        ("Sparrow Electric", "2026-01-02", "5", "Materials stored"),
        ("Sparrow Electric", "2026-01-02", "5", "Gift"),
        headings=headings,
    )
    assert read.column("role") == ["retainage", "stored_materials", None]
    assert read.problems[0][2:] == (
        '"Gift" is no line type',
        "Use one of: retainage, stored materials, work.",
    )


@pytest.mark.parametrize(
    ("debit", "credit", "said"),
    [
        ("5", "5", "both a debit and a credit"),
        ("", "", "neither a debit nor a credit"),
        ("0.00", "", "neither a debit nor a credit"),
    ],
)
def test_a_journal_line_has_exactly_one_side(debit: str, credit: str, said: str) -> None:
    rows = [
        ("Entry", "Date", "Account", "Debit", "Credit"),
        ("1", "2026-01-31", "Depreciation", debit, credit),
    ]
    assert said in Read(ImportEntity.JOURNAL_ENTRIES, rows).problems[0][2]


def test_a_negative_debit_is_a_credit() -> None:
    rows = [
        ("Entry", "Date", "Account", "Debit", "Credit"),
        ("1", "2026-01-31", "Depreciation", "(5.00)", ""),
    ]
    read = Read(ImportEntity.JOURNAL_ENTRIES, rows)
    assert (read.column("debit"), read.column("credit")) == ([Decimal(0)], [Decimal("5.00")])


def test_a_journal_line_needs_an_account_or_a_cost_code() -> None:
    rows = [("Entry", "Date", "Account", "Debit", "Credit"), ("1", "2026-01-31", "", "5", "")]
    assert "neither an account nor a cost code" in Read(ImportEntity.JOURNAL_ENTRIES, rows).problems[0][2]


def test_a_workbook_number_is_exact_and_a_whole_one_is_a_text_without_point() -> None:
    read = bills((Decimal(1042), "Sparrow Electric", date(2026, 1, 2), "0310", Decimal("0.30")))
    assert (read.column("number"), read.column("amount")) == (["1042"], [Decimal("0.30")])


def test_a_number_that_a_workbook_turned_into_a_date_is_not_taken_for_one() -> None:
    read = bills((date(2026, 12, 3), "Sparrow Electric", date(2026, 1, 2), "0310", Decimal(5)))
    assert [problem[1:3] for problem in read.problems] == [
        ("Bill No", "the cell holds the date 2026-12-03, not a number")
    ]


def test_a_missing_column_is_named_with_the_one_that_may_be_meant() -> None:
    with pytest.raises(ImportRejected) as refused:
        bills(("A-1", "2026-01-02", "5"), headings=("Bill No", "When", "Amnt"))
    problems = {problem["column"]: problem for problem in refused.value.details["problems"]}
    assert problems.keys() == {"Vendor", "Date", "Amount"}
    assert problems["Amount"]["suggestion"] == 'If the column "Amnt" is meant, rename it to "Amount".'
    assert "the columns found are" in problems["Vendor"]["suggestion"]


def test_a_file_of_another_kind_is_said_to_be_one() -> None:
    with pytest.raises(ImportRejected, match="look like a file of journal entries: import it as that"):
        Read(
            ImportEntity.BILLS,
            [("Entry No", "Account", "Dr", "Cr", "Posting Date"), ("1", "Cash", "1", "", "2026-01-01")],
        )


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ImportRejected, match="the file is empty"):
        Read(ImportEntity.BILLS, [])


def test_no_more_than_a_thousand_problems_are_kept_and_all_are_counted() -> None:
    collected = bills(
        *[(f"A-{n}", "Nobody", "2026-01-02", "0310", "5") for n in range(PROBLEMS_KEPT_MAX + 5)]
    )
    assert len(collected.problems) == PROBLEMS_KEPT_MAX
    assert len(collected.rejected) == PROBLEMS_KEPT_MAX + 5

"""Importing files: everything or nothing, the same file once, and every mistake in one sentence with its remedy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest

from resources.imports.importer import Imports, Watch
from resources.store.database import Database
from sync.clock import SystemClock
from sync.errors import ImportRejected, InvalidInput, NotFound
from tests.support.imports import Books, ready_books

BILLS = "Bill No,Vendor,Date,Due,Job,Cost Code,Description,Line Type,Amount,Total\n"
GOOD_BILL = (
    "A-1,Cedar Hollow Lumber,2026-03-31,2026-04-30,2603,0310,Ready-mix,,1000.00,900.00\n"
    ",,,,2603,,Retainage,Retainage,(100.00),\n"
)
INVOICES = "Invoice No,Client,Date,Amount,Cost Code,Total\n"
ENTRIES = "Entry,Date,Account,Debit,Credit\n"
GOOD_ENTRY = "J-1,2026-01-31,Depreciation,5.00,\nJ-1,,Accumulated Depreciation,,5.00\n"


@pytest.fixture
def books(database: Database) -> Books:
    return ready_books(database)


# ------------------------------------------------------------------ what goes in


def test_a_bill_arrives_with_its_lines_in_order(books: Books) -> None:
    report = books.bring("bills", BILLS + GOOD_BILL)
    assert (report.rows_read, report.documents_written, report.rows_written) == (2, 1, 2)
    assert books.rows(
        "select number, bill_date::text, due_date::text, currency, status, total from v2_bills"
    ) == [("A-1", "2026-03-31", "2026-04-30", "USD", "approved", Decimal("900.0000"))]
    assert books.rows("select position, role, amount, description from v2_bill_lines order by position") == [
        (1, "work", Decimal("1000.0000"), "Ready-mix"),
        (2, "retainage", Decimal("-100.0000"), "Retainage"),
    ]
    assert (
        books.value(
            "select count(*) from v2_bills b join v2_jobs j on j.id = b.job_id where j.number = '2603'"
        )
        == 1
    )


def test_an_imported_record_is_noted_for_the_next_sync(books: Books) -> None:
    books.bring("bills", BILLS + GOOD_BILL)
    assert books.value("select count(*) from record_changes where entity = 'bill'") == 1


def test_an_amount_arrives_digit_by_digit(books: Books) -> None:
    content = '[{"number": "1", "client": "Bertrand Quillon", "date": "2026-01-02", "lines": [{"amount": 90071992547409.93}]}]'
    books.bring("invoices", content, name="file.json")
    assert books.value("select total from v2_invoices") == Decimal("90071992547409.93")


def test_a_balanced_journal_entry_arrives(books: Books) -> None:
    books.bring("journal_entries", ENTRIES + GOOD_ENTRY)
    assert books.rows("select number, status, kind from v2_journal_entries") == [
        ("J-1", "posted", "adjustment")
    ]
    assert books.value("select sum(debit) - sum(credit) from v2_journal_entry_lines") == 0


def test_a_purchase_order_arrives_and_a_bill_can_name_it(books: Books) -> None:
    books.bring("purchase_orders", "PO,Vendor,Date,Qty,Price\nPO-1,Sparrow Electric,2026-01-02,3,10.50\n")
    books.bring("bills", "Bill No,Vendor,Date,PO,Amount\nB-1,Sparrow Electric,2026-02-02,PO-1,31.50\n")
    assert books.rows(
        "select o.total, b.total from v2_purchase_orders o join v2_bills b on b.purchase_order_id = o.id"
    ) == [(Decimal("31.5"), Decimal("31.5"))]


def test_names_are_cleaned_and_found_whatever_their_case(books: Books) -> None:
    books.bring("clients", "Client,City\n  Isolde\u00a0 Marchbanks ,Reno\n")
    books.bring("invoices", INVOICES + "1,ISOLDE MARCHBANKS,2026-01-02,5,,\n")
    assert books.value("select count(*) from v2_clients where name = 'Isolde Marchbanks'") == 1


def test_another_currency_stands_in_its_own_column(books: Books) -> None:
    books.bring("bills", "Vendor,Date,Amount,Currency\nSparrow Electric,2026-01-02,5.00,cad\n")
    assert books.value("select currency from v2_bills") == "CAD"


def test_a_name_or_number_that_only_the_ledger_refuses_is_imported(books: Books) -> None:
    """A colon or 22 characters are no mistake here; sync holds the record and says what the ledger takes."""
    books.bring("clients", "Name\nFairweather Residence: Guest House\n")
    number = "N" * 22
    books.bring("invoices", INVOICES + f"{number},Fairweather Residence: Guest House,2026-01-02,5,,\n")
    assert books.value("select number from v2_invoices") == number


def test_a_record_without_its_own_values_takes_nothing_from_the_record_before(books: Books) -> None:
    content = (
        '[{"vendor": "Sparrow Electric", "date": "2026-01-02", "lines": [{"amount": 1}, {"amount": 2}]},'
        ' {"lines": [{"amount": 4}]}]'
    )
    assert [problem[:3] for problem in books.problems("bills", content, name="file.json")] == [
        (2, "date", "the date is missing"), (2, "vendor", "the vendor is missing"),
    ]  # fmt: skip
    assert books.bring("bills", content, name="file.json", allow_partial=True).rows_written == 2


# ------------------------------------------------------------------ once


def test_the_same_file_twice_changes_nothing(books: Books) -> None:
    books.bring("bills", BILLS + GOOD_BILL)
    again = books.bring("bills", BILLS + GOOD_BILL, name="renamed.csv")
    assert (again.is_repeated, again.rows_written, again.skipped) == (True, 0, 2)
    assert again.sentence == "renamed.csv was imported before; nothing was changed."
    assert books.value("select count(*) from v2_bills") == 1


def test_equal_records_in_another_file_are_already_here(books: Books) -> None:
    books.bring("bills", BILLS + GOOD_BILL)
    more = "A-2,Sparrow Electric,2026-03-31,,,0310,Wire,,5.00,\n"
    again = books.bring("bills", BILLS + GOOD_BILL + more)
    assert (again.documents_written, again.skipped, again.problem_count) == (1, 2, 0)


def test_a_bill_without_a_number_is_known_again_by_vendor_date_and_amount(books: Books) -> None:
    row = "Sparrow Electric,2026-03-31,5.00\n"
    books.bring("bills", "Vendor,Date,Amount\n" + row)
    again = books.bring("bills", "Vendor,Date,Amount\n" + row + "Sparrow Electric,2026-03-31,6.00\n")
    assert (again.documents_written, again.skipped) == (1, 1)


def test_a_file_is_tried_again_once_the_cause_of_its_problems_is_gone(books: Books) -> None:
    content = BILLS + GOOD_BILL + "B-1,Weatherlee Roofing,2026-03-31,,,0310,Roof,,5.00,\n"
    first = books.bring("bills", content, allow_partial=True)
    assert (first.documents_written, first.problem_count) == (1, 1)
    books.bring("vendors", "Name\nWeatherlee Roofing\n")
    second = books.bring("bills", content, allow_partial=True)
    assert (second.documents_written, second.problem_count, second.is_repeated) == (1, 0, False)
    assert books.bring("bills", content).is_repeated


def test_a_record_that_changed_since_is_no_problem_of_the_file_that_brought_it(books: Books) -> None:
    content = BILLS + GOOD_BILL + "B-1,Weatherlee Roofing,2026-03-31,,,0310,Roof,,5.00,\n"
    books.bring("bills", content, allow_partial=True)
    books.change("update v2_bills set total = 901")
    again = books.bring("bills", content, allow_partial=True)
    assert [problem.line for problem in again.problems] == [4]


def test_a_repeated_name_is_skipped_and_one_that_differs_is_a_problem(books: Books) -> None:
    rows = "Vendor,Phone\nHandyside,1\nHandyside ,1\n"
    assert books.bring("vendors", rows).skipped == 1
    assert books.problems("vendors", "Vendor,Phone\nPlumb Line,1\nplumb line,2\n") == [
        (3, "Vendor", "it stands on line 2 too, with another name and phone", "Keep the row that is right.")
    ]
    assert books.problems("vendors", "Vendor,Phone\nHandyside,7\n") == [
        (2, "Vendor", "this vendor is here already with another phone",
         "Change it there if the file is right; otherwise leave out the row.")
    ]  # fmt: skip


# ------------------------------------------------------------------ everything or nothing


def test_one_problem_keeps_the_whole_file_out(books: Books) -> None:
    error = books.refusal(
        "bills", BILLS + GOOD_BILL + "B-1,Weatherlee Roofing,2026-03-31,,,0310,Roof,,5.00,\n"
    )
    assert error.details["count"] == 1
    assert books.value("select count(*) from v2_bills") == 0
    assert books.value("select status from import_files where entity = 'bills'") == "refused"


def test_in_part_only_what_is_right_goes_in_and_the_rest_is_reported(books: Books) -> None:
    bad = "B-1,Weatherlee Roofing,2026-03-31,,,0310,Roof,,5.00,\n"
    report = books.bring("bills", BILLS + bad + GOOD_BILL, allow_partial=True)
    assert (report.documents_written, report.problem_count) == (1, 1)
    assert books.value("select problems from import_files where entity = 'bills'") == [
        report.problems[0].as_json()
    ]
    assert report.sentence == (
        "3 rows read from file.csv, 1 document with 2 lines added, 1 problem to correct."
    )


def test_a_builder_sees_no_other_builders_vendors(database: Database, books: Books) -> None:
    other = Books(database)
    said = [problem[2] for problem in other.problems("bills", BILLS + GOOD_BILL)]
    assert 'there is no vendor "Cedar Hollow Lumber"' in said


# ------------------------------------------------------------------ mistakes, each in a sentence


def test_a_file_with_a_wrong_column(books: Books) -> None:
    error = books.refusal(
        "bills", "Bill No,Vender Nmae,Date,Amount\nA-1,Sparrow Electric,2026-01-02,5\n", name="march.csv"
    )
    assert error.user_message == (
        'Nothing was imported from march.csv: 1 problem(s), the first: Line 1, Vendor: no column for "Vendor" of a bill'
        ' was found. If the column "Vender Nmae" is meant, rename it to "Vendor". Correct the file and import it again.'
    )


def test_an_unbalanced_journal_entry(books: Books) -> None:
    content = ENTRIES + "J-1,2026-01-31,Depreciation,5.00,\nJ-1,,Accumulated Depreciation,,4.00\n"
    assert books.problems("journal_entries", content) == [
        (2, "Debit", "journal entry J-1 does not balance: debits 5.00, credits 4.00, difference 1.00",
         "Correct the line that is wrong or add the one that is missing.")
    ]  # fmt: skip


def test_a_bill_for_an_unknown_vendor(books: Books) -> None:
    assert books.problems("bills", BILLS + "A-1,Cedar Holow Lumber,2026-03-31,,,,,,5.00,\n") == [
        (2, "Vendor", 'there is no vendor "Cedar Holow Lumber"',
         'Correct it to "Cedar Hollow Lumber" if that is meant, or import the vendor first.')
    ]  # fmt: skip


def test_a_document_number_used_twice_in_a_file(books: Books) -> None:
    rows = "7,Bertrand Quillon,2026-01-02,5,,\n8,Bertrand Quillon,2026-01-03,5,,\n7,Winifred Castellane,2026-01-04,9,,\n"
    assert books.problems("invoices", INVOICES + rows) == [
        (4, "Invoice No", "invoice 7 begins on line 2 with another client and date",
         "Give each document a number of its own, or make its rows agree.")
    ]  # fmt: skip


def test_a_document_number_that_is_here_already(books: Books) -> None:
    books.bring("invoices", INVOICES + "7,Bertrand Quillon,2026-01-02,5,,\n")
    assert books.problems("invoices", INVOICES + "7,Bertrand Quillon,2026-01-02,6,,\n") == [
        (2, "Invoice No", "invoice 7 is here already with another total and lines",
         "Give this one another number, or correct the one that is here.")
    ]  # fmt: skip


def test_a_line_entered_twice_is_found_by_the_documents_total(books: Books) -> None:
    line = ",,,,,0310,Wire,,5.00,\n"
    content = BILLS + "A-1,Sparrow Electric,2026-03-31,,,0310,Pipe,,2.00,7.00\n" + line + line
    assert books.problems("bills", content) == [
        (2, "Total", "the lines add up to 12.00, the total says 7.00",
         "Line 4 repeats an earlier one: delete it if it was entered twice.")
    ]  # fmt: skip


def test_a_document_below_nothing(books: Books) -> None:
    (problem,) = books.problems("invoices", INVOICES + "7,Bertrand Quillon,2026-01-02,(5.00),,\n")
    assert problem[1:3] == ("Amount", "the invoice adds up to -5.00")


def test_a_document_beyond_what_can_be_kept(books: Books) -> None:
    row = "7,Bertrand Quillon,2026-01-02,999999999999999.00,,\n"
    (problem,) = books.problems("invoices", INVOICES + row + row)
    assert problem[1:4] == (
        "Amount", "the invoice adds up to 1999999999999998.00", "That is more than can be kept; correct the amounts.",
    )  # fmt: skip


def test_half_a_character_and_a_nul_do_not_reach_the_tables(books: Books) -> None:
    books.bring("vendors", r'[{"name": "Half \ud800 a\u0000b"}]', name="file.json")
    assert books.value("select count(*) from v2_vendors where name = 'Half a b'") == 1


def test_a_document_due_before_it_was_written(books: Books) -> None:
    content = BILLS + "A-1,Sparrow Electric,2026-03-31,2026-03-01,,0310,Pipe,,2.00,\n"
    (problem,) = books.problems("bills", content)
    assert problem[1:3] == ("Due", "it is due on 2026-03-01, before its date 2026-03-31")


def test_dates_that_nothing_in_the_file_settles(books: Books) -> None:
    rows = "7,Bertrand Quillon,03/04/2026,5,,\n8,Bertrand Quillon,05/06/2026,5,,\n"
    assert [problem[0] for problem in books.problems("invoices", INVOICES + rows)] == [2, 3]
    settled = books.bring("invoices", INVOICES + rows + "9,Bertrand Quillon,12/31/2026,5,,\n")
    assert settled.documents_written == 3


def test_all_problems_of_all_documents_are_said_at_once(books: Books) -> None:
    content = BILLS + (
        "A-1,Nobody Known,2026-03-31,,,0310,x,,5.00,\n"
        "A-2,Sparrow Electric,2026-02-31,,,0310,x,,5.00,\n"
        "A-3,Sparrow Electric,2026-03-31,,C-9,9999,x,,five,\n"
        "A-4,Sparrow Electric,2026-03-31,,,0310,x,,5.00,6.00\n"
    )
    assert [problem[:2] for problem in books.problems("bills", content)] == [
        (2, "Vendor"), (3, "Date"), (4, "Amount"), (4, "Cost Code"), (4, "Job"), (5, "Total"),
    ]  # fmt: skip


def test_an_entity_there_is_no_import_of(books: Books) -> None:
    with pytest.raises(InvalidInput, match=r"There is no import of timesheets\. Choose one of cost_codes"):
        books.bring("timesheets", "a,b\n1,2\n")


def test_a_builder_that_does_not_exist(database: Database) -> None:
    imports = Imports(database, clock=SystemClock())
    with pytest.raises(NotFound, match="There is no builder with the id"):
        imports.import_file(uuid4(), "vendors", b"Name\nA\n", name="a.csv", imported_by="test")


def test_a_refused_file_names_itself_and_its_first_problem(books: Books) -> None:
    with pytest.raises(ImportRejected, match=r"Nothing was imported from scan\.csv: .* this is a PDF"):
        books.bring("bills", b"%PDF-1.4", name="scan.csv")


# ------------------------------------------------------------------ at once


def test_two_imports_of_one_file_at_the_same_moment_are_one(books: Books) -> None:
    content = BILLS + GOOD_BILL
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: books.bring("bills", content), range(2)))
    assert sorted(report.documents_written for report in reports) == [0, 1]
    assert books.value("select count(*) from v2_bills") == 1


def test_a_file_that_breaks_off_while_it_is_read_leaves_nothing_and_goes_on_when_it_comes_again(
    books: Books,
) -> None:
    class Breaking(Exception):
        pass

    def breaks(part: str, *_: int) -> None:
        if part == "checking":
            raise Breaking

    with pytest.raises(Breaking):
        books.imports.import_file(
            books.builder_id,
            "bills",
            (BILLS + GOOD_BILL).encode(),
            name="a.csv",
            imported_by="test",
            watch=Watch(on_progress=breaks),
        )
    assert books.value("select count(*) from v2_bills") == 0
    assert books.value("select status from import_files where entity = 'bills'") == "failed"
    assert books.bring("bills", BILLS + GOOD_BILL, name="a.csv").documents_written == 1
    assert books.value("select status from import_files where entity = 'bills'") == "done"


def test_a_sign_of_another_currency_is_read_where_the_row_names_it(books: Books) -> None:
    rows = "Sparrow Electric,2026-01-02,€5.00,EUR\n"
    assert books.bring("bills", "Vendor,Date,Amount,Currency\n" + rows).documents_written == 1
    (problem,) = books.problems("bills", "Vendor,Date,Amount\nSparrow Electric,2026-01-02,€5.00\n")
    assert problem[2] == '"€5.00" is not in USD'

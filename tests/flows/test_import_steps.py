"""Imports as steps: chosen, confirmed, cancelled, resumed, undone; duplicates by policy; problems to correct and send back."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from resources.imports import steps
from resources.imports.importer import Imports, Watch
from resources.imports.ledger import get
from resources.imports.spool import Spool
from resources.imports.undoing import undo_import
from resources.imports.work import Pace
from resources.store.database import Database
from sync.clock import SystemClock
from sync.errors import ImportRejected, InvalidInput
from sync.imports.options import Duplicates, ImportOptions, Match
from sync.imports.refusals import ImportCancelled, ImportMovedOn, ImportNotUndoable
from tests.support.imports import Books, ready_books

BILLS = "Bill No,Vendor,Date,Cost Code,Amount\n"
MANY = BILLS + "".join(f"M-{n},Sparrow Electric,2026-03-31,0310,{n}.25\n" for n in range(1, 41))


@pytest.fixture
def books(database: Database) -> Books:
    return ready_books(database)


@pytest.fixture
def importer(database: Database, tmp_path: Path) -> Imports:
    pace = Pace(chunk_rows=15, told_seconds=0.0)
    return Imports(database, clock=SystemClock(), spool=Spool(tmp_path), pace=pace)


def undo(books: Books, import_id: str) -> tuple[int, int]:
    return undo_import(books.database, books.builder_id, import_id, actor="test", now=SystemClock().now())


def received(importer: Imports, books: Books, entity: str, text: str, **chosen: Any) -> str:
    return importer.receive(
        books.builder_id,
        entity,
        BytesIO(text.encode()),
        name="file.csv",
        imported_by="test",
        options=ImportOptions(**chosen),
    )


def stands(books: Books, import_id: str) -> str:
    return str(get(books.database, books.builder_id, import_id)["status"])


# ------------------------------------------------------------------ duplicates


def test_what_is_here_with_other_values_is_left_alone_where_that_is_the_policy(books: Books) -> None:
    books.bring("bills", BILLS + "A-1,Sparrow Electric,2026-03-31,0310,5.00\n")
    report = books.bring(
        "bills",
        BILLS + "A-1,Sparrow Electric,2026-03-31,0310,6.00\nA-2,Sparrow Electric,2026-03-31,0310,7.00\n",
        duplicates=Duplicates.SKIP,
    )
    assert (report.documents_written, report.left_alone) == (1, 1)
    assert books.rows("select number, total::text from v2_bills order by number") == [
        ("A-1", "5.0000"),
        ("A-2", "7.0000"),
    ]
    assert "Here already with other values and left as they are: 1." in report.notes


def test_an_update_changes_the_document_with_its_lines_and_keeps_what_it_was(books: Books) -> None:
    books.bring("bills", BILLS + "A-1,Sparrow Electric,2026-03-31,0310,5.00\n")
    (old_id,) = books.rows("select id from v2_bills")
    report = books.bring(
        "bills",
        BILLS + "A-1,Sparrow Electric,2026-04-01,0310,6.00\nA-1,Sparrow Electric,2026-04-01,0420,1.50\n",
        duplicates=Duplicates.UPDATE,
    )
    assert (report.documents_written, report.updated) == (1, 1)
    assert books.rows("select id from v2_bills") == [old_id]
    assert books.rows("select bill_date::text, total::text from v2_bills") == [("2026-04-01", "7.5000")]
    assert books.value("select count(*) from v2_bill_lines") == 2
    before = books.value("select before from audit_log where action = 'import.updated'")
    assert before["record"]["total"] == Decimal("5.0000")
    assert undo(books, report.import_id) == (0, 1)
    assert books.rows("select bill_date::text, total::text from v2_bills") == [("2026-03-31", "5.0000")]
    assert books.rows("select amount::text from v2_bill_lines") == [("5.0000",)]


def test_an_update_of_names_changes_only_what_the_file_says(books: Books) -> None:
    books.bring("vendors", "Name,Phone,City\nAcme,555-1,Rutland\n")
    report = books.bring("vendors", "Name,Phone\nAcme,555-2\nBolt,555-3\n", duplicates=Duplicates.UPDATE)
    assert (report.rows_written, report.updated) == (2, 1)
    assert books.rows(
        "select name, phone, city from v2_vendors where name in ('Acme', 'Bolt') order by name"
    ) == [
        ("Acme", "555-2", "Rutland"),
        ("Bolt", "555-3", None),
    ]
    assert undo(books, report.import_id) == (1, 1)
    assert books.rows("select name, phone from v2_vendors where name in ('Acme', 'Bolt')") == [
        ("Acme", "555-1")
    ]


def test_records_are_known_again_by_the_id_of_the_other_program(books: Books) -> None:
    head = "Bill No,Vendor,Date,Cost Code,Amount,External id\n"
    books.bring("bills", head + "A-1,Sparrow Electric,2026-03-31,0310,5.00,x-77\n")
    report = books.bring(
        "bills",
        head + "A-1 rev,Sparrow Electric,2026-03-31,0310,5.00,x-77\n",
        duplicates=Duplicates.UPDATE,
        match=Match.EXTERNAL_ID,
    )
    assert report.skipped == 1 or report.updated == 1
    assert books.value("select count(*) from v2_bills") == 1
    books.bring("vendors", "Name,External id\nAcme,v-1\n")
    books.bring(
        "vendors", "Name,External id\nAcme Ltd,v-1\n", duplicates=Duplicates.UPDATE, match=Match.EXTERNAL_ID
    )
    assert books.rows("select name from v2_vendors where external_id = 'v-1'") == [("Acme Ltd",)]


# ------------------------------------------------------------------ undo


def test_an_import_is_taken_back_whole(books: Books) -> None:
    report = books.bring("bills", MANY)
    assert undo(books, report.import_id) == (40, 0)
    assert books.value("select count(*) from v2_bills") == 0
    assert books.value("select count(*) from v2_bill_lines") == 0
    assert stands(books, report.import_id) == "undone"
    assert books.value("select count(*) from audit_log where action = 'import.undone'") == 1
    with pytest.raises(ImportMovedOn):
        undo(books, report.import_id)
    assert books.bring("bills", MANY).documents_written == 40


def test_what_was_pushed_stands_in_the_way_of_an_undo_and_is_named(books: Books) -> None:
    report = books.bring("bills", MANY)
    books.change(
        "with company as (insert into v2_integration_connections (builder_id, provider, status)"
        " select builder_id, 'xero', 'connected' from v2_bills limit 1 returning builder_id, id)"
        " insert into links (builder_id, connection_id, entity, record_id, remote_id)"
        " select bill.builder_id, company.id, 'bill', bill.id, 'r1' from v2_bills as bill, company"
        " where bill.number = 'M-7'"
    )
    with pytest.raises(ImportNotUndoable, match="an accounting system has, or may have, 1 record of it: M-7"):
        undo(books, report.import_id)
    assert books.value("select count(*) from v2_bills") == 40


def test_what_later_records_refer_to_stands_in_the_way_of_an_undo(books: Books) -> None:
    report = books.bring("vendors", "Name\nAcme\n")
    books.bring("bills", BILLS + "A-1,Acme,2026-03-31,0310,5.00\n")
    with pytest.raises(ImportNotUndoable, match="other records refer to 1 record of it: Acme"):
        undo(books, report.import_id)


def test_a_change_that_somebody_changed_again_is_not_taken_back(books: Books) -> None:
    books.bring("vendors", "Name,Phone\nAcme,555-1\n")
    report = books.bring("vendors", "Name,Phone\nAcme,555-2\n", duplicates=Duplicates.UPDATE)
    books.change("update v2_vendors set phone = '555-9', updated_at = now() where name = 'Acme'")
    with pytest.raises(ImportNotUndoable, match="somebody has changed since"):
        undo(books, report.import_id)


# ------------------------------------------------------------------ steps


def test_a_file_is_shown_before_anything_is_written_and_then_confirmed(
    books: Books, importer: Imports
) -> None:
    import_id = received(importer, books, "bills", MANY)
    importer.work(books.builder_id, import_id)
    row = get(books.database, books.builder_id, import_id)
    assert (row["status"], row["rows_to_write"], len(row["preview"])) == ("ready", 40, 40)
    assert row["preview"][0] == {
        "line": 2,
        "values": {
            "number": "M-1", "party": "Sparrow Electric", "date": "2026-03-31", "cost_code": "0310", "amount": "1.25",
        },
        "problems": [],
    }  # fmt: skip
    assert row["columns"]["party"] == "Vendor"
    assert books.value("select count(*) from v2_bills") == 0
    steps.confirm(books.database, books.builder_id, import_id, is_partial=False, now=SystemClock().now())
    assert importer.work(books.builder_id, import_id).documents_written == 40
    assert stands(books, import_id) == "done"


def test_the_same_file_read_the_same_way_is_one_import(books: Books, importer: Imports) -> None:
    first = books.bring("bills", MANY)
    again = received(importer, books, "bills", MANY)
    assert importer.work(books.builder_id, again).is_repeated
    row = get(books.database, books.builder_id, again)
    assert (row["status"], row["repeats"], row["rows_written"]) == ("done", first.import_id, 0)


def test_columns_are_put_right_and_kept_for_the_next_file(books: Books, importer: Imports) -> None:
    text = "Doc,Paid to,On,Code,Sum\nA-1,Sparrow Electric,2026-03-31,0310,5.00\n"
    import_id = received(importer, books, "bills", text)
    with pytest.raises(ImportRejected, match="no column for"):
        importer.work(books.builder_id, import_id)
    columns = {"number": "Doc", "party": "Paid to", "date": "On", "amount": "Sum"}
    options = ImportOptions(columns=columns)
    now = SystemClock().now()
    steps.choose(books.database, books.builder_id, import_id, options=options, now=now)
    assert importer.work(books.builder_id, import_id).problem_count == 0
    saved = steps.Saved(entity="bills", name="Yard", columns=columns, fixed={})  # type: ignore[arg-type]
    steps.save_template(books.database, books.builder_id, saved, actor="test", now=now)
    report = books.bring("bills", text.replace("A-1", "A-2"))
    assert report.documents_written == 1
    assert "Read as Yard." in report.notes


def test_a_column_that_is_not_there_and_a_field_that_does_not_exist_are_said(books: Books) -> None:
    with pytest.raises(InvalidInput, match="There is no field colour of bills"):
        books.bring("bills", MANY, columns={"colour": "Amount"})
    with pytest.raises(ImportRejected, match='there is no column "Sum"'):
        books.bring("bills", MANY, columns={"amount": "Sum"})


def test_a_value_is_given_to_a_column_that_the_file_lacks(books: Books) -> None:
    books.bring(
        "bills",
        "Vendor,Cost Code,Amount\nSparrow Electric,0310,5.00\n",
        fixed={"date": "2026-01-31", "status": "draft"},
    )
    assert books.rows("select bill_date::text, status from v2_bills") == [("2026-01-31", "draft")]


# ------------------------------------------------------------------ chunks


def test_a_cancelled_import_keeps_whole_chunks_and_resuming_completes_it(
    books: Books, importer: Imports
) -> None:
    import_id = received(importer, books, "bills", MANY)
    importer.work(books.builder_id, import_id)
    now = SystemClock().now()
    steps.confirm(books.database, books.builder_id, import_id, is_partial=False, now=now)

    def stop(part: str, done: int, _of: int) -> None:
        if part == "writing" and done >= 15:
            steps.cancel(books.database, books.builder_id, import_id, now=now)

    with pytest.raises(ImportCancelled):
        importer.work(books.builder_id, import_id, watch=Watch(on_progress=stop))
    assert books.value("select count(*) from v2_bills") in (15, 30)
    assert stands(books, import_id) == "cancelled"
    steps.resume(books.database, books.builder_id, import_id, now=now)
    importer.work(books.builder_id, import_id)
    assert books.value("select count(*) from v2_bills") == 40
    assert get(books.database, books.builder_id, import_id)["documents_written"] == 40
    assert undo(books, import_id) == (40, 0)


def test_an_upload_that_is_no_longer_kept_is_asked_for_again(books: Books, importer: Imports) -> None:
    import_id = received(importer, books, "bills", MANY)
    importer.spool.file(books.builder_id, import_id).unlink()
    with pytest.raises(ImportRejected, match="no longer kept here"):
        importer.work(books.builder_id, import_id)
    assert stands(books, import_id) == "failed"
    again = received(importer, books, "bills", MANY)
    assert importer.work(books.builder_id, again).problem_count == 0


def test_an_import_that_is_done_is_not_worked_on_again(books: Books, importer: Imports) -> None:
    report = books.bring("bills", MANY)
    with pytest.raises(ImportMovedOn):
        importer.work(books.builder_id, report.import_id)
    for step in (steps.cancel, steps.resume):
        with pytest.raises(ImportMovedOn):
            step(books.database, books.builder_id, report.import_id, now=SystemClock().now())


# ------------------------------------------------------------------ problems to correct


def test_a_file_of_problems_is_corrected_and_sent_back(books: Books, tmp_path: Path) -> None:
    text = (
        "Bill No,Vendor,Date,Cost Code,Amount,Description\n"
        "A-1,Sparrow Electric,2026-03-31,0310,5.00,fine\n"
        "A-2,Sparow Electrik,2026-03-31,0310,-0.00,@SUM(1)\n"
        "A-2,Sparow Electrik,2026-03-31,0310,9.00,'quoted\n"
    )
    to_correct = tmp_path / "problems.csv"
    report = books.imports.import_file(
        books.builder_id, "bills", text.encode(), name="b.csv", imported_by="test",
        options=ImportOptions(is_partial=True), watch=Watch(problems_to=to_correct),
    )  # fmt: skip
    assert (report.documents_written, report.problem_count) == (1, 1)
    written = to_correct.read_text(encoding="utf-8-sig")
    assert "A-1" not in written
    assert "'@SUM(1)" in written
    assert "Correct it to" in written
    corrected = to_correct.read_bytes().replace(b"Sparow Electrik", b"Sparrow Electric")
    back = books.bring("bills", corrected)
    assert (back.documents_written, back.problem_count) == (1, 0)
    assert books.rows("select description from v2_bill_lines order by description") == [
        ("'quoted",),
        ("@SUM(1)",),
        ("fine",),
    ]
    assert not [note for note in back.notes if "Tieout problem" in note]


# ------------------------------------------------------------------ payments and opening balances


def test_payments_pay_invoices_and_the_rest_stays_unapplied(books: Books) -> None:
    books.bring(
        "invoices",
        "Invoice No,Client,Date,Cost Code,Amount\nI-1,Bertrand Quillon,2026-03-01,0310,100.00\nI-2,Bertrand Quillon,2026-03-01,0310,50.00\n",
    )
    report = books.bring(
        "payments",
        "Check,Client,Date,Amount,Invoice,Applied\n1001,Bertrand Quillon,2026-03-20,130.00,I-1,100.00\n,,,,I-2,20.00\n",
    )
    assert report.documents_written == 1
    assert books.rows("select reference, amount::text, unapplied_amount::text from v2_payments") == [
        ("1001", "130.0000", "10.0000")
    ]
    paid = "select number, amount_paid::text, payment_status from v2_invoices order by number"
    assert books.rows(paid) == [("I-1", "100.0000", "paid"), ("I-2", "20.0000", "partially_paid")]
    assert undo(books, report.import_id) == (1, 0)
    assert books.rows(paid) == [("I-1", "0.0000", "unpaid"), ("I-2", "0.0000", "unpaid")]


def test_a_payment_of_another_client_or_beyond_what_is_open_is_refused(books: Books) -> None:
    books.bring(
        "invoices", "Invoice No,Client,Date,Cost Code,Amount\nI-1,Bertrand Quillon,2026-03-01,0310,100.00\n"
    )
    head = "Check,Client,Date,Amount,Invoice\n"
    (problem,) = books.problems("payments", head + "7,Winifred Castellane,2026-03-20,5.00,I-1\n")
    assert problem[2] == "invoice I-1 is another client's"
    (problem,) = books.problems("payments", head + "8,Bertrand Quillon,2026-03-20,100.01,I-1\n")
    assert problem[2] == "100.01 is more than the 100.00 that is open on invoice I-1"


def test_the_trial_balance_of_the_first_day_becomes_one_entry(books: Books) -> None:
    report = books.bring(
        "opening_balances",
        "Account,Debit,Credit\n6100,5.00,\nAccumulated Depreciation,,5.00\nTotal,5.00,5.00\n",
        fixed={"date": "2026-01-01"},
    )
    assert (report.documents_written, report.rows_written) == (1, 2)
    assert books.rows("select number, entry_date::text, status from v2_journal_entries") == [
        ("OB-2026-01-01", "2026-01-01", "posted")
    ]


def test_opening_balances_that_do_not_balance_or_name_nobody_are_refused(books: Books) -> None:
    books.bring("accounts", "Name,Number,Type\nReceivables,1200,Accounts receivable\n")
    problems = books.problems(
        "opening_balances", "Date,Account,Debit,Credit\n2026-01-01,Receivables,9.00,\n,6100,,8.00\n"
    )
    assert [problem[2] for problem in problems] == [
        "the line on Receivables names no client",
        "the opening balance does not balance: debits 9.00, credits 8.00, difference 1.00",
    ]


def test_an_import_of_another_builder_is_not_there(books: Books, database: Database) -> None:
    report = books.bring("vendors", "Name\nAcme\n")
    other = Books(database)
    with pytest.raises(Exception, match="There is no import with the id"):
        undo(other, report.import_id)
    with pytest.raises(Exception, match="There is no import with the id"):
        get(database, other.builder_id, str(uuid4()))

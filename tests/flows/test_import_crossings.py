"""Where steps of imports meet: undo and resume, more uploads than places, a file in two shares, a file nobody can read."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from resources.imports import steps
from resources.imports.importer import Imports, Watch
from resources.imports.ledger import get
from resources.imports.spool import Spool
from resources.imports.undoing import undo_import
from resources.imports.work import Pace
from resources.imports.worker import ProcessWorkers
from resources.settings import Settings
from resources.store.database import Database
from sync.clock import SystemClock
from sync.errors import ImportRejected, SyncError
from sync.imports.options import Duplicates, ImportOptions
from sync.imports.refusals import ImportBusy, ImportMovedOn
from tests.support.imports import Books, ready_books
from tests.support.postgres import settings_for

BILLS = "Bill No,Vendor,Date,Cost Code,Amount\n"


@pytest.fixture
def books(database: Database) -> Books:
    return ready_books(database)


@pytest.fixture
def importer(database: Database, tmp_path: Path) -> Imports:
    pace = Pace(chunk_rows=15, told_seconds=0.0, shared_from_bytes=0)
    return Imports(database, clock=SystemClock(), spool=Spool(tmp_path), pace=pace)


def stands(books: Books, import_id: str) -> str:
    return str(get(books.database, books.builder_id, import_id)["status"])


# ------------------------------------------------------------------ undo and resume


@pytest.mark.parametrize("first", ["undo", "resume"])
def test_an_import_is_undone_or_resumed_and_never_both(books: Books, first: str) -> None:
    report = books.bring("bills", BILLS + "A-1,Sparrow Electric,2026-03-31,0310,5.00\n")
    books.change("update import_files set status = 'failed' where entity = 'bills'")
    given = (books.database, books.builder_id, report.import_id)
    now = SystemClock().now()
    ways: dict[str, Callable[[], object]] = {
        "undo": lambda: undo_import(*given, actor="test", now=now),
        "resume": lambda: steps.resume(*given, now=now),
    }
    ended: dict[str, str] = {}

    def go(way: str) -> None:
        try:
            ways[way]()
            ended[way] = "done"
        except SyncError as error:
            ended[way] = error.code

    threads = [threading.Thread(target=go, args=(way,)) for way in (first, *({"undo", "resume"} - {first}))]
    with books.database.builder_tx(books.builder_id) as held:
        # Both have looked and found it possible before either may go on.
        held.value("import_file_hold", builder_id=books.builder_id, import_id=report.import_id)
        for thread in threads:
            thread.start()
            waits = "select count(*) from pg_locks where not granted and pid <> pg_backend_pid()"
            until = time.monotonic() + 20
            while held.connection.exec_driver_sql(waits).scalar() == 0 and time.monotonic() < until:
                time.sleep(0.01)
    for thread in threads:
        thread.join(30)
    assert sorted(ended.values()) == ["done", "import.moved_on"]
    is_undone = ended["undo"] == "done"
    assert stands(books, report.import_id) == ("undone" if is_undone else "received")
    assert books.value("select count(*) from v2_bills") == (0 if is_undone else 1)


def test_nothing_is_undone_while_another_import_of_the_builder_is_at_work(books: Books) -> None:
    report = books.bring("vendors", "Name\nAcme\n")
    with (
        books.database.session_lock("import_try_lock", "import_unlock", builder_id=books.builder_id),
        pytest.raises(ImportBusy),
    ):
        undo_import(books.database, books.builder_id, report.import_id, actor="test", now=SystemClock().now())
    assert stands(books, report.import_id) == "done"


# ------------------------------------------------------------------ places for processes


def test_more_uploads_than_places_wait_their_turn_and_say_so(
    settings: Settings, books: Books, importer: Imports, tmp_path: Path
) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may end"
    begun.mkdir()
    script = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1], sys.argv[3]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.02)\n"
    )

    def command(_builder_id: UUID, import_id: str) -> Sequence[str]:
        return [sys.executable, "-c", script, str(begun), str(may_end), import_id]

    given = settings_for(settings.database_url.get_secret_value(), tmp_path, import_processes_max=1)
    # Two processes of the API share the one place.
    offices = [ProcessWorkers(given, importer, command=command) for _ in range(2)]
    received = [
        importer.receive(
            books.builder_id, "vendors", BytesIO(b"Name\nAcme\n"), name="v.csv", imported_by="test"
        )
        for _ in range(4)
    ]
    for office, import_id in zip(offices * 2, received, strict=True):
        office.start(books.builder_id, import_id)
        office.start(books.builder_id, import_id)
    _wait(lambda: len(list(begun.iterdir())) == 1)
    # Long enough for a second one, had it a place.
    time.sleep(1.2)
    assert len(list(begun.iterdir())) == 1
    assert all(steps.is_waiting(dict(get(books.database, books.builder_id, each))) for each in received)
    may_end.touch()
    _wait(lambda: {path.name for path in begun.iterdir()} == set(received))


def test_an_import_that_waits_for_a_place_is_not_taken_for_dead(books: Books, importer: Imports) -> None:
    import_id = importer.receive(
        books.builder_id, "vendors", BytesIO(b"Name\nAcme\n"), name="v.csv", imported_by="test"
    )
    books.change(
        "update import_files set worked_at = worked_at - interval '1 hour' where status = 'received'"
    )
    now = SystemClock().now()
    assert steps.is_silent(dict(get(books.database, books.builder_id, import_id)), now=now)
    steps.still_waits(books.database, books.builder_id, import_id, now=now)
    row = dict(get(books.database, books.builder_id, import_id))
    assert (steps.is_silent(row, now=now), steps.is_waiting(row)) == (False, True)
    with pytest.raises(ImportMovedOn):
        steps.resume(books.database, books.builder_id, import_id, now=now)


def _wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until, "it did not happen within a minute"
        time.sleep(0.05)


# ------------------------------------------------------------------ two shares of one file


def test_a_file_in_two_shares_is_checked_and_written_as_in_one(books: Books, importer: Imports) -> None:
    # The lines of a document stand apart from each other, one total is wrong, and one bill is here already.
    books.bring("bills", BILLS + "M-3,Sparrow Electric,2026-03-31,0310,3.25\n")
    numbers = [*range(1, 41), *range(1, 41)]
    text = BILLS.replace("\n", ",Total\n") + "".join(
        f"M-{n},Sparrow Electric,2026-03-31,0310,{n}.25,{2 * n if n == 7 else 2 * n + 0.5}\n" for n in numbers
    )
    found = [
        error.details["problems"]
        for error in (_refusal(imports, books, text) for imports in (books.imports, importer))
    ]
    assert found[0] == found[1]
    assert [problem["line"] for problem in found[0]] == [4, 8]
    report = importer.import_file(
        books.builder_id, "bills", text.replace(",14\n", ",14.5\n").encode(), name="b.csv", imported_by="test",
        options=ImportOptions(duplicates=Duplicates.UPDATE),
    )  # fmt: skip
    assert (report.rows_read, report.documents_written, report.rows_written, report.updated) == (
        80,
        40,
        80,
        1,
    )
    assert books.value("select count(*) from v2_bills") == 40
    assert books.value("select count(*) from v2_bill_lines") == 80
    assert books.rows("select total::text from v2_bills where number = 'M-3'") == [("6.5000",)]
    positions = "select count(*) from v2_bill_lines where position not in (1, 2)"
    assert books.value(positions) == 0
    assert books.value("select count(distinct number) from import_chunks") > 2
    assert undo_import(
        books.database, books.builder_id, report.import_id, actor="test", now=SystemClock().now()
    ) == (39, 1)


def _refusal(imports: Imports, books: Books, text: str) -> ImportRejected:
    with pytest.raises(ImportRejected) as refused:
        imports.import_file(books.builder_id, "bills", text.encode(), name="b.csv", imported_by="test")
    return refused.value


# ------------------------------------------------------------------ a file that nobody can read


def test_a_file_whose_headings_cannot_be_read_comes_back_with_the_reason_and_is_corrected(
    books: Books, tmp_path: Path
) -> None:
    to_correct = tmp_path / "problems.csv"
    text = "Bill No,Firm of whom,Date,Cost Code,Amount,Description\nA-1,Sparrow Electric,2026-03-31,0310,5.00,@SUM\n"
    with pytest.raises(ImportRejected):
        books.imports.import_file(
            books.builder_id, "bills", text.encode(), name="b.csv", imported_by="test",
            watch=Watch(problems_to=to_correct),
        )  # fmt: skip
    written = to_correct.read_text(encoding="utf-8-sig")
    title, headings, row = written.splitlines()
    assert 'no column for ""Vendor"" of a bill was found' in title
    assert headings.startswith("Bill No,Firm of whom")
    assert "'@SUM" in row
    report = books.bring("bills", written.replace("Firm of whom", "Vendor"))
    assert report.documents_written == 1
    assert books.rows("select description from v2_bill_lines") == [("@SUM",)]


def test_a_file_with_a_broken_quote_comes_back_as_far_as_it_can_be_read(books: Books, tmp_path: Path) -> None:
    to_correct = tmp_path / "problems.csv"
    with pytest.raises(ImportRejected):
        books.imports.import_file(
            books.builder_id, "vendors", b'Name,Phone\nAcme,1\n"Bolt" & Sons,2\n', name="v.csv", imported_by="test",
            watch=Watch(problems_to=to_correct),
        )  # fmt: skip
    title, *rows = to_correct.read_text(encoding="utf-8-sig").splitlines()
    assert title.lstrip('"').startswith("Line 3: the quotes from here on do not match")
    assert rows == ["Name,Phone,Tieout problem", "Acme,1"]

"""Jobs and cost codes as Xero's tracking options: saved over the API, sent, and read back from its books."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sandbox.kernel.server import ServerThread
from sandbox.xero import create_app
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.flows.dimension_office import DimensionOffice
from tests.support.office import Office
from tests.support.xero_books import XeroBooks

Json = dict[str, Any]


@pytest.fixture(scope="module")
def books() -> Iterator[XeroBooks]:
    app = create_app(seed="none")
    app.emulator.identity_default = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
    with ServerThread(app) as server:
        made = XeroBooks(server.url, app.emulator)
        yield made
        made.close()


@pytest.fixture
def office(settings: Settings, database: Database, books: XeroBooks) -> Iterator[Office]:
    books.open_company("Larch Books")
    with Tieout(books.settings(settings), database=database, clock=books.clock) as opened:
        made = Office(opened, books)
        made.connect()
        yield made


@pytest.fixture
def desk(office: Office) -> Iterator[DimensionOffice]:
    with DimensionOffice(office) as desk:
        yield desk


def a_job(office: Office, number: str = "1204", name: str = "Maple Street") -> str:
    return office.add("v2_jobs", number=number, name=name)


def tracking(books: XeroBooks, number: str) -> list[list[tuple[str, str]]]:
    """Of each line of a document: category and option, as its books show them."""
    (row,) = [row for row in books.rows("Invoices") if row.get("InvoiceNumber") == number]
    (whole,) = books.rows(f"Invoices/{row['InvoiceID']}")
    return [
        sorted((one["Name"], one["Option"]) for one in line.get("Tracking") or ())
        for line in whole["LineItems"]
    ]


def categories(books: XeroBooks) -> dict[str, dict[str, str]]:
    rows = books.rows("TrackingCategories", includeArchived="true")
    return {row["Name"]: {one["Name"]: one["Status"] for one in row["Options"]} for row in rows}


def test_jobs_and_cost_codes_become_options_of_two_categories(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    desk.save(("job", "tracking", "Job"), ("cost_code", "tracking", "Cost code"))
    job = a_job(office)
    office.invoice(office.client(), job_id=job)
    office.bill(office.vendor(), job_id=job, amounts=("60.00", "40.25"))
    entry = office.add("v2_journal_entries", number="JE-1", entry_date="2026-05-20", status="posted")
    clearing = office.value(
        "select record_id::text from links where remote_id = %s", books.account("clearing")
    )
    for position, line in enumerate(
        ({"cost_code_id": office.code, "debit": "75.00"}, {"account_id": clearing, "credit": "75.00"}), 1
    ):
        office.add("v2_journal_entry_lines", journal_entry_id=entry, position=position, job_id=job, **line)
    done = office.sync()
    assert (done.failed, done.differences) == ([], [])
    both = [("Cost code", "03-100 Concrete"), ("Job", "1204 Maple Street")]
    assert tracking(books, "I-1") == [both]
    assert tracking(books, "B-1") == [both, both]
    (journal,) = books.rows("ManualJournals")
    (journal,) = books.rows(f"ManualJournals/{journal['ManualJournalID']}")
    assert [
        sorted((one["Name"], one["Option"]) for one in line["Tracking"]) for line in journal["JournalLines"]
    ] == [
        both,
        both[1:],
    ]
    assert categories(books) == {
        "Job": {"1204 Maple Street": "ACTIVE"},
        "Cost code": {"03-100 Concrete": "ACTIVE"},
    }
    office.settled()


def test_an_option_follows_its_job_and_a_bookkeepers_own_stays_on_its_line(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    made = books.put("TrackingCategories", {"Name": "Region"})
    books.put(f"TrackingCategories/{made['TrackingCategoryID']}/Options", {"Name": "North"})
    desk.save(("job", "tracking", "job"))
    job = a_job(office)
    bill_id = office.bill(office.vendor(), job_id=job)
    office.sync()
    books.set_tracking("B-1", [("job", "1204 Maple Street"), ("Region", "North")])
    office.sync()
    assert office.queue("conflict") == []
    office.run("update v2_jobs set name = 'Maple Court' where id = %s", job)
    office.change("v2_bills", bill_id, due_date="2026-07-01")
    office.sync()
    assert tracking(books, "B-1") == [[("Region", "North"), ("job", "1204 Maple Court")]]
    office.run("update v2_jobs set status = 'closed' where id = %s", job)
    office.sync()
    assert categories(books)["job"] == {"1204 Maple Court": "ARCHIVED"}
    assert tracking(books, "B-1") == [[("Region", "North"), ("job", "1204 Maple Court")]]
    office.settled()


def test_a_full_category_holds_with_a_plan_and_closed_jobs_make_room(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    category = books.put("TrackingCategories", {"Name": "Job"})["TrackingCategoryID"]
    for number in range(99):
        books.put(f"TrackingCategories/{category}/Options", {"Name": f"Old job {number}"})
    desk.save(("job", "tracking", "Job"))
    first, second = a_job(office), a_job(office, "1300", "Oak Lane")
    vendor = office.vendor()
    office.bill(vendor, job_id=first)
    office.sync()
    office.bill(vendor, number="B-2", job_id=second)
    office.sync()
    ((label, sentence),) = office.queue("held")
    assert label == "Bill B-2 (Ridge Concrete)"
    assert "all 100 options of the tracking category “Job” are in use" in sentence
    assert "close jobs that are finished" in sentence
    assert "archive options in Xero that are not needed" in sentence
    office.run("update v2_jobs set status = 'closed' where id = %s", first)
    office.sync()
    assert office.queue("held") == []
    assert tracking(books, "B-2") == [[("Job", "1300 Oak Lane")]]
    assert categories(books)["Job"]["1204 Maple Street"] == "ARCHIVED"


def test_two_categories_in_use_leave_no_room_for_a_third_and_say_so(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    for name in ("Region", "Crew"):
        books.put("TrackingCategories", {"Name": name})
    desk.save(("job", "tracking", "Job"))
    office.bill(office.vendor(), job_id=a_job(office))
    office.sync()
    ((_, sentence),) = office.queue("held")
    assert "Xero keeps 2 active tracking categories and has Crew and Region" in sentence or (
        "Xero keeps 2 active tracking categories and has Region and Crew" in sentence
    )
    desk.save(("job", "tracking", "Crew"))
    office.sync()
    assert tracking(books, "B-1") == [[("Crew", "1204 Maple Street")]]


def test_a_lost_answer_about_an_option_makes_no_second_one(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    desk.save(("job", "tracking", "Job"))
    office.bill(office.vendor(), job_id=a_job(office))
    books.fault("drop_after", method="PUT", path="*Options*")
    office.sync()
    office.settled()
    assert categories(books) == {"Job": {"1204 Maple Street": "ACTIVE"}}
    assert tracking(books, "B-1") == [[("Job", "1204 Maple Street")]]


def test_tax_types_are_sent_and_one_that_xero_does_not_have_is_told_before_the_call(
    office: Office, books: XeroBooks, desk: DimensionOffice
) -> None:
    desk.save(tax=[("invoice", None, "none"), ("bill", None, "TAX999")])
    office.invoice(office.client())
    office.bill(office.vendor())
    office.sync()
    (row,) = [row for row in books.rows("Invoices") if row.get("InvoiceNumber") == "I-1"]
    (whole,) = books.rows(f"Invoices/{row['InvoiceID']}")
    assert [line["TaxType"] for line in whole["LineItems"]] == ["NONE"]
    ((_, sentence),) = office.queue("error")
    assert sentence.startswith("Bill B-1 (Ridge Concrete) was not sent: Xero has no tax rate “TAX999”")
    assert office.value("select count(*) from attempts where entity = 'bill' and state = 'done'") == 0

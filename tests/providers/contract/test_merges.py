"""Two vendors that the bookkeeper merges into one, read back through the product."""

from __future__ import annotations

from tests.support.office import Office


def test_ours_follows_to_the_vendor_that_is_left_and_nothing_is_made_again(office: Office) -> None:
    vendor = office.vendor()
    office.bill(vendor)
    office.sync()
    (bill,) = office.books.valid("bill")
    lost = office.value("select remote_id from links where record_id = %s", vendor)
    office.later(minutes=5)
    kept = office.books.vendor("Ridge Concrete LLC")
    office.books.merge_vendors(keep=kept, lose=lost)
    office.sync()
    assert (
        office.value("select remote_id from links where entity = 'vendor' and record_id = %s", vendor) == kept
    )
    named = office.rows("select id::text, is_active from v2_vendors where name like 'Ridge%%'")
    assert named == [(vendor, True)]
    office.bill(vendor, number="B-2", amounts=("7.00",))
    done = office.sync()
    assert done.failed == []
    assert [name for name in office.books.names("vendor") if "Ridge" in name] == ["Ridge Concrete LLC"]
    assert {one.id: one.number for one in office.books.valid("bill")}[bill.id] == "B-1"
    assert len(office.books.valid("bill")) == 2
    assert office.value("select count(*) from audit_log where action = 'link.merged'") == 1

"""The later change wins by both sides' own clocks, however wrong one of them goes."""

from __future__ import annotations

from decimal import Decimal

from tests.support.office import Office


def test_a_ledger_whose_clock_is_ahead_does_not_win_by_it(office: Office) -> None:
    bill = office.bill(office.vendor())
    office.settled()
    # The ledger's clock goes ten minutes ahead of ours from now on.
    office.books.control("POST", "/clock", {"shift_seconds": 600})
    office.books.reprice("bill", office.books.valid("bill")[0].id, "90.00")
    office.later(minutes=2)
    office.run("update v2_bill_lines set amount = 115 where bill_id = %s", bill)
    office.change("v2_bills", bill, total=115)
    office.sync()
    assert [one.total for one in office.books.valid("bill")] == [Decimal("115.00")]
    lost = office.value(
        "select before -> 'canonical' ->> 'total' from audit_log where action = 'push.update' and entity = 'bill'"
    )
    assert lost == "90.00"

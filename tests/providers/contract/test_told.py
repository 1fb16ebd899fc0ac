"""What people are told of a sync: what somebody has to do something about, and nothing that passes by itself."""

from __future__ import annotations

from tests.support.office import Office

API_WRITES = "/[va][3p]*"


def told(office: Office) -> list[str]:
    """The kinds of all notices there ever were."""
    return [kind for (kind,) in office.rows("select kind from notifications order by created_at, kind")]


def test_a_lost_answer_that_is_looked_up_by_itself_is_told_to_nobody(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    for number in ("L-1", "L-2"):
        office.bill(vendor, number=number)
        office.books.fault("drop_after", method="P*", path=API_WRITES)
        office.sync()
        assert office.value("select count(*) from links where state = 'unknown'") == 1
        office.sync()
        assert office.value("select count(*) from links where state = 'unknown'") == 0
    assert len(office.books.valid("bill")) == 2
    assert told(office) == []

"""A company whose subscription ended: it is asked again now and then, and goes on by itself once it is renewed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from resources.dagster.wired import WiredDesk
from sync.notices import notice
from sync.records import Entity
from tests.support.office import Office

API_ANY = "/v3*"
ENDED = {"code": "6190", "status": 403}


def told(office: Office) -> list[tuple[str, str, bool]]:
    """Each notice about the connection itself, in its own words, and whether it is over."""
    rows = office.rows(
        "select kind, records, facts, resolved_at is not null from notifications"
        " where kind <> 'dead_letters' order by created_at"
    )
    return [
        (kind, notice(kind, company="Larch", provider="QuickBooks", records=count, facts=facts).message, over)
        for kind, count, facts, over in rows
    ]


def is_due(office: Office) -> bool:
    return office.connection_id in [
        each.connection_id for each in WiredDesk(office.tieout).due_connections(limit=500)
    ]


@pytest.mark.parametrize("books", ["quickbooks_online"], indirect=True)
def test_a_lapsed_subscription_is_probed_and_all_it_refused_goes_out_once_it_is_renewed(
    office: Office,
) -> None:
    office.run("update v2_integration_connections set sync_schedule = 'daily'")
    bill = office.bill(office.vendor())
    assert office.scheduled() is None
    office.run("update v2_bill_lines set amount = 120 where bill_id = %s", bill)
    office.change("v2_bills", bill, total=120)
    # First only changes are refused: the reads of the same company still work.
    office.books.fault("fault", method="POST", path=API_ANY + "batch", count=None, options=ENDED)
    office.later(minutes=3)
    office.scheduled()
    status = "select status from v2_integration_connections"
    assert (office.value(status), office.due_in()) == ("error", 30)
    # A batch that is answered one by one leaves its records so.
    office.refused_for_lost_access(Entity.BILL)
    office.books.fault("fault", path=API_ANY, count=None, options=ENDED)
    for _ in range(3):
        office.later(minutes=30)
        assert is_due(office)
        sentence = office.scheduled()
        assert sentence is not None
        assert "Renew the subscription" in sentence
        # New tokens, which an hour brings, do not make it work.
        assert (office.value(status), office.due_in()) == ("error", 30)
    [(kind, message, over)] = told(office)
    assert (kind, over) == ("connection_lost", False)
    assert "Tieout goes on by itself afterwards" in message
    assert "until you reconnect" not in message
    office.books.control("DELETE", "/faults")
    office.later(minutes=30)
    assert office.scheduled() is None
    assert office.value(status) == "connected"
    assert office.books.valid("bill")[0].total == Decimal("120.00")
    assert office.value("select count(*) from v2_sync_records where resolved_at is null") == 0
    assert [(kind, over) for kind, _, over in told(office)] == [("connection_lost", True)]
    assert office.due_in() > 60

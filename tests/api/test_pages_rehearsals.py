"""Rehearsals on the page: the button, the page that follows one, and what a sync would do with the money it is about."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from resources.store import rehearsals
from sync.records import Entity
from sync.rehearsal import Foreseen
from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import NOW, FakeLauncher, House, World

BILL = str(uuid4())
FOUND = (
    Foreseen(Entity.VENDOR, "created", "Vendor <Ridge>", "platform", record_id=str(uuid4())),
    Foreseen(
        Entity.BILL,
        "changed",
        "Bill B-1",
        "ledger",
        amount=Decimal("1115.00"),
        currency="USD",
        record_id=BILL,
        fields=[
            {"field": "total", "before": "1100.00", "after": "1115.00"},
            {"field": "lines", "before": [{"amount": "1100.00"}], "after": [{"amount": "1115.00"}]},
        ],
    ),
    Foreseen(Entity.BILL, "voided", "Bill B-2", "ledger", amount=Decimal("20.00"), currency="USD"),
    Foreseen(
        Entity.BILL,
        "held",
        "Bill B-3",
        is_known=True,
        amount=Decimal("5.00"),
        currency="USD",
        reason="Bill B-3 waits because cost code 03 has no expense account.",
    ),
    Foreseen(
        Entity.INVOICE,
        "conflict",
        "Draw 7",
        amount=Decimal("900.00"),
        currency="USD",
        fields=[{"field": "total", "ours": "900.00", "base": "800.00", "theirs": "850.00"}],
    ),
)


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def rehearse(office: Browser, house: House) -> str:
    """Press the button, and return the address that it leads to."""
    begun = office.post(place(house, "rehearsals"), {})
    path, _, said = begun.headers["location"].partition("?")
    assert (begun.status_code, said) == (303, "done=rehearsal_started")
    return path


def ends(house: House, path: str, *found: Foreseen, error: str | None = None) -> None:
    rehearsals.end(
        house.world.database,
        house.id,
        rehearsal_id=path.rpartition("/")[2],
        found=found,
        facts={"calls": 1, "records_read": 9},
        error=error,
        now=NOW,
    )


def test_the_button_beside_sync_now_starts_a_rehearsal_that_the_page_follows(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    assert f'action="{place(house, "rehearsals")}"' in office.get(place(house)).text
    path = rehearse(office, house)
    assert launcher.launched[-1]["rehearsal_id"] == path.rpartition("/")[2]
    waits = office.get(path).text
    assert f'data-live="{path}"' in waits
    assert 'data-running="yes"' in waits
    ends(house, path, *FOUND)
    part = office._runner.run(office.http.get(path, headers={"X-Tieout-Part": "1"})).text
    assert ("<html" in part, 'data-running="no"' in part, "Altogether" in part) == (False, True, True)


def test_the_result_says_what_would_happen_in_whose_book_with_the_money(
    office: Browser, house: House
) -> None:
    path = rehearse(office, house)
    ends(house, path, *FOUND)
    shown = office.get(path).text
    for text in (
        "Entered here",
        "Changed in QuickBooks Online",
        "1,115.00 USD",
        "Voided in QuickBooks Online",
        "20.00 USD",
        "Held until its cause is mended",
        "cost code 03 has no expense account",
        "it waits already",
        "In conflict until somebody decides",
        "Total: 1100.00 → 1115.00",
        "Total: 900.00 here, 850.00 in QuickBooks Online",
        "Vendor &lt;Ridge&gt;",
        f'href="/integrations/records/bill/{BILL}"',
        "Sync everything now",
    ):
        assert text in shown, text
    assert "/integrations/records/vendor/" not in shown, "it would be made by the sync only"
    held = office.get(f"{path}?outcome=held&entity=bill").text
    assert ("Bill B-3" in held, "Bill B-1" in held) == (True, False)


def test_a_rehearsal_that_finds_nothing_or_fails_says_so(office: Browser, house: House) -> None:
    agreed = rehearse(office, house)
    ends(house, agreed)
    assert "Nothing: both sides agree." in office.get(agreed).text
    broken = rehearse(office, house)
    ends(house, broken, error="The ledger does not answer.")
    shown = office.get(broken).text
    assert "The ledger does not answer." in shown
    assert "Sync everything now" not in shown
    listed = office.get(place(house, "rehearsals")).text
    assert all(f'href="{path}"' in listed for path in (agreed, broken))


def test_a_viewer_reads_a_rehearsal_and_starts_none(world: World, office: Browser, house: House) -> None:
    path = rehearse(office, house)
    ends(house, path, *FOUND)
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    for address in (path, place(house, "rehearsals")):
        shown = visitor.get(address)
        assert (shown.status_code, 'method="post" action="/integrations' in shown.text) == (200, False)


def test_a_rehearsal_is_shown_below_its_own_connection_only(office: Browser, house: House) -> None:
    path = rehearse(office, house)
    other = house.a_second_connection()
    assert office.get(path.replace(str(house.connection_id), str(other))).status_code == 404

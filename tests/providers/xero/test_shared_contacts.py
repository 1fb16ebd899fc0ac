"""A Xero contact that is a customer and a vendor at once: what ends one of them must not end the other."""

from __future__ import annotations

import pytest

from tests.support.office import Office

ROLES = ["v2_clients", "v2_vendors"]


@pytest.fixture
def shared(office: Office) -> dict[str, str]:
    """A client and a vendor of one name, both with a document, linked to the one contact there is."""
    ids = {"v2_clients": office.client("Acme"), "v2_vendors": office.vendor("Acme")}
    office.settled()
    office.bill(ids["v2_vendors"])
    office.invoice(ids["v2_clients"])
    office.settled()
    contacts = office.rows(
        "select distinct remote_id from links where entity in ('customer', 'vendor') and record_id is not null"
    )
    assert len(contacts) == 1
    return ids


def active(office: Office) -> tuple[bool, bool, str]:
    """Whether client and vendor are active here, and the state of their contact."""
    (client,), (vendor,) = (office.rows(f"select is_active from {table}")[0] for table in ROLES)
    ((contact,),) = office.rows("select distinct state from mirror where entity in ('customer', 'vendor')")
    return client, vendor, contact


@pytest.mark.parametrize("ended", ROLES)
def test_making_a_client_inactive_does_not_make_the_vendor_of_the_same_contact_inactive(
    office: Office, shared: dict[str, str], ended: str
) -> None:
    (other,) = set(ROLES) - {ended}
    office.change(ended, shared[ended], is_active=False)
    office.settled()
    assert active(office) == (ended != "v2_clients", ended != "v2_vendors", "active")
    assert office.value("select count(*) from v2_sync_records where resolved_at is null") == 0
    office.change(other, shared[other], phone="555-0199")
    office.settled()
    assert active(office) == (ended != "v2_clients", ended != "v2_vendors", "active"), (
        "a change of the contact is none of the one that ended"
    )
    office.change(other, shared[other], is_active=False)
    office.settled()
    assert active(office) == (False, False, "inactive"), "the last one takes the contact along"


def test_a_client_and_a_vendor_that_end_together_take_their_contact_along(
    office: Office, shared: dict[str, str]
) -> None:
    for table in ROLES:
        office.change(table, shared[table], is_active=False)
    office.settled()
    assert active(office) == (False, False, "inactive")


def test_a_client_that_ended_beside_its_vendor_can_be_made_active_again(
    office: Office, shared: dict[str, str]
) -> None:
    office.change("v2_clients", shared["v2_clients"], is_active=False)
    office.settled()
    office.change("v2_clients", shared["v2_clients"], is_active=True, phone="555-0123")
    office.settled()
    assert active(office) == (True, True, "active")
    assert office.value("select phone from v2_vendors") == "555-0123"

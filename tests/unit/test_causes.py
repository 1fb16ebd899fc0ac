"""What is listed, tried again and dismissed together: what one person mends once, and nothing beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from resources.quickbooks.faults import Fault, error_of
from resources.xero.faults import refusal
from sync.causes import cause_of
from sync.errors import DocumentInvalid, ProviderUnavailable, SyncError
from sync.records import Entity
from sync.stored import LinkView, OurSide

ARCHIVED = "Account code '{}' has been archived, or has been deleted."
BY_CONTACT = "Invoices cannot be saved against an archived contact"


def link(number: str, *, party: str = "p1") -> LinkView:
    """A bill of ours that is in no ledger yet."""
    ours = OurSide(
        state="active",
        canonical={"party": party},
        checksum="c",
        revision=1,
        label=f"Bill {number}",
        changed_at=datetime(2026, 3, 2, tzinfo=UTC),
        total=None,
        currency=None,
    )
    return LinkView(
        id=number,
        entity=Entity.BILL,
        record_id=number,
        remote_id=None,
        ours=ours,
        theirs=None,
        ours_checksum="c",
        theirs_checksum=None,
        base_ours_checksum=None,
        base_theirs_checksum=None,
        base_ours=None,
        base_theirs=None,
        state="open",
        decision=None,
        tries=0,
        first_failed_at=None,
    )


def by_xero(text: str, number: str = "1", party: str = "p1") -> str:
    """The cause of a bill that Xero refused with these words."""
    return cause_of(refusal([text], label=f"Bill {number}"), link=link(number, party=party))


def by_quickbooks(code: str, text: str, number: str = "1") -> str:
    """The cause of a bill that QuickBooks refused with this code and these words."""
    fault = Fault(code=code, status=400, tid="t", detail=text)
    return cause_of(error_of(fault, label=f"Bill {number}", is_write=True), link=link(number))


def test_an_archived_account_a_taken_number_and_a_long_text_are_three_causes() -> None:
    causes = {
        by_xero(ARCHIVED.format("5100")),
        by_xero("Invoice # must be unique."),
        by_xero("The length of the Reference must be 255 or less"),
        by_quickbooks("610", "Something you're trying to use has been made inactive"),
        by_quickbooks("6140", "DocNumber=1 is assigned to TxnType=Bill with TxnId=145"),
        by_quickbooks("2050", "Min:0 Max:1,000 supported. Supplied length:1,001"),
    }
    assert len(causes) == 6


def test_all_bills_on_one_archived_account_are_one_cause_and_another_account_is_another() -> None:
    assert by_xero(ARCHIVED.format("5100"), "1") == by_xero(ARCHIVED.format("5100"), "2")
    assert by_xero(ARCHIVED.format("5100")) != by_xero(ARCHIVED.format("5200"))


def test_the_bills_of_one_archived_vendor_are_one_cause() -> None:
    assert by_xero(BY_CONTACT, "1", "p1") == by_xero(BY_CONTACT, "2", "p1") != by_xero(BY_CONTACT, "3", "p2")


def test_what_a_ledger_says_under_one_code_for_everything_is_told_apart_by_its_words() -> None:
    customer, date = "You must choose a customer", "The date is too early"
    assert by_quickbooks("6000", customer, "1") == by_quickbooks("6000", customer, "2")
    assert by_quickbooks("6000", customer) != by_quickbooks("6000", date)
    assert by_xero("It rains", "1") == by_xero("It rains", "2") != by_xero("It snows")


def test_records_that_a_check_refuses_are_one_cause_where_they_are_told_the_same() -> None:
    def checked(number: str, reason: str) -> str:
        return cause_of(DocumentInvalid(label=f"Bill {number}", reason=reason), link=link(number))

    assert (
        checked("1", "it has no lines") == checked("2", "it has no lines") != checked("3", "it is negative")
    )


@pytest.mark.parametrize("reason", ["no answer", "HTTP 503"])
def test_what_passes_by_itself_is_one_cause(reason: str) -> None:
    error: SyncError = ProviderUnavailable(provider="Xero", reason=reason)
    assert cause_of(error, link=link("1")) == "provider.unavailable"

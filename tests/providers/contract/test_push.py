"""What a provider must do with the platform's records: arrive once, follow edits, end, and tie out."""

from __future__ import annotations

from decimal import Decimal

from tests.providers.contract.office import Office


def test_a_bill_and_an_invoice_arrive_and_the_trial_balance_ties_out(office: Office) -> None:
    office.bill(office.vendor(), amounts=("60.00", "40.25"))
    office.invoice(office.client(), amounts=("500.00", "250.50"))
    done = office.sync()
    assert done.failed == []
    (bill,), (invoice,) = office.books.valid("bill"), office.books.valid("invoice")
    assert (bill.number, bill.total, invoice.number, invoice.total) == (
        "B-1",
        Decimal("100.25"),
        "I-1",
        Decimal("750.50"),
    )
    assert done.proof.is_tied, done.differences

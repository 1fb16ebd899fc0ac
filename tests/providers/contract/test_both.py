"""A builder whose books are kept in QuickBooks and in Xero at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app as create_quickbooks
from tests.support.books import Books
from tests.support.judged_xero import judged_xero
from tests.support.office import Office
from tests.support.quickbooks_books import QuickBooksBooks

SEEDS = itertools.count(100)


@pytest.fixture
def offices(settings: Settings, database: Database) -> Iterator[list[Office]]:
    """One builder's office, once per accounting system."""
    with ExitStack() as stack:
        quickbooks = create_quickbooks()
        kept: list[Books] = [
            QuickBooksBooks(stack.enter_context(ServerThread(quickbooks)).url, quickbooks.emulator),
            stack.enter_context(judged_xero()),
        ]
        # Each test's organisation has an id of its own.
        kept[1].control("POST", "/reset", {"scenario": "none", "seed": next(SEEDS)})
        pointed = settings
        for books in kept:
            stack.callback(books.close)
            books.clock = kept[0].clock
            pointed = books.settings(pointed)
            books.open_company("Larch Books")
        tieout = stack.enter_context(Tieout(pointed, database=database, clock=kept[0].clock))
        made = [Office(tieout, books) for books in kept]
        made[1].builder_id, made[1].code = made[0].builder_id, made[0].code
        for office in made:
            office.connect()
        yield made


def test_a_document_goes_to_both_ledgers_and_both_tie_out(offices: list[Office]) -> None:
    first = offices[0]
    bill = first.bill(first.vendor(), amounts=("60.00", "40.00"))
    first.invoice(first.client())
    for office in offices:
        done = office.sync()
        assert done.failed == []
        assert [one.total for one in office.books.valid("bill")] == [Decimal("100.00")]
        assert [one.total for one in office.books.valid("invoice")] == [Decimal("500.00")]
        assert done.proof.is_tied, done.differences
    first.run("update v2_bill_lines set amount = 75 where bill_id = %s and position = 1", bill)
    first.change("v2_bills", bill, total=115)
    for office in offices:
        assert office.sync().failed == []
        assert [one.total for one in office.books.valid("bill")] == [Decimal("115.00")]
    for office in offices:
        office.settled()


def test_one_ledger_s_accounts_are_not_copied_into_the_other(offices: list[Office]) -> None:
    before = [sorted(office.books.accounts()) for office in offices]
    for office in offices:
        office.sync()
    assert [sorted(office.books.accounts()) for office in offices] == before
    assert "Site Labour" in before[1]
    assert "Site Labour" not in before[0]


def test_a_payment_entered_in_one_ledger_is_a_difference_to_the_other_and_sent_nowhere(
    offices: list[Office],
) -> None:
    first, second = offices
    first.invoice(first.client())
    for office in offices:
        office.sync()
    (paid,) = second.books.valid("invoice")
    second.books.pay("invoice", {paid.id: "200.00"}, reference="CHK 118")
    in_second, in_first = second.sync(), first.sync()
    assert in_second.failed == in_first.failed == []
    assert in_second.proof.is_tied, in_second.differences
    # The first ledger's books do not show the money: the proof says so instead of hiding it.
    assert in_first.differences == [("Open on invoices", Decimal("-200.00"))]
    assert first.value("select amount_paid from v2_invoices") == Decimal("200.0000")
    assert [one.open for one in first.books.valid("invoice")] == [Decimal("500.00")]
    for office in offices:
        office.settled()

"""Worlds to start from: a construction company's books, drawn from dice, through the API's own rules.

The same scenario, size and seed give the same world, ids included.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.kernel.clock import MovableClock
from sandbox.xero.bank_transactions import BANK_TRANSACTIONS
from sandbox.xero.books import Books
from sandbox.xero.contacts import CONTACTS
from sandbox.xero.credits import CREDIT_NOTES
from sandbox.xero.fields import Fields
from sandbox.xero.invoices import INVOICES
from sandbox.xero.manual_journals import MANUAL_JOURNALS
from sandbox.xero.payments import PAYMENTS
from sandbox.xero.resource import Call
from sandbox.xero.table import Document
from sandbox.xero.tracking import TRACKING_CATEGORIES
from sandbox.xero.wire import plain

SCENARIOS = {
    "empty": "one organisation with its chart and nothing in it",
    "demo": "one builder's books: contacts, tracking, invoices, bills, payments, a credit note, a journal",
    "two": "two organisations with the demo's books, so that a choice must be made",
    "none": "no organisation at all",
}
_FIRST = (
    "Harbour",
    "Summit",
    "Kauri",
    "Granite",
    "Riverside",
    "Northgate",
    "Blue Gum",
    "Ironbark",
    "Pacific",
    "Redwood",
)
_CLIENT = ("Homes", "Developments", "Property Trust", "Estates", "Holdings", "Council")
_TRADE = (
    "Concrete",
    "Electrical",
    "Plumbing",
    "Roofing",
    "Joinery",
    "Scaffolding",
    "Excavation",
    "Steel",
    "Timber",
)
_JOBS = ("Lot 12 Seaview Road", "Harbour Terrace", "Station Street Fitout", "Hillcrest School", "Wharf 7")
_COSTS = ("300", "310", "330", "429")
NAMES_PER_SIZE = 25
SPREAD_DAYS = 180


def _due(day: date, days: int) -> date:
    return day + timedelta(days=days)


class Seeder:
    """Fills one organisation's books."""

    def __init__(self, books: Books, *, dice: random.Random, app_name: str) -> None:
        self.books = books
        self.dice = dice
        self.call = Call(books=books, dice=dice, app_name=app_name, app_id="seed")
        self.today = books.today()
        self.clock = MovableClock()
        self.clock.freeze()

    def demo(self) -> int:
        """The small world a person can read."""
        return self._spread(self._demo, steps=120)

    def bulk(self, size: int) -> int:
        """Many documents, plain ones, for speed and paging: invoices, bills and payments."""
        return self._spread(lambda: self._bulk(size), steps=size)

    def _spread(self, write: Callable[[], int], *, steps: int) -> int:
        """Let what is written carry moments over half a year, not all of one second."""
        real = self.books.clock
        self.clock.move_to(real.now() - timedelta(days=SPREAD_DAYS))
        self.step_seconds = SPREAD_DAYS * 86_400 / (steps + 1)
        self.books.clock = self.clock
        try:
            return write()
        finally:
            self.books.clock = real

    def _demo(self) -> int:
        self._tracking()
        clients = [
            self._contact(f"{_FIRST[n]} {_CLIENT[n % 6]}", number=f"CUS-{n + 1:03d}") for n in range(5)
        ]
        trades = [self._contact(f"{_FIRST[9 - n]} {_TRADE[n]}", number=f"SUP-{n + 1:03d}") for n in range(6)]
        for n in range(12):
            self._sale(clients[n % 5], n, status="AUTHORISED" if n < 10 else "DRAFT", pays=n % 3 == 0)
        for n in range(14):
            self._bill(trades[n % 6], n, status="AUTHORISED" if n < 12 else "SUBMITTED", pays=n % 4 == 0)
        self._more(clients, trades)
        return sum(len(table.rows) for table in self.books.tables.values())

    def _bulk(self, size: int) -> int:
        names = max(2, size // NAMES_PER_SIZE)
        have = len(self.books["Contacts"].rows)
        people = [
            self._contact(
                f"{_FIRST[n % 10]} {_TRADE[n % 9]} {have + n + 1}", number=f"BULK-{have + n + 1:06d}"
            )
            for n in range(names)
        ]
        made = names
        start = len(self.books["Invoices"].rows)
        while made < size:
            n = start + made
            pays = n % 4 == 0 and made + 1 < size
            if n % 2:
                self._sale(people[n % names], n, status="AUTHORISED", pays=pays)
            else:
                self._bill(people[n % names], n, status="AUTHORISED", pays=pays)
            made += 2 if pays else 1
        return made

    def _tracking(self) -> None:
        category = TRACKING_CATEGORIES.create(self.call, {"Name": "Job"})
        for title in _JOBS:
            category = self.books["TrackingCategories"].rows[category["TrackingCategoryID"]]
            TRACKING_CATEGORIES.create_option(self.call, category, {"Name": title})

    def _contact(self, name: str, *, number: str) -> Document:
        self.clock.shift(self.step_seconds)
        mail = name.lower().replace(" ", ".")
        return CONTACTS.create(
            self.call,
            {
                "Name": name,
                "ContactNumber": number,
                "EmailAddress": f"{mail}@example.com",
            },
        )

    def _line(self, text: str, amount: int, code: str) -> Fields:
        line: Fields = {
            "Description": text,
            "Quantity": Decimal(1),
            "UnitAmount": Decimal(amount),
            "AccountCode": code,
        }
        if self.books["TrackingCategories"].rows:
            line["Tracking"] = [{"Name": "Job", "Option": self.dice.choice(_JOBS)}]
        return line

    def _day(self, n: int) -> date:
        return self.today - timedelta(days=4 + (n * 7) % 170)

    def _sale(self, contact: Document, n: int, *, status: str, pays: bool) -> Document:
        self.clock.shift(self.step_seconds)
        day = self._day(n)
        fields = {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact["ContactID"]},
            "Date": day,
            "DueDate": _due(day, 20),
            "Status": status,
            "InvoiceNumber": f"INV-{len(self.books['Invoices'].rows) + 1:04d}",
            "Reference": f"Claim {n + 1}",
            "LineItems": [self._line(f"Progress claim {n + 1}", self.dice.randrange(800, 42_000), "200")],
        }
        return self._paid(INVOICES.create(self.call, fields), pays=pays)

    def _bill(self, contact: Document, n: int, *, status: str, pays: bool) -> Document:
        self.clock.shift(self.step_seconds)
        day = self._day(n + 3)
        lines = [
            self._line(self.dice.choice(_TRADE), self.dice.randrange(120, 9_000), self.dice.choice(_COSTS))
            for _ in range(1 + n % 2)
        ]
        fields = {
            "Type": "ACCPAY",
            "Contact": {"ContactID": contact["ContactID"]},
            "Date": day,
            "DueDate": _due(day, 30),
            "Status": status,
            "InvoiceNumber": f"B-{n + 1001}",
            "LineItems": lines,
        }
        return self._paid(INVOICES.create(self.call, fields), pays=pays)

    def _paid(self, invoice: Document, *, pays: bool) -> Document:
        if pays and invoice["Status"] == "AUTHORISED":
            PAYMENTS.create(
                self.call,
                {
                    "Invoice": {"InvoiceID": invoice["InvoiceID"]},
                    "Account": {"Code": "090"},
                    "Date": min(_due(invoice["Date"], 10), self.today),
                    "Amount": invoice["Total"],
                },
            )
        return invoice

    def _more(self, clients: list[Document], trades: list[Document]) -> None:
        day = self._day(1)
        note = CREDIT_NOTES.create(
            self.call,
            {
                "Type": "ACCRECCREDIT",
                "Contact": {"ContactID": clients[1]["ContactID"]},
                "Date": day,
                "Status": "AUTHORISED",
                "LineItems": [self._line("Credit for defects", 350, "200")],
            },
        )
        open_invoice = next(
            doc
            for doc in self.books["Invoices"].find("contact", clients[1]["ContactID"])
            if doc["Status"] == "AUTHORISED"
        )
        amount = min(note["RemainingCredit"], open_invoice["AmountDue"])
        CREDIT_NOTES.allocate(
            self.call,
            note,
            {
                "Invoice": {"InvoiceID": open_invoice["InvoiceID"]},
                "Amount": amount,
                "Date": day,
            },
        )
        lines: list[Any] = [
            {
                "Description": "Fuel",
                "Quantity": Decimal(1),
                "UnitAmount": Decimal("86.40"),
                "AccountCode": "429",
            }
        ]
        BANK_TRANSACTIONS.create(
            self.call,
            {
                "Type": "SPEND",
                "Contact": {"ContactID": trades[0]["ContactID"]},
                "BankAccount": {"Code": "090"},
                "Date": day,
                "LineItems": lines,
            },
        )
        MANUAL_JOURNALS.create(
            self.call,
            {
                "Narration": "Retention held on Lot 12",
                "Date": day,
                "Status": "POSTED",
                "JournalLines": [
                    {"LineAmount": plain(Decimal(1500)), "AccountCode": "310", "Description": "Retention"},
                    {"LineAmount": plain(Decimal(-1500)), "AccountCode": "825", "Description": "Retention"},
                ],
            },
        )

"""Fills a company with documents: many, believable, and the same for the same seed."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.kernel.memory import filling
from sandbox.quickbooks import chart, writing
from sandbox.quickbooks.change import Change, changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Body, Record

CHUNK = 500
DAYS = 180
COST_ACCOUNTS = tuple(str(number) for number in range(33, 49))
INCOME_ITEMS = ("1", "2", "4", "5", "6", "7")
STREETS = ("Quarry", "Foundry", "Orchard", "Harbor", "Mill", "Summit", "Cedar", "Alder", "Granite", "Prairie")
TRADES = (
    "Framing",
    "Roofing",
    "Drywall",
    "Masonry",
    "Glazing",
    "Paving",
    "Painting",
    "Tile",
    "Millwork",
    "HVAC",
)


def seed_documents(company: Company, *, size: int, seed: int = 0) -> dict[str, Any]:
    """Create about `size` documents, dated over the last half year, in order of time."""
    started = time.perf_counter()
    plan = _Plan(company, random.Random(f"{company.realm}:{seed}:{size}"), size)
    with filling():
        made = _fill(company, plan, size)
    seconds = time.perf_counter() - started
    return {"realm": company.realm, "documents": made, "seconds": round(seconds, 3)}


def _fill(company: Company, plan: _Plan, size: int) -> int:
    with changing(company) as change:
        plan.people(change)
    made = 0
    first = datetime.combine(company.today() - timedelta(days=DAYS), datetime.min.time(), UTC) + timedelta(
        hours=17
    )
    while made < size:
        with changing(company, allow_duplicate_numbers=True) as change:
            for _ in range(min(CHUNK, size - made)):
                change.now = first + timedelta(seconds=made * DAYS * 86_400 // (size + 1))
                change.epoch = int(change.now.timestamp())
                plan.one(change)
                change.events.clear()
                made += 1
    return made


class _Plan:
    """What to make next."""

    def __init__(self, company: Company, dice: random.Random, size: int) -> None:
        self.company = company
        self.dice = dice
        self.people_count = max(8, min(size // 100, 400))
        self.customers: list[str] = []
        self.vendors: list[str] = []
        self.open_invoices: list[str] = []
        self.open_bills: list[str] = []
        self.undeposited: list[str] = []
        self.tag = f"{dice.randrange(16**4):04x}"
        self.count = 0

    def people(self, change: Change) -> None:
        """Make customers with a job each, and vendors."""
        for number in range(self.people_count):
            street = self.dice.choice(STREETS)
            name = f"{street} House {self.tag}-{number}"
            parent = writing.create(change, "Customer", {"DisplayName": name})
            job = {
                "DisplayName": f"{name} Job",
                "Job": True,
                "ParentRef": {"value": parent.id},
                "BillWithParent": True,
            }
            self.customers += [parent.id, writing.create(change, "Customer", job).id]
            trade = self.dice.choice(TRADES)
            vendor = writing.create(change, "Vendor", {"DisplayName": f"{trade} Works {self.tag}-{number}"})
            self.vendors.append(vendor.id)
        change.events.clear()

    def one(self, change: Change) -> Record:
        """Make one document."""
        self.count += 1
        roll = self.dice.random()
        if roll < 0.17 and self.open_invoices:
            return self._payment(change)
        if roll < 0.32 and self.open_bills:
            return self._bill_payment(change)
        if roll < 0.37 and self.undeposited:
            return self._deposit(change)
        if roll < 0.40:
            return self._journal(change)
        if roll < 0.46:
            return self._purchase(change)
        return self._bill(change) if roll < 0.76 else self._invoice(change)

    def _date(self, change: Change) -> str:
        return change.now.date().isoformat()

    def _amount(self, most: int) -> Decimal:
        return Decimal(self.dice.randint(1_000, most * 100)) / 100

    def _costs(self, most: int) -> list[Body]:
        return [
            {
                "Amount": self._amount(most),
                "Description": f"{self.dice.choice(TRADES)} {self.count}-{place}",
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": self.dice.choice(COST_ACCOUNTS)}},
            }
            for place in range(self.dice.randint(1, 4))
        ]

    def _invoice(self, change: Change) -> Record:
        lines = [
            {
                "Amount": self._amount(20_000),
                "Description": f"Draw {self.count}",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": self.dice.choice(INCOME_ITEMS)}},
            }
            for _ in range(self.dice.randint(1, 3))
        ]
        body = {
            "CustomerRef": {"value": self.dice.choice(self.customers)},
            "TxnDate": self._date(change),
            "Line": lines,
        }
        record = writing.create(change, "Invoice", body, is_clean=True)
        self.open_invoices.append(record.id)
        return record

    def _bill(self, change: Change) -> Record:
        body = {
            "VendorRef": {"value": self.dice.choice(self.vendors)},
            "TxnDate": self._date(change),
            "DocNumber": f"B{self.tag}-{self.count}",
            "Line": self._costs(6_000),
        }
        record = writing.create(change, "Bill", body, is_clean=True)
        self.open_bills.append(record.id)
        return record

    def _purchase(self, change: Change) -> Record:
        body = {
            "PaymentType": "Check",
            "AccountRef": {"value": "5"},
            "TxnDate": self._date(change),
            "Line": self._costs(900),
        }
        return writing.create(change, "Purchase", body, is_clean=True)

    def _payment(self, change: Change) -> Record:
        number = self.open_invoices.pop(self.dice.randrange(len(self.open_invoices)))
        invoice = self.company.find("Invoice", number)
        if invoice is None:
            return self._invoice(change)
        amount = invoice.body["Balance"]
        if self.dice.random() < 0.15:
            amount = (amount / 2).quantize(Decimal("0.01"))
        body = {
            "CustomerRef": {"value": invoice.body["CustomerRef"]["value"]},
            "TotalAmt": amount,
            "TxnDate": self._date(change),
            "PaymentRefNum": str(10_000 + self.count),
            "PaymentMethodRef": {"value": "2"},
            "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": "Invoice"}]}],
        }
        record = writing.create(change, "Payment", body, is_clean=True)
        self.undeposited.append(record.id)
        return record

    def _bill_payment(self, change: Change) -> Record:
        number = self.open_bills.pop(self.dice.randrange(len(self.open_bills)))
        bill = self.company.find("Bill", number)
        if bill is None:
            return self._bill(change)
        body = {
            "VendorRef": {"value": bill.body["VendorRef"]["value"]},
            "TotalAmt": bill.body["Balance"],
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": "5"}},
            "TxnDate": self._date(change),
            "DocNumber": str(20_000 + self.count),
            "Line": [{"Amount": bill.body["Balance"], "LinkedTxn": [{"TxnId": number, "TxnType": "Bill"}]}],
        }
        return writing.create(change, "BillPayment", body, is_clean=True)

    def _deposit(self, change: Change) -> Record:
        taken, self.undeposited = self.undeposited[:5], self.undeposited[5:]
        lines: list[Body] = []
        for number in taken:
            payment = self.company.find("Payment", number)
            if payment is not None and payment.body["TotalAmt"]:
                link = {"TxnId": number, "TxnType": "Payment", "TxnLineId": "0"}
                lines.append({"Amount": payment.body["TotalAmt"], "LinkedTxn": [link]})
        body = {"DepositToAccountRef": {"value": "5"}, "TxnDate": self._date(change), "Line": lines}
        return writing.create(change, "Deposit", body, is_clean=True) if lines else self._journal(change)

    def _journal(self, change: Change) -> Record:
        amount = self._amount(3_000)
        sides = (("Debit", self.dice.choice(chart.ACCOUNTS[32:47])[0]), ("Credit", "22"))
        lines = [
            {
                "Amount": amount,
                "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}},
            }
            for side, account in sides
        ]
        body = {"TxnDate": self._date(change), "DocNumber": f"J{self.tag}-{self.count}", "Line": lines}
        return writing.create(change, "JournalEntry", body, is_clean=True)

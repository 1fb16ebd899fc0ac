"""The manifest beside a builder's files: what to import, what must be reported, and what the bookkeeper does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from assets.demo.making.books import Books
from assets.demo.making.files import Made
from assets.demo.making.plan import Document, cents

LAST_DAY = date(2026, 11, 20)


def manifest(books: Books, files: Sequence[Made], *, long_number: str) -> dict[str, Any]:
    """Describe a builder; `long_number` is the one that QuickBooks refuses, as it does a colon in a name."""
    company = books.company
    is_narrow = company.provider == "quickbooks_online"
    left_out = set[str]().union(*(made.left_out for made in files))
    refused_names = [client.name for client in company.clients if is_narrow and ":" in client.name]
    unmapped = [
        bill for bill in books.bills if _codes(bill) & set(company.unmapped) and bill.number not in left_out
    ]
    invoices = [
        document
        for document in (*books.draws, *books.invoices)
        if document.number not in left_out and document.party not in refused_names
    ]
    bills = [bill for bill in books.bills if bill.number not in left_out and bill not in unmapped]
    linked_invoice = invoices[2]
    conflict = next(bill for bill in bills if len(bill.lines) == 1 and bill.on.month == 8)
    return {
        "slug": company.slug,
        "name": company.name,
        "provider": company.provider,
        "time_zone": company.time_zone,
        "currency": "USD",
        "files": [{"file": made.name, "entity": made.entity, "problems": made.problems} for made in files],
        "mapping": {
            "accounts_by_division": company.preferred,
            "revenue": "Construction Income",
            "retainage_receivable": "Retainage Receivable",
            "retainage_payable": "Retainage Payable",
            "stored_materials": "Stored Materials",
            "unmapped": list(company.unmapped),
        },
        "ledger": {
            "accounts": [
                {"number": account.number, "name": account.name, "type": account.account_type}
                for account in company.accounts
                if account.is_in_ledger
            ],
            "customers": [{"name": linked_invoice.party}],
            "vendors": [{"name": company.vendors[3].name}],
            "invoices": [_invoice(linked_invoice)],
        },
        "held": {
            "names_with_a_colon": refused_names,
            "numbers_too_long": [long_number] if is_narrow else [],
            "bills_with_unmapped_codes": sorted(bill.number for bill in unmapped),
            "invoices_of_held_clients": sorted(
                document.number
                for document in (*books.draws, *books.invoices)
                if document.party in refused_names and document.number not in left_out
            ),
        },
        "bookkeeper": {
            "payments": _payments(invoices, linked=linked_invoice),
            "bill_payments": _bill_payments(bills, conflict=conflict),
            "deposits": _deposits(invoices, linked=linked_invoice),
        },
        "conflict": _conflict(conflict),
    }


def _codes(document: Document) -> set[str]:
    return {line.code for line in document.lines if line.code}


def _invoice(document: Document) -> dict[str, Any]:
    assert document.due is not None, "invoices are due some day"
    return {
        "number": document.number, "customer": document.party, "date": document.on.isoformat(),
        "due_date": document.due.isoformat(), "total": str(document.total),
    }  # fmt: skip


def _paid(invoices: Sequence[Document], *, linked: Document) -> list[tuple[Document, Decimal, date]]:
    """Which invoices the clients pay: two of three in full, each fourth of those in part; the newest not yet."""
    found = []
    for place, document in enumerate(sorted(invoices, key=lambda one: (one.on, one.number))):
        on = document.on + timedelta(days=21)
        if place % 3 == 2 or on > LAST_DAY or document is linked:
            continue
        amount = cents(document.total * 6 / 10) if place % 4 == 1 else document.total
        found.append((document, amount, on))
    return found


def _payments(invoices: Sequence[Document], *, linked: Document) -> list[dict[str, Any]]:
    methods = ("Check", "ACH", "Wire")
    return [
        {
            "reference": f"{methods[place % 3][:2].upper()}{4100 + place}", "invoice": document.number,
            "customer": document.party, "amount": str(amount), "is_full": amount == document.total,
            "date": on.isoformat(), "method": methods[place % 3],
        }
        for place, (document, amount, on) in enumerate(_paid(invoices, linked=linked))
    ]  # fmt: skip


def _deposits(invoices: Sequence[Document], *, linked: Document) -> list[dict[str, Any]]:
    """Payments reach the bank two at a time, a few days later; the last ones are still on their way."""
    payments = _payments(invoices, linked=linked)
    found: list[dict[str, Any]] = []
    for place in range(0, len(payments) - 4, 2):
        pair = payments[place : place + 2]
        on = max(date.fromisoformat(payment["date"]) for payment in pair) + timedelta(days=3)
        found.append(
            {
                "date": min(on, LAST_DAY).isoformat(), "account": "Operating Checking",
                "payments": [payment["reference"] for payment in pair],
                "amount": str(sum((Decimal(payment["amount"]) for payment in pair), Decimal(0))),
                "memo": f"Deposit slip {700 + place // 2}",
            }
        )  # fmt: skip
    return found


def _bill_payments(bills: Sequence[Document], *, conflict: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place, bill in enumerate(sorted(bills, key=lambda one: (one.on, one.number))):
        on = bill.on + timedelta(days=28)
        if place % 5 in (3, 4) or on > LAST_DAY or bill is conflict:
            continue
        amount = cents(bill.total / 2) if place % 10 == 1 else bill.total
        found.append(
            {
                "reference": str(2001 + len(found)), "bill": bill.number, "vendor": bill.party, "amount": str(amount),
                "is_full": amount == bill.total, "date": on.isoformat(), "account": "Operating Checking",
            }
        )  # fmt: skip
    return found


def _conflict(bill: Document) -> dict[str, Any]:
    """Both sides change the same bill after the first sync: each corrects its amount to something else."""
    amount = bill.lines[0].amount
    return {
        "bill": bill.number,
        "vendor": bill.party,
        "line": 1,
        "agreed_amount": str(amount),
        "ours": {"amount": str(amount + 125), "memo": f"{bill.memo}, corrected on site"},
        "theirs": {
            "amount": str(amount - Decimal("40.50")),
            "memo": f"{bill.memo}, as on the vendor's statement",
        },
    }

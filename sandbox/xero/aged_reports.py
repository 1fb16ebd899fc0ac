"""Aged receivables and payables of one contact, as they stood on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.documents import LIVE
from sandbox.xero.refusals import NotFound, query_invalid
from sandbox.xero.report_rows import header, row, section, shown_date, summary
from sandbox.xero.table import Document
from sandbox.xero.wire import cents, parse_day, parse_guid

ZERO = Decimal(0)
Row = dict[str, Any]


def aged_report(
    books: Books, query: Mapping[str, str], *, is_receivable: bool
) -> tuple[list[Row], list[str], str]:
    """Documents of one contact with what was due, paid and credited up to a day."""
    contact_id = parse_guid(query.get("contactid", ""))
    if contact_id is None:
        raise query_invalid("contactId must be specified.")
    contact = books["Contacts"].get(contact_id)
    if contact is None:
        raise NotFound
    day = _day(query, "date") or books.today()
    start, end = _day(query, "fromdate"), _day(query, "todate")
    rows = [header("Date", "Reference", "Due Date", "", "Total", "Paid", "Credited", "Due")]
    lines, sums = [], [ZERO] * 4
    kind = "ACCREC" if is_receivable else "ACCPAY"
    for invoice in sorted(books["Invoices"].find("contact", contact_id), key=lambda doc: doc["Date"]):
        if invoice["Type"] != kind or invoice["Status"] not in LIVE or invoice["Date"] > day:
            continue
        if (start and invoice["Date"] < start) or (end and invoice["Date"] > end):
            continue
        paid, credited = applied_by(books, invoice, day)
        due = invoice["Total"] - paid - credited
        if not due:
            continue
        figures = (invoice["Total"], paid, credited, due)
        sums = [total + figure for total, figure in zip(sums, figures, strict=True)]
        overdue = "Overdue" if invoice.get("DueDate") and invoice["DueDate"] < day else ""
        lines.append(
            row(
                f"{invoice['Date'].isoformat()}T00:00:00",
                invoice.get("InvoiceNumber", ""),
                f"{invoice['DueDate'].isoformat()}T00:00:00",
                overdue,
                *(str(cents(figure)) for figure in figures),
                account_id=invoice["InvoiceID"],
                id_name="invoiceID",
            )
        )
    total = summary("Total", "", "", "", *(str(cents(figure)) for figure in sums))
    rows.append(section("", [*lines, total]))
    title = f"Aged {'Receivables' if is_receivable else 'Payables'} By Contact"
    titles = [title, f"Invoices for {contact['Name']}", f"As at {shown_date(day)}"]
    return rows, titles, title


def applied_by(books: Books, invoice: Document, day: date) -> tuple[Decimal, Decimal]:
    """(paid, credited) on an invoice up to a day."""
    key = invoice["InvoiceID"]
    paid = sum(
        (
            p["Amount"]
            for p in books["Payments"].find("document", key)
            if p["Status"] == "AUTHORISED" and p["Date"] <= day
        ),
        ZERO,
    )
    credited = sum((a["Amount"] for a in books["Allocations"].find("invoice", key) if a["Date"] <= day), ZERO)
    return paid, credited


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name)
    if not text:
        return None
    day = parse_day(text)
    if day is None:
        raise query_invalid(f"{name} '{text[:40]}' is not a date such as 2026-01-31.")
    return day

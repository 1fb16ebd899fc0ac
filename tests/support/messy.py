"""A folder of twenty files as they come in an office: from many programs, each with a trap that is noted beside it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

XERO_INVOICE = (
    "*ContactName,EmailAddress,POAddressLine1,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InventoryItemCode,"
    "*Description,*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,TaxAmount,TrackingName1,TrackingOption1,Currency\n"
)


@dataclass(frozen=True)
class Messy:
    """One file, the trap in it, and what has to be said about it; None where it goes in."""

    name: str
    entity: str
    content: bytes
    trap: str
    refused_with: str | None = None


def _sheet(fill: Callable[[Worksheet], None]) -> bytes:
    book = Workbook()
    assert book.active is not None
    fill(book.active)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _jobs(sheet: Worksheet) -> None:
    sheet.append(["Larkspur Custom Homes"])
    sheet.append(["Job", None, "Client"])
    sheet.append(["Number", "Name", None])
    sheet.merge_cells("A2:B2")
    sheet.append(["2603", "Quillon Cabin", "Bertrand Quillon"])
    sheet.append(["2604", "Barn", "Winifred Castellane"])


def _quickbooks_vendors(sheet: Worksheet) -> None:
    for row in (
        ["Larkspur Custom Homes"], ["Vendor Contact List"], [],
        ["Vendor", "Phone Numbers", "Email", "Full Name", "Address", "Account #"],
        ["Cedar Hollow Lumber", "Phone: 555-0101", "ar@cedar.example", "Ann Cedar", "1 Mill Rd", "778"],
        ["Total Fire Protection", "555-0102", None, None, None, None],
    ):  # fmt: skip
        sheet.append(row)


def _formula(sheet: Worksheet) -> None:
    sheet.append(["Bill No", "Vendor", "Date", "Cost Code", "Amount"])
    sheet.append(["F-1", "Sparrow Electric", "2026-03-31", "0310", "=10+5"])


def _bomb() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(450):
                sheet.write(b"0" * 2**20)
    return kept.getvalue()


@cache
def messy_files() -> Sequence[Messy]:
    """The twenty files in the order in which they can go in."""
    bill = "Bill No,Vendor,Date,Cost Code,Amount\n"
    purchase_orders = {
        "orders": [
            {
                "po": "PO-1",
                "vendor": {"name": "Sparrow Electric"},
                "date": "2026-02-01",
                "lines": [{"code": "0310", "amount": 250.10}, {"code": "0420", "amount": 0.20}],
            }
        ]
    }
    invoice = '{"invoice": "L-1", "client": "Bertrand Quillon", "date": "2026-03-01", "lines": [{"code": "0310", "amount": 0.1}, {"code": "0420", "amount": 0.2}]}\n'
    return (
        Messy("cost_codes.csv", "cost_codes", "\ufeffCode;Name\n0310;Footings\n0420;Framing crew\n".encode(), "semicolons and a byte order mark; codes with leading zeros"),
        Messy("clients export.txt", "clients", "Name\tCity\nBertrand Quillon\tRutland\nWinifred Castellane\tBarre\n".encode("utf-16"), "UTF-16 and tabs"),
        Messy("vendors office.csv", "vendors", "Vendor,City\nSparrow Electric,Montr\xe9al\nVendor,City\nRafter & Sill,Barre\n".encode("cp1252"), "Windows encoding; headings repeated by a page break"),
        Messy("vendors quickbooks.xlsx", "vendors", _sheet(_quickbooks_vendors), "QuickBooks' report with titles; a vendor called Total"),
        Messy("jobs.xlsx", "jobs", _sheet(_jobs), "a title and two rows of merged headings"),
        Messy("accounts xero.csv", "accounts", b"*Code,*Name,*Type,*Tax Code,Description,Dashboard,Expense Claims,Enable Payments,Balance\n090,Checking,Bank,No Tax,,Yes,No,Yes,0\n610,Receivables,Accounts Receivable,No Tax,,No,No,No,0\n320,Job Costs,Direct Costs,No Tax,,No,No,No,0\n970,Owner Equity,Equity,No Tax,,No,No,No,0\n", "Xero's own headings and words for types"),
        Messy("purchase_orders.json", "purchase_orders", json.dumps(purchase_orders).encode(), "nested lines; amounts that are no exact floats"),
        Messy("invoices app.jsonl", "invoices", invoice.encode(), "JSON Lines; 0.1 + 0.2 has to be 0.30"),
        Messy("invoices xero.csv", "invoices", (XERO_INVOICE + "Winifred Castellane,,,X-1,Draw one,15/03/2026,15/04/2026,,0310,Framing,2,500.00,,200,Tax Exempt,,,,USD\n").encode(), "Xero's template, day first, no line amount"),
        Messy("bills german.csv", "bills", b"Bill No;Vendor;Date;Cost Code;Amount\nG-1;Sparrow Electric;31.03.2026;0310;1.234,50\n", "decimal commas and points between thousands"),
        Messy("bills many rows.csv", "bills", b"Bill No,Vendor,Date,Cost Code,Line Type,Amount,Total\nA-1,Sparrow Electric,2026-03-31,0310,,1000.00,900.00\n,,,,Retainage,(100.00),\nTotal,,,,,900.00,\n", "a document over two rows, retainage in brackets, a total at the end"),
        Messy("bills ambiguous.csv", "bills", (bill + "M-1,Sparrow Electric,03/04/2026,0310,5.00\n").encode(), "a date that can be two days", "can be 2026-03-04 or 2026-04-03"),
        Messy("bills formula.xlsx", "bills", _sheet(_formula), "a formula that was never calculated", "is a formula, not a value"),
        Messy("bills injection.csv", "bills", (bill + "=cmd|' /C calc'!A0,Sparrow Electric,2026-03-31,0310,5.00\n").encode(), "a formula that would run a program", "is a formula, not a value"),
        Messy("bills locked.xlsx", "bills", b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "a password", "locked with a password"),
        Messy("bills bomb.xlsx", "bills", _bomb(), "a small archive that unpacks to gigabytes", "unpacks to"),
        Messy("journal_entries quickbooks.csv", "journal_entries", b"*JournalNo,*JournalDate,*AccountName,*Debits,*Credits,Description,Name,Currency,Location,Class\nJE-1,03/31/2026,Job Costs,12.50,,Reclass,,USD,,\nJE-1,,Checking,,12.50,Reclass,,USD,,\n", "QuickBooks' template; the date on the first row only"),
        Messy("journal_entries unbalanced.csv", "journal_entries", b"Entry,Date,Account,Debit,Credit\nU-1,2026-03-31,Job Costs,5.00,\nU-1,2026-03-31,Checking,,4.99\n", "a cent too little", "difference 0.01"),
        Messy("opening_balances.csv", "opening_balances", b"As of,Account,Debit,Credit\n2026-01-01,Checking,800.00,\n,970,,800.00\nTotal,,800.00,800.00\n", "account numbers instead of names, a total at the end"),
        Messy("payments.csv", "payments", b"Check,Client,Date,Amount,Invoice\n1001,Bertrand Quillon,2026-03-20,0.30,L-1\n", "a payment that names its invoice and no applied amount"),
    )  # fmt: skip


def lay_out(folder: Path) -> Sequence[Messy]:
    """Write the files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = messy_files()
    for each in files:
        (folder / each.name).write_bytes(each.content)
    return files

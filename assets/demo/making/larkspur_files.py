"""The files of Larkspur Custom Homes, as its office manager exports them, with the mistakes such files have."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

from assets.demo.making.books import Books
from assets.demo.making.files import (
    ENTRY_HEADINGS,
    Made,
    Table,
    csv_bytes,
    document_record,
    document_rows,
    dollars,
    entry_rows,
    json_bytes,
    problem,
    thousands,
    us_date,
    workbook_bytes,
)
from assets.demo.making.plan import cents

# 22 characters; the accounting system takes 21.
LONG_NUMBER = "INV-4110-2026-REV-B-02"


def larkspur_files(books: Books) -> list[Made]:
    """Make all files, in the order in which they are imported."""
    return [
        _cost_codes(books),
        _clients(books),
        _vendors(books),
        _jobs(books),
        _accounts(books),
        _orders(books),
        _draws(books),
        _invoices(books),
        _bills_first_half(books),
        _bills_second_half(books),
        _entries(books),
    ]


def _cost_codes(books: Books) -> Made:
    table = Table(("Cost Code", "Description", "Division", "Cost Type"))
    for code in books.company.codes:
        # Somebody typed a blank after these, as people do.
        tail = "  " if code.division.startswith("04") else ""
        table.rows.append([code.code, code.name + tail, code.division, code.cost_type])
    table.rows.append(list(table.rows[11]))
    return Made("cost_codes.csv", "cost_codes", csv_bytes(table, encoding="utf-8-sig"))


def _clients(books: Books) -> Made:
    table = Table(("Customer", "Email", "Phone", "Street", "City", "State", "Zip"))
    for client in books.company.clients:
        table.rows.append(
            [
                client.name + " ",
                client.email,
                client.phone,
                client.street,
                client.city,
                client.region,
                client.postal_code,
            ]
        )
    table.rows.append(list(table.rows[2]))
    return Made("clients.csv", "clients", csv_bytes(table))


def _vendors(books: Books) -> Made:
    table = Table(
        ("Vendor Name", "Email", "Phone", "Address", "City", "State", "Zip Code", "License #", "Active")
    )
    for vendor in books.company.vendors:
        table.rows.append(
            [
                vendor.name, vendor.email, vendor.phone, vendor.street, vendor.city, vendor.region,
                vendor.postal_code, vendor.license_number, "Yes",
            ]
        )  # fmt: skip
    again = list(table.rows[9])
    again[2] = "(555) 410-9999"
    table.rows.append(again)
    found = problem(
        table.line_after(-1),
        "Vendor Name",
        "it stands on line 11 too, with another phone",
        "Keep the row that is right.",
    )
    return Made("vendors.xlsx", "vendors", workbook_bytes(table, sheet="Vendor list"), [found])


def _jobs(books: Books) -> Made:
    table = Table(("Job Number", "Job Name", "Owner", "Status", "Contract Amount", "Project Manager"))
    words = {"active": "In progress", "closed": "Complete", "planned": "Precon"}
    for job in books.company.jobs:
        table.rows.append(
            [job.number, job.name, job.client, words[job.status], Decimal(job.contract), "R. Ostrander"]
        )
    total = Decimal(sum(job.contract for job in books.company.jobs))
    table.rows.append(["Total", None, None, None, total, None])
    return Made("jobs.csv", "jobs", csv_bytes(table, amounts=dollars))


def _accounts(books: Books) -> Made:
    table = Table(("Account #", "Account Name", "Type", "Description"))
    for account in books.company.accounts:
        table.rows.append(
            [
                account.number,
                account.name,
                account.account_type.replace("_", " ").title(),
                account.description,
            ]
        )
    return Made("accounts.csv", "accounts", csv_bytes(table))


def _orders(books: Books) -> Made:
    records = []
    for order in books.orders:
        record = document_record(order, party="vendor")
        records.append(record | {"deliveryStatus": "delivered"})
    return Made("purchase_orders.json", "purchase_orders", json_bytes(records, key="purchase_orders"))


def _draws(books: Books) -> Made:
    columns = (
        "number",
        "party",
        "job",
        "date",
        "due",
        "kind",
        "description",
        "code",
        "role",
        "amount",
        "total",
        "memo",
    )
    table = Table(
        ("Draw Number", "Customer", "Job No.", "Draw Date", "Due", "Kind", "Line Description", "Cost Code", "Line Type",
         "This Period", "Current Payment Due", "Memo"), lines_above=3,
    )  # fmt: skip
    for place, draw in enumerate(books.draws):
        rows = document_rows(draw, columns)
        if place % 9 == 4:
            # Pasted from a mail: a text, not a date cell.
            rows[0][3] = draw.on.isoformat() if place % 2 else f"{draw.on:%b} {draw.on.day}, {draw.on.year}"
        table.rows += rows
    total = sum((draw.total for draw in books.draws), Decimal(0))
    table.rows.append(["Grand total", *[None] * 8, total, None, None])
    above = (("Larkspur Custom Homes",), ("Draw register 2026",), ())
    return Made("draws.xlsx", "invoices", workbook_bytes(table, sheet="Draws", above=above))


def _invoices(books: Books) -> Made:
    columns = (
        "number",
        "party",
        "job",
        "date",
        "due",
        "description",
        "code",
        "quantity",
        "price",
        "amount",
        "total",
        "memo",
    )
    table = Table(
        ("Invoice No.", "Customer", "Job", "Invoice Date", "Due Date", "Description", "Cost Code", "Qty", "Rate", "Amount",
         "Total", "Memo")
    )  # fmt: skip
    documents = deepcopy(books.invoices)
    left_out = {documents[7].number, documents[12].number}
    documents[7].number = LONG_NUMBER
    doubled = documents[12]
    twin = next(
        document
        for document in documents[13:]
        if (document.on, document.party) != (doubled.on, doubled.party)
    )
    left_out.add(twin.number)
    twin.number = doubled.number
    for place, document in enumerate(documents):
        rows = document_rows(document, columns)
        if place % 6 == 1:
            rows[0][3] = document.on.isoformat()
        table.rows += rows
    first, second = (
        table.lines_above + 2 + place for place, row in enumerate(table.rows) if row[0] == doubled.number
    )
    differing = [
        word
        for word, is_other in (
            ("client", twin.party != doubled.party), ("date", twin.on != doubled.on), ("due date", twin.due != doubled.due),
            ("total", twin.total != doubled.total), ("job", twin.job != doubled.job),
        )
        if is_other
    ]  # fmt: skip
    listed = ", ".join(differing[:-1]) + " and " + differing[-1]
    found = problem(
        second, "Invoice No.", f"invoice {doubled.number} begins on line {first} with another {listed}",
        "Give each document a number of its own, or make its rows agree.",
    )  # fmt: skip
    content = csv_bytes(table, amounts=dollars, dates=us_date, encoding="utf-8-sig")
    return Made("invoices.csv", "invoices", content, [found], left_out)


BILL_COLUMNS = ("number", "party", "date", "due", "order", "line job", "code", "description", "role", "quantity", "price", "amount", "total")  # fmt: skip
BILL_HEADINGS = ("Bill No.", "Vendor", "Bill Date", "Due Date", "PO Number", "Job", "Cost Code", "Description", "Line Type", "Qty", "Unit Cost", "Amount", "Bill Total")  # fmt: skip


def _bills_first_half(books: Books) -> Made:
    documents = [deepcopy(bill) for bill in books.bills if bill.on < date(2026, 7, 1)]
    unknown = next(bill for bill in documents if bill.party == "Cedar Hollow Lumber")
    unknown.party = "Cedar Holow Lumber Co"
    doubled = next(bill for bill in documents[30:] if len(bill.lines) > 2)
    table = Table(BILL_HEADINGS)
    problems = []
    for bill in documents:
        line = table.line_after()
        rows = document_rows(bill, BILL_COLUMNS)
        if bill is unknown:
            said = 'there is no vendor "Cedar Holow Lumber Co"'
            suggestion = 'Correct it to "Cedar Hollow Lumber" if that is meant, or import the vendor first.'
            problems.append(problem(line, "Vendor", said, suggestion))
        if bill is doubled:
            rows.insert(2, list(rows[1]))
            wrong = bill.total + bill.lines[1].amount
            said = f"the lines add up to {wrong}, the total says {bill.total}"
            suggestion = f"Line {line + 2} repeats an earlier one: delete it if it was entered twice."
            problems.append(problem(line, "Bill Total", said, suggestion))
        table.rows += rows
    content = csv_bytes(table, amounts=thousands, dates=us_date, encoding="utf-8-sig")
    return Made("bills_jan_jun.csv", "bills", content, problems, {unknown.number, doubled.number})


def _bills_second_half(books: Books) -> Made:
    records: list[dict[str, Any]] = []
    problems = []
    left_out = set()
    for number, bill in enumerate((bill for bill in books.bills if bill.on >= date(2026, 7, 1)), start=1):
        record = document_record(bill, party="vendor")
        if number == 14:
            left_out.add(bill.number)
            amount = bill.lines[0].amount + Decimal("0.005")
            record["lines"][0]["amount"] = amount
            said, kept = f'"{amount}" has fractions of a cent', cents(amount)
            problems.append(problem(number, "amount", said, f"Write {kept} if the document says so."))
        records.append(record)
    return Made("bills_jul_nov.json", "bills", json_bytes(records, key="bills"), problems, left_out)


def _entries(books: Books) -> Made:
    entries = deepcopy(books.entries)
    wrong = entries[9]
    side = wrong.lines[0]
    if side.debit:
        side.debit += 9
    else:
        side.credit += 9
    debits, credits_ = (
        sum((getattr(line, name) for line in wrong.lines), Decimal("0.00")) for name in ("debit", "credit")
    )
    table = Table(ENTRY_HEADINGS)
    for entry in entries:
        table.rows += entry_rows(entry)
    said = (
        f"journal entry {wrong.number} does not balance: debits {debits}, credits {credits_},"
        f" difference {abs(debits - credits_)}"
    )
    found = problem(
        table.find("Entry No.", wrong.number),
        "Debit",
        said,
        "Correct the line that is wrong or add the one that is missing.",
    )
    return Made("journal_entries.csv", "journal_entries", csv_bytes(table, dates=us_date), [found])

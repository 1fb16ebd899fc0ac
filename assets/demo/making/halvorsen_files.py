"""The files of Halvorsen Pike Contractors: three programs, two of them abroad, and one page break too many."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

from assets.demo.making.books import Books
from assets.demo.making.files import (
    ENTRY_HEADINGS,
    Cell,
    Made,
    Table,
    comma,
    csv_bytes,
    day_first,
    document_record,
    document_rows,
    entry_rows,
    json_bytes,
    json_lines_bytes,
    problem,
    thousands,
    us_date,
    workbook_bytes,
)
from assets.demo.making.plan import Document

PAGE_ROWS = 220
# 22 characters; the accounting system takes 21.
LONG_NUMBER = "SPIGOT/2026/000441/REV"


def halvorsen_files(books: Books) -> list[Made]:
    """Make all files, in the order in which they are imported."""
    return [
        _cost_codes(books),
        _clients(books),
        _vendors(books),
        _jobs(books),
        _accounts(books),
        _orders(books),
        _applications(books),
        _invoices(books),
        _office_bills(books),
        _field_bills(books),
        _entries(books),
    ]


def _cost_codes(books: Books) -> Made:
    table = Table(("Code", "Name", "Division", "Type"))
    for code in books.company.codes:
        # A program that keeps codes as numbers.
        table.rows.append([Decimal(code.code), code.name, code.division, code.cost_type])
    return Made("cost_codes.xlsx", "cost_codes", workbook_bytes(table, sheet="Codes"))


def _clients(books: Books) -> Made:
    records = [
        {
            "name": client.name, "email": client.email, "phone": client.phone,
            "address": {"street": client.street, "city": client.city, "state": client.region, "zip": client.postal_code},
        }
        for client in books.company.clients
    ]  # fmt: skip
    return Made("clients.json", "clients", json_bytes(records, key="clients"))


def _vendors(books: Books) -> Made:
    table = Table(("Vendor", "Email", "Phone", "Street", "City", "State", "Zip", "License number"))
    for vendor in books.company.vendors:
        table.rows.append(
            [
                f" {vendor.name}", vendor.email, vendor.phone, vendor.street, vendor.city, vendor.region,
                vendor.postal_code, vendor.license_number,
            ]
        )  # fmt: skip
    table.rows.append(list(table.rows[4]))
    table.rows.append([None] * 8)
    return Made("vendors.csv", "vendors", csv_bytes(table, separator=";", encoding="windows-1252"))


def _jobs(books: Books) -> Made:
    table = Table(("Project Number", "Project Name", "Customer", "Status", "Contract Value"))
    words = {"active": "Construction", "closed": "Completed", "planned": "Awarded"}
    for job in books.company.jobs:
        table.rows.append([job.number, job.name, job.client, words[job.status], Decimal(job.contract)])
    return Made("jobs.xlsx", "jobs", workbook_bytes(table, sheet="Projects"))


def _accounts(books: Books) -> Made:
    table = Table(("Account Number", "Account Name", "Account Type", "Description"))
    for account in books.company.accounts:
        table.rows.append(
            [account.number, account.name, account.account_type.replace("_", " "), account.description]
        )
    return Made("accounts.csv", "accounts", csv_bytes(table, separator="\t"))


def _orders(books: Books) -> Made:
    columns = (
        "number",
        "party",
        "job",
        "date",
        "description",
        "code",
        "quantity",
        "price",
        "amount",
        "total",
    )
    table = Table(("PO Number", "Supplier", "Project", "Order Date", "Description", "Cost Code", "Qty", "Unit Price", "Amount", "Total"))  # fmt: skip
    for order in books.orders:
        table.rows += document_rows(order, columns, is_repeated=True)
    return Made("purchase_orders.csv", "purchase_orders", csv_bytes(table, dates=us_date))


def _applications(books: Books) -> Made:
    columns = (
        "number",
        "party",
        "job",
        "date",
        "due",
        "kind",
        "code",
        "description",
        "role",
        "amount",
        "total",
        "memo",
    )
    headings = ("Application No.", "Customer", "Project", "Date", "Due Date", "Document Type", "Code", "Work Description", "Line Type", "Amount This Period", "Current Payment Due", "Memo")  # fmt: skip
    table = Table(headings)
    for draw in books.draws:
        for row in document_rows(draw, columns, is_repeated=True):
            if table.rows and len(table.rows) % PAGE_ROWS == 0:
                table.rows.append(list(headings))
            table.rows.append(row)
    total = sum((draw.total for draw in books.draws), Decimal(0))
    table.rows.append(["Report total:", *[None] * 8, total, None, None])
    content = csv_bytes(table, amounts=thousands, dates=us_date, encoding="utf-8-sig")
    return Made("pay_applications.csv", "invoices", content)


def _invoices(books: Books) -> Made:
    records, problems, left_out = [], [], set()
    for number, invoice in enumerate(books.invoices, start=1):
        record = document_record(invoice, party="customer")
        line = next((line for line in record["lines"] if "quantity" in line), None)
        if number == 6 and line is not None:
            left_out.add(invoice.number)
            product = line["amount"]
            line["amount"] = product + 90
            record["total"] += 90
            said = f"{line['quantity']:f} × {line['unitPrice']:f} is {product}, not {product + 90}"
            problems.append(problem(number, "amount", said, "Correct the quantity, the price or the amount."))
        records.append(record)
    return Made("invoices.jsonl", "invoices", json_lines_bytes(records), problems, left_out)


OFFICE_COLUMNS = ("number", "party", "date", "due", "order", "line job", "code", "description", "role", "quantity", "price", "amount", "total")  # fmt: skip
OFFICE_HEADINGS = ("Invoice Number", "Vendor", "Invoice Date", "Due", "PO", "Project", "Cost Code", "Description", "Line Type", "Quantity", "Unit Price", "Amount", "Invoice Total")  # fmt: skip


def split_bills(books: Books) -> tuple[list[Document], list[Document]]:
    """The office's bills and, every fourth, the field's."""
    office = [deepcopy(bill) for place, bill in enumerate(books.bills) if place % 4]
    field = [deepcopy(bill) for place, bill in enumerate(books.bills) if place % 4 == 0]
    return office, field


def _office_bills(books: Books) -> Made:
    documents, _ = split_bills(books)
    left_out = {documents[18].number, documents[5].number, documents[40].number}
    documents[18].number = LONG_NUMBER
    unknown, formula = documents[5], documents[40]
    unknown.party = "Ampersand Rigging"
    doubled = next(bill for bill in documents[50:] if len(bill.lines) > 1)
    left_out.add(doubled.number)
    twin = deepcopy(doubled)
    twin.on = doubled.on.replace(day=1) if doubled.on.day > 1 else doubled.on.replace(day=2)
    twin.due = doubled.due
    table = Table(OFFICE_HEADINGS)
    problems = []
    for bill in [*documents, twin]:
        line = table.line_after()
        rows: list[list[Cell]] = document_rows(bill, OFFICE_COLUMNS)
        if bill is unknown:
            said = 'there is no vendor "Ampersand Rigging"'
            problems.append(problem(line, "Vendor", said, "Correct it, or import the vendors first."))
        if bill is formula:
            rows[0][11] = f"=J{line}*K{line}"
            said = '"=formula without a calculated value" is a formula, not a value'
            problems.append(problem(line, "Amount", said, "Replace it by its value and save again."))
        if bill is twin:
            said = f"bill {bill.number} begins on line {table.find('Invoice Number', bill.number)} with another date"
            problems.append(
                problem(
                    line,
                    "Invoice Number",
                    said,
                    "Give each document a number of its own, or make its rows agree.",
                )
            )
        table.rows += rows
    return Made("bills_office.xlsx", "bills", workbook_bytes(table, sheet="Bills"), problems, left_out)


def _field_bills(books: Books) -> Made:
    _, documents = split_bills(books)
    table = Table(
        (
            "Invoice No",
            "Vendor",
            "Date",
            "Due date",
            "Project",
            "Code",
            "Description",
            "Line type",
            "Amount",
            "Total",
        )
    )
    columns = ("number", "party", "date", "due", "line job", "code", "description", "role", "amount", "total")
    problems = []
    no_day, no_job = documents[9], documents[21]
    for bill in documents:
        line = table.line_after()
        rows = document_rows(bill, columns)
        if bill is no_day:
            rows[0][2] = "31/02/2026"
            problems.append(
                problem(line, "Date", '"31/02/2026" is no day of the calendar', "Correct the date.")
            )
        if bill is no_job:
            for row in rows:
                row[4] = "C-1119"
            said = 'there is no job "C-1119"'
            problems.append(
                problem(
                    line, "Project", said, 'Correct it to "C-119" if that is meant, or import the job first.'
                )
            )
        table.rows += rows
    content = csv_bytes(table, separator=";", amounts=comma, dates=day_first, encoding="windows-1252")
    return Made("bills_field.csv", "bills", content, problems, {no_day.number, no_job.number})


def _entries(books: Books) -> Made:
    entries = deepcopy(books.entries)
    lopsided, both = entries[4], entries[11]
    lopsided.lines.pop()
    both.lines[0].debit = both.lines[0].debit or Decimal("10.00")
    both.lines[0].credit = both.lines[0].credit or Decimal("10.00")
    table = Table((*ENTRY_HEADINGS[:9], "Debit", "Credit"), lines_above=1)
    for entry in entries:
        table.rows += entry_rows(entry)
    debits, credits_ = (
        sum((getattr(line, name) for line in lopsided.lines), Decimal("0.00")) for name in ("debit", "credit")
    )
    said = (
        f"journal entry {lopsided.number} does not balance: debits {debits}, credits {credits_},"
        f" difference {abs(debits - credits_)}"
    )
    # Two rows of headings, the upper one merged over both sides.
    content = workbook_bytes(table, sheet="Journal", above=((),), merged=((9, 10, "Amount"),))
    return Made(
        "journal_entries.xlsx",
        "journal_entries",
        content,
        [
            problem(
                table.find("Entry No.", lopsided.number), "Amount Debit", said,
                "Correct the line that is wrong or add the one that is missing.",
            ),
            problem(
                table.find("Entry No.", both.number), "Amount Debit", "the line has both a debit and a credit",
                "Give each its own line.",
            ),
        ],
    )  # fmt: skip

"""What the sandbox's page shows of one organisation: accounts with balances, documents, connections, buttons."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.kernel.emulator import MischiefButton, Page, PageTable
from sandbox.xero.table import Document
from sandbox.xero.wire import cents

if TYPE_CHECKING:
    from sandbox.xero.books import Books
    from sandbox.xero.world import XeroEmulator

ROWS_MAX = 40
ZERO = Decimal(0)
BUTTONS = (
    MischiefButton("Minute limit reached", {"kind": "rate_limit", "options": {"problem": "minute"}}),
    MischiefButton("Day limit reached", {"kind": "rate_limit", "options": {"problem": "day"}}),
    MischiefButton("Token expired", {"kind": "token_expired"}),
    MischiefButton("Organisation disconnected", {"kind": "disconnected"}),
    MischiefButton("Organisation offline", {"kind": "offline", "count": 3}),
    MischiefButton("Lock the period up to today", {"kind": "lock_period", "method": "P*"}),
    MischiefButton("Next page comes truncated", {"kind": "truncated_page", "method": "GET"}),
)


def money(amount: Decimal) -> str:
    """An amount for people: two decimals, thousands apart."""
    return f"{cents(amount):,}"


def build(world: XeroEmulator, tenant: str) -> Page:
    """The page of one organisation; an unknown one means the first."""
    tenants = [(key, name) for key, kind, name in world.tenants() if kind == "ORGANISATION"]
    keys = [key for key, _ in tenants]
    chosen = tenant if tenant in keys else (keys[0] if keys else "")
    tables = _tables(world.books[chosen]) if chosen else []
    tables.append(
        PageTable(
            "Connections",
            ("App", "Tenant", "Type", "Connection id"),
            [
                (row["ClientID"], row["Name"], row["TenantType"], row["ID"])
                for row in world.identity.rows("connections").values()
            ],
        )
    )
    return Page(tenants=tenants, tenant=chosen, tables=tables, buttons=BUTTONS)


def _tables(books: Books) -> list[PageTable]:
    accounts = sorted(books["Accounts"].rows.values(), key=lambda account: account.get("Code", ""))
    balances = [
        (a.get("Code", ""), a["Name"], a["Type"], books.ledger.balance(a["AccountID"])) for a in accounts
    ]
    debit = sum((row[3] for row in balances if row[3] > 0), ZERO)
    credit = -sum((row[3] for row in balances if row[3] < 0), ZERO)
    return [
        PageTable(
            "Trial balance",
            ("Code", "Account", "Type", "Debit", "Credit"),
            [
                (code, name, kind, money(amount) if amount > 0 else "", money(-amount) if amount < 0 else "")
                for code, name, kind, amount in balances
                if amount
            ]
            + [("", "Total", "", money(debit), money(credit))],
            note="Every document posts here; both totals are always equal.",
        ),
        _invoices(books, "ACCREC", "Invoices"),
        _invoices(books, "ACCPAY", "Bills"),
        PageTable(
            "Payments",
            ("Date", "Type", "Status", "Amount", "Reconciled"),
            [
                (
                    p["Date"],
                    p["PaymentType"],
                    p["Status"],
                    money(p["Amount"]),
                    "yes" if p["IsReconciled"] else "",
                )
                for p in _newest(books, "Payments")
            ],
        ),
        PageTable(
            "Contacts",
            ("Name", "Number", "Status", "Customer", "Supplier"),
            [
                (
                    c["Name"],
                    c.get("ContactNumber", ""),
                    c["ContactStatus"],
                    "yes" if c["IsCustomer"] else "",
                    "yes" if c["IsSupplier"] else "",
                )
                for c in _newest(books, "Contacts")
            ],
        ),
        PageTable(
            "Manual journals",
            ("Date", "Narration", "Status"),
            [(j["Date"], j["Narration"], j["Status"]) for j in _newest(books, "ManualJournals")],
        ),
    ]


def _newest(books: Books, table: str) -> list[Document]:
    found = list(books[table].changed())
    return found[-ROWS_MAX:][::-1]


def _invoices(books: Books, kind: str, title: str) -> PageTable:
    contacts = books["Contacts"].rows
    found = [doc for doc in books["Invoices"].changed() if doc["Type"] == kind][-ROWS_MAX:][::-1]
    rows = [
        (
            doc.get("InvoiceNumber", ""),
            contacts[doc["ContactID"]]["Name"],
            doc["Date"],
            doc.get("DueDate", ""),
            doc["Status"],
            money(doc["Total"]),
            money(doc["AmountDue"]),
        )
        for doc in found
    ]
    return PageTable(title, ("Number", "Contact", "Date", "Due", "Status", "Total", "Due amount"), rows)

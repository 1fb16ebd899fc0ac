"""Columns as they were put right before: a builder's saved ones, and the providers' own CSV and Excel layouts.

A layout is taken when every heading that tells it apart is there. The providers' headings are those of the files that
QuickBooks Online and Xero write themselves and of the templates that they offer for import; `docs/importing.md` lists
them with what of each is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.imports.formats import ImportEntity


@dataclass(frozen=True, slots=True)
class Layout:
    """Which heading is which field of an entity. `columns`: field → heading, None where the column is not to be read."""

    name: str
    entity: ImportEntity
    columns: Mapping[str, str | None]
    # The headings by which the layout is told; none means all of its columns.
    told_by: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    # Fields that files of this layout never have, though others must.
    without: frozenset[str] = frozenset()

    @property
    def telling_headings(self) -> tuple[str, ...]:
        """The headings that must all be there."""
        return self.told_by or tuple(heading for heading in self.columns.values() if heading)


@dataclass(frozen=True, slots=True)
class ColumnChoices:
    """What is known about a file's columns before it is looked at: a person's word first, then layouts."""

    chosen: Mapping[str, str | None] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    layouts: Sequence[Layout] = ()


_XERO_ADDRESS = {
    "email": "EmailAddress",
    "phone": "PhoneNumber",
    "address_line": "POAddressLine1",
    "city": "POCity",
    "region": "PORegion",
    "postal_code": "POPostalCode",
    "external_id": "AccountNumber",
}
_XERO_LINES = {
    "number": "InvoiceNumber",
    "party": "ContactName",
    "date": "InvoiceDate",
    "due_date": "DueDate",
    "currency": "Currency",
    "total": "Total",
    "status": "Status",
    "description": "Description",
    "cost_code": "InventoryItemCode",
    "quantity": "Quantity",
    "unit_price": "UnitAmount",
    "amount": "LineAmount",
    "external_id": None,
}

_I = ImportEntity
PROVIDER_LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "Xero, chart of accounts", _I.ACCOUNTS,
        {"number": "Code", "name": "Name", "account_type": "Type", "description": "Description", "is_active": None},
        told_by=("Code", "Name", "Type", "Tax Code"),
    ),
    Layout("Xero, contacts (clients)", _I.CLIENTS, {"name": "ContactName", **_XERO_ADDRESS}, told_by=("ContactName", "AccountNumber", "EmailAddress", "POAddressLine1")),
    Layout("Xero, contacts (vendors)", _I.VENDORS, {"name": "ContactName", **_XERO_ADDRESS}, told_by=("ContactName", "AccountNumber", "EmailAddress", "POAddressLine1")),
    Layout(
        "Xero, sales invoices", _I.INVOICES, {**_XERO_LINES, "memo": "Reference", "kind": None, "job": None},
        told_by=("ContactName", "InvoiceNumber", "InvoiceDate", "UnitAmount", "AccountCode"),
    ),
    Layout(
        "Xero, bills", _I.BILLS, {**_XERO_LINES, "memo": "Reference", "job": None},
        told_by=("ContactName", "InvoiceNumber", "InvoiceDate", "UnitAmount", "AccountCode"),
    ),
    Layout(
        "Xero, manual journals", _I.JOURNAL_ENTRIES,
        {"number": "Narration", "date": "Date", "description": "Description", "account": "AccountCode", "debit": "Amount", "cost_code": None, "memo": None},
        told_by=("Narration", "Date", "AccountCode", "Amount"), without=frozenset({"credit"}),
    ),
    Layout(
        "QuickBooks, account list", _I.ACCOUNTS,
        {"number": "Account #", "name": "Account", "account_type": "Type", "description": "Description", "is_active": None},
        told_by=("Account", "Type", "Detail type"),
    ),
    Layout(
        "QuickBooks, account list", _I.ACCOUNTS,
        {"number": "Account #", "name": "Full name", "account_type": "Type", "description": "Description", "is_active": None},
        told_by=("Full name", "Type", "Detail type"),
    ),
    Layout(
        "QuickBooks, chart of accounts template", _I.ACCOUNTS,
        {"number": "Account Number", "name": "Account Name", "account_type": "Type", "description": "Description", "is_active": None},
        told_by=("Account Name", "Type", "Detail type"),
    ),
    Layout(
        "QuickBooks, customer contact list", _I.CLIENTS,
        {"name": "Customer", "phone": "Phone Numbers", "email": "Email", "address_line": "Billing Address"},
        told_by=("Customer", "Phone Numbers", "Email", "Full Name", "Billing Address"),
    ),
    Layout(
        "QuickBooks, customer contact list", _I.CLIENTS,
        {"name": "Customer full name", "phone": "Phone numbers", "email": "Email", "address_line": "Bill address"},
        told_by=("Customer full name", "Phone numbers", "Bill address"),
    ),
    Layout(
        "QuickBooks, vendor contact list", _I.VENDORS,
        {"name": "Vendor", "phone": "Phone Numbers", "email": "Email", "address_line": "Address", "external_id": None},
        told_by=("Vendor", "Phone Numbers", "Email", "Full Name", "Address"),
    ),
    Layout(
        "QuickBooks, invoices template", _I.INVOICES,
        {
            "number": "InvoiceNo", "party": "Customer", "date": "InvoiceDate", "due_date": "DueDate", "memo": "Memo",
            "cost_code": "Item(Product/Service)", "description": "ItemDescription", "quantity": "ItemQuantity",
            "unit_price": "ItemRate", "amount": "ItemAmount", "currency": "Currency", "job": None, "total": None,
        },
        told_by=("InvoiceNo", "Customer", "InvoiceDate", "ItemAmount"),
    ),
    Layout(
        "QuickBooks, bills template", _I.BILLS,
        {
            "number": "BillNo", "party": "Supplier", "date": "BillDate", "due_date": "DueDate", "memo": "Memo",
            "description": "LineDescription", "amount": "LineAmount", "currency": "Currency", "cost_code": None,
            "job": None, "total": None,
        },
        told_by=("BillNo", "Supplier", "BillDate", "LineAmount"),
    ),
    Layout(
        "QuickBooks, bills template", _I.BILLS,
        {
            "number": "BillNo", "party": "Vendor", "date": "BillDate", "due_date": "DueDate", "memo": "Memo",
            "description": "LineDescription", "amount": "LineAmount", "currency": "Currency", "cost_code": None,
            "job": None, "total": None,
        },
        told_by=("BillNo", "Vendor", "BillDate", "LineAmount"),
    ),
    Layout(
        "QuickBooks, journal entries template", _I.JOURNAL_ENTRIES,
        {
            "number": "JournalNo", "date": "JournalDate", "account": "AccountName", "debit": "Debits",
            "credit": "Credits", "description": "Description", "memo": "Memo", "currency": "Currency",
            "client": None, "vendor": None, "cost_code": None,
        },
        told_by=("JournalNo", "JournalDate", "AccountName", "Debits", "Credits"),
    ),
    Layout(
        "QuickBooks, journal report", _I.JOURNAL_ENTRIES,
        {
            "number": "Num", "date": "Date", "account": "Account", "debit": "Debit", "credit": "Credit",
            "description": "Memo/Description", "kind": None, "memo": None, "client": None, "vendor": None,
            "cost_code": None,
        },
        told_by=("Date", "Transaction Type", "Num", "Account", "Debit", "Credit"),
    ),
)  # fmt: skip

"""QuickBooks' words for what the sync core calls otherwise: entities, account types, and our mark in a note."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sync.records import Entity

# The list of items is read too: an invoice line names an item, and the item names the account.
ITEM = "item"

NAMES: Mapping[str, str] = {
    Entity.ACCOUNT: "Account",
    Entity.CUSTOMER: "Customer",
    Entity.VENDOR: "Vendor",
    ITEM: "Item",
    Entity.INVOICE: "Invoice",
    Entity.BILL: "Bill",
    Entity.JOURNAL_ENTRY: "JournalEntry",
    Entity.PAYMENT: "Payment",
    Entity.BILL_PAYMENT: "BillPayment",
    Entity.DEPOSIT: "Deposit",
}
ENTITIES: Mapping[str, str] = {name: str(entity) for entity, name in NAMES.items()}

# Lists are never deleted, only made inactive, and queries hide the inactive ones unless asked for them.
LISTS = frozenset({Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR, ITEM})

ACCOUNT_TYPES: Mapping[str, str] = {
    "Bank": "bank",
    "Accounts Receivable": "accounts_receivable",
    "Other Current Asset": "other_current_asset",
    "Fixed Asset": "fixed_asset",
    "Other Asset": "other_asset",
    "Accounts Payable": "accounts_payable",
    "Credit Card": "credit_card",
    "Other Current Liability": "other_current_liability",
    "Long Term Liability": "long_term_liability",
    "Equity": "equity",
    "Income": "income",
    "Cost of Goods Sold": "cost_of_goods_sold",
    "Expense": "expense",
    "Other Income": "other_income",
    "Other Expense": "other_expense",
}
ACCOUNT_TYPE_NAMES: Mapping[str, str] = {ours: theirs for theirs, ours in ACCOUNT_TYPES.items()}

_MARKER_LINE = re.compile(r"^[ \t]*(?P<marker>tieout:[0-9A-Za-z_-]{22})[ \t]*$", re.MULTILINE)
_DELETED_SUFFIX = re.compile(r" \(deleted(?:-\d+)?\)$")


def split_note(note: str | None) -> tuple[str, str | None]:
    """Return a note without our mark, and the mark if there is one."""
    text = note or ""
    found = _MARKER_LINE.search(text)
    if found is None:
        return text.strip(), None
    return (text[: found.start()].rstrip() + text[found.end() :]).strip(), found["marker"]


def join_note(memo: str | None, marker: str) -> str:
    """Return a note that ends with our mark on a line of its own."""
    return f"{memo.strip()}\n{marker}" if memo and memo.strip() else marker


def name_in_use(name: str, *, is_active: bool) -> str:
    """Return a name without the suffix QuickBooks adds when it is made inactive."""
    return name if is_active else _DELETED_SUFFIX.sub("", name)

"""Xero's words for what the sync core calls otherwise: account types, dates, and where our mark is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.money import amount_text
from sync.records import Entity
from sync.requests import MARKER_PATTERN

TITLE = "Xero"
# Xero wants a text on each line of an invoice or bill.
NO_DESCRIPTION = "No description"

Json = Mapping[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZERO_ID = "00000000-0000-0000-0000-000000000000"

RECEIVABLE, PAYABLE = "ACCREC", "ACCPAY"
TYPES: Mapping[Entity, str] = {Entity.INVOICE: RECEIVABLE, Entity.BILL: PAYABLE}
# Where each entity that is one document or name at Xero lives, and under which id.
RESOURCES: Mapping[Entity, tuple[str, str]] = {
    Entity.ACCOUNT: ("Accounts", "AccountID"),
    Entity.CUSTOMER: ("Contacts", "ContactID"),
    Entity.VENDOR: ("Contacts", "ContactID"),
    Entity.INVOICE: ("Invoices", "InvoiceID"),
    Entity.BILL: ("Invoices", "InvoiceID"),
    Entity.JOURNAL_ENTRY: ("ManualJournals", "ManualJournalID"),
}
NAMES = frozenset({Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR})

ACCOUNT_TYPES: Mapping[str, str] = {
    "BANK": "bank",
    "CURRENT": "other_current_asset",
    "CURRLIAB": "other_current_liability",
    "DEPRECIATN": "expense",
    "DIRECTCOSTS": "cost_of_goods_sold",
    "EQUITY": "equity",
    "EXPENSE": "expense",
    "FIXED": "fixed_asset",
    "INVENTORY": "other_current_asset",
    "LIABILITY": "other_current_liability",
    "NONCURRENT": "other_asset",
    "OTHERINCOME": "other_income",
    "OVERHEADS": "expense",
    "PAYG": "other_current_liability",
    "PREPAYMENT": "other_current_asset",
    "REVENUE": "income",
    "SALES": "income",
    "TERMLIAB": "long_term_liability",
}
# The types a new account can be made with; Xero has one account for receivables and one for payables by itself, and
# a bank account needs its number at the bank.
ACCOUNT_TYPE_NAMES: Mapping[str, str] = {
    "other_current_asset": "CURRENT",
    "fixed_asset": "FIXED",
    "other_asset": "NONCURRENT",
    "other_current_liability": "CURRLIAB",
    "long_term_liability": "TERMLIAB",
    "equity": "EQUITY",
    "income": "REVENUE",
    "cost_of_goods_sold": "DIRECTCOSTS",
    "expense": "EXPENSE",
    "other_income": "OTHERINCOME",
    "other_expense": "OVERHEADS",
}

_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_JOURNAL_MARK = re.compile(
    rf"^[ \t]*(?P<marker>{MARKER_PATTERN.pattern})(?: no\. (?P<number>.*?))?[ \t]*$", re.MULTILINE
)


def account_type(body: Json) -> str | None:
    """Return our type of an account; None for a type that is new at Xero."""
    system = {"DEBTORS": "accounts_receivable", "CREDITORS": "accounts_payable"}.get(
        str(body.get("SystemAccount") or "")
    )
    if system is not None:
        return system
    if body.get("BankAccountType") == "CREDITCARD":
        return "credit_card"
    return ACCOUNT_TYPES.get(str(body.get("Type")))


def source_url(public_url: str, marker: str) -> str:
    """Return the address kept in a document's Url field: Xero shows it as a link to us, and it carries our mark."""
    return f"{public_url}/#{marker}"


def marker_in(text: object) -> str | None:
    """Return our mark from a text, if it is there."""
    found = MARKER_PATTERN.search(str(text or ""))
    return found[0] if found else None


def narration(memo: str | None, number: str | None, marker: str) -> str:
    """Return a manual journal's text: it has no number and no private note, so both follow on a last line."""
    mark = f"{marker} no. {number}" if number else marker
    return f"{memo.strip()}\n{mark}" if memo and memo.strip() else mark


def read_narration(text: str | None) -> tuple[str, str | None, str | None]:
    """Return a manual journal's memo, number and mark."""
    whole = text or ""
    found = _JOURNAL_MARK.search(whole)
    if found is None:
        return whole.strip(), None, marker_in(whole)
    memo = (whole[: found.start()].rstrip() + whole[found.end() :]).strip()
    return memo, found["number"] or None, found["marker"]


def join_reference(reference: str | None, marker: str) -> str:
    """Return a payment's reference with our mark behind it."""
    return f"{reference} {marker}" if reference else marker


def split_reference(reference: str | None) -> tuple[str | None, str | None]:
    """Return a payment's reference without our mark, and the mark."""
    marker = marker_in(reference)
    plain = (reference or "").replace(marker, "").strip() if marker else (reference or "").strip()
    return plain or None, marker


def instant(value: object) -> datetime | None:
    """Return a moment as Xero writes it, `/Date(ms+0000)/` or ISO; None where there is none."""
    text = str(value or "")
    found = _MS_DATE.fullmatch(text)
    if found is not None:
        return EPOCH + timedelta(milliseconds=int(found[1]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def day(body: Json, name: str = "Date") -> str | None:
    """Return a calendar date of the organisation; it is never shifted by a time zone."""
    moment = instant(body.get(f"{name}String") or body.get(name))
    return moment.date().isoformat() if moment is not None else None


def clause_of(day_text: str) -> str:
    """Return a date in the words of Xero's filter language."""
    wanted = date.fromisoformat(day_text)
    return f"DateTime({wanted.year},{wanted.month:02d},{wanted.day:02d})"


def decimal_of(value: object) -> Decimal:
    """Return a JSON number (or nothing) as an exact amount."""
    # What the client reads: comparing it with a text first would cost more than all the rest.
    if isinstance(value, Decimal):
        return value
    return Decimal(0) if value in (None, "") else Decimal(str(value))


def amount_of(value: object) -> str:
    """Return a JSON number as the text that is compared."""
    return amount_text(decimal_of(value))


def optional_amount(value: object) -> str | None:
    """Return the same, or None where there is no number."""
    return None if value is None or (isinstance(value, str) and not value) else amount_of(value)


def id_in(body: Json, name: str, key: str) -> str | None:
    """Return the id inside a nested object."""
    value = (body.get(name) or {}).get(key)
    return str(value) if value and value != ZERO_ID else None

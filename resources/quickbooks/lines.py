"""Pieces of QuickBooks' JSON: references, amounts, and the lines of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sync.money import amount_text
from sync.records import Canonical

Json = Mapping[str, Any]

TAX_LINE = "tax"
DISCOUNT = "DiscountLineDetail"
GROUP = "GroupLineDetail"
SALES = "SalesItemLineDetail"
ACCOUNT_EXPENSE = "AccountBasedExpenseLineDetail"
ITEM_EXPENSE = "ItemBasedExpenseLineDetail"
JOURNAL = "JournalEntryLineDetail"


def flat(lines: Sequence[Json]) -> list[Json]:
    """Return the lines with those of a bundle in its place."""
    flat: list[Json] = []
    for line in lines:
        if line.get("DetailType") == GROUP:
            flat.extend((line.get(GROUP) or {}).get("Line") or ())
        else:
            flat.append(line)
    return flat


def line_of(line: Json, *, amount: Decimal, detail: Json, account: str | None) -> Canonical:
    """Return one canonical line of an invoice or bill."""
    return {
        "id": text_of(line.get("Id")),
        "description": line.get("Description") or "",
        "amount": amount_text(amount),
        "quantity": optional_amount(detail.get("Qty")),
        "unit_price": optional_amount(detail.get("UnitPrice")),
        "account": account,
    }


def tax_line(body: Json) -> list[Canonical]:
    """Return the sales tax of a document as a line of its own, so that the lines add up to the total."""
    tax = decimal_of((body.get("TxnTaxDetail") or {}).get("TotalTax"))
    sales_tax = {"Id": TAX_LINE, "Description": "Sales tax"}
    return [line_of(sales_tax, amount=tax, detail={}, account=None)] if tax else []


def deposit_line(line: Json) -> Canonical:
    """Return one canonical line of a deposit."""
    links = line.get("LinkedTxn") or ()
    payment = next((str(link["TxnId"]) for link in links if link.get("TxnType") == "Payment"), None)
    other = (
        next((f"{link.get('TxnType')} {link.get('TxnId')}" for link in links), "") if payment is None else ""
    )
    return {
        "payment": payment,
        "amount": amount_of(line.get("Amount")),
        "description": line.get("Description") or other,
        "reference": (line.get("DepositLineDetail") or {}).get("CheckNum") or None,
    }


def applied(body: Json, kind: str) -> dict[str, Decimal]:
    """Return what was applied to each document of one kind; a payment may name one twice."""
    applied: dict[str, Decimal] = {}
    for line in body.get("Line") or ():
        for link in line.get("LinkedTxn") or ():
            if link.get("TxnType") == kind:
                document = str(link["TxnId"])
                applied[document] = applied.get(document, Decimal(0)) + decimal_of(line.get("Amount"))
    return applied


def applications(applied: Mapping[str, Decimal], word: str) -> list[Canonical]:
    """Return canonical applications, always in the same order."""
    return [{word: document, "amount": amount_text(amount)} for document, amount in sorted(applied.items())]


def signed_use(line: Json) -> Decimal:
    """Return how much of a bill payment a line uses up."""
    kinds = {link.get("TxnType") for link in line.get("LinkedTxn") or ()}
    amount = decimal_of(line.get("Amount"))
    # A vendor credit pays a part of the bills, so that less of the money is used.
    return -amount if "VendorCredit" in kinds else amount


def ref(body: Json, name: str) -> str | None:
    """Return the id a reference holds."""
    value = (body.get(name) or {}).get("value")
    return str(value) if value not in (None, "") else None


def name_of(body: Json, name: str) -> str | None:
    """Return the name a reference holds, where QuickBooks gives one."""
    return (body.get(name) or {}).get("name") or None


def text_of(value: object) -> str | None:
    """Return a value as text."""
    return None if value is None else str(value)


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

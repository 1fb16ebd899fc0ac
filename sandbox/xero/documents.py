"""What invoices and credit notes share: header fields, the status machine, approval rules and pricing."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.xero.chart import day_rate
from sandbox.xero.contacts import CONTACT_SPEC
from sandbox.xero.fields import DAY, FLAG, GUID, NUMBER, Fields, Many, One, Spec, Text, choice
from sandbox.xero.lines import AMOUNT_TYPES, LINE_SPEC, LineRules, Priced, price_lines
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call
from sandbox.xero.table import Document
from sandbox.xero.wire import plain

ZERO = Decimal(0)
STATUSES = choice("DRAFT", "SUBMITTED", "DELETED", "AUTHORISED", "PAID", "VOIDED")
OPEN = frozenset({"DRAFT", "SUBMITTED"})
LIVE = frozenset({"AUTHORISED", "PAID"})
NOT_VALID_TEXT = "{} not of valid status for modification"
MONEY_TEXT = "This document cannot be edited as it has a payment or credit note allocated to it."
HEADER_SPEC: Spec = {
    "Contact": One(CONTACT_SPEC),
    "LineItems": Many(LINE_SPEC),
    "Date": DAY,
    "DueDate": DAY,
    "LineAmountTypes": AMOUNT_TYPES,
    "Reference": Text(255),
    "BrandingThemeID": GUID,
    "Url": Text(2000),
    "CurrencyCode": Text(3),
    "CurrencyRate": NUMBER,
    "Status": STATUSES,
    "SentToContact": FLAG,
    "ExpectedPaymentDate": DAY,
    "PlannedPaymentDate": DAY,
}


@dataclass(frozen=True)
class Move:
    """What a wanted status does to a document."""

    status: str
    is_approval: bool = False
    is_end: bool = False


def next_status(document: Document, wanted: str | None, *, noun: str, money: bool) -> Move:
    """The status machine of invoices and credit notes, with Xero's refusals."""
    status = document["Status"]
    not_valid = NOT_VALID_TEXT.format(noun)
    if status in ("VOIDED", "DELETED"):
        raise ElementRefused(not_valid)
    if wanted is None or wanted == status or (wanted == "AUTHORISED" and status == "PAID"):
        return Move(status)
    if wanted == "PAID":
        raise ElementRefused(not_valid)
    if status in OPEN:
        if wanted == "VOIDED":
            raise ElementRefused(not_valid)
        return Move(wanted, is_approval=wanted == "AUTHORISED", is_end=wanted == "DELETED")
    if wanted == "VOIDED":
        if money:
            raise ElementRefused(
                f"The status VOIDED cannot be applied to the {noun.lower()} because it has payments or credit notes "
                "allocated to it."
            )
        return Move("VOIDED", is_end=True)
    raise ElementRefused(not_valid)


def base_rate(call: Call, document: Document, fields: Fields) -> None:
    """Settle CurrencyCode and CurrencyRate; a currency the organisation lacks is refused."""
    books = call.books
    base = books.profile["BaseCurrency"]
    code = (fields.get("CurrencyCode") or document.get("CurrencyCode") or base).upper()
    if books["Currencies"].get(code) is None:
        raise ElementRefused(f"Organisation is not subscribed to currency {code}", echo=fields)
    rate = fields.get("CurrencyRate") or document.get("CurrencyRate")
    if code == base:
        rate = Decimal(1)
    elif rate is None or fields.get("CurrencyCode") not in (None, document.get("CurrencyCode")):
        rate = fields.get("CurrencyRate") or day_rate(books, code)
    if rate <= 0:
        raise ElementRefused("The currency rate must be greater than zero.", echo=fields)
    document["CurrencyCode"] = code
    document["CurrencyRate"] = plain(rate)


def due_by_terms(contact: Document, day: date, *, is_sale: bool) -> date | None:
    """The due date the contact's payment terms give, or None."""
    term = ((contact.get("PaymentTerms") or {}).get("Sales" if is_sale else "Bills")) or {}
    number, kind = term.get("Day"), term.get("Type")
    if number is None or kind is None or not 0 <= number <= 366:
        return None
    if kind == "DAYSAFTERBILLDATE":
        return day + timedelta(days=number)
    month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if kind == "DAYSAFTERBILLMONTH":
        return month_end + timedelta(days=number)
    anchor = day.replace(day=1) if kind == "OFCURRENTMONTH" else month_end + timedelta(days=1)
    return anchor.replace(day=min(max(number, 1), calendar.monthrange(anchor.year, anchor.month)[1]))


def price(
    call: Call, document: Document, fields: Fields, *, is_sale: bool, takes_discount: bool, echo: Fields
) -> None:
    """Price the lines (those sent, or those the document has) and put the sums on the document."""
    old_lines: list[Document] = document.get("LineItems", [])
    raw = fields.get("LineItems")
    if raw is None:
        raw = [stored_as_request(line) for line in old_lines]
    else:
        kept = {line["LineItemID"]: line for line in old_lines}
        raw = [_merged(kept.get(line.get("LineItemID")), line) for line in raw]
    needs_account = document["Status"] in ("SUBMITTED", *LIVE)
    rules = LineRules(
        is_sale=is_sale,
        needs_account=needs_account,
        takes_discount=takes_discount,
        unit_places=call.unit_places,
    )
    priced = price_lines(
        call.books,
        raw,
        amount_types=document["LineAmountTypes"],
        rules=rules,
        kept_ids=frozenset(line["LineItemID"] for line in old_lines),
        new_id=call.new_id,
    )
    problems = list(priced.messages)
    if not priced.lines and document["Status"] != "DRAFT":
        problems.append("One or more line items must be specified")
    if priced.total < 0:
        problems.append("The total of the document must be zero or more.")
    if problems:
        raise ElementRefused(*problems, echo=echo)
    put_sums(document, priced)


def put_sums(document: Document, priced: Priced) -> None:
    """Write lines and sums on a document."""
    document |= {
        "LineItems": priced.lines,
        "SubTotal": plain(priced.sub_total),
        "TotalTax": plain(priced.total_tax),
        "Total": plain(priced.total),
    }
    if priced.total_discount:
        document["TotalDiscount"] = plain(priced.total_discount)
    else:
        document.pop("TotalDiscount", None)


def stored_as_request(line: Document) -> Fields:
    """A stored line as a request would send it, to price it again."""
    return {name: value for name, value in line.items() if name != "ItemID"}


def _merged(old: Document | None, sent: Fields) -> Fields:
    """A line sent with a known LineItemID keeps what it does not name."""
    if old is None:
        return sent
    merged = stored_as_request(old)
    if any(sent.get(name) is not None for name in ("Quantity", "UnitAmount", "LineAmount")):
        merged.pop("LineAmount", None)
        merged.pop("TaxAmount", None)
    if sent.get("AccountCode") is not None:
        merged.pop("AccountID", None)
    if sent.get("TaxType") is not None:
        merged.pop("TaxAmount", None)
    return merged | {name: value for name, value in sent.items() if value is not None}


def lines_cost_the_same(old: Iterable[Document], new: Iterable[Fields]) -> bool:
    """Whether lines sent back say nothing new (a client that echoes what it read)."""
    before = list(old)
    after = list(new)
    if len(before) != len(after):
        return False
    return all(
        sent.get(name) is None or sent[name] == line.get(name)
        for line, sent in zip(before, after, strict=True)
        for name in (
            "LineItemID",
            "Description",
            "Quantity",
            "UnitAmount",
            "LineAmount",
            "TaxType",
            "AccountID",
        )
    )


def next_number(prefix: str, *, is_taken: Callable[[str], bool], start: int) -> str:
    """The next free document number such as INV-0055."""
    number = start
    while is_taken(f"{prefix}{number:04d}".casefold()):
        number += 1
    return f"{prefix}{number:04d}"


def changed_fields(document: Document, fields: Fields) -> set[str]:
    """Header fields that a request would really change."""
    changed = set()
    for name, value in fields.items():
        if value is None or name in ("InvoiceID", "CreditNoteID", "Status", "Type"):
            continue
        if name == "Contact":
            contact_id = value.get("ContactID")
            if contact_id and contact_id != document["ContactID"]:
                changed.add("Contact")
        elif name == "LineItems":
            if not lines_cost_the_same(document["LineItems"], value):
                changed.add("LineItems")
        elif document.get(name) != value:
            changed.add(name)
    return changed

"""Line items: what they may say, and what they come to. Shared by every priced document.

Tax is rounded to two decimals per line and then summed; UnitAmount is rounded to two decimals first unless the
call says unitdp=4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.fields import GUID, NUMBER, WHOLE, Fields, Many, Spec, Text, choice
from sandbox.xero.table import Document
from sandbox.xero.wire import cents, plain

ZERO = Decimal(0)
HUNDRED = Decimal(100)
TRACKING_MAX = 2

TRACKING_SPEC: Spec = {
    "TrackingCategoryID": GUID,
    "TrackingOptionID": GUID,
    "Name": Text(100),
    "Option": Text(100),
}
LINE_SPEC: Spec = {
    "LineItemID": GUID,
    "Description": Text(4000),
    "Quantity": NUMBER,
    "UnitAmount": NUMBER,
    "ItemCode": Text(30),
    "AccountCode": Text(),
    "AccountID": GUID,
    "TaxType": Text(),
    "TaxAmount": NUMBER,
    "LineAmount": NUMBER,
    "DiscountRate": NUMBER,
    "DiscountAmount": NUMBER,
    "Tracking": Many(TRACKING_SPEC),
    "SortOrder": WHOLE,
}
AMOUNT_TYPES = choice("Exclusive", "Inclusive", "NoTax")


@dataclass(frozen=True)
class LineRules:
    """What a document allows on its lines."""

    is_sale: bool
    needs_account: bool
    takes_discount: bool = False
    system_accounts: tuple[str, ...] = ()
    unit_places: int = 2


@dataclass
class Priced:
    """Checked lines with their sums, or the messages that refuse them."""

    lines: list[Document] = field(default_factory=list)
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total_discount: Decimal = ZERO
    messages: list[str] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """What the document comes to, tax included."""
        return self.sub_total + self.total_tax


def price_lines(
    books: Books,
    raw_lines: Sequence[Fields],
    *,
    amount_types: str,
    rules: LineRules,
    kept_ids: frozenset[str],
    new_id: Any,
) -> Priced:
    """Check and price the lines of a document."""
    priced = Priced()
    for raw in raw_lines:
        line = _line(books, raw, amount_types, rules, priced)
        wanted = raw.get("LineItemID")
        line["LineItemID"] = wanted if wanted in kept_ids else new_id()
        priced.lines.append(line)
        amount, tax = line.get("LineAmount", ZERO), line.get("TaxAmount", ZERO)
        priced.total_tax += tax
        priced.sub_total += amount - tax if amount_types == "Inclusive" else amount
    priced.messages = list(dict.fromkeys(priced.messages))
    return priced


def _line(books: Books, raw: Fields, amount_types: str, rules: LineRules, priced: Priced) -> Document:
    line: Document = {}
    item = _item(books, raw, line, rules, priced.messages)
    if raw.get("Description") is not None:
        line["Description"] = raw["Description"]
    is_text_only = not any(raw.get(name) is not None for name in _PRICE_FIELDS) and not item
    if is_text_only:
        if not raw.get("Description"):
            priced.messages.append("Description is required for every line item.")
        line["Tracking"] = []
        return line
    if rules.needs_account and not line.get("Description"):
        priced.messages.append("Description is required for every line item.")
    _amounts(raw, item, line, rules, priced)
    account = _account(books, raw, item, line, rules, priced.messages)
    _tax(books, raw, item, line, amount_types, account, priced.messages)
    line["Tracking"] = read_tracking(books, raw.get("Tracking") or [], priced.messages)
    return line


_PRICE_FIELDS = ("Quantity", "UnitAmount", "LineAmount", "AccountCode", "AccountID", "TaxType", "TaxAmount")


def _item(books: Books, raw: Fields, line: Document, rules: LineRules, messages: list[str]) -> Document:
    code = raw.get("ItemCode")
    if not code:
        return {}
    item = books["Items"].first("code", code.casefold())
    if item is None:
        messages.append(f"Item code '{code}' is not valid.")
        return {}
    line["ItemCode"] = item["Code"]
    line["ItemID"] = item["ItemID"]
    text = item.get("Description") if rules.is_sale else item.get("PurchaseDescription")
    if text:
        line["Description"] = text
    details: Document = item.get("SalesDetails" if rules.is_sale else "PurchaseDetails") or {}
    return details or {"_": True}


def _amounts(raw: Fields, item: Document, line: Document, rules: LineRules, priced: Priced) -> None:
    unit, quantity, amount = raw.get("UnitAmount"), raw.get("Quantity"), raw.get("LineAmount")
    if unit is None:
        unit = item.get("UnitPrice")
    if quantity is None and (unit is not None or amount is not None):
        quantity = Decimal(1)
    if unit is None and amount is not None and quantity:
        unit = amount / quantity
    unit, quantity = unit or ZERO, quantity or ZERO
    unit = unit.quantize(Decimal(1).scaleb(-rules.unit_places), rounding="ROUND_HALF_UP")
    quantity = quantity.quantize(Decimal("0.0001"), rounding="ROUND_HALF_UP")
    full = cents(unit * quantity)
    discount = ZERO
    rate, fixed = raw.get("DiscountRate"), raw.get("DiscountAmount")
    if (rate or fixed) and not rules.takes_discount:
        priced.messages.append("Discounts are only supported on ACCREC invoices and quotes.")
    elif rate:
        if not ZERO <= rate <= HUNDRED:
            priced.messages.append("Discount rate must be between 0 and 100.")
        discount = cents(full * rate / HUNDRED)
        line["DiscountRate"] = plain(rate)
    elif fixed:
        discount = cents(fixed)
        line["DiscountAmount"] = plain(discount)
    expected = full - discount
    if amount is not None and raw.get("UnitAmount") is not None and cents(amount) != expected:
        priced.messages.append(
            f"The line total {cents(amount)} does not match the expected line total {expected}"
        )
    if amount is not None and raw.get("UnitAmount") is None:
        expected = cents(amount)
    priced.total_discount += discount
    line |= {"Quantity": plain(quantity), "UnitAmount": plain(unit), "LineAmount": plain(expected)}


def find_account(books: Books, *, code: str | None, account_id: str | None) -> Document | None:
    """The account a request names by id or by code, whatever its status."""
    if account_id:
        return books["Accounts"].get(account_id)
    return books["Accounts"].first("code", code.casefold()) if code else None


def account_message(account: Document | None, *, shown: str, system_accounts: Sequence[str]) -> str | None:
    """Why an account cannot stand on a line, or None."""
    if account is None:
        return f"Account code '{shown}' is not a valid code for this document."
    if account["Status"] != "ACTIVE":
        return (
            f"Account code '{shown}' has been archived, or has been deleted. Please unarchive the account, or use "
            "an active account code."
        )
    system = account.get("SystemAccount", "")
    is_control = system in ("DEBTORS", "CREDITORS") and system not in system_accounts
    if account["Type"] == "BANK" or is_control:
        return f"Account code '{shown}' is not a valid code for this document."
    if system_accounts and system not in system_accounts:
        return f"Account code '{shown}' is not a valid code for this document."
    return None


def _account(
    books: Books, raw: Fields, item: Document, line: Document, rules: LineRules, messages: list[str]
) -> Document | None:
    code, account_id = raw.get("AccountCode") or None, raw.get("AccountID")
    if code is None and account_id is None:
        code = item.get("AccountCode")
    if code is None and account_id is None:
        if rules.needs_account:
            messages.append("Account code must be specified for every line item.")
        return None
    account = find_account(books, code=code, account_id=account_id)
    message = account_message(account, shown=code or account_id or "", system_accounts=rules.system_accounts)
    if message is not None:
        messages.append(message)
        return None
    assert account is not None
    line["AccountID"] = account["AccountID"]
    return account


def _tax(
    books: Books,
    raw: Fields,
    item: Document,
    line: Document,
    amount_types: str,
    account: Document | None,
    messages: list[str],
) -> None:
    if amount_types == "NoTax":
        line |= {"TaxType": "NONE", "TaxAmount": plain(ZERO)}
        return
    code = raw.get("TaxType") or item.get("TaxType") or (account or {}).get("TaxType")
    if code is None:
        line["TaxAmount"] = plain(ZERO)
        return
    rate = books["TaxRates"].first("type", code.casefold())
    if rate is None or rate["Status"] != "ACTIVE":
        messages.append(
            f"The TaxType code '{code}' does not exist or cannot be used for this type of transaction."
        )
        return
    if account is not None and not rate[_APPLIES[account["Class"]]]:
        messages.append(
            f"The TaxType code '{code}' cannot be used with account code '{account.get('Code', '')}'."
        )
    percent, amount = rate["EffectiveRate"], line["LineAmount"]
    share = percent / (HUNDRED + percent) if amount_types == "Inclusive" else percent / HUNDRED
    tax = cents(amount * share)
    if raw.get("TaxAmount") is not None:
        tax = cents(raw["TaxAmount"])
    line |= {"TaxType": rate["TaxType"], "TaxAmount": plain(tax)}


_APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def read_tracking(books: Books, raw: Sequence[Fields], messages: list[str]) -> list[Document]:
    """The tracking of a line, by ids; unknown names follow the switch `unknown_tracking_option`."""
    found: list[Document] = []
    for wanted in raw:
        pair = _tracking_pair(books, wanted)
        if pair is None:
            if books.switches("unknown_tracking_option") == "refuse":
                shown = wanted.get("Option") or wanted.get("TrackingOptionID") or ""
                messages.append(
                    f"The TrackingOption '{shown}' could not be found in an active tracking category."
                )
        elif pair["TrackingCategoryID"] not in {other["TrackingCategoryID"] for other in found}:
            found.append(pair)
    if len(raw) > TRACKING_MAX:
        messages.append("A line item can have at most 2 tracking categories.")
    return found[:TRACKING_MAX]


def _tracking_pair(books: Books, wanted: Fields) -> Document | None:
    for category in books["TrackingCategories"].rows.values():
        by_id = wanted.get("TrackingCategoryID")
        name = wanted.get("Name") or ""
        if category["Status"] != "ACTIVE" or not (
            category["TrackingCategoryID"] == by_id
            if by_id
            else category["Name"].casefold() == name.casefold()
        ):
            continue
        for option in category["Options"]:
            option_id = wanted.get("TrackingOptionID")
            title = (wanted.get("Option") or "").casefold()
            is_it = (
                option["TrackingOptionID"] == option_id if option_id else option["Name"].casefold() == title
            )
            if is_it and option["Status"] == "ACTIVE":
                return {
                    "TrackingCategoryID": category["TrackingCategoryID"],
                    "TrackingOptionID": option["TrackingOptionID"],
                }
    return None


def line_view(books: Books, line: Document, *, is_echo: bool = False) -> Document:
    """A line as the API shows it."""
    shown: Document = {
        name: line[name]
        for name in ("Description", "UnitAmount", "TaxType", "TaxAmount", "LineAmount", "ItemCode")
        if name in line
    }
    if line.get("AccountID"):
        account = books["Accounts"].rows[line["AccountID"]]
        if account.get("Code"):
            shown["AccountCode"] = account["Code"]
    shown["Tracking"] = [tracking_view(books, tracking) for tracking in line.get("Tracking", ())]
    for name in ("Quantity", "DiscountRate", "DiscountAmount", "LineItemID"):
        if name in line:
            shown[name] = line[name]
    if line.get("AccountID"):
        shown["AccountID"] = line["AccountID"]
    if "ItemCode" in line:
        item = books["Items"].get(line.get("ItemID", ""))
        if item is not None:
            shown["Item"] = {"ItemID": item["ItemID"], "Name": item.get("Name", ""), "Code": item["Code"]}
    if is_echo:
        shown["ValidationErrors"] = []
    return shown


def tracking_view(books: Books, tracking: Document) -> Document:
    """A line's tracking with the names of today."""
    category = books["TrackingCategories"].rows[tracking["TrackingCategoryID"]]
    title = next(
        option["Name"]
        for option in category["Options"]
        if option["TrackingOptionID"] == tracking["TrackingOptionID"]
    )
    return {
        "Name": category["Name"],
        "Option": title,
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": tracking["TrackingOptionID"],
    }

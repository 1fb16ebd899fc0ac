"""Canonical records in the provider's dialect to Xero's JSON.

Lines are replaced as a set, so each starts from the line with the same id: what the platform does not know (tax rate,
tracking, item) stays as it is. A document names its contact by id only, because any other field would rewrite the
contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from resources.xero.chart import Account, Chart
from resources.xero.check import new_account, refusal
from resources.xero.read import TAX_LINE, UNAPPROVED, address_of, phone_of
from resources.xero.receipts import BATCH, CREDIT_RESOURCES, RECEIPT, RECEIVED, TRANSFER
from resources.xero.taxes import NO_TAX, TaxRates
from resources.xero.words import (
    ACCOUNT_TYPE_NAMES,
    NO_DESCRIPTION,
    RESOURCES,
    TITLE,
    TYPES,
    join_reference,
    narration,
    source_url,
)
from sync.errors import RejectedByProvider
from sync.money import parse_amount
from sync.ports import Write
from sync.records import Canonical, Entity

Json = dict[str, Any]

# What a line keeps when it is sent again; tracking goes by ids.
_LINE_KEPT = ("LineItemID", "TaxType", "ItemCode", "DiscountRate", "Tracking")
CENT = Decimal("0.01")
_ON_ACCOUNTS = frozenset({Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY})
TRACKING_MAX = 2


@dataclass(frozen=True, slots=True)
class Element:
    """One write in Xero's words: an element of a list, or a call of its own."""

    method: Literal["PUT", "POST"]
    path: str
    body: Json
    id_field: str
    # Xero takes these one at a time.
    is_single: bool = False

    @property
    def resource(self) -> str:
        """The list it belongs to."""
        return self.path.partition("/")[0]

    def is_about(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of an answer is, as far as it says, of the record that this changes; a new one has no id yet."""
        wanted, told = self.path.partition("/")[2] or self.body.get(self.id_field), row.get(self.id_field)
        return not wanted or not told or str(told).casefold() == str(wanted).casefold()


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a connection's settings say about writing."""

    status: Literal["AUTHORISED", "DRAFT"] = "AUTHORISED"
    tax: Literal["none", "inclusive"] = "none"
    payment_account: str | None = None


class Writer:
    """Builds the elements of one organisation. Building may look up accounts."""

    def __init__(
        self, *, chart: Chart, tax_rates: TaxRates, preferences: Preferences, public_url: str
    ) -> None:
        self._chart = chart
        self._tax_rates = tax_rates
        self._preferences = preferences
        self._public_url = public_url

    def element(self, write: Write, previous: Mapping[str, Any]) -> Element:
        """Return the element for a write, or raise RejectedByProvider where it cannot be made.

        `previous` is the raw record at exactly `write.version`; empty for a create.
        """
        if write.operation in ("void", "delete"):
            return self._end(write, previous)
        if write.operation == "activate":
            return self._activate(write)
        self._stop_what_is_refused(write)
        match write.entity:
            case Entity.ACCOUNT:
                return self._account(write)
            case Entity.CUSTOMER | Entity.VENDOR:
                return self._listed(write, _contact(write.canonical, previous))
            case Entity.INVOICE | Entity.BILL:
                return self._listed(write, self._document(write, previous))
            case Entity.JOURNAL_ENTRY:
                return self._listed(write, self._journal(write, previous))
            case Entity.PAYMENT | Entity.BILL_PAYMENT:
                return self._payment(write)
            case Entity.DEPOSIT:
                raise _impossible(
                    write.label, "what a deposit contains can only be changed in Xero; change it there"
                )

    def _stop_what_is_refused(self, write: Write) -> None:
        """Raise what Xero is known to refuse, before it is asked.

        The look before, which makes no call, may not have known the chart: another step had read it.
        """
        if write.entity in _ON_ACCOUNTS:
            self._chart.all()
        account = self._preferences.payment_account
        reason = refusal(write.entity, write.canonical, chart=self._chart, payment_account=account)
        if reason is not None:
            raise _impossible(write.label, reason)

    @staticmethod
    def _listed(write: Write, body: Json) -> Element:
        resource, id_field = RESOURCES[write.entity]
        if write.operation == "create":
            # Never POST: it would overwrite a stranger's document of the same number or name.
            return Element("PUT", resource, body, id_field)
        return Element("POST", resource, {id_field: write.remote_id, **body}, id_field)

    # ------------------------------------------------------------------ names

    def _account(self, write: Write) -> Element:
        canonical = write.canonical
        body: Json = {"Name": canonical["name"], "Description": canonical.get("description") or ""}
        if write.operation == "create":
            refused = new_account(canonical)
            if refused is not None:
                raise _impossible(write.label, refused)
            body["Type"] = ACCOUNT_TYPE_NAMES[canonical["type"]]
            body["Code"] = canonical.get("number") or self._chart.free_code(write.request_id)
            return Element("PUT", "Accounts", body, "AccountID", is_single=True)
        if canonical.get("number"):
            body["Code"] = canonical["number"]
        return Element("POST", f"Accounts/{write.remote_id}", body, "AccountID", is_single=True)

    def _activate(self, write: Write) -> Element:
        if write.entity is Entity.ACCOUNT:
            return Element(
                "POST", f"Accounts/{write.remote_id}", {"Status": "ACTIVE"}, "AccountID", is_single=True
            )
        raise _impossible(
            write.label,
            "it is archived in Xero, and only a person can restore it there (Contacts > Archived)",
        )

    # ------------------------------------------------------------------ documents

    def _document(self, write: Write, previous: Mapping[str, Any]) -> Json:
        canonical = write.canonical
        is_new = write.operation == "create"
        body: Json = {
            "Type": TYPES[write.entity],
            "Contact": {"ContactID": canonical["party"]},
            "Date": canonical["date"],
            # An approved document needs one.
            "DueDate": canonical.get("due_date") or canonical["date"],
            "Url": source_url(self._public_url, write.marker),
        }
        if canonical.get("number"):
            body["InvoiceNumber"] = canonical["number"]
        if canonical.get("currency") and is_new:
            body["CurrencyCode"] = canonical["currency"]
        if write.entity is Entity.INVOICE:
            # Bills have no field for a memo; why one was moved to an open period is noted in its history.
            body["Reference"] = canonical.get("memo") or ""
        if is_new:
            body["Status"] = self._preferences.status
            # The platform's amounts hold whatever tax there is.
            is_inclusive = self._preferences.tax == "inclusive" or _is_taxed(canonical)
            body["LineAmountTypes"] = "Inclusive" if is_inclusive else "NoTax"
        else:
            body["LineAmountTypes"] = previous.get("LineAmountTypes") or "NoTax"
        before = {str(line.get("LineItemID")): line for line in previous.get("LineItems") or ()}
        body["LineItems"] = [
            self._line(write, line, before.get(str(line.get("id")), {}), position)
            for position, line in enumerate(canonical["lines"], start=1)
            if line.get("id") != TAX_LINE
        ]
        return body

    def _line(self, write: Write, line: Canonical, base: Mapping[str, Any], position: int) -> Json:
        amount = parse_amount(line["amount"])
        made: Json = {name: base[name] for name in _LINE_KEPT if name in base}
        made |= self._carried(write, line, made)
        made["Description"] = line.get("description") or NO_DESCRIPTION
        quantity, unit_price = _priced(line, amount, has_discount=bool(base.get("DiscountRate")))
        made |= {"Quantity": quantity, "UnitAmount": unit_price, "LineAmount": amount}
        if base.get("DiscountRate"):
            made.pop("LineAmount")
        if line.get("account") is None:
            raise _impossible(
                write.label, f"line {position} names no account; map its cost code under Account mapping"
            )
        return made | self._account_key(line["account"])

    def _carried(self, write: Write, line: Canonical, base: Mapping[str, Any]) -> Json:
        """Return what a line carries besides its account: what it is told, and of the rest what it had; tracking by ids."""
        told = {
            one["category"]: one["option"] for one in (line.get("dimensions") or {}).get("tracking") or ()
        }
        had = {
            str(one["TrackingCategoryID"]): str(one["TrackingOptionID"])
            for one in base.get("Tracking") or ()
            if one.get("TrackingCategoryID") and one.get("TrackingOptionID")
        }
        if len(had.keys() | told.keys()) > TRACKING_MAX:
            had = {}
        made: Json = {}
        if had or told:
            made["Tracking"] = [
                {"TrackingCategoryID": category, "TrackingOptionID": option}
                for category, option in (had | told).items()
            ]
        if line.get("tax_code"):
            made["TaxType"] = self._tax_rates.find(line["tax_code"], label=write.label)
        return made

    def _account_key(self, account_id: str) -> Json:
        account: Account | None = self._chart.account(account_id)
        # The code is what every version of the API takes; the id stays right when somebody changes the code.
        return (
            {"AccountCode": account.code}
            if account is not None and account.code
            else {"AccountID": account_id}
        )

    def _journal(self, write: Write, previous: Mapping[str, Any]) -> Json:
        canonical = write.canonical
        # Its lines have no ids: their place is their identity.
        before = {str(place): line for place, line in enumerate(previous.get("JournalLines") or (), start=1)}
        lines = []
        for position, line in enumerate(canonical["lines"], start=1):
            if line.get("id") == TAX_LINE:
                reason = "its tax is kept on a line of Xero's own; change it there"
                raise _impossible(write.label, reason)
            if line.get("account") is None:
                raise _impossible(write.label, f"line {position} names no account; choose one on that line")
            amount = parse_amount(line["debit"]) - parse_amount(line["credit"])
            lines.append(
                {
                    "LineAmount": amount,
                    "Description": line.get("description") or "",
                    **self._account_key(line["account"]),
                    **self._carried(write, line, before.get(str(line.get("id")), {})),
                }
            )
        return {
            "Narration": narration(canonical.get("memo"), canonical.get("number"), write.marker),
            "Date": canonical["date"],
            "Status": "POSTED",
            "LineAmountTypes": "Inclusive" if _is_taxed(canonical) else "NoTax",
            "Url": source_url(self._public_url, write.marker),
            "JournalLines": lines,
        }

    # ------------------------------------------------------------------ money that moved

    def _payment(self, write: Write) -> Element:
        if write.operation != "create":
            reason = "a payment cannot be changed in Xero, only removed; remove it there and enter it again"
            raise _impossible(write.label, reason)
        account = self._preferences.payment_account
        if account is None:
            raise _impossible(
                write.label,
                "Xero needs to know which bank account it went through; set the payment account of this connection",
            )
        canonical = write.canonical
        word = "invoice" if write.entity is Entity.PAYMENT else "bill"
        header = {
            "Account": {"AccountID": account},
            "Date": canonical["date"],
            "Reference": join_reference(canonical.get("reference"), write.marker),
        }
        paid = [
            {"Invoice": {"InvoiceID": item[word]}, "Amount": parse_amount(item["amount"])}
            for item in canonical["applications"]
        ]
        if len(paid) == 1:
            return Element("PUT", "Payments", header | paid[0], "PaymentID")
        return Element("PUT", "BatchPayments", header | {"Payments": paid}, "BatchPaymentID", is_single=True)

    # ------------------------------------------------------------------ the end

    def _end(self, write: Write, previous: Mapping[str, Any]) -> Element:
        match write.entity:
            case Entity.ACCOUNT:
                return Element(
                    "POST", f"Accounts/{write.remote_id}", {"Status": "ARCHIVED"}, "AccountID", is_single=True
                )
            case Entity.CUSTOMER | Entity.VENDOR:
                return self._listed(write, {"ContactStatus": "ARCHIVED"})
            case Entity.INVOICE | Entity.BILL | Entity.JOURNAL_ENTRY:
                is_draft = previous.get("Status") in UNAPPROVED
                # The description of manual journals wants their text whenever one is sent; documents have none.
                text = {name: previous[name] for name in ("Narration",) if name in previous}
                return self._listed(write, {**text, "Status": "DELETED" if is_draft else "VOIDED"})
            case _:
                return self._remove_money(write, previous)

    @staticmethod
    def _remove_money(write: Write, previous: Mapping[str, Any]) -> Element:
        gone = {"Status": "DELETED"}
        kind, _, rest = str(write.remote_id).partition("/")
        if kind == BATCH and write.entity is not Entity.DEPOSIT:
            batch_id = rest.partition("/")[0]
            return Element("POST", f"BatchPayments/{batch_id}", gone, "BatchPaymentID", is_single=True)
        if kind == RECEIVED:
            return Element(
                "POST",
                "BankTransactions",
                {"BankTransactionID": rest, **gone},
                "BankTransactionID",
                is_single=True,
            )
        if kind == TRANSFER:
            return Element("POST", f"BankTransfers/{rest}", gone, "BankTransferID", is_single=True)
        payments = list(previous.get("payments") or ())
        if kind in CREDIT_RESOURCES or kind == BATCH or len(payments) > 1:
            raise _impossible(
                write.label, "in Xero it consists of several entries that belong together; remove it there"
            )
        payment_id = payments[0] if kind == RECEIPT and payments else write.remote_id
        return Element("POST", f"Payments/{payment_id}", gone, "PaymentID", is_single=True)


def _is_taxed(canonical: Canonical) -> bool:
    return any(line.get("tax_code") not in (None, NO_TAX) for line in canonical["lines"])


def _contact(canonical: Canonical, previous: Mapping[str, Any]) -> Json:
    body: Json = {"Name": canonical["name"]}
    if canonical.get("email") or previous:
        body["EmailAddress"] = canonical.get("email") or ""
    if canonical.get("phone") != phone_of(previous):
        others = [
            one
            for one in previous.get("Phones") or ()
            if one.get("PhoneType") != "DEFAULT" and one.get("PhoneNumber")
        ]
        body["Phones"] = [
            *others,
            {
                "PhoneType": "DEFAULT",
                "PhoneNumber": canonical.get("phone") or "",
                "PhoneAreaCode": "",
                "PhoneCountryCode": "",
            },
        ]
    if canonical.get("address") != address_of(previous):
        address = canonical.get("address") or {}
        others = [one for one in previous.get("Addresses") or () if one.get("AddressType") != "POBOX"]
        body["Addresses"] = [
            *others,
            {
                "AddressType": "POBOX",
                "AddressLine1": address.get("line") or "",
                "AddressLine2": "",
                "AddressLine3": "",
                "AddressLine4": "",
                "City": address.get("city") or "",
                "Region": address.get("region") or "",
                "PostalCode": address.get("postal_code") or "",
            },
        ]
    return body


def _priced(line: Canonical, amount: Decimal, *, has_discount: bool) -> tuple[Decimal, Decimal]:
    """Return quantity and price where they make the amount; else one of the whole, so that Xero adds up the same."""
    if line.get("quantity") and line.get("unit_price"):
        quantity, unit_price = parse_amount(line["quantity"]), parse_amount(line["unit_price"])
        if has_discount or (quantity * unit_price).quantize(CENT, ROUND_HALF_UP) == amount:
            return quantity, unit_price
    return Decimal(1), amount


def _impossible(label: str, reason: str) -> RejectedByProvider:
    return RejectedByProvider(
        f"{label} was not sent: {reason}.",
        provider=TITLE,
        label=label,
        provider_code="not_sent",
        field="",
        text=reason,
    )

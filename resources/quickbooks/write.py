"""Canonical records in the provider's dialect to QuickBooks' JSON.

Lists are updated as a whole, starting from the object last read, so that what the platform does not know stays as it
is. Documents are updated sparsely; their lines start from the line with the same id, and are left out altogether
where nothing about them changed, because lines that are not sent back are deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from resources.quickbooks.chart import Chart
from resources.quickbooks.items import Items
from resources.quickbooks.line_writer import LineWriter, impossible
from resources.quickbooks.lines import (
    GROUP,
)
from resources.quickbooks.read import Reader, address_of
from resources.quickbooks.taxes import TaxCodes
from resources.quickbooks.words import ACCOUNT_TYPE_NAMES, LISTS, NAMES, join_note
from sync.money import parse_amount
from sync.ports import Write
from sync.records import Canonical, Entity

Json = dict[str, Any]
Verb = Literal["create", "update", "delete"]

_VOIDED_IN_PLACE = frozenset({Entity.INVOICE, Entity.PAYMENT, Entity.BILL_PAYMENT})


@dataclass(frozen=True, slots=True)
class Request:
    """One write in QuickBooks' words; `options` are a batch item's `optionsData`."""

    name: str
    verb: Verb
    body: Json
    options: str | None = None
    # Voiding an invoice is an operation of its own, which a batch does not offer.
    is_single: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


class Writer:
    """Builds the requests of one company. Building may look up accounts and items."""

    def __init__(
        self,
        *,
        chart: Chart,
        items: Items,
        reader: Reader,
        tax_codes: TaxCodes,
        is_multi_currency: bool,
        is_domestic: bool,
    ) -> None:
        """`is_domestic`: a US company, where sales tax does not have to be said on each line."""
        self._chart = chart
        self._reader = reader
        self._lines = LineWriter(
            chart=chart, items=items, reader=reader, tax_codes=tax_codes, is_domestic=is_domestic
        )
        self._is_multi_currency = is_multi_currency
        self._is_domestic = is_domestic

    def request(self, write: Write, previous: Json) -> Request:
        """Return the request for a write, or raise RejectedByProvider where it cannot be made.

        `previous` is the raw record at exactly `write.version`; empty for a create.
        """
        name = NAMES[write.entity]
        if write.operation in ("void", "delete"):
            return self._end(write, name, previous)
        body = self._body(write, previous)
        if write.operation == "create":
            return Request(name, "create", body)
        body |= {"Id": write.remote_id, "SyncToken": write.version}
        if write.entity not in LISTS:
            body["sparse"] = True
        elif write.operation == "activate":
            body["Active"] = True
        return Request(name, "update", body)

    def _end(self, write: Write, name: str, previous: Json) -> Request:
        key: Json = {"Id": write.remote_id, "SyncToken": write.version}
        if write.entity in LISTS:
            return Request(name, "update", {**previous, **key, "Active": False})
        if write.operation == "void" and write.entity is Entity.INVOICE:
            return Request(name, "update", key, is_single=True, params={"operation": "void"})
        if write.operation == "void" and write.entity in _VOIDED_IN_PLACE:
            return Request(name, "update", {**key, "sparse": True}, options="void")
        # QuickBooks has no void for bills, journal entries and deposits: they are deleted.
        return Request(name, "delete", key)

    def _body(self, write: Write, previous: Json) -> Json:
        match write.entity:
            case Entity.ACCOUNT:
                return self._account(write, previous)
            case Entity.CUSTOMER | Entity.VENDOR:
                return _party(write.canonical, previous)
            case Entity.INVOICE:
                return self._document(write, previous, party="CustomerRef")
            case Entity.BILL:
                return self._document(write, previous, party="VendorRef")
            case Entity.JOURNAL_ENTRY:
                return self._document(write, previous, party=None)
            case Entity.PAYMENT:
                return self._payment(write, previous)
            case Entity.BILL_PAYMENT:
                return self._bill_payment(write, previous)
            case Entity.DEPOSIT:
                return self._deposit(write, previous)

    # ------------------------------------------------------------------ names

    def _account(self, write: Write, previous: Json) -> Json:
        canonical = write.canonical
        above, _, leaf = str(canonical["name"]).rpartition(":")
        body: Json = {**previous, "Name": leaf.strip()}
        kind = ACCOUNT_TYPE_NAMES[canonical["type"]]
        if previous.get("AccountType") != kind:
            # A sub-type belongs to its type; QuickBooks chooses the new type's usual one.
            body.pop("AccountSubType", None)
            body["AccountType"] = kind
        _put(body, "AcctNum", canonical.get("number"))
        _put(body, "Description", canonical.get("description"))
        if not above:
            body.pop("ParentRef", None)
            body.pop("SubAccount", None)
            return body
        parent = self._chart.at(above.strip())
        if parent is None:
            raise impossible(
                write.label,
                f"there is no account '{above.strip()}' in QuickBooks to put '{leaf.strip()}' below (a colon in a"
                " name means 'below'); create that account first, or write the name without a colon",
            )
        return body | {"SubAccount": True, "ParentRef": {"value": parent.id}}

    # ------------------------------------------------------------------ documents

    def _document(self, write: Write, previous: Json, *, party: str | None) -> Json:
        canonical = write.canonical
        body = self._header(write)
        if party is not None:
            body[party] = self._party_ref(write, previous, party)
            _put(body, "DueDate", canonical.get("due_date"))
            location = _of_all_lines(write, "location")
            if location is not None:
                body["DepartmentRef"] = {"value": location}
        elif write.operation != "create":
            body.pop("CurrencyRef", None)
        if write.operation == "create" and party is not None and not self._is_domestic:
            # The platform's amounts hold whatever tax there is.
            is_taxed = any(line.get("tax_code") for line in canonical["lines"])
            body["GlobalTaxCalculation"] = "TaxInclusive" if is_taxed else "NotApplicable"
        if previous and canonical["lines"] == self._reader.lines(write.entity, previous):
            return body
        if any(line.get("DetailType") == GROUP for line in previous.get("Line") or ()):
            raise impossible(
                write.label,
                "it contains a bundle of items, which only QuickBooks can change; change its lines there",
            )
        body["Line"] = self._lines.lines(write, previous)
        return body

    def _party_ref(self, write: Write, previous: Json, party: str) -> Json:
        """Name the party; an invoice of a job that is a sub-customer is that one's."""
        wanted: str = write.canonical["party"]
        if party == "CustomerRef":
            job = _of_all_lines(write, "sub_customer")
            before = (previous.get(party) or {}).get("value")
            if job is not None:
                wanted = job
            elif before is not None and self._reader.party(previous, party) == wanted:
                wanted = str(before)
        return {"value": wanted}

    def _header(self, write: Write) -> Json:
        canonical = write.canonical
        body: Json = {
            "TxnDate": canonical["date"],
            "PrivateNote": join_note(canonical.get("memo"), write.marker),
        }
        _put(body, "DocNumber", canonical.get("number"))
        if self._is_multi_currency and canonical.get("currency"):
            body["CurrencyRef"] = {"value": canonical["currency"]}
        return body

    # ------------------------------------------------------------------ money that moved

    def _payment(self, write: Write, previous: Json) -> Json:
        canonical = write.canonical
        body = self._header(write) | {
            "CustomerRef": {"value": canonical["party"]},
            "TotalAmt": parse_amount(canonical["amount"]),
        }
        body.pop("DocNumber", None)
        _put(body, "PaymentRefNum", canonical.get("reference"))
        others = [line for line in previous.get("Line") or () if not _links(line, "Invoice")]
        body["Line"] = [*others, *_applications(canonical, "invoice", "Invoice")]
        return body

    def _bill_payment(self, write: Write, previous: Json) -> Json:
        if write.operation == "create":
            raise impossible(
                write.label,
                "QuickBooks needs to know from which bank account a bill is paid; pay the bill there",
            )
        canonical = write.canonical
        body = self._header(write) | {
            "VendorRef": {"value": canonical["party"]},
            "TotalAmt": parse_amount(canonical["amount"]),
        }
        _put(body, "DocNumber", canonical.get("reference"))
        others = [line for line in previous.get("Line") or () if not _links(line, "Bill")]
        body["Line"] = [*others, *_applications(canonical, "bill", "Bill")]
        return body

    def _deposit(self, write: Write, previous: Json) -> Json:
        canonical = write.canonical
        body = self._header(write) | {"DepositToAccountRef": {"value": canonical["account"]}}
        body.pop("DocNumber", None)
        if previous:
            if canonical["lines"] != self._reader.deposit_lines(previous):
                raise impossible(
                    write.label, "what a deposit contains can only be changed in QuickBooks; change it there"
                )
            return body
        lines: list[Json] = []
        for position, line in enumerate(canonical["lines"], start=1):
            if not line.get("payment"):
                reason = f"line {position} is money that no payment brought, which needs an account; enter the deposit in QuickBooks"
                raise impossible(write.label, reason)
            link = {"TxnId": line["payment"], "TxnType": "Payment", "TxnLineId": "0"}
            lines.append({"Amount": parse_amount(line["amount"]), "LinkedTxn": [link]})
        return body | {"Line": lines}


def _party(canonical: Canonical, previous: Json) -> Json:
    body: Json = {**previous, "DisplayName": canonical["name"]}
    if previous.get("PrintOnCheckName") == previous.get("DisplayName"):
        body.pop("PrintOnCheckName", None)  # follows the name unless somebody chose another
    email, phone = canonical.get("email"), canonical.get("phone")
    if email != (previous.get("PrimaryEmailAddr") or {}).get("Address"):
        _put(body, "PrimaryEmailAddr", {"Address": email} if email else None)
    if phone != (previous.get("PrimaryPhone") or {}).get("FreeFormNumber"):
        _put(body, "PrimaryPhone", {"FreeFormNumber": phone} if phone else None)
    address = canonical.get("address")
    if address != address_of(previous.get("BillAddr") or {}):
        _put(body, "BillAddr", _address(address, previous.get("BillAddr") or {}) if address else None)
    return body


def _address(address: Canonical, previous: Json) -> Json:
    body = {key: value for key, value in previous.items() if key in ("Id", "Country")}
    for key, name in (
        ("line", "Line1"),
        ("city", "City"),
        ("region", "CountrySubDivisionCode"),
        ("postal_code", "PostalCode"),
    ):
        _put(body, name, address.get(key))
    return body


def _links(line: Json, kind: str) -> bool:
    return any(link.get("TxnType") == kind for link in line.get("LinkedTxn") or ())


def _applications(canonical: Canonical, word: str, kind: str) -> list[Json]:
    return [
        {"Amount": parse_amount(one["amount"]), "LinkedTxn": [{"TxnId": one[word], "TxnType": kind}]}
        for one in canonical.get("applications") or ()
    ]


def _put(body: Json, name: str, value: object) -> None:
    """Set a property, or leave it out where there is no value."""
    if value in (None, ""):
        body.pop(name, None)
    else:
        body[name] = value


def _of_all_lines(write: Write, list_name: str) -> str | None:
    """Return what a document carries as a whole; QuickBooks has one customer and one location on a document."""
    if write.entity is Entity.BILL and list_name == "sub_customer":
        return None
    found = {
        line["dimensions"][list_name]
        for line in write.canonical["lines"]
        if list_name in (line.get("dimensions") or {})
    }
    if len(found) > 1:
        raise impossible(
            write.label,
            f"its lines belong to several jobs, and QuickBooks has one {list_name.replace('_', '-')} per document;"
            " split it by job, or let jobs become a class",
        )
    return next(iter(found), None)

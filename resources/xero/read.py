"""Xero's JSON of names, invoices, bills and journals to canonical records in the provider's dialect.

One contact is a customer once it has been invoiced and a vendor once it has billed; one that is neither yet is shown
as both, so that a name on either side finds it. Nothing here makes a call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from resources.xero.chart import Chart
from resources.xero.words import (
    RECEIVABLE,
    account_type,
    amount_of,
    day,
    decimal_of,
    id_in,
    instant,
    marker_in,
    optional_amount,
    read_narration,
)
from sync.money import amount_text
from sync.records import Canonical, Entity, RemoteRecord, TheirState, name_key, number_key

Json = Mapping[str, Any]

TAX_LINE = "tax"
_LABELS = {
    Entity.INVOICE: "Invoice",
    Entity.BILL: "Bill",
    Entity.JOURNAL_ENTRY: "Manual journal",
    Entity.PAYMENT: "Payment",
    Entity.BILL_PAYMENT: "Bill payment",
    Entity.DEPOSIT: "Deposit",
}
_STATES: Mapping[str, TheirState] = {"VOIDED": "void", "DELETED": "deleted", "ARCHIVED": "inactive"}
UNAPPROVED = frozenset({"DRAFT", "SUBMITTED"})


def version_of(body: Json, canonical: Canonical, state: str, *more: object) -> str:
    """Return what stands for a version: Xero has none, and UpdatedDateUTC does not move with every change."""
    moment = instant(body.get("UpdatedDateUTC"))
    stamp = int(moment.timestamp() * 1000) if moment is not None else 0
    text = json.dumps([state, canonical, *more], sort_keys=True, separators=(",", ":"), default=str)
    return f"{stamp}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def state_of(body: Json) -> TheirState:
    """Return the state of a document or journal."""
    return _STATES.get(str(body.get("Status")), "active")


class Reader:
    """Turns one organisation's objects into records."""

    def __init__(self, *, home_currency: str, chart: Chart) -> None:
        self._home = home_currency
        self._chart = chart

    def listed(self, resource: str, body: Json) -> list[RemoteRecord]:
        """Return the records an object of a list stands for: none, one, or a customer and a vendor."""
        if resource == "Accounts":
            record = self.account(body)
            return [record] if record is not None else []
        if resource == "Contacts":
            return [self.contact(entity, body) for entity in _roles(body)]
        if resource == "ManualJournals":
            is_strange_draft = body.get("Status") in UNAPPROVED and marker_in(body.get("Narration")) is None
            return [] if is_strange_draft else [self.journal(body)]
        record = self.document(body)
        # What somebody is still drafting is not in the books yet; our own drafts are ours to follow.
        is_strange_draft = body.get("Status") in UNAPPROVED and record.marker is None
        return [] if is_strange_draft else [record]

    def one(self, entity: Entity, body: Json) -> RemoteRecord | None:
        """Return one object as a record of this entity; None where it is another kind of thing."""
        if entity is Entity.ACCOUNT:
            return self.account(body)
        if entity in (Entity.CUSTOMER, Entity.VENDOR):
            return self.contact(entity, body)
        if entity is Entity.JOURNAL_ENTRY:
            return self.journal(body)
        record = self.document(body)
        return record if record.entity == entity else None

    # ------------------------------------------------------------------ names

    def account(self, body: Json) -> RemoteRecord | None:
        """Return an account; None where Xero has made up a type since."""
        kind = account_type(body)
        if kind is None:
            return None
        canonical: Canonical = {
            "name": str(body["Name"]),
            "number": str(body["Code"]) if body.get("Code") else None,
            "type": kind,
            "description": body.get("Description") or None,
        }
        kept = ("Type", "Status", "SystemAccount", "TaxType", "Code", "Name")
        return self._name(Entity.ACCOUNT, str(body["AccountID"]), body, canonical, status="Status", kept=kept)

    def contact(self, entity: Entity, body: Json) -> RemoteRecord:
        """Return a contact in one of its two roles."""
        canonical: Canonical = {
            "name": str(body.get("Name") or ""),
            "email": body.get("EmailAddress") or None,
            "phone": phone_of(body),
            "address": address_of(body),
        }
        kept = ("Phones", "Addresses", "ContactStatus", "ContactPersons")
        found = self._name(entity, str(body["ContactID"]), body, canonical, status="ContactStatus", kept=kept)
        return replace(found, merged_into=body.get("MergedToContactID") or None)

    def _name(
        self,
        entity: Entity,
        remote_id: str,
        body: Json,
        canonical: Canonical,
        *,
        status: str,
        kept: tuple[str, ...],
    ) -> RemoteRecord:
        said = str(body.get(status) or "ACTIVE")
        state: TheirState = "active" if said == "ACTIVE" else _STATES.get(said, "inactive")
        return RemoteRecord(
            entity=entity,
            remote_id=remote_id,
            version=version_of(body, canonical, state),
            state=state,
            canonical=canonical,
            label=canonical["name"],
            changed_at=instant(body.get("UpdatedDateUTC")),
            natural_key=name_key(canonical["name"]),
            raw={name: body[name] for name in kept if name in body},
        )

    # ------------------------------------------------------------------ documents

    def document(self, body: Json) -> RemoteRecord:
        """Return a sales invoice as an invoice, a purchase one as a bill."""
        entity = Entity.INVOICE if body.get("Type") == RECEIVABLE else Entity.BILL
        canonical: Canonical = {
            "number": body.get("InvoiceNumber") or None,
            "date": day(body),
            "party": id_in(body, "Contact", "ContactID"),
            "currency": body.get("CurrencyCode") or self._home,
            "memo": body.get("Reference") or "",
            "due_date": day(body, "DueDate"),
            "total": amount_of(body.get("Total")),
            "lines": self.lines(body),
        }
        state = state_of(body)
        return RemoteRecord(
            entity=entity,
            remote_id=str(body["InvoiceID"]),
            version=version_of(body, canonical, state),
            state=state,
            canonical=canonical,
            label=label_of(entity, canonical),
            changed_at=instant(body.get("UpdatedDateUTC")),
            natural_key=number_key(canonical["number"]),
            document_date=_date(canonical),
            total=decimal_of(body.get("Total")),
            # Right after a void Xero still shows the old amount due.
            balance=decimal_of(body.get("AmountDue")) if state == "active" else Decimal(0),
            currency=canonical["currency"],
            marker=marker_in(body.get("Url")),
            raw={name: body[name] for name in _DOCUMENT_KEPT if name in body},
        )

    def lines(self, body: Json) -> list[Canonical]:
        """Return the lines of an invoice or bill, tax that comes on top as a line of its own."""
        lines = [
            {
                "id": str(line["LineItemID"]) if line.get("LineItemID") else None,
                "description": line.get("Description") or "",
                "amount": amount_of(line.get("LineAmount")),
                "quantity": optional_amount(line.get("Quantity")),
                "unit_price": optional_amount(line.get("UnitAmount")),
                "account": self.account_of(line),
            }
            for line in body.get("LineItems") or ()
        ]
        tax = decimal_of(body.get("TotalTax"))
        if body.get("LineAmountTypes") == "Exclusive" and tax:
            amount = amount_text(tax)
            lines.append(
                {
                    "id": TAX_LINE,
                    "description": "Tax",
                    "amount": amount,
                    "quantity": None,
                    "unit_price": None,
                    "account": None,
                }
            )
        return lines

    def account_of(self, line: Json) -> str | None:
        """Return the account a line is booked on; older answers name its code only."""
        if line.get("AccountID"):
            return str(line["AccountID"])
        found = self._chart.of_code(str(line["AccountCode"])) if line.get("AccountCode") else None
        return found.id if found is not None else None

    def journal(self, body: Json) -> RemoteRecord:
        """Return a manual journal; its lines have no ids, so their place is their identity."""
        memo, number, marker = read_narration(body.get("Narration"))
        canonical: Canonical = {
            "number": number,
            "date": day(body),
            "currency": self._home,
            "memo": memo,
            "lines": self._journal_lines(body),
        }
        state = state_of(body)
        return RemoteRecord(
            entity=Entity.JOURNAL_ENTRY,
            remote_id=str(body["ManualJournalID"]),
            version=version_of(body, canonical, state),
            state=state,
            canonical=canonical,
            label=label_of(Entity.JOURNAL_ENTRY, canonical),
            changed_at=instant(body.get("UpdatedDateUTC")),
            natural_key=number_key(number),
            document_date=_date(canonical),
            total=sum((Decimal(line["debit"]) for line in canonical["lines"]), Decimal(0)),
            currency=self._home,
            marker=marker or marker_in(body.get("Url")),
            raw={
                name: body[name]
                for name in (
                    "Narration",
                    "JournalLines",
                    "LineAmountTypes",
                    "Status",
                    "ShowOnCashBasisReports",
                )
                if name in body
            },
        )

    def _journal_lines(self, body: Json) -> list[Canonical]:
        is_on_top = body.get("LineAmountTypes") == "Exclusive"
        tax = Decimal(0)
        lines = []
        for position, line in enumerate(body.get("JournalLines") or (), start=1):
            amount = decimal_of(line.get("LineAmount"))
            tax += decimal_of(line.get("TaxAmount")) if is_on_top else Decimal(0)
            lines.append(
                _journal_line(str(position), line.get("Description") or "", amount, self.account_of(line))
            )
        gst = self._chart.system("GST") if tax else None
        if gst is not None:
            lines.append(_journal_line(TAX_LINE, "Tax", tax, gst.id))
        return lines


_DOCUMENT_KEPT = (
    "LineItems",
    "LineAmountTypes",
    "Status",
    "AmountPaid",
    "AmountCredited",
    "TotalTax",
    "Url",
    "Reference",
)


def _journal_line(line_id: str, description: str, amount: Decimal, account: str | None) -> Canonical:
    return {
        "id": line_id,
        "description": description,
        "debit": amount_text(max(amount, Decimal(0))),
        "credit": amount_text(max(-amount, Decimal(0))),
        "account": account,
        "party_kind": None,
        "party": None,
    }


def _roles(body: Json) -> list[Entity]:
    is_customer, is_vendor = bool(body.get("IsCustomer")), bool(body.get("IsSupplier"))
    if is_customer == is_vendor:
        return [Entity.CUSTOMER, Entity.VENDOR]
    return [Entity.CUSTOMER if is_customer else Entity.VENDOR]


def phone_of(body: Json) -> str | None:
    """Return a contact's main phone number."""
    for phone in body.get("Phones") or ():
        if phone.get("PhoneType") == "DEFAULT":
            parts = (phone.get("PhoneCountryCode"), phone.get("PhoneAreaCode"), phone.get("PhoneNumber"))
            return " ".join(str(part) for part in parts if part) or None
    return None


def address_of(body: Json) -> Canonical | None:
    """Return the address that goes on a contact's documents, or its street address."""
    by_kind = {address.get("AddressType"): address for address in body.get("Addresses") or ()}
    for kind in ("POBOX", "STREET"):
        found = by_kind.get(kind) or {}
        street = [
            str(found[name]).strip() for name in (f"AddressLine{n}" for n in range(1, 5)) if found.get(name)
        ]
        address = {
            "line": ", ".join(part for part in street if part) or None,
            "city": found.get("City") or None,
            "region": found.get("Region") or None,
            "postal_code": found.get("PostalCode") or None,
        }
        if any(address.values()):
            return address
    return None


def label_of(entity: Entity, canonical: Canonical) -> str:
    """Return what a bookkeeper would call the record."""
    if "name" in canonical:
        return str(canonical["name"])
    number = canonical.get("number") or canonical.get("reference")
    return f"{_LABELS[entity]} {number or 'of ' + str(canonical.get('date') or 'no date')}"


def _date(canonical: Canonical) -> date | None:
    return date.fromisoformat(canonical["date"]) if canonical.get("date") else None

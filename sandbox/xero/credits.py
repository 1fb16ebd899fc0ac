"""Credit notes, prepayments, overpayments, and the allocations that use them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from sandbox.xero.books import Books
from sandbox.xero.contacts import id_list, mark_role, resolve_contact
from sandbox.xero.documents import (
    HEADER_SPEC,
    LIVE,
    MONEY_TEXT,
    base_rate,
    changed_fields,
    next_number,
    next_status,
    price,
)
from sandbox.xero.fields import DAY, GUID, NUMBER, Fields, One, Spec, Text, choice
from sandbox.xero.invoice_views import allocation_view, credit_view
from sandbox.xero.invoices import resettle
from sandbox.xero.postings import line_net, to_base
from sandbox.xero.refusals import ElementRefused, NotFound
from sandbox.xero.resource import Call, Resource, columns_of, contact_columns
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import cents, plain

ZERO = Decimal(0)
NOTE_SPEC: Spec = {
    **HEADER_SPEC,
    "CreditNoteID": GUID,
    "CreditNoteNumber": Text(255),
    "Type": choice("ACCRECCREDIT", "ACCPAYCREDIT"),
}
ALLOCATION_SPEC: Spec = {
    "AllocationID": GUID,
    "Amount": NUMBER,
    "AppliedAmount": NUMBER,
    "Date": DAY,
    "Invoice": One({"InvoiceID": GUID, "InvoiceNumber": Text(255)}),
}
_COLUMNS = {
    "Type": "text",
    "Status": "text",
    "Date": "date",
    "DueDate": "date",
    "Total": "number",
    "SubTotal": "number",
    "TotalTax": "number",
    "RemainingCredit": "number",
    "CurrencyCode": "text",
    "CurrencyRate": "number",
    "UpdatedDateUTC": "date",
    "Reference": "text",
    "FullyPaidOnDate": "date",
    "SentToContact": "flag",
    "HasAttachments": "flag",
    "InvoiceNumber": "text",
}


class CreditSource(Resource):
    """What the three kinds of credit share: they can be allocated and refunded."""

    is_paged = True
    has_history = True
    list_is_light = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return contact_columns(books) | columns_of(
            **{self.id_field: "guid", "CreditNoteNumber": "text"}, **_COLUMNS
        )

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """`IDs`, and for prepayments and overpayments their numbers or references."""
        found: list[Callable[[Document], bool]] = []
        wanted = id_list(call.query.get("ids"))
        if wanted is not None:
            found.append(lambda doc: doc[self.id_field] in wanted)
        for name, field in (("invoicenumbers", "InvoiceNumber"), ("references", "Reference")):
            text = call.query.get(name)
            if text is not None:
                held = {part.strip().casefold() for part in text.split(",")}
                found.append(lambda doc, f=field, h=held: (doc.get(f) or "").casefold() in h)  # type: ignore[misc]
        return found

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The credit as the wire shows it."""
        return credit_view(books, document, mode, id_field=self.id_field)

    def is_receivable(self, document: Document) -> bool:
        """Whether it stands against sales invoices."""
        kind: str = document["Type"]
        return kind.startswith(("ACCREC", "RECEIVE", "AR"))

    def allocate(self, call: Call, document: Document, fields: Fields) -> Document:
        """Use part of the credit for an invoice of the same contact and side."""
        books = call.books
        invoice = self._target(books, fields)
        amount = fields.get("Amount") if fields.get("Amount") is not None else fields.get("AppliedAmount")
        messages = _allocation_problems(self, document, invoice, amount)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        assert amount is not None
        day = fields.get("Date") or books.today()
        call.check_lock(day, echo=fields)
        allocation: Document = {
            "AllocationID": call.new_id(),
            "SourceTable": self.name,
            "SourceID": document[self.id_field],
            "InvoiceID": invoice["InvoiceID"],
            "ContactID": document["ContactID"],
            "Amount": plain(cents(amount)),
            "Date": day,
            "IsReceivable": self.is_receivable(document),
            "SourceRate": document["CurrencyRate"],
            "InvoiceRate": invoice["CurrencyRate"],
            "UpdatedDateUTC": books.now(),
        }
        if self.name == "Prepayments":
            allocation["Shares"] = prepayment_shares(books, document, cents(amount))
        books["Allocations"].put(allocation["AllocationID"], allocation)
        self.resettle(call, document[self.id_field], on=day)
        resettle(call, invoice["InvoiceID"], on=day)
        return allocation

    def _target(self, books: Books, fields: Fields) -> Document:
        wanted = fields.get("Invoice") or {}
        invoice = books["Invoices"].get(wanted.get("InvoiceID") or "")
        if invoice is None and wanted.get("InvoiceNumber"):
            invoice = books["Invoices"].first("number", wanted["InvoiceNumber"].casefold())
        if invoice is None:
            if wanted.get("InvoiceID"):
                raise NotFound
            raise ElementRefused("An Invoice must be specified for the allocation.", echo=fields)
        return invoice

    def release(self, call: Call, document: Document, allocation_id: str) -> Document:
        """Take an allocation back."""
        books = call.books
        allocation = books["Allocations"].get(allocation_id.lower())
        if allocation is None or allocation["SourceID"] != document[self.id_field]:
            raise NotFound
        call.check_lock(allocation["Date"])
        shown = allocation_view(books, allocation) | {"IsDeleted": True}
        books["Allocations"].remove(allocation["AllocationID"])
        today = books.today()
        self.resettle(call, document[self.id_field], on=today)
        resettle(call, allocation["InvoiceID"], on=today)
        return shown

    def resettle(self, call: Call, key: str, *, on: date) -> Document:
        """Add up what is left of a credit after an allocation or refund came or went."""
        books = call.books
        document = dict(books[self.name].rows[key])
        used = sum((a["Amount"] for a in books["Allocations"].find("source", key)), ZERO)
        paid = sum(
            (p["Amount"] for p in books["Payments"].find("document", key) if p["Status"] == "AUTHORISED"),
            ZERO,
        )
        remaining = document["Total"] - used - paid
        assert remaining >= 0, f"{key} would have {remaining} left"
        document["RemainingCredit"] = plain(remaining)
        if document["Status"] in LIVE:
            is_used = remaining == 0 and document["Total"] > 0
            document["Status"] = "PAID" if is_used else "AUTHORISED"
            if is_used:
                document["FullyPaidOnDate"] = on
            else:
                document.pop("FullyPaidOnDate", None)
        document["UpdatedDateUTC"] = books.now()
        books[self.name].put(key, document)
        self.announce(call, document, "UPDATE")
        return document

    def announce(self, call: Call, document: Document, kind: str) -> None:
        """Tell webhooks of the category."""
        category = self.name[:-1].upper()
        call.books.announce(
            category, document[self.id_field], kind, Type=document["Type"], Status=document["Status"]
        )


def _allocation_problems(
    source: CreditSource, document: Document, invoice: Document, amount: Decimal | None
) -> list[str]:
    messages = []
    if amount is None or cents(amount) <= 0:
        messages.append("The allocation amount must be greater than zero.")
        return messages
    if document["Status"] not in LIVE or invoice["Status"] not in LIVE:
        messages.append("Credits can only be allocated between Authorised documents.")
    if source.is_receivable(document) != (invoice["Type"] == "ACCREC"):
        messages.append(f"A {document['Type']} cannot be allocated to an {invoice['Type']} invoice.")
    if document["ContactID"] != invoice["ContactID"]:
        messages.append("The credit and the invoice must belong to the same contact.")
    if document["CurrencyCode"] != invoice["CurrencyCode"]:
        messages.append("The credit and the invoice must be in the same currency.")
    what = {"CreditNotes": "Credit note", "Prepayments": "Prepayment", "Overpayments": "Overpayment"}[
        source.name
    ]
    if cents(amount) > min(document["RemainingCredit"], invoice["AmountDue"]):
        messages.append(f"{what} cannot be allocated as amount is greater than amount outstanding")
    return messages


def prepayment_shares(books: Books, prepayment: Document, amount: Decimal) -> list[list[Any]]:
    """How a part of a prepayment leaves the accounts its lines went to; the last part takes the exact rest."""
    sign = 1 if prepayment["Type"].startswith("RECEIVE") else -1
    rate, total = prepayment["CurrencyRate"], prepayment["Total"]
    left: dict[str, Decimal] = {}
    for line in prepayment["LineItems"]:
        if line.get("AccountID"):
            left[line["AccountID"]] = left.get(line["AccountID"], ZERO) + to_base(
                books, line_net(prepayment, line), rate
            )
    if prepayment["TotalTax"]:
        gst = books.system_account("GST")["AccountID"]
        left[gst] = left.get(gst, ZERO) + to_base(books, prepayment["TotalTax"], rate)
    whole = dict(left)
    key = prepayment["PrepaymentID"]
    earlier = [*books["Allocations"].find("source", key), *books["Payments"].find("document", key)]
    for part in earlier:
        if part.get("Status", "AUTHORISED") == "AUTHORISED":
            for account, value in part["Shares"]:
                left[account] -= sign * value
    if amount == prepayment["RemainingCredit"]:
        parts = left
    else:
        parts = {account: cents(value * amount / total) for account, value in whole.items()}
        largest = max(parts, key=lambda account: abs(parts[account]))
        parts[largest] += to_base(books, amount, rate) - sum(parts.values(), ZERO)
    return [[account, plain(sign * value)] for account, value in parts.items()]


class CreditNotes(CreditSource):
    """`/CreditNotes`."""

    name = "CreditNotes"
    type_name = "CreditNote"
    id_field = "CreditNoteID"
    spec = NOTE_SPEC
    scope = "invoices"
    has_attachments = True
    search_fields = ("CreditNoteNumber", "Reference")

    def find(self, books: Books, key: str) -> Document | None:
        """By CreditNoteID or the number of a sales credit note."""
        return books["CreditNotes"].get(key.lower()) or books["CreditNotes"].first("number", key.casefold())

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id, or by the number of a live sales credit note."""
        if fields.get("CreditNoteID"):
            return self.require(call.books, fields["CreditNoteID"])
        number = fields.get("CreditNoteNumber")
        if number and fields.get("Type") == "ACCRECCREDIT":
            return call.books["CreditNotes"].first("number", number.casefold())
        return None

    def create(self, call: Call, fields: Fields) -> Document:
        """A new credit note."""
        kind, status = fields.get("Type"), fields.get("Status") or "DRAFT"
        messages = self.check_lengths(fields)
        if kind is None:
            messages.append("A Type must be specified for the credit note.")
        if status not in ("DRAFT", "SUBMITTED", "AUTHORISED"):
            messages.append("Credit note not of valid status for creation")
        if not fields.get("Contact"):
            messages.append("A Contact must be specified for this type of transaction")
        if not fields.get("LineItems"):
            messages.append("One or more line items must be specified")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        note: Document = {
            "Type": kind,
            "CreditNoteID": call.new_id(),
            "Status": status,
            "Date": fields.get("Date") or call.books.today(),
            "SentToContact": False,
            "LineAmountTypes": fields.get("LineAmountTypes") or "Exclusive",
        }
        self._number(call, note, fields)
        return self._keep(call, note, fields, kind="CREATE")

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit, a change of status, or both."""
        money = document["RemainingCredit"] != document["Total"]
        try:
            move = next_status(document, fields.get("Status"), noun="Credit note", money=money)
        except ElementRefused as refused:
            raise ElementRefused(*refused.messages, echo=fields) from None
        if fields.get("Type") not in (None, document["Type"]):
            raise ElementRefused("The Type of a credit note cannot be changed.", echo=fields)
        if move.is_end:
            if move.status == "VOIDED":
                call.check_lock(document["Date"], echo=fields)
            ended = document | {
                "Status": move.status,
                "UpdatedDateUTC": call.books.now(),
                "RemainingCredit": plain(ZERO),
            }
            call.books["CreditNotes"].put(document["CreditNoteID"], ended)
            self.announce(call, ended, "UPDATE")
            return ended
        if money:
            if changed_fields(document, fields):
                raise ElementRefused(MONEY_TEXT, echo=fields)
            return document
        note = dict(document)
        messages = self.check_lengths(fields)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        if document["Status"] in LIVE:
            call.check_lock(document["Date"], echo=fields)
        if fields.get("CreditNoteNumber") not in (None, document.get("CreditNoteNumber")):
            self._number(call, note, fields)
        note["Status"] = move.status
        note["Date"] = fields.get("Date") or document["Date"]
        note["LineAmountTypes"] = fields.get("LineAmountTypes") or document["LineAmountTypes"]
        return self._keep(call, note, fields, kind="UPDATE")

    def _number(self, call: Call, note: Document, fields: Fields) -> None:
        number, rows = fields.get("CreditNoteNumber"), call.books["CreditNotes"]
        if note["Type"] == "ACCPAYCREDIT":
            if number:
                note["CreditNoteNumber"] = number
            return
        if not number:
            number = next_number(
                "CN-", is_taken=lambda text: rows.count("number", text) > 0, start=1 + len(rows.rows)
            )
        else:
            other = rows.first("number", number.casefold())
            if other is not None and other["CreditNoteID"] != note["CreditNoteID"]:
                raise ElementRefused("Credit Note # must be unique.", echo=fields)
        note["CreditNoteNumber"] = number

    def _keep(self, call: Call, note: Document, fields: Fields, *, kind: str) -> Document:
        books, is_sale = call.books, note["Type"] == "ACCRECCREDIT"
        for name in ("Reference", "BrandingThemeID", "DueDate"):
            if fields.get(name) is not None:
                note[name] = fields[name]
        base_rate(call, note, fields)
        if note["Status"] in LIVE:
            call.check_lock(note["Date"], echo=fields)
        price(call, note, fields, is_sale=is_sale, takes_discount=False, echo=fields)
        contact = (
            resolve_contact(call, fields["Contact"], echo=fields)
            if fields.get("Contact")
            else books["Contacts"].rows[note["ContactID"]]
        )
        note |= {
            "ContactID": contact["ContactID"],
            "RemainingCredit": note["Total"],
            "UpdatedDateUTC": books.now(),
        }
        books["CreditNotes"].put(note["CreditNoteID"], note)
        mark_role(books, contact["ContactID"], is_sale=is_sale)
        self.announce(call, note, kind)
        return note


class Prepayments(CreditSource):
    """`/Prepayments`: read, allocate, refund; made through BankTransactions."""

    name = "Prepayments"
    type_name = "Prepayment"
    id_field = "PrepaymentID"
    spec: ClassVar[Spec] = {"PrepaymentID": GUID}
    scope = "payments"
    verbs = frozenset({"GET"})


class Overpayments(CreditSource):
    """`/Overpayments`: read, allocate, refund; made through BankTransactions."""

    name = "Overpayments"
    type_name = "Overpayment"
    id_field = "OverpaymentID"
    spec: ClassVar[Spec] = {"OverpaymentID": GUID}
    scope = "payments"
    verbs = frozenset({"GET"})


CREDIT_NOTES = CreditNotes()
PREPAYMENTS = Prepayments()
OVERPAYMENTS = Overpayments()
CREDIT_SOURCES: dict[str, CreditSource] = {
    source.name: source for source in (CREDIT_NOTES, PREPAYMENTS, OVERPAYMENTS)
}

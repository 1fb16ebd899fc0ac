"""Invoices (ACCREC) and bills (ACCPAY): one resource, one status machine, the number trap of POST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.contacts import id_list, mark_role, resolve_contact
from sandbox.xero.documents import (
    HEADER_SPEC,
    LIVE,
    MONEY_TEXT,
    Move,
    base_rate,
    changed_fields,
    due_by_terms,
    next_number,
    next_status,
    price,
)
from sandbox.xero.fields import GUID, Fields, Spec, Text, choice
from sandbox.xero.invoice_views import invoice_view
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of, contact_columns
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

ZERO = Decimal(0)
INVOICE_SPEC: Spec = {
    **HEADER_SPEC,
    "InvoiceID": GUID,
    "InvoiceNumber": Text(255),
    "RepeatingInvoiceID": GUID,
    "Type": choice("ACCREC", "ACCPAY"),
}
UNIQUE_TEXT = "Invoice # must be unique."
_PLAIN_HEADER = (
    "Reference",
    "BrandingThemeID",
    "Url",
    "SentToContact",
    "ExpectedPaymentDate",
    "PlannedPaymentDate",
)
# What the docs call editable once money has been applied (switch edit_with_money=documented).
_EDITABLE_WITH_MONEY = frozenset(
    {
        "Reference",
        "DueDate",
        "InvoiceNumber",
        "BrandingThemeID",
        "Contact",
        "Url",
        "SentToContact",
        "ExpectedPaymentDate",
        "PlannedPaymentDate",
    }
)
# Changing only these on a part-paid document does not move UpdatedDateUTC, as documented.
_SILENT_WITH_MONEY = frozenset({"DueDate", "SentToContact"})


class Invoices(Resource):
    """`/Invoices`."""

    name = "Invoices"
    type_name = "Invoice"
    id_field = "InvoiceID"
    spec = INVOICE_SPEC
    scope = "invoices"
    is_paged = True
    has_history = True
    has_attachments = True
    search_fields = ("InvoiceNumber", "Reference")
    list_is_light = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return contact_columns(books) | columns_of(
            InvoiceID="guid",
            InvoiceNumber="text",
            Type="text",
            Status="text",
            Reference="text",
            Date="date",
            DueDate="date",
            AmountDue="number",
            AmountPaid="number",
            AmountCredited="number",
            Total="number",
            SubTotal="number",
            TotalTax="number",
            CurrencyCode="text",
            CurrencyRate="number",
            UpdatedDateUTC="date",
            FullyPaidOnDate="date",
            SentToContact="flag",
            HasAttachments="flag",
            LineAmountTypes="text",
            ExpectedPaymentDate="date",
            PlannedPaymentDate="date",
            BrandingThemeID="guid",
            Url="text",
        )

    def find(self, books: Books, key: str) -> Document | None:
        """By InvoiceID or InvoiceNumber."""
        return books["Invoices"].get(key.lower()) or books["Invoices"].first("any_number", key.casefold())

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id, or by the number of a live sales invoice: a POST meant to create edits that one."""
        if fields.get("InvoiceID"):
            return self.require(call.books, fields["InvoiceID"])
        number = fields.get("InvoiceNumber")
        if number and fields.get("Type", "ACCREC") in ("ACCREC", None):
            return call.books["Invoices"].first("number", number.casefold())
        return None

    def create(self, call: Call, fields: Fields) -> Document:
        """A new invoice or bill in DRAFT, SUBMITTED or AUTHORISED."""
        kind, status = fields.get("Type"), fields.get("Status") or "DRAFT"
        if kind is None:
            raise ElementRefused("A Type must be specified for the invoice.", echo=fields)
        if status not in ("DRAFT", "SUBMITTED", "AUTHORISED"):
            raise ElementRefused("Invoice not of valid status for creation", echo=fields)
        messages = self.check_lengths(fields)
        if not fields.get("Contact"):
            messages.append("A Contact must be specified for this type of transaction")
        if not fields.get("LineItems"):
            messages.append("One or more line items must be specified")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        invoice: Document = {
            "Type": kind,
            "InvoiceID": call.new_id(),
            "Status": status,
            "Date": fields.get("Date") or call.books.today(),
            "LineAmountTypes": fields.get("LineAmountTypes") or "Exclusive",
            "SentToContact": False,
            "CreatedByApp": call.app_id,
            "AmountPaid": plain(ZERO),
            "AmountCredited": plain(ZERO),
        }
        self._number(call, invoice, fields)
        return self._keep(
            call, invoice, fields, Move(status, is_approval=status == "AUTHORISED"), kind="CREATE"
        )

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit, a change of status, or both."""
        money = has_money(document)
        try:
            move = next_status(document, fields.get("Status"), noun="Invoice", money=money)
        except ElementRefused as refused:
            raise ElementRefused(*refused.messages, echo=fields) from None
        messages = self.check_lengths(fields)
        if fields.get("Type") not in (None, document["Type"]):
            messages.append("The Type of an invoice cannot be changed.")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        if move.is_end:
            return self._end(call, document, move, echo=fields)
        invoice = dict(document)
        if money:
            return self._edit_with_money(call, invoice, fields)
        if fields.get("InvoiceNumber") is not None and fields["InvoiceNumber"] != document.get(
            "InvoiceNumber"
        ):
            self._number(call, invoice, fields)
        invoice["Status"] = move.status
        invoice["Date"] = fields.get("Date") or document["Date"]
        invoice["LineAmountTypes"] = fields.get("LineAmountTypes") or document["LineAmountTypes"]
        if document["Status"] in LIVE:
            call.check_lock(document["Date"], echo=fields)
        return self._keep(call, invoice, fields, move, kind="UPDATE")

    def _end(self, call: Call, document: Document, move: Move, *, echo: Fields) -> Document:
        """Void or delete; the immediate answer still shows the old sums, later reads show nothing due."""
        if move.status == "VOIDED":
            call.check_lock(document["Date"], echo=echo)
        ended = document | {
            "Status": move.status,
            "UpdatedDateUTC": call.books.now(),
            "AmountDue": plain(ZERO),
        }
        call.books["Invoices"].put(document["InvoiceID"], ended)
        call.books.announce("INVOICE", document["InvoiceID"], "UPDATE")
        return ended | {"AmountDue": document["AmountDue"]}

    def _edit_with_money(self, call: Call, invoice: Document, fields: Fields) -> Document:
        changed = changed_fields(invoice, fields)
        if not changed:
            return invoice
        is_allowed = (
            call.books.switches("edit_with_money") == "documented" and changed <= _EDITABLE_WITH_MONEY
        )
        if not is_allowed:
            raise ElementRefused(MONEY_TEXT, echo=fields)
        for name in changed - {"Contact", "InvoiceNumber"}:
            invoice[name] = fields[name]
        if "InvoiceNumber" in changed:
            self._number(call, invoice, fields)
        if "Contact" in changed:
            invoice["ContactID"] = resolve_contact(call, fields["Contact"], echo=fields)["ContactID"]
        if not changed <= _SILENT_WITH_MONEY:
            invoice["UpdatedDateUTC"] = call.books.now()
        call.books["Invoices"].put(invoice["InvoiceID"], invoice)
        call.books.announce("INVOICE", invoice["InvoiceID"], "UPDATE")
        return invoice

    def _number(self, call: Call, invoice: Document, fields: Fields) -> None:
        number = fields.get("InvoiceNumber")
        rows = call.books["Invoices"]
        if invoice["Type"] == "ACCPAY":
            if number:
                invoice["InvoiceNumber"] = number
            return
        if not number:
            last = call.books.profile.get("LastInvoiceNumber", 0)
            number = next_number("INV-", is_taken=lambda text: rows.count("number", text) > 0, start=last + 1)
            profile = call.books.profile | {"LastInvoiceNumber": int(number[4:])}
            call.books["Organisation"].put(call.books.organisation_id, profile)
        else:
            other = rows.first("number", number.casefold())
            if other is not None and other["InvoiceID"] != invoice["InvoiceID"]:
                raise ElementRefused(UNIQUE_TEXT, echo=fields)
        invoice["InvoiceNumber"] = number

    def _keep(self, call: Call, invoice: Document, fields: Fields, move: Move, *, kind: str) -> Document:
        books, is_sale = call.books, invoice["Type"] == "ACCREC"
        for name in _PLAIN_HEADER:
            if fields.get(name) is not None:
                invoice[name] = fields[name]
        if invoice.get("SentToContact") and move.status not in LIVE:
            invoice["SentToContact"] = False
        base_rate(call, invoice, fields)
        if move.status in LIVE:
            call.check_lock(invoice["Date"], echo=fields)
        price(call, invoice, fields, is_sale=is_sale, takes_discount=is_sale, echo=fields)
        contact = (
            resolve_contact(call, fields["Contact"], echo=fields)
            if fields.get("Contact")
            else books["Contacts"].rows[invoice["ContactID"]]
        )
        invoice["ContactID"] = contact["ContactID"]
        self._due(invoice, fields, contact, move, is_sale=is_sale)
        invoice["UpdatedDateUTC"] = books.now()
        settle(
            books, invoice, paid=invoice["AmountPaid"], credited=invoice["AmountCredited"], on=invoice["Date"]
        )
        books["Invoices"].put(invoice["InvoiceID"], invoice)
        mark_role(books, contact["ContactID"], is_sale=is_sale)
        books.announce("INVOICE", invoice["InvoiceID"], kind)
        return invoice

    def _due(
        self, invoice: Document, fields: Fields, contact: Document, move: Move, *, is_sale: bool
    ) -> None:
        due: date | None = fields.get("DueDate") or invoice.get("DueDate")
        if due is None:
            due = due_by_terms(contact, invoice["Date"], is_sale=is_sale)
        if due is None and move.status in ("SUBMITTED", *LIVE):
            raise ElementRefused(
                "The DueDate must be specified for an approved or submitted invoice.", echo=fields
            )
        if due is not None:
            invoice["DueDate"] = due

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """`IDs`, `InvoiceNumbers`, `ContactIDs`, `Statuses`, `createdByMyApp`."""
        found: list[Callable[[Document], bool]] = []
        for name, field in (("ids", "InvoiceID"), ("contactids", "ContactID")):
            wanted = id_list(call.query.get(name))
            if wanted is not None:
                found.append(lambda doc, field=field, wanted=wanted: doc[field] in wanted)  # type: ignore[misc]
        numbers = call.query.get("invoicenumbers")
        if numbers is not None:
            held = {part.strip().casefold() for part in numbers.split(",")}
            found.append(lambda doc: (doc.get("InvoiceNumber") or "").casefold() in held)
        statuses = call.query.get("statuses")
        if statuses is not None:
            kept = {part.strip().upper() for part in statuses.split(",")}
            found.append(lambda doc: doc["Status"] in kept)
        if call.flag("createdByMyApp"):
            found.append(lambda doc: doc.get("CreatedByApp") == call.app_id)
        return found

    def narrowed(self, call: Call, must_equal: Mapping[str, Any]) -> list[Document] | None:
        """Use the indexes on id, number and contact."""
        rows = call.books["Invoices"]
        wanted = id_list(call.query.get("ids"))
        if wanted is not None:
            return [invoice for key in wanted if (invoice := rows.get(key))]
        if "invoiceid" in must_equal:
            found = rows.get(str(must_equal["invoiceid"]).lower())
            return [found] if found else []
        numbers = call.query.get("invoicenumbers")
        if numbers is None and "invoicenumber" in must_equal:
            return rows.find("any_number", str(must_equal["invoicenumber"]).casefold())
        if numbers is not None:
            parts = dict.fromkeys(part.strip().casefold() for part in numbers.split(","))
            return [invoice for part in parts for invoice in rows.find("any_number", part)]
        contacts = id_list(call.query.get("contactids"))
        if contacts is None and "contact.contactid" in must_equal:
            contacts = {str(must_equal["contact.contactid"]).lower(): None}
        if contacts is not None:
            return [invoice for key in contacts for invoice in rows.find("contact", key)]
        return None

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The invoice as the wire shows it."""
        return invoice_view(books, document, mode)


INVOICES = Invoices()


def has_money(document: Document) -> bool:
    """Whether a payment or credit is applied."""
    return bool(document.get("AmountPaid") or document.get("AmountCredited"))


def settle(books: Books, invoice: Document, *, paid: Decimal, credited: Decimal, on: date) -> None:
    """Put the sums due on an invoice and flip AUTHORISED and PAID."""
    due = invoice["Total"] - paid - credited
    assert due >= 0, f"{invoice['InvoiceID']} would owe {due}"
    invoice |= {"AmountPaid": plain(paid), "AmountCredited": plain(credited), "AmountDue": plain(due)}
    if invoice["Status"] not in LIVE:
        return
    is_paid = due == 0 and (invoice["Total"] > 0 or books.switches("zero_total_is_paid") == "yes")
    invoice["Status"] = "PAID" if is_paid else "AUTHORISED"
    if is_paid:
        invoice.setdefault("FullyPaidOnDate", on)
    else:
        invoice.pop("FullyPaidOnDate", None)


def resettle(call: Call, invoice_id: str, *, on: date) -> Document:
    """Add up an invoice's payments and credits again after one came or went."""
    books = call.books
    invoice = dict(books["Invoices"].rows[invoice_id])
    paid = sum(
        (p["Amount"] for p in books["Payments"].find("document", invoice_id) if p["Status"] == "AUTHORISED"),
        ZERO,
    )
    credited = sum((a["Amount"] for a in books["Allocations"].find("invoice", invoice_id)), ZERO)
    settle(books, invoice, paid=paid, credited=credited, on=on)
    invoice["UpdatedDateUTC"] = books.now()
    books["Invoices"].put(invoice_id, invoice)
    if books.switches("payment_fires_invoice_event") == "yes":
        books.announce("INVOICE", invoice_id, "UPDATE")
    return invoice

"""How invoices, credit notes, prepayments and overpayments look on the wire, in each kind of answer.

Create answers, single reads, paged lists, unpaged lists and summaries all differ, as recorded: a create answer
lacks Payments, CreditNotes, AmountCredited and HasAttachments and carries the full contact; an unpaged list has no
lines; a nested contact in a list has only its id and name.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.xero.books import Books
from sandbox.xero.contacts import CONTACTS
from sandbox.xero.lines import line_view
from sandbox.xero.table import Document

ZERO = Decimal(0)
_EARLY = (
    "Type",
    "InvoiceID",
    "InvoiceNumber",
    "Reference",
    "Prepayments",
    "Overpayments",
    "AmountDue",
    "AmountPaid",
)
_HEADER = (
    "SentToContact",
    "CurrencyRate",
    "TotalDiscount",
    "IsDiscounted",
    "HasErrors",
    "Date",
    "DueDate",
    "Status",
    "LineAmountTypes",
    "SubTotal",
    "TotalTax",
    "Total",
    "UpdatedDateUTC",
    "CurrencyCode",
    "FullyPaidOnDate",
    "Url",
    "BrandingThemeID",
    "ExpectedPaymentDate",
    "PlannedPaymentDate",
    "RepeatingInvoiceID",
)
_SUMMARY = (
    "Type",
    "InvoiceID",
    "InvoiceNumber",
    "Reference",
    "AmountDue",
    "AmountPaid",
    "AmountCredited",
    "CurrencyRate",
    "Date",
    "DueDate",
    "Status",
    "SubTotal",
    "TotalTax",
    "Total",
    "UpdatedDateUTC",
    "CurrencyCode",
    "HasAttachments",
    "FullyPaidOnDate",
    "SentToContact",
)


def contact_view(books: Books, contact_id: str, mode: str) -> Document:
    """The nested contact: full in a create answer, bare in lists."""
    return CONTACTS.view(
        books, books["Contacts"].rows[contact_id], "created" if mode == "created" else "nested"
    )


def _pick(document: Document, names: tuple[str, ...]) -> Document:
    return {name: document[name] for name in names if name in document}


def invoice_view(books: Books, document: Document, mode: str) -> Document:
    """An invoice in one of the modes created, full, listed, summary."""
    if mode == "summary":
        contact = books["Contacts"].rows[document["ContactID"]]
        shown = _pick(document, _SUMMARY) | {"HasErrors": False}
        shown["Contact"] = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
        return shown
    shown = _pick(document, _EARLY)
    if mode != "created":
        invoice_id = document["InvoiceID"]
        shown["Payments"] = [payment_stub(payment) for payment in _live_payments(books, invoice_id)]
        shown |= _credit_stubs(books, invoice_id)
        shown["AmountCredited"] = document["AmountCredited"]
        shown["HasAttachments"] = document.get("HasAttachments", False)
        shown["InvoiceAddresses"] = []
    else:
        shown |= {"Prepayments": [], "Overpayments": []}
    shown |= {"HasErrors": False, "IsDiscounted": "TotalDiscount" in document}
    shown["Contact"] = contact_view(books, document["ContactID"], mode)
    shown |= _pick(document, _HEADER)
    shown["LineItems"] = _lines(books, document, mode)
    return shown


def _lines(books: Books, document: Document, mode: str) -> list[Document]:
    if mode == "listed":
        return []
    return [line_view(books, line, is_echo=mode == "created") for line in document["LineItems"]]


def _live_payments(books: Books, document_id: str) -> list[Document]:
    return [
        payment
        for payment in books["Payments"].find("document", document_id)
        if payment["Status"] == "AUTHORISED"
    ]


def payment_stub(payment: Document) -> Document:
    """A payment inside its document: no status, no IsReconciled, as recorded."""
    shown = {"PaymentID": payment["PaymentID"]}
    if payment.get("BatchPaymentID"):
        shown["BatchPaymentID"] = payment["BatchPaymentID"]
    return shown | {
        "Date": payment["Date"],
        "Amount": payment["Amount"],
        "Reference": payment.get("Reference", ""),
        "CurrencyRate": payment["CurrencyRate"],
        "HasAccount": False,
        "HasValidationErrors": False,
    }


_CREDIT_LISTS = {
    "CreditNotes": ("CreditNotes", "CreditNoteID"),
    "Prepayments": ("Prepayments", "PrepaymentID"),
    "Overpayments": ("Overpayments", "OverpaymentID"),
}


def _credit_stubs(books: Books, invoice_id: str) -> Document:
    shown: Document = {"CreditNotes": [], "Prepayments": [], "Overpayments": []}
    for allocation in books["Allocations"].find("invoice", invoice_id):
        name, id_field = _CREDIT_LISTS[allocation["SourceTable"]]
        source = books[allocation["SourceTable"]].rows[allocation["SourceID"]]
        stub = {
            id_field: source[id_field],
            "ID": source[id_field],
            "HasErrors": False,
            "AppliedAmount": allocation["Amount"],
            "Date": allocation["Date"],
            "Total": source["Total"],
            "LineItems": [],
            "CurrencyRate": source["CurrencyRate"],
        }
        if name == "CreditNotes" and source.get("CreditNoteNumber"):
            stub["CreditNoteNumber"] = source["CreditNoteNumber"]
        shown[name].append(stub)
    return shown


_CREDIT_HEADER = (
    "CreditNoteNumber",
    "Reference",
    "SentToContact",
    "CurrencyRate",
    "RemainingCredit",
    "TotalDiscount",
    "Type",
    "Date",
    "DueDate",
    "Status",
    "LineAmountTypes",
    "SubTotal",
    "TotalTax",
    "Total",
    "UpdatedDateUTC",
    "CurrencyCode",
    "FullyPaidOnDate",
    "BrandingThemeID",
    "InvoiceNumber",
)


def credit_view(books: Books, document: Document, mode: str, *, id_field: str) -> Document:
    """A credit note, prepayment or overpayment."""
    shown: Document = {id_field: document[id_field]}
    shown |= _pick(document, _CREDIT_HEADER)
    if mode == "summary":
        return shown
    shown["Contact"] = contact_view(books, document["ContactID"], mode)
    shown["LineItems"] = _lines(books, document, mode)
    shown |= {"HasErrors": False, "HasAttachments": document.get("HasAttachments", False)}
    if mode != "created":
        document_id = document[id_field]
        shown["Payments"] = [payment_stub(payment) for payment in _live_payments(books, document_id)]
        allocations = books["Allocations"].find("source", document_id)
        shown["Allocations"] = [allocation_view(books, allocation) for allocation in allocations]
        shown["AppliedAmount"] = sum((allocation["Amount"] for allocation in allocations), ZERO)
    if id_field != "CreditNoteID":
        shown.pop("HasErrors", None)
    return shown


def allocation_view(books: Books, allocation: Document) -> Document:
    """An allocation with its invoice, named only."""
    invoice = books["Invoices"].rows[allocation["InvoiceID"]]
    stub: Document = {"InvoiceID": invoice["InvoiceID"], "HasErrors": False}
    if invoice.get("InvoiceNumber"):
        stub["InvoiceNumber"] = invoice["InvoiceNumber"]
    return {
        "AllocationID": allocation["AllocationID"],
        "Amount": allocation["Amount"],
        "Date": allocation["Date"],
        "Invoice": stub,
        "IsDeleted": False,
    }

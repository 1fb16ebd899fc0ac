"""Payments and refunds: immutable money against exactly one document; the only change is to delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.contacts import id_list
from sandbox.xero.credits import CREDIT_SOURCES, prepayment_shares
from sandbox.xero.documents import LIVE
from sandbox.xero.fields import DAY, FLAG, GUID, NUMBER, Fields, One, Spec, Text, choice
from sandbox.xero.invoices import resettle
from sandbox.xero.lines import find_account
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of, field_column
from sandbox.xero.table import Document
from sandbox.xero.where import Column, Getter
from sandbox.xero.wire import cents, plain

ACCOUNT_KEY: Spec = {"AccountID": GUID, "Code": Text(), "Name": Text()}
PAYMENT_SPEC: Spec = {
    "PaymentID": GUID,
    "Date": DAY,
    "Amount": NUMBER,
    "CurrencyRate": NUMBER,
    "Reference": Text(255),
    "IsReconciled": FLAG,
    "Status": choice("AUTHORISED", "DELETED"),
    "Account": One(ACCOUNT_KEY),
    "Code": Text(),
    "Invoice": One({"InvoiceID": GUID, "InvoiceNumber": Text(255)}),
    "InvoiceNumber": Text(255),
    "CreditNote": One({"CreditNoteID": GUID, "CreditNoteNumber": Text(255)}),
    "CreditNoteNumber": Text(255),
    "Prepayment": One({"PrepaymentID": GUID}),
    "Overpayment": One({"OverpaymentID": GUID}),
    "Particulars": Text(12),
    "Details": Text(255),
}
ONLY_STATUS_TEXT = "Only Status accepted for updates."
NOT_VALID_TEXT = "Payment not of valid status for modification"
_TYPES = {
    ("Invoices", True): "ACCRECPAYMENT",
    ("Invoices", False): "ACCPAYPAYMENT",
    ("CreditNotes", True): "ARCREDITPAYMENT",
    ("CreditNotes", False): "APCREDITPAYMENT",
    ("Prepayments", True): "ARPREPAYMENTPAYMENT",
    ("Prepayments", False): "APPREPAYMENTPAYMENT",
    ("Overpayments", True): "AROVERPAYMENTPAYMENT",
    ("Overpayments", False): "APOVERPAYMENTPAYMENT",
}
_KEYS = {
    "Invoices": ("Invoice", "InvoiceID", "InvoiceNumber"),
    "CreditNotes": ("CreditNote", "CreditNoteID", "CreditNoteNumber"),
    "Prepayments": ("Prepayment", "PrepaymentID", ""),
    "Overpayments": ("Overpayment", "OverpaymentID", ""),
}


def payable_account(books: Books, wanted: Fields, *, echo: Fields) -> Document:
    """The bank or payment account of a payment, or the refusal."""
    account = find_account(books, code=wanted.get("Code"), account_id=wanted.get("AccountID"))
    if account is None:
        raise ElementRefused("Account could not be found", echo=echo)
    if account["Status"] != "ACTIVE":
        raise ElementRefused("The account has been archived, or has been deleted.", echo=echo)
    if account["Type"] != "BANK" and not account.get("EnablePaymentsToAccount"):
        raise ElementRefused("The account must be a bank account, or have payments to it enabled.", echo=echo)
    return account


def find_paid_document(books: Books, fields: Fields) -> tuple[str, Document]:
    """The one document a payment speaks of, with its table."""
    found: list[tuple[str, Document]] = []
    for table, (name, id_field, number_field) in _KEYS.items():
        wanted = dict(fields.get(name) or {})
        if number_field and fields.get(number_field):
            wanted.setdefault(number_field, fields[number_field])
        document = books[table].get(wanted.get(id_field) or "")
        if document is None and number_field and wanted.get(number_field):
            document = books[table].first("number", wanted[number_field].casefold())
        if document is not None:
            found.append((table, document))
        elif wanted.get(id_field) or (number_field and wanted.get(number_field)):
            raise ElementRefused(f"{name} could not be found", echo=fields)
    if len(found) != 1:
        raise ElementRefused(
            "A payment must be for exactly one Invoice, CreditNote, Prepayment or Overpayment.", echo=fields
        )
    return found[0]


class Payments(Resource):
    """`/Payments`."""

    name = "Payments"
    type_name = "Payment"
    id_field = "PaymentID"
    spec = PAYMENT_SPEC
    scope = "payments"
    is_paged = True
    has_history = True
    search_fields = ("Reference",)

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        columns = columns_of(
            PaymentID="guid",
            Date="date",
            Amount="number",
            BankAmount="number",
            Reference="text",
            Status="text",
            PaymentType="text",
            IsReconciled="flag",
            CurrencyRate="number",
            UpdatedDateUTC="date",
            BatchPaymentID="guid",
        )
        columns["account.accountid"] = field_column("AccountID", "guid")
        columns["account.code"] = Column(
            lambda doc: books["Accounts"].rows[doc["AccountID"]].get("Code"), "text"
        )
        columns["invoice.contact.contactid"] = field_column("ContactID", "guid")
        for table, (name, id_field, number_field) in _KEYS.items():
            columns[f"{name}.{id_field}".lower()] = Column(_paid_field(books, table, ""), "guid")
            if number_field:
                columns[f"{name}.{number_field}".lower()] = Column(
                    _paid_field(books, table, number_field), "text"
                )
        return columns

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id only; without one a POST creates."""
        return self.require(call.books, fields["PaymentID"]) if fields.get("PaymentID") else None

    def create(self, call: Call, fields: Fields, *, batch_id: str = "") -> Document:
        """A new payment or refund."""
        books = call.books
        messages = self.check_lengths(fields)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        if fields.get("Status") == "DELETED":
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        table, document = find_paid_document(books, fields)
        wanted = dict(fields.get("Account") or {})
        if fields.get("Code"):
            wanted.setdefault("Code", fields["Code"])
        account = payable_account(books, wanted, echo=fields)
        amount = fields.get("Amount")
        _check_amount(table, document, amount, echo=fields)
        assert amount is not None
        day = fields.get("Date") or books.today()
        call.check_lock(day, echo=fields)
        amount = cents(amount)
        base = books.profile["BaseCurrency"]
        rate = fields.get("CurrencyRate") if document["CurrencyCode"] != base else None
        rate = document["CurrencyRate"] if rate is None else plain(rate)
        if rate <= 0:
            raise ElementRefused("The currency rate must be greater than zero.", echo=fields)
        is_receivable = _is_receivable(table, document)
        payment: Document = {
            "PaymentID": call.new_id(),
            "Date": day,
            "Amount": plain(amount),
            "BankAmount": plain(amount),
            "CurrencyRate": rate,
            "DocumentRate": document["CurrencyRate"],
            "PaymentType": _TYPES[table, is_receivable],
            "Status": "AUTHORISED",
            "IsReconciled": bool(fields.get("IsReconciled")),
            "AccountID": account["AccountID"],
            "DocumentTable": table,
            "DocumentID": document[_KEYS[table][1]],
            "ContactID": document["ContactID"],
            "UpdatedDateUTC": books.now(),
        }
        if fields.get("Reference") is not None:
            payment["Reference"] = fields["Reference"]
        if batch_id:
            payment["BatchPaymentID"] = batch_id
        if table == "Prepayments":
            # A refund gives back what the receipt put on the accounts, so the shares turn round.
            payment["Shares"] = prepayment_shares(books, document, amount)
        books["Payments"].put(payment["PaymentID"], payment)
        self._resettle_document(call, payment)
        books.announce("PAYMENT", payment["PaymentID"], "CREATE")
        return payment

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Only `{"Status":"DELETED"}`."""
        given = {name for name, value in fields.items() if value is not None} - {"PaymentID"}
        if given != {"Status"} or fields["Status"] != "DELETED":
            raise ElementRefused(ONLY_STATUS_TEXT, echo=fields)
        if document["Status"] == "DELETED":
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        if document.get("BatchPaymentID"):
            raise ElementRefused(
                "This payment belongs to a batch payment and cannot be deleted singly.", echo=fields
            )
        if document["IsReconciled"]:
            raise ElementRefused("This payment has been reconciled and cannot be deleted.", echo=fields)
        return self.remove(call, document, echo=fields)

    def remove(self, call: Call, payment: Document, *, echo: Fields) -> Document:
        """Delete a payment; what it paid owes again."""
        call.check_lock(payment["Date"], echo=echo)
        removed = payment | {"Status": "DELETED", "UpdatedDateUTC": call.books.now()}
        call.books["Payments"].put(payment["PaymentID"], removed)
        self._resettle_document(call, removed)
        call.books.announce("PAYMENT", payment["PaymentID"], "UPDATE")
        return removed

    def _resettle_document(self, call: Call, payment: Document) -> None:
        if payment["DocumentTable"] == "Invoices":
            resettle(call, payment["DocumentID"], on=payment["Date"])
        else:
            CREDIT_SOURCES[payment["DocumentTable"]].resettle(call, payment["DocumentID"], on=payment["Date"])

    def is_listed(self, call: Call, document: Document) -> bool:
        """Deleted payments stay listed, unless the switch says otherwise."""
        return document["Status"] != "DELETED" or call.books.switches("deleted_payments_listed") == "yes"

    def lists_everything(self, call: Call) -> bool:
        """By the same switch."""
        return call.books.switches("deleted_payments_listed") == "yes"

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """None of its own."""
        return []

    def narrowed(self, call: Call, must_equal: Mapping[str, Any]) -> list[Document] | None:
        """Use the indexes on document and batch."""
        rows = call.books["Payments"]
        for name in ("invoice.invoiceid", "creditnote.creditnoteid"):
            if name in must_equal:
                return rows.find("document", str(must_equal[name]).lower())
        if "batchpaymentid" in must_equal:
            return rows.find("batch", str(must_equal["batchpaymentid"]).lower())
        if "paymentid" in must_equal:
            found = id_list(str(must_equal["paymentid"])) or {}
            return [payment for key in found if (payment := rows.get(key))]
        return None

    def beside(self, books: Books, document: Document) -> tuple[object, ...]:
        """The contact, what was paid, and the batch."""
        return (
            books["Contacts"].get(document["ContactID"]),
            books[document["DocumentTable"]].get(document["DocumentID"]),
            books["BatchPayments"].get(document.get("BatchPaymentID", "")),
        )

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The payment as the wire shows it."""
        account = books["Accounts"].rows[document["AccountID"]]
        shown: Document = {
            name: document[name]
            for name in (
                "PaymentID",
                "BatchPaymentID",
                "Date",
                "BankAmount",
                "Amount",
                "Reference",
                "CurrencyRate",
                "PaymentType",
                "Status",
                "UpdatedDateUTC",
            )
            if name in document
        }
        shown |= {"HasAccount": True, "IsReconciled": document["IsReconciled"]}
        shown["Account"] = {"AccountID": account["AccountID"]}
        if account.get("Code"):
            shown["Account"]["Code"] = account["Code"]
        shown |= _document_view(books, document)
        shown["HasValidationErrors"] = False
        if document.get("BatchPaymentID"):
            batch = books["BatchPayments"].rows[document["BatchPaymentID"]]
            shown["BatchPayment"] = {
                "BatchPaymentID": batch["BatchPaymentID"],
                "Date": batch["Date"],
                "Type": batch["Type"],
                "Status": batch["Status"],
                "TotalAmount": batch["TotalAmount"],
                "IsReconciled": batch["IsReconciled"],
                "Account": {"AccountID": batch["AccountID"]},
                "UpdatedDateUTC": batch["UpdatedDateUTC"],
            }
        return shown


def _paid_field(books: Books, table: str, name: str) -> Getter:
    """Read the id (or a field) of what was paid, for payments of one kind of document."""

    def read(payment: Mapping[str, Any]) -> Any:
        if payment["DocumentTable"] != table:
            return None
        return books[table].rows[payment["DocumentID"]].get(name) if name else payment["DocumentID"]

    return read


def _document_view(books: Books, payment: Document) -> Document:
    """What was paid; a refund of an overpayment shows under Invoice with its own id, as reported."""
    table = payment["DocumentTable"]
    document = books[table].rows[payment["DocumentID"]]
    contact = books["Contacts"].rows[document["ContactID"]]
    name, id_field, number_field = _KEYS[table]
    stub: Document = {
        id_field: payment["DocumentID"],
        "Contact": {
            "ContactID": contact["ContactID"],
            "Name": contact["Name"],
            "ContactGroups": [],
            "Addresses": [],
            "Phones": [],
            "ContactPersons": [],
            "HasValidationErrors": False,
        },
        "CurrencyCode": document["CurrencyCode"],
    }
    if number_field and document.get(number_field):
        stub[number_field] = document[number_field]
    if table == "Invoices":
        stub |= {
            "Type": document["Type"],
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "IsDiscounted": False,
            "InvoiceAddresses": [],
            "HasErrors": False,
            "LineItems": [],
        }
    if table == "Overpayments":
        stub["InvoiceID"] = stub.pop("OverpaymentID")
        kind = "AROVERPAYMENT" if payment["PaymentType"].startswith("AR") else "APOVERPAYMENT"
        return {"Invoice": stub | {"Type": kind, "LineItems": [], "HasErrors": False}}
    return {name: stub}


def _is_receivable(table: str, document: Document) -> bool:
    if table == "Invoices":
        return bool(document["Type"] == "ACCREC")
    return CREDIT_SOURCES[table].is_receivable(document)


def _check_amount(table: str, document: Document, amount: Decimal | None, *, echo: Fields) -> None:
    if document["Status"] not in LIVE:
        raise ElementRefused("Payments can only be made against Authorised documents", echo=echo)
    if amount is None or cents(amount) <= 0:
        raise ElementRefused("Payment amount must be greater than zero.", echo=echo)
    due = document["AmountDue"] if table == "Invoices" else document["RemainingCredit"]
    if cents(amount) > due:
        raise ElementRefused("Payment amount exceeds the amount outstanding on this document", echo=echo)


PAYMENTS = Payments()

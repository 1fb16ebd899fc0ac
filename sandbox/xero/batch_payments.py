"""Batch payments: one bank line for many invoices; its payments live and die with it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.xero.books import Books
from sandbox.xero.fields import DAY, GUID, NUMBER, Fields, Many, One, Spec, Text, choice
from sandbox.xero.payments import ACCOUNT_KEY, PAYMENT_SPEC, PAYMENTS, payable_account
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of, field_column
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

ZERO = Decimal(0)
BATCH_SPEC: Spec = {
    "BatchPaymentID": GUID,
    "Account": One(ACCOUNT_KEY),
    "Date": DAY,
    "Reference": Text(255),
    "Particulars": Text(12),
    "Code": Text(12),
    "Details": Text(),
    "Narrative": Text(18),
    "Amount": NUMBER,
    "Payments": Many(PAYMENT_SPEC),
    "Status": choice("AUTHORISED", "DELETED"),
}
NOT_VALID_TEXT = "Batch payment not of valid status for modification"


class BatchPayments(Resource):
    """`/BatchPayments`."""

    name = "BatchPayments"
    type_name = "BatchPayment"
    id_field = "BatchPaymentID"
    spec = BATCH_SPEC
    scope = "payments"
    has_history = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        columns = columns_of(
            BatchPaymentID="guid",
            Date="date",
            Status="text",
            Type="text",
            TotalAmount="number",
            Reference="text",
            IsReconciled="flag",
            UpdatedDateUTC="date",
        )
        columns["account.accountid"] = field_column("AccountID", "guid")
        return columns

    def create(self, call: Call, fields: Fields) -> Document:
        """A new batch with its payments, all of one kind and currency."""
        books = call.books
        parts = fields.get("Payments") or []
        messages = self.check_lengths(fields)
        if not parts:
            messages.append("A batch payment must have at least one payment.")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        account = payable_account(books, fields.get("Account") or {}, echo=fields)
        day = fields.get("Date") or books.today()
        batch: Document = {
            "BatchPaymentID": call.new_id(),
            "AccountID": account["AccountID"],
            "Date": day,
            "Status": "AUTHORISED",
            "Type": "RECBATCH",
            "TotalAmount": plain(ZERO),
            "IsReconciled": False,
            "UpdatedDateUTC": books.now(),
        }
        for name in ("Reference", "Particulars", "Code", "Details", "Narrative"):
            if fields.get(name) is not None:
                batch[name] = fields[name]
        books["BatchPayments"].put(batch["BatchPaymentID"], batch)
        made: list[Document] = []
        for part in parts:
            wanted = {name: part.get(name) for name in ("Invoice", "InvoiceNumber", "Amount", "Reference")}
            wanted |= {"Account": {"AccountID": account["AccountID"]}, "Date": day}
            try:
                made.append(PAYMENTS.create(call, wanted, batch_id=batch["BatchPaymentID"]))
            except ElementRefused as refused:
                raise ElementRefused(*refused.messages, echo=fields) from None
        kinds = {payment["PaymentType"] for payment in made}
        currencies = {books["Invoices"].rows[payment["DocumentID"]]["CurrencyCode"] for payment in made}
        if len(kinds) > 1 or len(currencies) > 1:
            raise ElementRefused(
                "All payments of a batch must be of one type and in one currency.", echo=fields
            )
        batch = batch | {
            "Type": "RECBATCH" if kinds == {"ACCRECPAYMENT"} else "PAYBATCH",
            "TotalAmount": plain(sum((payment["Amount"] for payment in made), ZERO)),
        }
        books["BatchPayments"].put(batch["BatchPaymentID"], batch)
        return batch

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Only `{"Status":"DELETED"}`."""
        given = {name for name, value in fields.items() if value is not None} - {"BatchPaymentID"}
        if given != {"Status"} or fields["Status"] != "DELETED":
            raise ElementRefused("Only Status accepted for updates.", echo=fields)
        if document["Status"] == "DELETED":
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        if document["IsReconciled"]:
            raise ElementRefused("This batch payment has been reconciled and cannot be deleted.", echo=fields)
        for payment in call.books["Payments"].find("batch", document["BatchPaymentID"]):
            PAYMENTS.remove(call, payment, echo=fields)
        removed = document | {"Status": "DELETED", "UpdatedDateUTC": call.books.now()}
        call.books["BatchPayments"].put(document["BatchPaymentID"], removed)
        return removed

    def match(self, call: Call, fields: Fields) -> Document | None:
        """POST without an id in the path only deletes, so it needs one in the body."""
        if not fields.get("BatchPaymentID"):
            raise ElementRefused("BatchPaymentID must be specified.", echo=fields)
        return self.require(call.books, fields["BatchPaymentID"])

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The batch as the wire shows it."""
        account = books["Accounts"].rows[document["AccountID"]]
        shown = {
            name: value for name, value in document.items() if name not in ("AccountID", "HasAttachments")
        }
        shown["Account"] = {"AccountID": account["AccountID"]}
        if account.get("Code"):
            shown["Account"]["Code"] = account["Code"]
        shown["Payments"] = [
            {
                "PaymentID": payment["PaymentID"],
                "Amount": payment["Amount"],
                "Invoice": {"InvoiceID": payment["DocumentID"]},
            }
            for payment in books["Payments"].find("batch", document["BatchPaymentID"])
        ]
        return shown


BATCH_PAYMENTS = BatchPayments()

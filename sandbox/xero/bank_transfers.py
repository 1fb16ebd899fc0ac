"""Transfers between bank accounts: immutable, soft-deleted, each with its two read-only bank transactions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sandbox.xero.books import Books
from sandbox.xero.fields import DAY, FLAG, GUID, NUMBER, Fields, Many, One, Spec, Text, choice
from sandbox.xero.lines import TRACKING_SPEC, find_account, read_tracking, tracking_view
from sandbox.xero.payments import ACCOUNT_KEY
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of, field_column
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import cents, plain

TRANSFER_SPEC: Spec = {
    "BankTransferID": GUID,
    "FromBankAccount": One(ACCOUNT_KEY),
    "ToBankAccount": One(ACCOUNT_KEY),
    "Amount": NUMBER,
    "Date": DAY,
    "Reference": Text(255),
    "FromIsReconciled": FLAG,
    "ToIsReconciled": FLAG,
    "FromTracking": Many(TRACKING_SPEC),
    "ToTracking": Many(TRACKING_SPEC),
    "Status": choice("AUTHORISED", "DELETED"),
}


class BankTransfers(Resource):
    """`/BankTransfers`."""

    name = "BankTransfers"
    type_name = "BankTransfer"
    id_field = "BankTransferID"
    spec = TRANSFER_SPEC
    scope = "banktransactions"
    has_history = True
    has_attachments = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        columns = columns_of(
            BankTransferID="guid",
            Date="date",
            Amount="number",
            Reference="text",
            HasAttachments="flag",
            CreatedDateUTC="date",
            FromBankTransactionID="guid",
            ToBankTransactionID="guid",
            CurrencyRate="number",
        )
        columns["frombankaccount.accountid"] = field_column("FromAccountID", "guid")
        columns["tobankaccount.accountid"] = field_column("ToAccountID", "guid")
        return columns

    def match(self, call: Call, fields: Fields) -> Document | None:
        """POST without an id in the path only deletes, so it needs one in the body."""
        if not fields.get("BankTransferID"):
            raise ElementRefused("BankTransferID must be specified.", echo=fields)
        return self.require(call.books, fields["BankTransferID"])

    def create(self, call: Call, fields: Fields) -> Document:
        """A new transfer."""
        books = call.books
        messages = self.check_lengths(fields)
        source, target = (_account(books, fields.get(name)) for name in ("FromBankAccount", "ToBankAccount"))
        amount = fields.get("Amount")
        if source is None:
            messages.append("The FromBankAccount could not be found, or is not an active bank account.")
        if target is None:
            messages.append("The ToBankAccount could not be found, or is not an active bank account.")
        if source is not None and target is not None and source["AccountID"] == target["AccountID"]:
            messages.append("The FromBankAccount and ToBankAccount must be different.")
        if amount is None or cents(amount) <= 0:
            messages.append("The transfer amount must be greater than zero.")
        from_tracking = read_tracking(books, fields.get("FromTracking") or [], messages)
        to_tracking = read_tracking(books, fields.get("ToTracking") or [], messages)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        assert source is not None
        assert target is not None
        assert amount is not None
        day = fields.get("Date") or books.today()
        call.check_lock(day, echo=fields)
        now = books.now()
        transfer: Document = {
            "BankTransferID": call.new_id(),
            "FromAccountID": source["AccountID"],
            "ToAccountID": target["AccountID"],
            "Amount": plain(cents(amount)),
            "Date": day,
            "Status": "AUTHORISED",
            "CurrencyRate": plain(Decimal(1)),
            "FromIsReconciled": bool(fields.get("FromIsReconciled")),
            "ToIsReconciled": bool(fields.get("ToIsReconciled")),
            "FromTracking": from_tracking,
            "ToTracking": to_tracking,
            "CreatedDateUTC": now,
            "UpdatedDateUTC": now,
        }
        if fields.get("Reference") is not None:
            transfer["Reference"] = fields["Reference"]
        for side, kind in (("From", "SPEND-TRANSFER"), ("To", "RECEIVE-TRANSFER")):
            transfer[f"{side}BankTransactionID"] = self._twin(call, transfer, side, kind)
        books["BankTransfers"].put(transfer["BankTransferID"], transfer)
        return transfer

    def _twin(self, call: Call, transfer: Document, side: str, kind: str) -> str:
        books = call.books
        twin: Document = {
            "BankTransactionID": call.new_id(),
            "Type": kind,
            "Status": "AUTHORISED",
            "Date": transfer["Date"],
            "BankAccountID": transfer[f"{side}AccountID"],
            "IsReconciled": transfer[f"{side}IsReconciled"],
            "LineAmountTypes": "NoTax",
            "CurrencyCode": books.profile["BaseCurrency"],
            "LineItems": [],
            "SubTotal": transfer["Amount"],
            "TotalTax": plain(Decimal(0)),
            "Total": transfer["Amount"],
            "CurrencyRate": transfer["CurrencyRate"],
            "UpdatedDateUTC": transfer["UpdatedDateUTC"],
            "TransferID": transfer["BankTransferID"],
        }
        books["BankTransactions"].put(twin["BankTransactionID"], twin)
        return str(twin["BankTransactionID"])

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Only `{"Status":"DELETED"}`, since 16.1.0."""
        books = call.books
        given = {name for name, value in fields.items() if value is not None} - {"BankTransferID"}
        if given != {"Status"} or fields["Status"] != "DELETED":
            raise ElementRefused("Only Status accepted for updates.", echo=fields)
        if document["Status"] == "DELETED":
            raise ElementRefused("Bank transfer not of valid status for modification", echo=fields)
        if document["FromIsReconciled"] or document["ToIsReconciled"]:
            raise ElementRefused("This bank transfer has been reconciled and cannot be deleted.", echo=fields)
        call.check_lock(document["Date"], echo=fields)
        now = books.now()
        for name in ("FromBankTransactionID", "ToBankTransactionID"):
            twin = books["BankTransactions"].rows[document[name]]
            books["BankTransactions"].put(
                twin["BankTransactionID"], twin | {"Status": "DELETED", "UpdatedDateUTC": now}
            )
        removed = document | {"Status": "DELETED", "UpdatedDateUTC": now}
        books["BankTransfers"].put(document["BankTransferID"], removed)
        return removed

    def is_listed(self, call: Call, document: Document) -> bool:
        """Deleted transfers only with includeDeleted=true."""
        return document["Status"] != "DELETED" or call.flag("includeDeleted")

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The transfer as the wire shows it: it has no UpdatedDateUTC."""
        shown: Document = {
            name: value
            for name, value in document.items()
            if name not in ("FromAccountID", "ToAccountID", "UpdatedDateUTC", "FromTracking", "ToTracking")
        }
        for side in ("From", "To"):
            account = books["Accounts"].rows[document[f"{side}AccountID"]]
            shown[f"{side}BankAccount"] = {"AccountID": account["AccountID"], "Name": account["Name"]}
            if account.get("Code"):
                shown[f"{side}BankAccount"]["Code"] = account["Code"]
            shown[f"{side}Tracking"] = [
                tracking_view(books, tracking) for tracking in document[f"{side}Tracking"]
            ]
        shown["HasAttachments"] = document.get("HasAttachments", False)
        return shown


def _account(books: Books, wanted: Fields | None) -> Document | None:
    wanted = wanted or {}
    account = find_account(books, code=wanted.get("Code"), account_id=wanted.get("AccountID"))
    if account is None or account["Type"] != "BANK" or account["Status"] != "ACTIVE":
        return None
    return account


BANK_TRANSFERS = BankTransfers()

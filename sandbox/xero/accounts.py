"""The chart of accounts: codes, names, system accounts, archiving and refusals to delete what is used."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.xero.books import Books
from sandbox.xero.chart import CLASS_OF_TYPE
from sandbox.xero.fields import FLAG, GUID, Fields, Spec, Text, choice
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column

ACCOUNT_SPEC: Spec = {
    "AccountID": GUID,
    "Code": Text(10),
    "Name": Text(150),
    "Type": choice(*CLASS_OF_TYPE),
    "BankAccountNumber": Text(),
    "BankAccountType": choice("BANK", "CREDITCARD", "PAYPAL"),
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
    "Description": Text(4000),
    "CurrencyCode": Text(3),
    "TaxType": Text(),
    "EnablePaymentsToAccount": FLAG,
    "ShowInExpenseClaims": FLAG,
    "AddToWatchlist": FLAG,
}
_STORED = tuple(name for name in ACCOUNT_SPEC if name not in ("AccountID", "Status", "Type"))
_USERS = (
    "Invoices",
    "CreditNotes",
    "BankTransactions",
    "BankTransfers",
    "Payments",
    "BatchPayments",
    "ManualJournals",
)


class Accounts(Resource):
    """`/Accounts`."""

    name = "Accounts"
    type_name = "Account"
    id_field = "AccountID"
    spec = ACCOUNT_SPEC
    scope = "settings"
    has_attachments = True
    verbs = frozenset({"GET", "PUT", "POST", "DELETE"})

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            AccountID="guid",
            Code="text",
            Name="text",
            Type="text",
            Class="text",
            Status="text",
            TaxType="text",
            SystemAccount="text",
            EnablePaymentsToAccount="flag",
            ShowInExpenseClaims="flag",
            BankAccountNumber="text",
            BankAccountType="text",
            CurrencyCode="text",
            Description="text",
            UpdatedDateUTC="date",
            ReportingCode="text",
            HasAttachments="flag",
        )

    def create(self, call: Call, fields: Fields) -> Document:
        """A new account."""
        kind = fields.get("Type")
        messages = self.check_lengths(fields)
        if kind is None:
            messages.append("Account Type must be specified.")
        elif kind == "BANK" and not fields.get("BankAccountNumber"):
            messages.append("BankAccountNumber must be specified for a bank account.")
        elif kind != "BANK" and not fields.get("Code"):
            messages.append("Account code must be specified.")
        if not fields.get("Name"):
            messages.append("Account Name must be specified.")
        if messages or kind is None:
            raise ElementRefused(*messages, echo=fields)
        account: Document = {
            "AccountID": call.new_id(),
            "Type": kind,
            "Class": CLASS_OF_TYPE[kind],
            "Status": "ACTIVE",
            "TaxType": "NONE",
            "EnablePaymentsToAccount": False,
            "ShowInExpenseClaims": False,
            "ReportingCode": "",
        }
        if kind == "BANK":
            account |= {"BankAccountType": "BANK", "CurrencyCode": call.books.profile["BaseCurrency"]}
        return self._keep(call, account, fields)

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit, or `Status: ARCHIVED` / `ACTIVE` alone."""
        status = fields.get("Status")
        others = {name for name in fields if fields[name] is not None} - {"AccountID", "Status"}
        if document["Status"] == "DELETED" or status == "DELETED":
            raise ElementRefused("Account not of valid status for modification", echo=fields)
        account = dict(document)
        if status is not None and status != document["Status"]:
            if others:
                raise ElementRefused(
                    "Status cannot be changed together with other fields of an account.", echo=fields
                )
            if document.get("SystemAccount"):
                raise ElementRefused("System accounts cannot be archived.", echo=fields)
            account["Status"] = status
        elif document["Status"] == "ARCHIVED":
            raise ElementRefused("Archived accounts cannot be edited.", echo=fields)
        kind = fields.get("Type")
        if kind is not None and kind != document["Type"]:
            if document.get("SystemAccount") or "BANK" in (kind, document["Type"]):
                raise ElementRefused("The Type of this account cannot be changed.", echo=fields)
            account |= {"Type": kind, "Class": CLASS_OF_TYPE[kind]}
        return self._keep(call, account, fields)

    def _keep(self, call: Call, account: Document, fields: Fields) -> Document:
        books = call.books
        messages = self.check_lengths(fields)
        for index, name, text in (
            ("code", "Code", "Please enter a unique Code."),
            ("name", "Name", "Please enter a unique Name."),
        ):
            value = fields.get(name)
            other = books["Accounts"].first(index, value.casefold()) if value else None
            if other is not None and other["AccountID"] != account["AccountID"]:
                messages.append(text)
        tax = fields.get("TaxType")
        if tax and books["TaxRates"].first("type", tax.casefold()) is None:
            messages.append(
                f"The TaxType code '{tax}' does not exist or cannot be used for this type of transaction."
            )
        currency = fields.get("CurrencyCode")
        if currency and books["Currencies"].get(currency.upper()) is None:
            messages.append(f"Organisation is not subscribed to currency {currency}")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        for name in _STORED:
            if fields.get(name) is not None:
                account[name] = fields[name]
        account["UpdatedDateUTC"] = books.now()
        books["Accounts"].put(account["AccountID"], account)
        return account

    def delete(self, call: Call, document: Document) -> Document | None:
        """Only accounts that nothing uses."""
        books = call.books
        key = document["AccountID"]
        if document["Status"] == "DELETED":
            raise ElementRefused("Account not of valid status for modification")
        if document.get("SystemAccount"):
            raise ElementRefused("System accounts cannot be deleted.")
        if any(books[table].count("account", key) for table in _USERS):
            raise ElementRefused("This account has transactions and cannot be deleted; archive it instead.")
        removed = document | {"Status": "DELETED", "UpdatedDateUTC": books.now()}
        books["Accounts"].put(key, removed)
        return removed

    def is_listed(self, call: Call, document: Document) -> bool:
        """Deleted accounts are gone from the list; archived ones stay."""
        return bool(document["Status"] != "DELETED")

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The account as the wire shows it."""
        return document | {"HasAttachments": document.get("HasAttachments", False)}


ACCOUNTS = Accounts()

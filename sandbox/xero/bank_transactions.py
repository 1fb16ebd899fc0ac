"""Spend and receive money, and the prepayments and overpayments that only they can make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.contacts import CONTACT_SPEC, id_list, resolve_contact
from sandbox.xero.credits import OVERPAYMENTS, PREPAYMENTS
from sandbox.xero.documents import base_rate, put_sums, stored_as_request
from sandbox.xero.fields import DAY, FLAG, GUID, NUMBER, Fields, Many, One, Spec, Text, choice
from sandbox.xero.invoice_views import contact_view
from sandbox.xero.lines import AMOUNT_TYPES, LINE_SPEC, LineRules, find_account, line_view, price_lines
from sandbox.xero.payments import ACCOUNT_KEY
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of, contact_columns, field_column
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

ZERO = Decimal(0)
MAKEABLE = (
    "RECEIVE",
    "SPEND",
    "RECEIVE-OVERPAYMENT",
    "SPEND-OVERPAYMENT",
    "RECEIVE-PREPAYMENT",
    "SPEND-PREPAYMENT",
)
BANK_SPEC: Spec = {
    "BankTransactionID": GUID,
    "Type": choice(*MAKEABLE, "RECEIVE-TRANSFER", "SPEND-TRANSFER"),
    "Contact": One(CONTACT_SPEC),
    "LineItems": Many(LINE_SPEC),
    "BankAccount": One(ACCOUNT_KEY),
    "IsReconciled": FLAG,
    "Date": DAY,
    "Reference": Text(255),
    "CurrencyCode": Text(3),
    "CurrencyRate": NUMBER,
    "Url": Text(2000),
    "Status": choice("AUTHORISED", "DELETED", "VOIDED"),
    "LineAmountTypes": AMOUNT_TYPES,
}
NOT_VALID_TEXT = "Bank transaction not of valid status for modification"
RECONCILED_TEXT = "This bank transaction cannot be edited as it has been reconciled with a bank statement."


class BankTransactions(Resource):
    """`/BankTransactions`."""

    name = "BankTransactions"
    type_name = "BankTransaction"
    id_field = "BankTransactionID"
    spec = BANK_SPEC
    scope = "banktransactions"
    is_paged = True
    has_history = True
    has_attachments = True
    search_fields = ("Reference",)
    list_is_light = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        columns = contact_columns(books) | columns_of(
            BankTransactionID="guid",
            Type="text",
            Status="text",
            Date="date",
            Reference="text",
            IsReconciled="flag",
            Total="number",
            SubTotal="number",
            TotalTax="number",
            CurrencyCode="text",
            UpdatedDateUTC="date",
            PrepaymentID="guid",
            OverpaymentID="guid",
            HasAttachments="flag",
            Url="text",
        )
        columns["bankaccount.accountid"] = field_column("BankAccountID", "guid")
        columns["bankaccount.code"] = Column(
            lambda doc: books["Accounts"].rows[doc["BankAccountID"]].get("Code"), "text"
        )
        return columns

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id only."""
        return (
            self.require(call.books, fields["BankTransactionID"]) if fields.get("BankTransactionID") else None
        )

    def create(self, call: Call, fields: Fields) -> Document:
        """New spend or receive money; over- and prepayments get their own document beside it."""
        kind = fields.get("Type")
        messages = self.check_lengths(fields)
        if kind not in MAKEABLE:
            messages.append(
                "The Type of a bank transaction must be RECEIVE or SPEND, or an over- or prepayment."
            )
        if not fields.get("LineItems"):
            messages.append("One or more line items must be specified")
        if not fields.get("Contact"):
            messages.append("A Contact must be specified for this type of transaction")
        if fields.get("Status") not in (None, "AUTHORISED"):
            messages.append("Bank transaction not of valid status for creation")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        assert kind is not None
        transaction: Document = {
            "Type": kind,
            "BankTransactionID": call.new_id(),
            "Status": "AUTHORISED",
            "BankAccountID": _bank_account(call.books, fields)["AccountID"],
            "IsReconciled": bool(fields.get("IsReconciled")),
        }
        transaction = self._fill(call, transaction, fields)
        if kind.endswith("-PREPAYMENT"):
            transaction["PrepaymentID"] = _credit(
                call, transaction, table="Prepayments", id_field="PrepaymentID"
            )
        elif kind.endswith("-OVERPAYMENT"):
            transaction["OverpaymentID"] = _credit(
                call, transaction, table="Overpayments", id_field="OverpaymentID"
            )
        call.books["BankTransactions"].put(transaction["BankTransactionID"], transaction)
        return transaction

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit, or `Status: DELETED` (VOIDED on over- and prepayments)."""
        wanted = fields.get("Status")
        if document["Status"] != "AUTHORISED" or document["Type"].endswith("-TRANSFER"):
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        if document["IsReconciled"]:
            raise ElementRefused(RECONCILED_TEXT, echo=fields)
        if fields.get("Type") not in (None, document["Type"]):
            raise ElementRefused("The Type of a bank transaction cannot be changed.", echo=fields)
        is_credit = "PrepaymentID" in document or "OverpaymentID" in document
        if wanted == "VOIDED" and not is_credit:
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        call.check_lock(document["Date"], echo=fields)
        if wanted in ("DELETED", "VOIDED"):
            return self._end(call, document, "VOIDED" if is_credit else "DELETED", echo=fields)
        if is_credit:
            raise ElementRefused("Prepayments and overpayments cannot be edited.", echo=fields)
        messages = self.check_lengths(fields)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        transaction = dict(document)
        if fields.get("BankAccount"):
            transaction["BankAccountID"] = _bank_account(call.books, fields)["AccountID"]
        if fields.get("IsReconciled"):
            transaction["IsReconciled"] = True
        transaction = self._fill(call, transaction, fields)
        call.books["BankTransactions"].put(transaction["BankTransactionID"], transaction)
        return transaction

    def _end(self, call: Call, document: Document, status: str, *, echo: Fields) -> Document:
        now = call.books.now()
        for source, id_field in ((PREPAYMENTS, "PrepaymentID"), (OVERPAYMENTS, "OverpaymentID")):
            if id_field in document:
                credit = call.books[source.name].rows[document[id_field]]
                if credit["RemainingCredit"] != credit["Total"]:
                    raise ElementRefused(
                        "This cannot be voided because it has been allocated or refunded.", echo=echo
                    )
                ended = credit | {"Status": "VOIDED", "RemainingCredit": plain(ZERO), "UpdatedDateUTC": now}
                call.books[source.name].put(credit[id_field], ended)
                source.announce(call, ended, "UPDATE")
        ended = document | {"Status": status, "UpdatedDateUTC": now}
        call.books["BankTransactions"].put(document["BankTransactionID"], ended)
        return ended

    def _fill(self, call: Call, transaction: Document, fields: Fields) -> Document:
        books = call.books
        transaction["Date"] = fields.get("Date") or transaction.get("Date") or books.today()
        transaction["LineAmountTypes"] = (
            fields.get("LineAmountTypes") or transaction.get("LineAmountTypes") or "Exclusive"
        )
        for name in ("Reference", "Url"):
            if fields.get(name) is not None and (
                name != "Reference" or transaction["Type"] in ("RECEIVE", "SPEND")
            ):
                transaction[name] = fields[name]
        base_rate(call, transaction, fields)
        call.check_lock(transaction["Date"], echo=fields)
        _price(call, transaction, fields)
        contact = (
            resolve_contact(call, fields["Contact"], echo=fields)
            if fields.get("Contact")
            else books["Contacts"].rows[transaction["ContactID"]]
        )
        transaction |= {"ContactID": contact["ContactID"], "UpdatedDateUTC": books.now()}
        return transaction

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """None of its own."""
        return []

    def narrowed(self, call: Call, must_equal: Mapping[str, Any]) -> list[Document] | None:
        """Use the indexes on id and contact."""
        rows = call.books["BankTransactions"]
        if "banktransactionid" in must_equal:
            found = id_list(str(must_equal["banktransactionid"])) or {}
            return [document for key in found if (document := rows.get(key))]
        if "contact.contactid" in must_equal:
            return rows.find("contact", str(must_equal["contact.contactid"]).lower())
        return None

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The transaction as the wire shows it."""
        account = books["Accounts"].rows[document["BankAccountID"]]
        shown: Document = {
            name: value
            for name, value in document.items()
            if name not in ("BankAccountID", "ContactID", "LineItems", "TransferID")
        }
        shown["BankAccount"] = {"AccountID": account["AccountID"], "Name": account["Name"]}
        if account.get("Code"):
            shown["BankAccount"]["Code"] = account["Code"]
        if document.get("ContactID"):
            shown["Contact"] = contact_view(books, document["ContactID"], mode)
        shown["HasAttachments"] = document.get("HasAttachments", False)
        shown["LineItems"] = (
            []
            if mode == "listed"
            else [line_view(books, line, is_echo=mode == "created") for line in document["LineItems"]]
        )
        return shown


def _bank_account(books: Books, fields: Fields) -> Document:
    wanted = fields.get("BankAccount") or {}
    account = find_account(books, code=wanted.get("Code"), account_id=wanted.get("AccountID"))
    if account is None or account["Type"] != "BANK" or account["Status"] != "ACTIVE":
        raise ElementRefused("Invalid BankAccount ID", echo=fields)
    return account


def _price(call: Call, transaction: Document, fields: Fields) -> None:
    kind = transaction["Type"]
    is_sale = kind.startswith("RECEIVE")
    old: list[Document] = transaction.get("LineItems", [])
    raw = fields.get("LineItems")
    system: tuple[str, ...] = ()
    if kind.endswith("-OVERPAYMENT"):
        # An overpayment is money owed back, so its lines can only stand on the control account.
        system = ("DEBTORS",) if is_sale else ("CREDITORS",)
        control = call.books.system_account(system[0])
        raw = [
            {**line, "AccountID": control["AccountID"], "TaxType": "NONE"}
            if not line.get("AccountCode") and not line.get("AccountID")
            else {**line, "TaxType": "NONE"}
            for line in raw or ()
        ]
    rules = LineRules(
        is_sale=is_sale, needs_account=True, system_accounts=system, unit_places=call.unit_places
    )
    priced = price_lines(
        call.books,
        [stored_as_request(line) for line in old] if raw is None else raw,
        amount_types=transaction["LineAmountTypes"],
        rules=rules,
        kept_ids=frozenset(line["LineItemID"] for line in old),
        new_id=call.new_id,
    )
    problems = list(priced.messages)
    if priced.total <= 0:
        problems.append("The total of a bank transaction must be greater than zero.")
    if problems:
        raise ElementRefused(*problems, echo=fields)
    put_sums(transaction, priced)


def _credit(call: Call, transaction: Document, *, table: str, id_field: str) -> str:
    key = call.new_id()
    credit = {
        name: transaction[name]
        for name in (
            "Type",
            "Status",
            "ContactID",
            "Date",
            "LineAmountTypes",
            "LineItems",
            "SubTotal",
            "TotalTax",
            "Total",
            "CurrencyCode",
            "CurrencyRate",
            "UpdatedDateUTC",
            "Reference",
        )
        if name in transaction
    } | {id_field: key, "RemainingCredit": transaction["Total"]}
    call.books[table].put(key, credit)
    (PREPAYMENTS if table == "Prepayments" else OVERPAYMENTS).announce(call, credit, "CREATE")
    return key


BANK_TRANSACTIONS = BankTransactions()

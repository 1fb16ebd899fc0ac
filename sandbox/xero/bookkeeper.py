"""What a person does inside Xero and the API cannot: lock periods, reconcile, merge, edit a due date."""

from __future__ import annotations

from datetime import date

from sandbox.kernel.emulator import ControlError
from sandbox.kernel.store import Store
from sandbox.xero.books import Books
from sandbox.xero.documents import LIVE
from sandbox.xero.table import Document

CONTACT_TABLES = (
    "Invoices",
    "CreditNotes",
    "Payments",
    "Prepayments",
    "Overpayments",
    "Allocations",
    "BankTransactions",
)
RECONCILED = {
    "Payments": "PaymentID",
    "BankTransactions": "BankTransactionID",
    "BatchPayments": "BatchPaymentID",
}


def find(books: Books, table: str, key: str) -> Document:
    """A document by id, or the control call's refusal."""
    document = books[table].get(key.lower())
    if document is None:
        raise ControlError(f"{table} has no {key!r} in this organisation.")
    return document


def set_lock(store: Store, books: Books, *, day: date | None, name: str = "PeriodLockDate") -> None:
    """Lock everything up to a day, or unlock with None."""
    profile = {key: value for key, value in books.profile.items() if key != name}
    with store.transaction():
        books["Organisation"].put(books.organisation_id, profile | ({name: day} if day else {}))


def set_access(store: Store, books: Books, *, access: str) -> None:
    """open, offline (503) or expired (403)."""
    if access not in ("open", "offline", "expired"):
        raise ControlError("access can be open, offline or expired.")
    with store.transaction():
        books["Organisation"].put(books.organisation_id, books.profile | {"Access": access})


def reconcile(store: Store, books: Books, *, key: str, is_reconciled: bool) -> None:
    """Match with a statement line, or take the match back; by switch UpdatedDateUTC moves."""
    for table, id_field in RECONCILED.items():
        document = books[table].get(key.lower())
        if document is None:
            continue
        changed = document | {"IsReconciled": is_reconciled}
        if books.switches("reconcile_bumps_updated") == "yes":
            changed["UpdatedDateUTC"] = books.now()
        with store.transaction():
            books[table].put(document[id_field], changed)
        return
    raise ControlError(f"No payment, batch payment or bank transaction has the id {key!r}.")


def set_due_date(store: Store, books: Books, *, key: str, day: date) -> None:
    """Change a due date in the app; on a part-paid invoice UpdatedDateUTC stays, as documented."""
    invoice = find(books, "Invoices", key)
    if invoice["Status"] in ("VOIDED", "DELETED"):
        raise ControlError(f"The invoice is {invoice['Status']}.")
    changed = invoice | {"DueDate": day}
    has_money = bool(invoice["AmountPaid"] or invoice["AmountCredited"])
    if not (invoice["Status"] in LIVE and has_money):
        changed["UpdatedDateUTC"] = books.now()
    with store.transaction():
        books["Invoices"].put(invoice["InvoiceID"], changed)


def rename_account(store: Store, books: Books, *, key: str, code: str) -> None:
    """Give an account another code."""
    account = find(books, "Accounts", key)
    other = books["Accounts"].first("code", code.casefold())
    if other is not None and other["AccountID"] != account["AccountID"]:
        raise ControlError(f"Account code {code} is taken.")
    with store.transaction():
        books["Accounts"].put(account["AccountID"], account | {"Code": code, "UpdatedDateUTC": books.now()})


def merge_contacts(store: Store, books: Books, *, winner: str, loser: str) -> None:
    """Merge two contacts: documents move to the winner, the loser is archived and points to it."""
    kept, gone = find(books, "Contacts", winner), find(books, "Contacts", loser)
    if kept["ContactID"] == gone["ContactID"]:
        raise ControlError("A contact cannot be merged with itself.")
    now = books.now()
    with store.transaction():
        for table in CONTACT_TABLES:
            for key, document in list(books[table].rows.items()):
                if document.get("ContactID") == gone["ContactID"]:
                    books[table].put(key, document | {"ContactID": kept["ContactID"]})
        merged = {"ContactStatus": "ARCHIVED", "MergedToContactID": kept["ContactID"], "UpdatedDateUTC": now}
        books["Contacts"].put(gone["ContactID"], gone | merged)
        roles = {name: kept[name] or gone[name] for name in ("IsCustomer", "IsSupplier")}
        books["Contacts"].put(kept["ContactID"], kept | roles | {"UpdatedDateUTC": now})
        books.announce("CONTACT", kept["ContactID"], "UPDATE")

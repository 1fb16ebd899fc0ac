"""The books of one organisation: its documents, their indexes and the general ledger behind them.

Every change reaches the ledger through the store's listener, so a roll-back, a snapshot or a restart can never
leave the ledger and the documents apart. What a document posts is decided in `postings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.ledger import Ledger
from sandbox.kernel.store import Store
from sandbox.xero.postings import POSTING_TABLES, postings_of
from sandbox.xero.switches import Switches
from sandbox.xero.table import Document, KeysOf, Table

ZONES = {
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "GMTSTANDARDTIME": "Europe/London",
    "EASTERNSTANDARDTIME": "America/New_York",
    "CENTRALSTANDARDTIME": "America/Chicago",
    "MOUNTAINSTANDARDTIME": "America/Denver",
    "PACIFICSTANDARDTIME": "America/Los_Angeles",
    "SINGAPORESTANDARDTIME": "Asia/Singapore",
    "SOUTHAFRICASTANDARDTIME": "Africa/Johannesburg",
    "UTC": "UTC",
}


def _one(*names: str) -> KeysOf:
    """Index by the value of a field path, when it has one."""

    def keys(document: Document) -> Iterable[str]:
        value: Any = document
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return (value,) if value else ()

    return keys


def _folded(name: str, *, only: Callable[[Document], bool] = lambda document: True) -> KeysOf:
    """Index by the case-folded value of a field, for the documents that count."""

    def keys(document: Document) -> Iterable[str]:
        value = document.get(name)
        return (value.casefold(),) if value and only(document) else ()

    return keys


def _sales_number(document: Document) -> Iterable[str]:
    if document["Type"] == "ACCREC" and document["Status"] != "DELETED" and document.get("InvoiceNumber"):
        yield document["InvoiceNumber"].casefold()


def _note_number(document: Document) -> Iterable[str]:
    if (
        document["Type"] == "ACCRECCREDIT"
        and document["Status"] != "DELETED"
        and document.get("CreditNoteNumber")
    ):
        yield document["CreditNoteNumber"].casefold()


def _accounts_used(document: Document) -> Iterable[str]:
    for line in document.get("LineItems", ()):
        if line.get("AccountID"):
            yield line["AccountID"]
    for name in ("BankAccountID", "AccountID", "FromAccountID", "ToAccountID"):
        if document.get(name):
            yield document[name]


def _tracking_used(document: Document) -> Iterable[str]:
    for line in document.get("LineItems", ()):
        for tracking in line.get("Tracking", ()):
            yield tracking["TrackingCategoryID"]
            yield tracking["TrackingOptionID"]


def _is_active(document: Document) -> bool:
    return document.get("ContactStatus", document.get("Status", "ACTIVE")) == "ACTIVE"


_LINES = {"account": _accounts_used, "tracking": _tracking_used, "contact": _one("ContactID")}
INDEXES: dict[str, dict[str, KeysOf]] = {
    "Organisation": {},
    "Accounts": {
        "code": _folded("Code", only=lambda doc: doc["Status"] != "DELETED"),
        "name": _folded("Name", only=lambda doc: doc["Status"] != "DELETED"),
        "system": _one("SystemAccount"),
    },
    "TaxRates": {"type": _folded("TaxType")},
    "Currencies": {},
    "BrandingThemes": {},
    "Users": {},
    "TrackingCategories": {},
    "Items": {"code": _folded("Code")},
    "Contacts": {
        "name": _folded("Name", only=_is_active),
        "number": _folded("ContactNumber"),
    },
    "Invoices": {**_LINES, "number": _sales_number, "any_number": _folded("InvoiceNumber")},
    "CreditNotes": {**_LINES, "number": _note_number},
    "Payments": {"document": _one("DocumentID"), "batch": _one("BatchPaymentID"), "account": _accounts_used},
    "BatchPayments": {"account": _accounts_used},
    "Prepayments": _LINES,
    "Overpayments": _LINES,
    "Allocations": {"source": _one("SourceID"), "invoice": _one("InvoiceID")},
    "BankTransactions": _LINES,
    "BankTransfers": {"account": _accounts_used},
    "ManualJournals": _LINES,
    "History": {"document": _one("DocumentID")},
    "Attachments": {"document": _one("DocumentID")},
}


class Books:
    """One organisation with everything it owns."""

    def __init__(
        self, store: Store, *, organisation_id: str, clock: MovableClock, switches: Switches
    ) -> None:
        self.organisation_id = organisation_id
        self.clock = clock
        self.switches = switches
        self.ledger = Ledger()
        self.prefix = f"{organisation_id}/"
        self.tables = {
            name: Table(store, prefix=self.prefix, name=name, indexes=indexes)
            for name, indexes in INDEXES.items()
        }
        self.is_silent = False
        self.events: list[tuple[str, str, str, dict[str, str]]] = []

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    @property
    def profile(self) -> Document:
        """The organisation's own record."""
        return self.tables["Organisation"].rows[self.organisation_id]

    def now(self) -> datetime:
        """Sandbox time, to the millisecond, as Xero keeps it."""
        moment = self.clock.now()
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def today(self) -> date:
        """The calendar date where the organisation lives."""
        return self.clock.now().astimezone(ZoneInfo(ZONES.get(self.profile["Timezone"], "UTC"))).date()

    def system_account(self, name: str) -> Document:
        """A system account such as DEBTORS; every chart has them."""
        found = self.tables["Accounts"].first("system", name)
        assert found is not None, f"the chart has no {name}"
        return found

    def announce(self, category: str, key: str, kind: str, **data: str) -> None:
        """Note something a webhook would tell; sent when the call is committed."""
        if not self.is_silent:
            self.events.append((category, key, kind, data))

    def heard(self, name: str, key: str, old: Document | None, new: Document | None) -> None:
        """Follow one change of the store: indexes first, then the ledger."""
        self.tables[name].heard(key, old, new)
        if name not in POSTING_TABLES:
            return
        document = f"{name}/{key}"
        entry = None if new is None else postings_of(self, name, new)
        if entry is None:
            self.ledger.unpost(document)
        elif old is None or self.ledger.entry(document) is None or entry != self.ledger.entry(document):
            self.ledger.post(document, on=entry.on, postings=entry.postings)

    def lock_message(self, *days: date | None) -> str | None:
        """What Xero says when a date lies in a locked period, or None (wording unverified, see docs)."""
        profile = self.profile
        for name, words in (
            ("EndOfYearLockDate", "end of year lock date"),
            ("PeriodLockDate", "period lock date"),
        ):
            locked = profile.get(name)
            if locked is not None and any(day is not None and day <= locked for day in days):
                return f"The document date cannot be before the {words}"
        return None

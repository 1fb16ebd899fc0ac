"""Manual journals: signed lines that must net to zero, off the control and bank accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from sandbox.xero.books import Books
from sandbox.xero.fields import DAY, FLAG, GUID, NUMBER, Fields, Many, Spec, Text, choice
from sandbox.xero.lines import (
    AMOUNT_TYPES,
    HUNDRED,
    TRACKING_SPEC,
    account_message,
    find_account,
    read_tracking,
    tracking_view,
)
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import cents, plain

ZERO = Decimal(0)
JOURNAL_LINE_SPEC: Spec = {
    "LineAmount": NUMBER,
    "AccountCode": Text(),
    "AccountID": GUID,
    "Description": Text(4000),
    "TaxType": Text(),
    "TaxAmount": NUMBER,
    "Tracking": Many(TRACKING_SPEC),
    "IsBlank": FLAG,
}
JOURNAL_SPEC: Spec = {
    "ManualJournalID": GUID,
    "Narration": Text(4000),
    "JournalLines": Many(JOURNAL_LINE_SPEC),
    "Date": DAY,
    "LineAmountTypes": AMOUNT_TYPES,
    "Status": choice("DRAFT", "POSTED", "DELETED", "VOIDED", "ARCHIVED"),
    "Url": Text(2000),
    "ShowOnCashBasisReports": FLAG,
}
NOT_VALID_TEXT = "Manual journal not of valid status for modification"


class ManualJournals(Resource):
    """`/ManualJournals`."""

    name = "ManualJournals"
    type_name = "ManualJournal"
    id_field = "ManualJournalID"
    spec = JOURNAL_SPEC
    scope = "manualjournals"
    is_paged = True
    has_history = True
    has_attachments = True
    search_fields = ("Narration",)
    list_is_light = True

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            ManualJournalID="guid",
            Narration="text",
            Date="date",
            Status="text",
            UpdatedDateUTC="date",
            ShowOnCashBasisReports="flag",
            Url="text",
            LineAmountTypes="text",
            HasAttachments="flag",
        )

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id only."""
        return self.require(call.books, fields["ManualJournalID"]) if fields.get("ManualJournalID") else None

    def create(self, call: Call, fields: Fields) -> Document:
        """A new journal; DRAFT unless a Status is sent."""
        status = fields.get("Status") or "DRAFT"
        if status not in ("DRAFT", "POSTED"):
            raise ElementRefused("Manual journal not of valid status for creation", echo=fields)
        if not fields.get("JournalLines"):
            raise ElementRefused("At least two journal lines must be specified.", echo=fields)
        journal: Document = {
            "ManualJournalID": call.new_id(),
            "Status": status,
            "Date": call.books.today(),
            "LineAmountTypes": "NoTax",
            "ShowOnCashBasisReports": True,
        }
        return self._keep(call, journal, fields)

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """DRAFT to POSTED or DELETED, POSTED to VOIDED, and edits of both."""
        status, wanted = document["Status"], fields.get("Status")
        allowed = {"DRAFT": ("DRAFT", "POSTED", "DELETED"), "POSTED": ("POSTED", "VOIDED")}.get(status, ())
        if wanted not in (None, *allowed) or not allowed:
            raise ElementRefused(NOT_VALID_TEXT, echo=fields)
        if status == "POSTED":
            call.check_lock(document["Date"], echo=fields)
        if wanted in ("DELETED", "VOIDED"):
            ended = document | {"Status": wanted, "UpdatedDateUTC": call.books.now()}
            call.books["ManualJournals"].put(document["ManualJournalID"], ended)
            return ended
        return self._keep(call, document | {"Status": wanted or status}, fields)

    def _keep(self, call: Call, journal: Document, fields: Fields) -> Document:
        messages = self.check_lengths(fields)
        for name in ("Narration", "Date", "LineAmountTypes", "Url", "ShowOnCashBasisReports"):
            if fields.get(name) is not None:
                journal[name] = fields[name]
        if not journal.get("Narration"):
            messages.append("Narration must be specified.")
        warnings: list[str] = []
        if fields.get("JournalLines") is not None:
            lines = [_line(call.books, raw, journal, messages, warnings) for raw in fields["JournalLines"]]
            journal["LineItems"] = [line for line in lines if line is not None]
        elif fields.get("LineAmountTypes") is not None:
            again = [_as_request(line) for line in journal["LineItems"]]
            journal["LineItems"] = [
                line
                for raw in again
                if (line := _line(call.books, raw, journal, messages, warnings)) is not None
            ]
        if not messages:
            messages += _balance_problems(journal)
        if messages:
            raise ElementRefused(*dict.fromkeys(messages), echo=fields)
        if journal["Status"] == "POSTED":
            call.check_lock(journal["Date"], echo=fields)
        journal["UpdatedDateUTC"] = call.books.now()
        call.books["ManualJournals"].put(journal["ManualJournalID"], journal)
        return journal | {"Warnings": [{"Message": text} for text in warnings]} if warnings else journal

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """None of its own."""
        return []

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The journal as the wire shows it."""
        shown: Document = {name: value for name, value in document.items() if name != "LineItems"}
        shown["HasAttachments"] = document.get("HasAttachments", False)
        shown["JournalLines"] = (
            [] if mode == "listed" else [_line_view(books, line) for line in document["LineItems"]]
        )
        return shown


def _as_request(line: Document) -> Fields:
    return {name: value for name, value in line.items() if name != "TaxAmount"}


def _line(
    books: Books, raw: Fields, journal: Document, messages: list[str], warnings: list[str]
) -> Document | None:
    account = find_account(books, code=raw.get("AccountCode"), account_id=raw.get("AccountID"))
    shown = raw.get("AccountCode") or raw.get("AccountID") or ""
    message = account_message(account, shown=shown, system_accounts=())
    if message is not None:
        if account is None and books.switches("journal_unknown_account") == "drop_with_warning":
            warnings.append(message)
        else:
            messages.append(message)
        return None
    assert account is not None
    amount = cents(raw.get("LineAmount") or ZERO)
    line: Document = {"LineAmount": plain(amount), "AccountID": account["AccountID"], "IsBlank": False}
    if raw.get("Description") is not None:
        line["Description"] = raw["Description"]
    types = journal["LineAmountTypes"]
    code = "NONE" if types == "NoTax" else raw.get("TaxType") or "NONE"
    rate = books["TaxRates"].first("type", code.casefold())
    if rate is None:
        messages.append(
            f"The TaxType code '{code}' does not exist or cannot be used for this type of transaction."
        )
        return None
    percent = rate["EffectiveRate"]
    share = percent / (HUNDRED + percent) if types == "Inclusive" else percent / HUNDRED
    tax = ZERO if types == "NoTax" else cents(amount * share)
    if types != "NoTax" and raw.get("TaxAmount") is not None:
        tax = cents(raw["TaxAmount"])
    line |= {"TaxType": rate["TaxType"], "TaxAmount": plain(tax)}
    line["Tracking"] = read_tracking(books, raw.get("Tracking") or [], messages)
    return line


def _balance_problems(journal: Document) -> list[str]:
    lines = journal.get("LineItems", [])
    if len(lines) < 2:
        return ["At least two journal lines must be specified."]
    extra = ZERO if journal["LineAmountTypes"] == "Inclusive" else None
    amounts = [line["LineAmount"] + (line["TaxAmount"] if extra is None else ZERO) for line in lines]
    debits = sum((amount for amount in amounts if amount > 0), ZERO)
    credited = sum((amount for amount in amounts if amount < 0), ZERO)
    if debits + credited:
        return [f"The total debits ({cents(debits)}) must equal total credits ({cents(credited)})"]
    return []


def _line_view(books: Books, line: Document) -> Document:
    account = books["Accounts"].rows[line["AccountID"]]
    shown: Document = {
        name: line[name]
        for name in ("Description", "TaxType", "TaxAmount", "LineAmount", "IsBlank")
        if name in line
    }
    shown |= {"AccountID": line["AccountID"], "AccountCode": account.get("Code", "")}
    shown["Tracking"] = [tracking_view(books, tracking) for tracking in line["Tracking"]]
    return shown


MANUAL_JOURNALS = ManualJournals()

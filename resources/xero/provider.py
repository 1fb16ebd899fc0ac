"""One Xero organisation as the sync core's Provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import structlog

from resources.spec import Access, Surroundings
from resources.xero import check
from resources.xero.batch import ELEMENTS_MAX, Prepared, Sender
from resources.xero.book import Book
from resources.xero.census import CENSUS_LISTS, census_page
from resources.xero.changes import SWEEP_EVERY, Changes
from resources.xero.chart import Chart
from resources.xero.client import Client
from resources.xero.finding import Finder
from resources.xero.kept import as_kept
from resources.xero.read import Reader, label_of
from resources.xero.receipts import key_of, receipt
from resources.xero.report import trial_balance
from resources.xero.taxes import TaxRates
from resources.xero.words import NAMES, TITLE, day
from resources.xero.write import Element, Preferences, Writer
from sync.clock import Skew
from sync.errors import OutcomeUnknown, RejectedByProvider, SyncError, VersionMoved
from sync.periods import note_in
from sync.ports import (
    CensusPage,
    ChangePage,
    Company,
    Done,
    LedgerBalance,
    Moved,
    OptionBook,
    Rejected,
    Unknown,
    Write,
    WriteOutcome,
)
from sync.records import Canonical, Entity, RemoteRecord, name_key

Json = Mapping[str, Any]

log = structlog.get_logger(__name__)

# The report's date is the organisation's own; nowhere is it later than this.
FURTHEST_ZONE = timedelta(hours=14)


class Xero:
    """Reads and writes one organisation; knows nothing of the platform's records."""

    def __init__(self, access: Access, surroundings: Surroundings) -> None:
        self._access = access
        self._clock = surroundings.clock
        self._client = Client(access, http=surroundings.http, gate=surroundings.gate, clock=self._clock)
        self._public_url = surroundings.public_url
        self._book = Book(self._client)
        self._tax_rates = TaxRates(self._client)
        self._chart = Chart(lambda: self._client.rows("Accounts"))

    @property
    def clock_skew(self) -> Skew | None:
        """How far the provider's clock is ahead of ours, as its answers told so far."""
        return self._client.meter.skew

    @property
    def calls(self) -> int:
        """How many calls this object has made so far."""
        return self._client.calls

    @property
    def bytes_read(self) -> int:
        """How many bytes the answers had."""
        return self._client.bytes_read

    @property
    def book(self) -> OptionBook:
        """The lists whose entries lines can carry."""
        return self._book

    @property
    def writes_max(self) -> int:
        """How many writes travel in one call."""
        return ELEMENTS_MAX

    # ------------------------------------------------------------------ reading

    def company(self) -> Company:
        """Read the organisation's name, currency and lock date."""
        organisation = self._organisation
        return Company(
            remote_id=self._access.company.company_id,
            name=str(organisation.get("Name") or self._access.company.name or "the organisation"),
            currency=str(organisation.get("BaseCurrency") or "USD"),
            country=organisation.get("CountryCode") or None,
            books_closed_until=self.books_closed_until(),
        )

    def books_closed_until(self) -> str | None:
        """Read the later of the two lock dates."""
        names = ("PeriodLockDate", "EndOfYearLockDate")
        return max((found for name in names if (found := day(self._organisation, name))), default=None)

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield everything that changed since the cursor; with None, everything there is."""
        changes = Changes(
            self._client, clock=self._clock, reader=self._reader, chart=self._chart, home_currency=self._home
        )
        return changes.since(cursor)

    @property
    def census_every(self) -> timedelta:
        """A week, as between two sweeps: Xero counts calls by the day."""
        return SWEEP_EVERY

    @property
    def census_lists(self) -> Mapping[str, Collection[Entity]]:
        """The lists that a census walks, and whose records are in each."""
        return CENSUS_LISTS

    def census(self, name: str, after: str | None) -> CensusPage:
        """Read one page of one list, as light as it can be asked for."""
        return census_page(self._client, name, after, reader=self._reader, home_currency=self._home)

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Read one record as it stands now; None where Xero no longer has it."""
        return self._finder.read(entity, remote_id)

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> Sequence[RemoteRecord]:
        """Look for records that could be this one: those with our mark first, then the same number, then lookalikes."""
        return self._finder.find(entity, canonical=canonical, marker=marker)

    def as_kept(
        self, entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None
    ) -> Canonical:
        """Return what was sent as Xero keeps it."""
        return as_kept(entity, sent, shown=shown.canonical, before=before)

    def trial_balance(self, *, until: date | None = None) -> Sequence[LedgerBalance]:
        """Return Xero's own trial balance as of today, or as of a later day."""
        today = (self._clock.now() + FURTHEST_ZONE).date()
        latest = max(today, until or today)
        return trial_balance(
            self._client.read("Reports/TrialBalance", {"date": latest.isoformat()}, label="the trial balance")
        )

    def bank_report(self) -> None:
        """Read nothing: payments, batches and bank transactions say themselves whether they are reconciled."""

    def check(self, entity: Entity, canonical: Canonical) -> str | None:
        """Say in a sentence why Xero is known to refuse this record, or None; makes no call."""
        account = self._payment_account(is_call_allowed=False)
        reason = check.refusal(entity, canonical, chart=self._chart, payment_account=account)
        return f"{label_of(entity, canonical)} waits: {reason}." if reason is not None else None

    # ------------------------------------------------------------------ writing

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Send writes in lists and return one outcome each, in order.

        Xero has no optimistic lock: what is about to be changed is read and compared with the version we knew, all of
        a list in one call, right before the list is sent.
        """
        outcomes: dict[int, WriteOutcome] = {}
        prepared: dict[int, Prepared] = {}
        current = self._current(writes)
        self._chart.speak_for(
            str(write.canonical["number"])
            for write in writes
            if write.entity is Entity.ACCOUNT and write.canonical.get("number")
        )
        for place, write in enumerate(writes):
            try:
                prepared[place] = (write, self._writer.element(write, _previous(write, current)))
            except RejectedByProvider as error:
                outcomes[place] = Rejected(error)
            except VersionMoved as moved:
                outcomes[place] = Moved(moved.user_message)
        sender = Sender(self._client, confirmed=self._confirmed, failed=self._failed, present=self._present)
        outcomes |= dict(zip(prepared, sender.send(list(prepared.values())), strict=True))
        return [outcomes[place] for place in range(len(writes))]

    def _current(self, writes: Sequence[Write]) -> dict[tuple[Entity, str], RemoteRecord]:
        wanted: dict[Entity, list[str]] = {}
        for write in writes:
            if write.operation != "create" and write.remote_id is not None:
                wanted.setdefault(write.entity, []).append(write.remote_id)
        return {
            (entity, record.remote_id): record
            for entity, ids in wanted.items()
            for record in self._finder.read_many(entity, ids)
        }

    def _confirmed(self, write: Write, element: Element, row: dict[str, Any]) -> WriteOutcome:
        record = self._record(write, element, row)
        if record is None:
            return Unknown("Xero answered with another kind of record")
        if write.operation != "create":
            return Done(record)
        if write.entity in NAMES:
            is_it = record.natural_key == name_key(str(write.canonical["name"]))
        else:
            is_it = record.marker == write.marker
        if not is_it:
            return Unknown("Xero answered with another record")
        if write.entity is Entity.JOURNAL_ENTRY and len(record.canonical["lines"]) != len(
            write.canonical["lines"]
        ):
            return self._take_back(write, record)
        self._say_why_moved(write, record)
        return Done(record)

    def _say_why_moved(self, write: Write, record: RemoteRecord) -> None:
        """Note at a bill that was posted on another day than ours says why; other documents carry it in their text.

        The bill stands whatever becomes of the note, and our audit log says the same.
        """
        note = note_in(write.canonical.get("memo")) if write.entity is Entity.BILL else None
        if note is None:
            return
        path, body = f"Invoices/{record.remote_id}/History", {"HistoryRecords": [{"Details": note}]}
        try:
            self._client.send("PUT", path, body, key=f"{write.request_id}-note", params={}, label=write.label)
        except SyncError as error:
            log.warning("note_not_left", record=record.remote_id, code=error.code)

    def _record(self, write: Write, element: Element, row: dict[str, Any]) -> RemoteRecord | None:
        """Return what the answer shows as a record; money is read again, because its answer shows a part of it."""
        if write.entity is Entity.ACCOUNT:
            self._chart.remember(row)
        if write.entity not in (Entity.PAYMENT, Entity.BILL_PAYMENT, Entity.DEPOSIT):
            return self._reader.one(write.entity, row)
        if write.operation != "create":
            assert write.remote_id is not None, "a write to an existing record names it"
            gone = self.read(write.entity, write.remote_id)
            return gone if gone is not None else _deleted(write)
        if element.resource == "BatchPayments":
            return self._finder.batch_receipt(write.entity, str(row["BatchPaymentID"]))
        key = key_of(row)
        return None if key is None else receipt(key, [row], home_currency=self._home)

    def _take_back(self, write: Write, record: RemoteRecord) -> WriteOutcome:
        """Void a journal that Xero kept without one of its lines, as it does with an account it does not know."""
        voided = {"ManualJournalID": record.remote_id, "Status": "VOIDED"}
        body = {"ManualJournals": [{"Narration": record.raw["Narration"], **voided}]}
        key = f"{write.request_id}-void"
        try:
            self._client.send("POST", "ManualJournals", body, key=key, params={}, label=write.label)
        except SyncError as error:
            return Unknown(f"Xero left out a line, and it could not be voided ({error.user_message})")
        sentence = f"{write.label} was not kept: Xero left out a line whose account it does not know. Choose another account on that line, then retry."
        return Rejected(
            RejectedByProvider(
                sentence, provider=TITLE, label=write.label, provider_code="line_left_out", field="", text=""
            )
        )

    def _failed(self, write: Write, error: SyncError) -> WriteOutcome:
        """The outcome of a write that Xero answered with a refusal."""
        if isinstance(error, OutcomeUnknown):
            return Unknown(str(error.details.get("reason") or error.user_message))
        if isinstance(error, VersionMoved):
            return Moved(error.user_message)
        is_missing = error.details.get("http_status") == 404 and write.remote_id is not None
        # "Not found" can mean the record itself or its contact; only looking tells.
        if is_missing and self.read(write.entity, str(write.remote_id)) is None:
            return Moved(f"{write.label} is no longer in Xero. It is compared again by itself.")
        return Rejected(error)

    def _present(self, write: Write) -> WriteOutcome | None:
        marked = [
            one
            for one in self.find(write.entity, canonical=write.canonical, marker=write.marker)
            if one.marker == write.marker
        ]
        return Done(marked[0]) if len(marked) == 1 and write.entity not in NAMES else None

    # ------------------------------------------------------------------ parts

    @cached_property
    def _organisation(self) -> Json:
        answer = self._client.read("Organisation")
        return next(iter(answer.get("Organisations") or ()), {})

    @cached_property
    def _home(self) -> str:
        return self._access.company.currency or str(self._organisation.get("BaseCurrency") or "USD")

    @cached_property
    def _reader(self) -> Reader:
        return Reader(home_currency=self._home, chart=self._chart)

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self._client, reader=self._reader, chart=self._chart, home_currency=self._home)

    @property
    def _writer(self) -> Writer:
        wanted = self._access.company.preferences
        preferences = Preferences(
            status="DRAFT" if wanted.get("document_status") == "draft" else "AUTHORISED",
            tax="inclusive" if wanted.get("tax") == "inclusive" else "none",
            payment_account=self._payment_account(is_call_allowed=True),
        )
        return Writer(
            chart=self._chart,
            tax_rates=self._tax_rates,
            preferences=preferences,
            public_url=self._public_url,
        )

    def _payment_account(self, *, is_call_allowed: bool) -> str | None:
        """The account payments are entered on: the one chosen, or the only one there is."""
        chosen = self._access.company.preferences.get("payment_account")
        if chosen:
            return str(chosen)
        if not self._chart.is_known and not is_call_allowed:
            return None
        takers = [one.id for one in self._chart.all() if one.is_active and one.is_bank]
        return takers[0] if len(takers) == 1 else None


def _previous(write: Write, current: Mapping[tuple[Entity, str], RemoteRecord]) -> Json:
    """The raw record at exactly the version to be changed, or VersionMoved."""
    if write.operation == "create":
        return {}
    record = current.get((write.entity, write.remote_id or ""))
    if record is None or record.version != write.version:
        raise VersionMoved(provider=TITLE, label=write.label)
    return record.raw


def _deleted(write: Write) -> RemoteRecord:
    return RemoteRecord(
        entity=write.entity,
        remote_id=str(write.remote_id),
        version=None,
        state="deleted",
        canonical={},
        label=write.label,
        changed_at=None,
    )

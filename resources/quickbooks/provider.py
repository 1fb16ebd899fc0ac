"""One QuickBooks company as the sync core's Provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import httpx

from resources.gate import Gate, OpenGate
from resources.quickbooks import check
from resources.quickbooks.batch import BATCH_ITEMS_MAX, Prepared, Sender
from resources.quickbooks.book import Book, Jobs
from resources.quickbooks.catalogue import NOT_FOUND, TITLE
from resources.quickbooks.census import CENSUS_LISTS, census_page
from resources.quickbooks.changes import Changes
from resources.quickbooks.chart import Chart, rows_of
from resources.quickbooks.client import Client
from resources.quickbooks.faults import Fault, error_of
from resources.quickbooks.finding import resembles, wheres
from resources.quickbooks.items import Items
from resources.quickbooks.kept import as_kept
from resources.quickbooks.read import Reader, label_of
from resources.quickbooks.report import transactions_in, trial_balance
from resources.quickbooks.taxes import TaxCodes
from resources.quickbooks.waves import waiting_in, waves
from resources.quickbooks.words import ITEM, LISTS, NAMES
from resources.quickbooks.write import Writer
from resources.spec import Access
from sync.clock import Clock, Skew
from sync.errors import (
    AccessExpired,
    OutcomeUnknown,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
    SyncError,
    VersionMoved,
)
from sync.ports import (
    BankReport,
    CensusPage,
    ChangePage,
    Company,
    Done,
    LedgerBalance,
    Moved,
    NotSent,
    OptionBook,
    Rejected,
    Unknown,
    Write,
    WriteOutcome,
)
from sync.records import Canonical, Entity, RemoteRecord, name_key, number_key

Json = Mapping[str, Any]

DOMESTIC = ("US", "USA", None, "")
CANDIDATES_MAX = 50
BANK_LOOK_BACK = timedelta(days=400)
CENSUS_EVERY = timedelta(days=1)
CLEARED_STATES = ("Cleared", "Reconciled")
UNCLEARED = "Uncleared"


@dataclass(frozen=True, slots=True)
class _Preferences:
    home_currency: str
    is_multi_currency: bool
    books_closed_until: str | None


class QuickBooks:
    """Reads and writes one company; knows nothing of the platform's records."""

    def __init__(self, access: Access, *, http: httpx.Client, clock: Clock, gate: Gate | None = None) -> None:
        """Without a gate calls are not counted and never wait."""
        self._access = access
        self._clock = clock
        self._client = Client(access, http=http, gate=gate or OpenGate(), clock=clock)
        self._chart = Chart(self._client)
        self._items = Items(self._client, self._chart, company_id=access.company.company_id)
        self._jobs = Jobs()
        self._book = Book(self._client, items=self._items, jobs=self._jobs)

    @property
    def clock_skew(self) -> Skew | None:
        """How far the provider's clock is ahead of ours, as its answers told so far."""
        return self._client.meter.skew

    @property
    def calls(self) -> int:
        """How many calls this object has made so far."""
        return self._client.calls

    @property
    def book(self) -> OptionBook:
        """The lists whose entries lines can carry."""
        return self._book

    @property
    def writes_max(self) -> int:
        """How many writes travel in one call."""
        return BATCH_ITEMS_MAX

    # ------------------------------------------------------------------ reading

    def company(self) -> Company:
        """Read the company's name, currency and closing date."""
        realm = self._access.company.company_id
        info = self._client.read(f"companyinfo/{realm}", label="the company")["CompanyInfo"]
        return Company(
            remote_id=realm,
            name=str(info.get("CompanyName") or info.get("LegalName") or realm),
            currency=self._preferences.home_currency,
            country=info.get("Country") or None,
            books_closed_until=self._preferences.books_closed_until,
        )

    def books_closed_until(self) -> str | None:
        """Read the closing date, which is one of the company's preferences."""
        return self._preferences.books_closed_until

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield everything that changed since the cursor; with None, everything there is."""
        return self._changes.since(cursor)

    @property
    def census_every(self) -> timedelta:
        """A day: a call counts a thousand records, and QuickBooks forgets deletions after thirty."""
        return CENSUS_EVERY

    @property
    def census_lists(self) -> Mapping[str, Collection[Entity]]:
        """The lists that a census walks, and whose records are in each."""
        return CENSUS_LISTS

    def census(self, name: str, after: str | None) -> CensusPage:
        """Read ids and versions of one page of one list."""
        page = census_page(self._client, name, after)
        if name != NAMES[Entity.CUSTOMER]:
            return page
        # What stands for a job of ours is no client of the platform, and not in the mirror.
        return replace(page, rows=[one for one in page.rows if not self._jobs.is_job(one.remote_id)])

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Read one record as it stands now; None where QuickBooks no longer has it."""
        name = NAMES[entity]
        try:
            body = self._client.read(f"{name.lower()}/{remote_id}", label=f"{name} {remote_id}")
        except RejectedByProvider as error:
            if error.details.get("provider_code") == NOT_FOUND or error.details.get("http_status") == 404:
                return None
            raise
        return self._record(name, body[name])

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> Sequence[RemoteRecord]:
        """Look for records that could be this one: those with our mark first, then the same number, then lookalikes."""
        name = NAMES[entity]
        found: dict[str, RemoteRecord] = {}
        for where in wheres(entity, canonical):
            for body in chain.from_iterable(
                rows_of(self._client, name, where=where, is_list=entity in LISTS)
            ):
                record = self._record(name, body)
                if record is not None and resembles(record, entity, canonical, marker):
                    found[record.remote_id] = record
        wanted = number_key(canonical.get("number"))
        ranked = sorted(found.values(), key=lambda one: (one.marker != marker, one.natural_key != wanted))
        return ranked[:CANDIDATES_MAX]

    def as_kept(
        self, entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None
    ) -> Canonical:
        """Return what was sent as QuickBooks keeps it."""
        return as_kept(entity, sent, shown=shown, before=before)

    def trial_balance(self, *, until: date | None = None) -> Sequence[LedgerBalance]:
        """Return QuickBooks' own trial balance to the end of this year, or of the year of a later day."""
        # "Today" is another day in another zone.
        today = (self._clock.now() + timedelta(days=1)).date()
        year = max(today, until or today).year
        params = {"start_date": date(year, 1, 1).isoformat(), "end_date": date(year, 12, 31).isoformat()}
        return trial_balance(self._client.read("reports/TrialBalance", params, label="the trial balance"))

    def bank_report(self) -> BankReport:
        """Read which payments and deposits the bookkeeper has cleared; no object of QuickBooks says it."""
        first_day = self._clock.now().date() - BANK_LOOK_BACK
        params = {"start_date": first_day.isoformat(), "columns": "tx_date,txn_type"}
        found: dict[str, set[tuple[Entity, str]]] = {}
        # The column that shows the state is reported to be unreliable, so each state is asked for by itself.
        for state in (*CLEARED_STATES, UNCLEARED):
            if state == UNCLEARED and not any(found.values()):
                break
            report = self._client.read(
                "reports/TransactionList", {**params, "cleared": state}, label="the list of transactions"
            )
            found[state] = set(transactions_in(report))
        cleared = {one for state in CLEARED_STATES for one in found[state]}
        # A transaction on two bank accounts is found on each one's statement by itself, and is listed under both states.
        partly = cleared & found.get(UNCLEARED, set())
        return BankReport(first_day, sorted(cleared - partly), sorted(partly))

    def check(self, entity: Entity, canonical: Canonical) -> str | None:
        """Say in a sentence why QuickBooks is known to refuse this record, or None; makes no call."""

        def account_type(account_id: str) -> str | None:
            account = self._chart.known(account_id)
            return account.type if account is not None else None

        country = self._access.company.country
        reason = check.refusal(entity, canonical, account_type=account_type, country=country)
        return f"{label_of(entity, canonical)} waits: {reason}." if reason is not None else None

    # ------------------------------------------------------------------ writing

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Send writes in batches and return one outcome each, in order.

        Raises RateLimited, AccessExpired or ProviderUnavailable only while nothing at all was sent.
        """
        outcomes: dict[int, WriteOutcome] = {}
        for wave in waves(writes):
            outcomes |= (waiting := waiting_in(wave, outcomes))
            try:
                outcomes |= self._send({place: writes[place] for place in wave if place not in waiting})
            except (RateLimited, AccessExpired, ProviderUnavailable) as error:
                if not outcomes:
                    raise
                outcomes = {place: NotSent(error) for place in wave} | outcomes
        return [outcomes[place] for place in range(len(writes))]

    def _send(self, writes: Mapping[int, Write]) -> dict[int, WriteOutcome]:
        """Send what does not wait for each other; the outcomes by the places of the writes."""
        outcomes: dict[int, WriteOutcome] = {}
        prepared: dict[int, Prepared] = {}
        for place, write in writes.items():
            try:
                prepared[place] = (write, self._writer.request(write, self._previous(write)))
            except RejectedByProvider as error:
                outcomes[place] = Rejected(error)
            except VersionMoved as moved:
                outcomes[place] = Moved(moved.user_message)
        sender = Sender(self._client, confirmed=self._confirmed, refused=self._refused, failed=self._failed)
        return outcomes | dict(zip(prepared, sender.send(list(prepared.values())), strict=True))

    def _previous(self, write: Write) -> dict[str, Any]:
        """The raw record at exactly the version to be changed, read again where the mirror's copy is another."""
        if write.operation == "create":
            return {}
        assert write.remote_id is not None, "a write to an existing record names it"
        is_list = write.entity in LISTS
        if write.operation in ("void", "delete") and not is_list:
            return {}
        known = write.previous
        has_substance = ("DisplayName" in known or "Name" in known) if is_list else "Line" in known
        if has_substance and str(known.get("SyncToken")) == write.version:
            return dict(known)
        now = self.read(write.entity, write.remote_id)
        if now is None or now.state == "deleted" or now.version != write.version:
            raise VersionMoved(provider=TITLE, label=write.label)
        return dict(now.raw)

    def _confirmed(self, write: Write, body: dict[str, Any]) -> WriteOutcome:
        record = self._record(NAMES[write.entity], body)
        if record is None:
            return Unknown("QuickBooks answered with a record that is never posted to")
        if write.operation == "create" and not _is_it(write, record):
            return Unknown("QuickBooks answered with another record")
        return Done(record)

    def _refused(self, write: Write, fault: Fault) -> WriteOutcome:
        try:
            closed_until = self._preferences.books_closed_until
        except SyncError:
            # The date only makes the sentence better; other writes of the same call have their answers.
            closed_until = None
        document_date = write.canonical.get("date")
        error = error_of(
            fault, label=write.label, is_write=True, date=document_date, closed_until=closed_until
        )
        return self._failed(write, error)

    def _failed(self, write: Write, error: SyncError) -> WriteOutcome:
        """The outcome of a write that QuickBooks answered with a fault."""
        if isinstance(error, AccessExpired):
            self._access.report(error)
        if isinstance(error, VersionMoved):
            return Moved(error.user_message)
        if isinstance(error, OutcomeUnknown):
            return Unknown(str(error.details.get("reason") or error.user_message))
        if _compact(error.details.get("existing_type")) not in ("", _compact(NAMES[write.entity])):
            # Another kind of document has the number: nothing that could be this one.
            error.details.pop("existing_remote_id", None)
        is_missing = error.details.get("provider_code") == NOT_FOUND and write.remote_id is not None
        # "Something is gone" can mean the record itself or what it refers to; only looking tells.
        if is_missing and self._is_gone(write):
            return Moved(f"{write.label} is no longer in QuickBooks. It is compared again by itself.")
        return Rejected(error)

    def _is_gone(self, write: Write) -> bool:
        try:
            return self.read(write.entity, str(write.remote_id)) is None
        except SyncError:
            # Other writes of the same call have their answers: trouble with this question must not lose them.
            return False

    # ------------------------------------------------------------------ parts

    def _record(self, name: str, body: Json) -> RemoteRecord | None:
        if name == NAMES[Entity.ACCOUNT]:
            self._chart.remember(body)
        elif name == NAMES[ITEM]:
            self._items.remember(body)
        if name == NAMES[Entity.CUSTOMER] and self._jobs.is_job(str(body["Id"])):
            # It stands for a job, and no client of the platform is meant.
            return None
        return self._reader.record(name, body)

    def _is_whole(self, name: str) -> None:
        if name == NAMES[Entity.ACCOUNT]:
            self._chart.is_whole()
        elif name == NAMES[ITEM]:
            self._items.is_whole()

    @cached_property
    def _changes(self) -> Changes:
        return Changes(self._client, clock=self._clock, record=self._record, on_whole=self._is_whole)

    @cached_property
    def _reader(self) -> Reader:
        home = self._access.company.currency or self._preferences.home_currency
        return Reader(
            home_currency=home, account_of_item=self._items.account_of, client_of=self._jobs.client_of
        )

    @cached_property
    def _writer(self) -> Writer:
        return Writer(
            chart=self._chart,
            items=self._items,
            reader=self._reader,
            tax_codes=TaxCodes(self._client),
            is_multi_currency=self._preferences.is_multi_currency,
            is_domestic=self._access.company.country in DOMESTIC,
        )

    @cached_property
    def _preferences(self) -> _Preferences:
        body = self._client.read("preferences", label="the company's preferences")["Preferences"]
        currency = body.get("CurrencyPrefs") or {}
        return _Preferences(
            home_currency=str((currency.get("HomeCurrency") or {}).get("value") or "USD"),
            is_multi_currency=bool(currency.get("MultiCurrencyEnabled")),
            books_closed_until=(body.get("AccountingInfoPrefs") or {}).get("BookCloseDate") or None,
        )


def _is_it(write: Write, record: RemoteRecord) -> bool:
    """Whether a confirmed record is the one that was sent: by our mark, or by its name where it carries none."""
    if write.entity in LISTS:
        return record.natural_key == name_key(str(write.canonical["name"]))
    return record.marker == write.marker


def _compact(text: object) -> str:
    return str(text or "").replace(" ", "").casefold()

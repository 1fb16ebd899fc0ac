"""What the use cases need from the outside world, as protocols. `resources/` implements them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, Protocol

from sync.clock import Skew
from sync.dimensions import Option, Place
from sync.errors import SyncError
from sync.records import Canonical, Entity, RemoteRecord, TheirState

Operation = Literal["create", "update", "void", "delete", "activate"]


@dataclass(frozen=True, slots=True)
class Write:
    """One write to a provider, everything resolved: `canonical` is in the provider's dialect (`sync.records`).

    `remote_id` and `version` are set for every operation but `create`; `previous` is the mirror's raw record of the
    document to be changed. `marker` is put where it can be found again; `request_id` makes a replay harmless.

    No call that carries it is begun after `begin_by`, by the engine's clock: how long the provider may be working on it
    is counted from the moment it was staged.
    """

    entity: Entity
    operation: Operation
    canonical: Canonical
    request_id: str
    marker: str
    label: str
    remote_id: str | None = None
    version: str | None = None
    previous: dict[str, Any] = field(default_factory=dict)
    begin_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The provider confirmed the write and answered with the record as it now stands."""

    record: RemoteRecord


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider did not execute the write and said why. The error's remedy decides what happens next."""

    error: SyncError


@dataclass(frozen=True, slots=True)
class Moved:
    """The provider's record is no longer at the version we knew; nothing was written."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No confirmation: the write may or may not have happened."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The write did not leave, or was turned away unseen, for a reason that is the connection's and not the record's."""

    error: SyncError


WriteOutcome = Done | Rejected | Moved | Unknown | NotSent


def begin_by(writes: Iterable[Write]) -> datetime | None:
    """Return until when a call that carries all of these may be begun; None where none of them minds."""
    return min((one.begin_by for one in writes if one.begin_by is not None), default=None)


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of provider records. `cursor` is set on the last page only: where the next look begins."""

    records: Sequence[RemoteRecord]
    cursor: str | None
    # The feed did not reach back far enough or told too little: something, a deletion perhaps, may be missing.
    may_miss: bool = False


@dataclass(frozen=True, slots=True)
class Headcount:
    """One record of a census: that it is there, and whatever its list says cheaply; None is not said."""

    entity: Entity
    remote_id: str
    version: str | None = None
    state: TheirState | None = None
    total: Decimal | None = None
    balance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CensusPage:
    """One page of a list; `after` is the provider's place for the next one, None on the last."""

    rows: Sequence[Headcount]
    after: str | None


@dataclass(frozen=True, slots=True)
class Company:
    """The company file behind a connection."""

    remote_id: str
    name: str
    currency: str
    country: str | None = None
    books_closed_until: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """One row of the provider's trial balance: debit minus credit, in the home currency."""

    account_id: str | None
    account_name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BankReport:
    """What a ledger's report says is on the bank statement: every match dated `first_day` or later."""

    first_day: date
    matched: Sequence[tuple[Entity, str]]
    # What has a line on a statement and another that is on none yet.
    partly: Sequence[tuple[Entity, str]] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list of the ledger that lines can carry: a class, a location, a job, an item, an option."""

    remote_id: str
    name: str
    is_active: bool = True
    parent_id: str | None = None
    version: str | None = None
    # An item's accounts by side, "income" and "expense".
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the ledger as it stands; `problem` says in a sentence why it cannot be used at all."""

    options: Sequence[Listed] = ()
    # Where a list is one of several of its kind (a tracking category): its id, None while there is none of that name.
    list_id: str | None = None
    # How many entries may be active at once.
    options_max: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class NewOption:
    """An entry about to be made."""

    name: str
    list_id: str | None = None
    parent_id: str | None = None
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptionChange:
    """What shall be another about an entry; None leaves it."""

    name: str | None = None
    is_active: bool | None = None
    parent_id: str | None = None
    accounts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing shall be another."""
        return not self.accounts and (self.name, self.is_active, self.parent_id) == (None, None, None)


class OptionBook(Protocol):
    """The lists of one company whose entries lines can carry.

    Every method may raise AccessExpired, RateLimited or ProviderUnavailable; the writes also RejectedByProvider (the
    ledger said no) and OutcomeUnknown.
    """

    def listing(self, place: Place) -> Listing:
        """Read a list with its inactive entries."""
        ...

    def open_list(self, place: Place, *, request_id: str) -> Listing:
        """Make a list that is not there yet (a tracking category)."""
        ...

    def create(self, place: Place, new: NewOption, *, request_id: str) -> Listed:
        """Make an entry."""
        ...

    def change(
        self, place: Place, present: Listed, change: OptionChange, *, list_id: str | None, request_id: str
    ) -> Listed:
        """Rename, archive, restore or move an entry."""
        ...

    def know(self, options: Iterable[Option]) -> None:
        """Hear which entries are ours, so that a document that carries one is read as what it stands for."""
        ...


class Provider(Protocol):
    """One authorised company of one accounting system; speaks canonical records in the provider's dialect.

    Reads may be retried inside. Writes are sent at most once per call and never retried blindly. Every method may
    raise AccessExpired, RateLimited or ProviderUnavailable.
    """

    @property
    def clock_skew(self) -> Skew | None:
        """How far the provider's clock is ahead of ours; None while no answer has told the time."""
        ...

    @property
    def calls(self) -> int:
        """How many calls this object has made so far, token calls not counted."""
        ...

    @property
    def book(self) -> OptionBook | None:
        """The lists whose entries lines can carry; None where the provider has none."""
        ...

    @property
    def writes_max(self) -> int:
        """How many writes travel in one call; the engine settles each such batch before it sends the next."""
        ...

    def company(self) -> Company:
        """Read the company's name, currency and closing date."""
        ...

    def books_closed_until(self) -> str | None:
        """Read the closing date alone, in as few calls as there are; None where the books are open."""
        ...

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield everything that changed since the cursor, deletes included; with None, everything there is.

        Without a cursor every entity and every list that pushing needs is read in pages that stay stable under
        concurrent change. The cursor handed out overlaps, so that nothing committed meanwhile is missed.
        """
        ...

    @property
    def census_every(self) -> timedelta:
        """How much time may pass between two counts of everything there is."""
        ...

    @property
    def census_lists(self) -> Mapping[str, Collection[Entity]]:
        """The lists that a census walks, in order, and of which entities each has records; together they have every one."""
        ...

    def census(self, name: str, after: str | None) -> CensusPage:
        """Read one page of one list, with as little of each record as tells whether it changed: about one call."""
        ...

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Read one record as it stands now; None where the provider no longer has it."""
        ...

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> Sequence[RemoteRecord]:
        """Look in the ledger for records that could be this one: by marker, number, name, date and amount."""
        ...

    def as_kept(
        self, entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None
    ) -> Canonical:
        """Return what was sent as the provider keeps it by itself; makes no call.

        What it has no field for is gone and what it fills in is there, and nothing that somebody has edited since.
        `shown` is the record as it stands now, `before` what it said before the change; None for a create.
        """
        ...

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Send writes (in batches where the provider has them) and return one outcome each, in order."""
        ...

    def trial_balance(self, *, until: date | None = None) -> Sequence[LedgerBalance]:
        """Return the provider's own trial balance as of today, or as of a day that is still to come."""
        ...

    def bank_report(self) -> BankReport | None:
        """Read what is on the bank statement; None where each record says it about itself (`raw["reconciliation"]`)."""
        ...

    def check(self, entity: Entity, canonical: Canonical) -> str | None:
        """Say in words why the provider is known to refuse this record, or None; makes no call."""
        ...

"""A ledger that lives in memory and speaks canonical records: what the engine sees of any provider.

It keeps versions like QuickBooks does (a stale version is refused, a payment moves the invoice's version), remembers
request ids, and can be told to lose an answer before or after it did the work.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.clock import Clock
from sync.errors import NotBegun, ProviderUnavailable, RejectedByProvider, SyncError
from sync.ports import (
    CensusPage,
    ChangePage,
    Company,
    Done,
    Headcount,
    LedgerBalance,
    Moved,
    NotSent,
    Rejected,
    Unknown,
    Write,
    WriteOutcome,
)
from sync.records import Canonical, Entity, RemoteRecord, TheirState, name_key, number_key

NAMES = (Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR)


@dataclass
class Kept:
    """One record as the ledger keeps it."""

    entity: Entity
    remote_id: str
    version: int
    state: TheirState
    canonical: Canonical
    changed_at: datetime
    marker: str | None = None
    changed_number: int = 0
    merged_into: str | None = None


@dataclass
class FakeLedger:
    """The books; `provider()` gives what the engine talks to."""

    clock: Clock
    kept: dict[tuple[Entity, str], Kept] = field(default_factory=dict)
    replies: dict[str, WriteOutcome] = field(default_factory=dict)
    # Ids that it refuses to read.
    unreadable: set[str] = field(default_factory=set)
    lose_before: set[str] = field(default_factory=set)
    lose_after: set[str] = field(default_factory=set)
    # Label → how many times its turn to be sent comes too late, and with what it is turned away unseen.
    turns_missed: dict[str, int] = field(default_factory=dict)
    turned_away: dict[str, SyncError] = field(default_factory=dict)
    call_size: int = 30
    down: SyncError | None = None
    writes: list[Write] = field(default_factory=list)
    calls: int = 0
    balanced_until: date | None = None
    # Whether `find` returns voided documents too, as providers do.
    shows_voided: bool = False
    census_pages: list[tuple[str, str | None]] = field(default_factory=list)
    closed_until: str | None = None
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(100))
    _changes: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # ------------------------------------------------------------------ the bookkeeper's hands

    def enter(self, entity: Entity, canonical: Canonical, *, marker: str | None = None) -> str:
        """Enter a record as a bookkeeper would and return its id."""
        remote_id = str(next(self._ids))
        self.kept[entity, remote_id] = Kept(
            entity, remote_id, 0, "active", canonical, self.clock.now(), marker, next(self._changes)
        )
        self._touch_paid(canonical)
        return remote_id

    def edit(self, entity: Entity, remote_id: str, **changes: Any) -> None:
        """Change fields of a record as a bookkeeper would."""
        kept = self.kept[entity, remote_id]
        kept.canonical = {**kept.canonical, **changes}
        self._touch(kept)

    def end(self, entity: Entity, remote_id: str, state: TheirState) -> None:
        """Void, delete or inactivate a record."""
        kept = self.kept[entity, remote_id]
        kept.state = state
        self._touch(kept)
        self._touch_paid(kept.canonical)

    def merge(self, entity: Entity, *, keep: str, lose: str, is_said: bool = False) -> None:
        """Merge one customer or vendor into another: deleted without a word (QuickBooks), or archived and told (Xero)."""
        for kept in self.kept.values():
            if kept.canonical.get("party") == lose:
                kept.canonical = {**kept.canonical, "party": keep}
                self._touch(kept)
        self.kept[entity, lose].merged_into = keep if is_said else None
        self.end(entity, lose, "inactive" if is_said else "deleted")

    def all(self, entity: Entity) -> list[Kept]:
        """Every valid record of an entity."""
        return [kept for kept in self.kept.values() if kept.entity is entity and kept.state == "active"]

    def only(self, entity: Entity) -> Kept:
        """The one valid record of an entity."""
        (kept,) = self.all(entity)
        return kept

    def _touch_paid(self, canonical: Canonical) -> None:
        """Move the version of what a payment pays, as QuickBooks does."""
        for item in canonical.get("applications") or ():
            for document in (Entity.INVOICE, Entity.BILL):
                paid = self.kept.get((document, str(item.get(document.value))))
                if paid is not None:
                    self._touch(paid)

    def _touch(self, kept: Kept) -> None:
        kept.version += 1
        kept.changed_at = self.clock.now()
        kept.changed_number = next(self._changes)

    # ------------------------------------------------------------------ sync.ports.Provider

    def company(self) -> Company:
        """Name the company."""
        return Company("1", "Fake Books", "USD", books_closed_until=self.closed_until)

    def books_closed_until(self) -> str | None:
        """Say until when the books are closed; None while they are open."""
        return self.closed_until

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield what changed since the cursor in pages of fifty."""
        self._call()
        since = int(cursor or 0)
        changed = sorted(
            (kept for kept in self.kept.values() if kept.changed_number > since),
            key=lambda kept: kept.changed_number,
        )
        last = max([since, *(kept.changed_number for kept in changed)])
        pages = [changed[i : i + 50] for i in range(0, len(changed), 50)] or [[]]
        for number, page in enumerate(pages, start=1):
            yield ChangePage(
                [self._shown(kept) for kept in page], str(last) if number == len(pages) else None
            )

    @property
    def census_every(self) -> timedelta:
        """A day."""
        return timedelta(days=1)

    @property
    def census_lists(self) -> Mapping[str, Collection[Entity]]:
        """A list per entity."""
        return {entity.value: (entity,) for entity in Entity}

    def census(self, name: str, after: str | None) -> CensusPage:
        """Count a list in pages of two, so that a few records are several pages."""
        self._call()
        self.census_pages.append((name, after))
        here = [kept for kept in self.kept.values() if kept.entity == name and kept.state != "deleted"]
        start = int(after or 0)
        rows = [
            Headcount(kept.entity, kept.remote_id, version=str(kept.version))
            for kept in here[start : start + 2]
        ]
        return CensusPage(rows, str(start + 2) if start + 2 < len(here) else None)

    def forget_feed(self) -> None:
        """Tell of none of the changes so far, as a feed that looks back too short."""
        for kept in self.kept.values():
            kept.changed_number = 0

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Read one record."""
        self._call()
        if remote_id in self.unreadable:
            raise RejectedByProvider(
                sentence="QueryParseException", label=remote_id, provider="Fake", text=""
            )
        kept = self.kept.get((entity, remote_id))
        return None if kept is None or kept.state == "deleted" else self._shown(kept)

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> Sequence[RemoteRecord]:
        """Find records by marker, name, or number."""
        self._call()
        states = ("active", "void") if self.shows_voided else ("active",)
        return [
            self._shown(kept)
            for kept in self.kept.values()
            if kept.entity is entity and kept.state in states
            if kept.marker == marker or _alike(kept, canonical)
        ]

    def as_kept(
        self, entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None
    ) -> Canonical:
        """Keep everything, and fill in nothing."""
        return dict(sent)

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Do writes one after another, losing the answers it was told to lose."""
        self._call()
        return [self._one(write) for write in writes]

    @property
    def book(self) -> None:
        """Keep no lists that lines could carry."""

    @property
    def writes_max(self) -> int:
        """How many writes travel in one call."""
        return self.call_size

    @property
    def clock_skew(self) -> None:
        """Live by the same clock as the platform."""

    def bank_report(self) -> None:
        """Say nothing of the bank."""

    def trial_balance(self, *, until: date | None = None) -> Sequence[LedgerBalance]:
        """Return the two control accounts made of the documents it keeps."""
        self._call()
        self.balanced_until = until
        invoices = sum((Decimal(k.canonical["total"]) for k in self.all(Entity.INVOICE)), Decimal(0))
        received = sum((Decimal(k.canonical["amount"]) for k in self.all(Entity.PAYMENT)), Decimal(0))
        bills = sum((Decimal(k.canonical["total"]) for k in self.all(Entity.BILL)), Decimal(0))
        paid = sum((Decimal(k.canonical["amount"]) for k in self.all(Entity.BILL_PAYMENT)), Decimal(0))
        rest = -(invoices - received) + (bills - paid)
        accounts = {kept.canonical["type"]: kept.remote_id for kept in self.all(Entity.ACCOUNT)}
        return [
            LedgerBalance(accounts.get("accounts_receivable"), "Accounts receivable", invoices - received),
            LedgerBalance(accounts.get("accounts_payable"), "Accounts payable", -(bills - paid)),
            LedgerBalance(None, "Everything else", rest),
        ]

    def check(self, entity: Entity, canonical: Canonical) -> str | None:
        """Refuse names with a colon, as QuickBooks does."""
        if entity in NAMES and ":" in canonical["name"]:
            return f"{canonical['name']} has a colon, which the ledger does not take; rename it."
        return None

    # ------------------------------------------------------------------ inside

    def _call(self) -> None:
        self.calls += 1
        if self.down is not None:
            raise self.down

    def _one(self, write: Write) -> WriteOutcome:
        if self.turns_missed.get(write.label):
            self.turns_missed[write.label] -= 1
            return NotSent(NotBegun(provider="QuickBooks", reason="its turn came too late"))
        if write.label in self.turned_away:
            return NotSent(self.turned_away.pop(write.label))
        if write.request_id in self.replies:
            return self.replies[write.request_id]
        self.writes.append(write)
        if write.label in self.lose_before:
            self.lose_before.discard(write.label)
            return Unknown("the connection was cut")
        outcome = self._execute(write)
        if isinstance(outcome, Done):
            self.replies[write.request_id] = outcome
        if write.label in self.lose_after:
            self.lose_after.discard(write.label)
            return Unknown("no answer in time")
        return outcome

    def _execute(self, write: Write) -> WriteOutcome:
        if write.operation == "create":
            taken = [kept for kept in self.all(write.entity) if _alike(kept, write.canonical)]
            if taken:
                sentence = f"{write.label} is already in the ledger under another record."
                return Rejected(
                    RejectedByProvider(
                        sentence=sentence,
                        label=write.label,
                        is_taken=True,
                        existing_remote_id=taken[0].remote_id,
                    )
                )
            remote_id = self.enter(write.entity, _with_line_ids(write.canonical), marker=write.marker)
            return Done(self._shown(self.kept[write.entity, remote_id]))
        kept = self.kept.get((write.entity, write.remote_id or ""))
        if kept is None or kept.state == "deleted":
            return Moved("it is gone")
        if str(kept.version) != write.version:
            return Moved("somebody else changed it")
        if write.operation == "void":
            kept.state = "inactive" if write.entity in NAMES else "void"
        else:
            kept.canonical, kept.state, kept.marker = _with_line_ids(write.canonical), "active", write.marker
        self._touch(kept)
        return Done(self._shown(kept))

    def _shown(self, kept: Kept) -> RemoteRecord:
        c = kept.canonical
        money = c.get("total") or c.get("amount")
        return RemoteRecord(
            entity=kept.entity,
            remote_id=kept.remote_id,
            version=str(kept.version),
            state=kept.state,
            canonical=c,
            label=str(c.get("name") or f"{kept.entity.value} {c.get('number') or kept.remote_id}"),
            changed_at=kept.changed_at,
            natural_key=name_key(c["name"]) if "name" in c else number_key(c.get("number")),
            document_date=date.fromisoformat(c["date"]) if c.get("date") else None,
            total=Decimal(money) if money else None,
            balance=self._balance(kept),
            currency=c.get("currency"),
            marker=kept.marker,
            merged_into=kept.merged_into,
        )

    def _balance(self, kept: Kept) -> Decimal | None:
        if kept.entity not in (Entity.INVOICE, Entity.BILL):
            return None
        key, receipt = (
            ("invoice", Entity.PAYMENT) if kept.entity is Entity.INVOICE else ("bill", Entity.BILL_PAYMENT)
        )
        paid = sum(
            (
                Decimal(item["amount"])
                for payment in self.all(receipt)
                for item in payment.canonical["applications"]
                if item[key] == kept.remote_id
            ),
            Decimal(0),
        )
        return Decimal(kept.canonical["total"]) - paid


def _alike(kept: Kept, canonical: Canonical) -> bool:
    if "name" in canonical:
        return name_key(kept.canonical["name"]) == name_key(canonical["name"])
    number = number_key(canonical.get("number"))
    same_party = kept.canonical.get("party") == canonical.get("party")
    return number is not None and number == number_key(kept.canonical.get("number")) and same_party


def _with_line_ids(canonical: Canonical) -> Canonical:
    if "lines" not in canonical:
        return canonical
    lines = [{**line, "id": line.get("id") or str(n)} for n, line in enumerate(canonical["lines"], start=1)]
    return {**canonical, "lines": lines}


def outage() -> ProviderUnavailable:
    """The error of a provider that does not answer."""
    return ProviderUnavailable(provider="Fake Books", reason="no answer")

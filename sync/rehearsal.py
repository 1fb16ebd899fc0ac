"""A rehearsal: the same sync, against a ledger that only pretends to take what it is sent.

`Rehearsed` stands in front of a real provider: what was read before is handed out again, a write is answered as if the
ledger had taken it as it is, and nothing is called. What the engine then reports is turned into a diff that a
bookkeeper reads: which record, in whose book, which fields from what to what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Literal

from sync import fields
from sync.clock import Skew
from sync.dimensions import Option, Place
from sync.outgoing import APPLIED_TO, PARTY, Reference, references
from sync.ports import (
    BankReport,
    CensusPage,
    ChangePage,
    Company,
    Done,
    LedgerBalance,
    Listed,
    Listing,
    NewOption,
    OptionBook,
    OptionChange,
    Provider,
    Write,
    WriteOutcome,
)
from sync.records import Canonical, Entity, RemoteRecord, TheirState, name_key, number_key
from sync.stored import Audit, Outcome

ForeseenOutcome = Literal["created", "changed", "voided", "linked", "held", "conflict", "failed"]
FORESEEN: tuple[ForeseenOutcome, ...] = (
    "created",
    "changed",
    "voided",
    "linked",
    "held",
    "conflict",
    "failed",
)
Book = Literal["ledger", "platform"]
NAMES = frozenset({Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR})
# Ids that the ledger would give; they live as long as the rehearsal and are never shown.
MADE_UP = "rehearsal:"

# What the engine says it did → what a rehearsal says would happen, and in whose book.
_ACTIONS: Mapping[str, tuple[ForeseenOutcome, Book | None]] = {
    "created": ("created", "ledger"),
    "updated": ("changed", "ledger"),
    "made active": ("changed", "ledger"),
    "voided": ("voided", "ledger"),
    "deleted": ("voided", "ledger"),
    "created here": ("created", "platform"),
    "updated here": ("changed", "platform"),
    "merged": ("changed", "platform"),
    "void here": ("voided", "platform"),
    "inactive here": ("voided", "platform"),
    "linked": ("linked", None),
    "held": ("held", None),
    "conflict": ("conflict", None),
    "failed": ("failed", None),
    "unknown": ("failed", None),
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One record to which a sync would do something, or that would wait."""

    entity: Entity
    outcome: ForeseenOutcome
    label: str
    book: Book | None = None
    is_known: bool = False
    amount: Decimal | None = None
    currency: str | None = None
    link_id: str | None = None
    record_id: str | None = None
    remote_id: str | None = None
    reason: str = ""
    code: str | None = None
    remedy: str | None = None
    cause: str | None = None
    fields: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ForeseenTotal:
    """How many records of one entity, and how much money, one outcome has."""

    entity: Entity
    outcome: ForeseenOutcome
    book: Book | None
    currency: str | None
    records: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A finished rehearsal: totals, and its first records (all of them stay readable by its id)."""

    id: str
    totals: Sequence[ForeseenTotal]
    records: Sequence[Foreseen]
    records_read: int
    provider_calls: int


@dataclass(frozen=True, slots=True)
class PretendingBook:
    """Lists that take every option, so that the documents that wait for one are seen in the diff. It calls nobody."""

    real: OptionBook | None
    ids: Iterator[int]

    def listing(self, place: Place) -> Listing:
        """Return an empty list: what is in the ledger's own is not looked at."""
        return Listing(list_id=f"{MADE_UP}{next(self.ids)}")

    def open_list(self, place: Place, *, request_id: str) -> Listing:
        """Return the same."""
        return self.listing(place)

    def create(self, place: Place, new: NewOption, *, request_id: str) -> Listed:
        """Answer as if the entry had been made."""
        return Listed(f"{MADE_UP}{next(self.ids)}", new.name, parent_id=new.parent_id, accounts=new.accounts)

    def change(
        self, place: Place, present: Listed, change: OptionChange, *, list_id: str | None, request_id: str
    ) -> Listed:
        """Answer as if the entry had been changed."""
        return replace(present, name=change.name or present.name)

    def know(self, options: Iterable[Option]) -> None:
        """Hear which entries are ours."""
        if self.real is not None:
            self.real.know(options)


@dataclass(slots=True)
class Rehearsed:
    """A provider that hands out what was read before, and pretends to take every write. It never calls anybody."""

    provider: Provider
    pages: Sequence[ChangePage]
    facts: Company
    now: datetime
    written: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def clock_skew(self) -> Skew | None:
        """How far the provider's clock is ahead of ours."""
        return self.provider.clock_skew

    @property
    def calls(self) -> int:
        """How many calls the real provider has made."""
        return self.provider.calls

    @property
    def book(self) -> PretendingBook:
        """Lists in which every option can be made."""
        return PretendingBook(self.provider.book, self._ids)

    @property
    def writes_max(self) -> int:
        """How many writes travel in one call."""
        return self.provider.writes_max

    def company(self) -> Company:
        """Return the company as it was read before."""
        return self.facts

    def books_closed_until(self) -> str | None:
        """Return the closing date as it was read before."""
        return self.facts.books_closed_until

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield what was read before."""
        yield from self.pages

    @property
    def census_every(self) -> timedelta:
        """As the provider's; a rehearsal counts nothing."""
        return self.provider.census_every

    @property
    def census_lists(self) -> Mapping[str, Collection[Entity]]:
        """As the provider's."""
        return self.provider.census_lists

    def census(self, name: str, after: str | None) -> CensusPage:
        """Read as from the provider."""
        return self.provider.census(name, after)

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        """Return nothing: a rehearsal settles no write of which nobody knows the outcome."""
        return None

    def find(self, entity: Entity, *, canonical: Canonical, marker: str) -> Sequence[RemoteRecord]:
        """Return nothing, for the same reason."""
        return ()

    def as_kept(
        self, entity: Entity, sent: Canonical, *, shown: RemoteRecord, before: Canonical | None
    ) -> Canonical:
        """As the provider."""
        return self.provider.as_kept(entity, sent, shown=shown, before=before)

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        """Answer every write as if the ledger had taken it as it is."""
        self.written += len(writes)
        return [Done(self._as_written(write)) for write in writes]

    def trial_balance(self, *, until: date | None = None) -> Sequence[LedgerBalance]:
        """Return nothing: a rehearsal proves nothing."""
        return ()

    def bank_report(self) -> BankReport | None:
        """Return nothing: a rehearsal does not read the bank."""
        return None

    def check(self, entity: Entity, canonical: Canonical) -> str | None:
        """Say why the provider is known to refuse this record; makes no call."""
        return self.provider.check(entity, canonical)

    def _as_written(self, write: Write) -> RemoteRecord:
        canonical = dict(write.canonical)
        if "lines" in canonical:
            canonical["lines"] = [
                {**line, "id": line.get("id") or f"{MADE_UP}{next(self._ids)}"} for line in canonical["lines"]
            ]
        money = fields.money_of(canonical)
        on = canonical.get("date")
        return RemoteRecord(
            entity=write.entity,
            remote_id=write.remote_id or f"{MADE_UP}{next(self._ids)}",
            version=MADE_UP,
            state=_state_after(write),
            canonical=canonical,
            label=write.label,
            changed_at=self.now,
            natural_key=name_key(canonical["name"])
            if canonical.get("name")
            else number_key(canonical.get("number")),
            document_date=date.fromisoformat(on) if on else None,
            total=money,
            balance=money if write.entity in (Entity.INVOICE, Entity.BILL) else None,
            currency=canonical.get("currency"),
            marker=write.marker,
        )


def _state_after(write: Write) -> TheirState:
    if write.operation not in ("void", "delete"):
        return "active"
    return "inactive" if write.entity in NAMES else "void"


# ---------------------------------------------------------------- the diff


def foreseen(
    outcomes: Iterable[Outcome],
    audits: Iterable[Audit],
    *,
    ours: Mapping[Reference, str],
    theirs: Mapping[Reference, str],
    codes: Mapping[str, str],
) -> list[Foreseen]:
    """Turn what the engine reported into records of a diff; a record that was stuck and then got through is through."""
    kept: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        place = "through" if outcome.status == "synced" else "stuck"
        key = f"{place} {outcome.action}" if place == "through" else place
        kept.pop((outcome.link.id, "stuck"), None)
        kept[outcome.link.id, key] = outcome
    written = {(audit.link.id, audit.action.partition(".")[0]): audit for audit in audits}
    found = []
    for outcome in kept.values():
        audit = written.get((outcome.link.id, "push" if outcome.direction == "push" else "sync"))
        names = theirs if outcome.direction == "push" else ours
        changes: list[dict[str, Any]] = []
        if outcome.status == "synced" and audit is not None and outcome.action != "linked":
            changes = field_changes(outcome.link.entity, audit, names=names, codes=codes)
        elif outcome.status == "conflict":
            changes = [dict(each) for each in (outcome.conflict_data or {}).get("fields", [])]
        found.append(_foreseen(outcome, audit, changes))
    return found


def _foreseen(outcome: Outcome, audit: Audit | None, changes: Sequence[Mapping[str, Any]]) -> Foreseen:
    link = outcome.link
    what, book = _ACTIONS[outcome.action]
    said = outcome.message or str(outcome.details.get("reason") or (audit.reason if audit else ""))
    remote_id = link.remote_id
    return Foreseen(
        entity=link.entity,
        outcome=what,
        book=book,
        label=link.label,
        amount=link.total,
        currency=link.currency,
        link_id=link.id,
        record_id=link.record_id if link.ours is not None else None,
        remote_id=None if remote_id is None or remote_id.startswith(MADE_UP) else remote_id,
        reason=said,
        code=outcome.code,
        remedy=outcome.remedy,
        cause=outcome.cause,
        fields=changes,
    )


def named_in(entity: Entity, canonical: Canonical | None) -> Iterator[Reference]:
    """Yield every record that a canonical record names, the accounts of document lines included."""
    if not canonical:
        return
    yield from references(entity, canonical)
    if entity in (Entity.INVOICE, Entity.BILL, Entity.JOURNAL_ENTRY):
        for line in canonical.get("lines") or []:
            if line.get("account"):
                yield Entity.ACCOUNT, line["account"]


def field_changes(
    entity: Entity, audit: Audit, *, names: Mapping[Reference, str], codes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """List the fields of one written record that change: from what, to what, with names instead of ids."""
    before: Canonical = (audit.before or {}).get("canonical") or {}
    after: Canonical = (audit.after or {}).get("canonical") or {}
    left = readable(entity, before, names=names, codes=codes)
    right = readable(entity, after, names=names, codes=codes)
    changed = [
        {"field": name, "before": left.get(name), "after": right.get(name)}
        for name in fields.COMPARED[entity]
        if left.get(name) != right.get(name) and after
    ]
    states = ((audit.before or {}).get("state"), (audit.after or {}).get("state"))
    if states[0] is not None and states[0] != states[1]:
        changed.append({"field": "state", "before": states[0], "after": states[1]})
    return changed


def readable(
    entity: Entity, canonical: Canonical, *, names: Mapping[Reference, str], codes: Mapping[str, str]
) -> Canonical:
    """Return a canonical record with names in the place of ids, and without what only machines need."""

    def named(kind: Entity, identifier: str | None) -> str | None:
        return names.get((kind, identifier), identifier) if identifier else None

    shown: Canonical = {k: (v or None) if isinstance(v, str) else v for k, v in canonical.items()}
    if entity in PARTY:
        shown["party"] = named(PARTY[entity], canonical.get("party"))
    if entity in APPLIED_TO and canonical.get("applications"):
        key, target = APPLIED_TO[entity]
        shown["applications"] = [
            {key: named(target, item[key]), "amount": item["amount"]} for item in canonical["applications"]
        ]
    if entity is Entity.DEPOSIT:
        shown["account"] = named(Entity.ACCOUNT, canonical.get("account"))
    if canonical.get("lines"):
        shown["lines"] = [_readable_line(line, named, codes) for line in canonical["lines"]]
    return shown


def _readable_line(line: Mapping[str, Any], named: Any, codes: Mapping[str, str]) -> dict[str, Any]:
    shown = {k: v for k, v in line.items() if k not in ("id", "key", "party_kind") and v not in (None, "")}
    kinds = {
        "account": Entity.ACCOUNT,
        "client": Entity.CUSTOMER,
        "vendor": Entity.VENDOR,
        "payment": Entity.PAYMENT,
    }
    if line.get("party_kind"):
        kinds["party"] = Entity(line["party_kind"])
    for name, kind in kinds.items():
        if shown.get(name):
            shown[name] = named(kind, shown[name])
    if shown.get("code"):
        shown["code"] = codes.get(shown["code"], shown["code"])
    return shown

"""A general ledger in double entry: every document's postings sum to zero, every balance is a sum of postings.

Amounts are signed Decimals, debit positive. A document has one entry; posting it again replaces the entry, which
is how an edit works, and unposting removes it. The provider decides what a document posts; this file only keeps
the books and refuses what does not balance (that is a bug of the emulator, never of the caller).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

ZERO = Decimal(0)
K = TypeVar("K", bound=Hashable)


class LedgerBugError(AssertionError):
    """The emulator tried to break the books."""


class Posting(NamedTuple):
    """One amount on one account; debit positive, credit negative."""

    account: str
    amount: Decimal
    party: str | None = None
    memo: str = ""


class Entry(NamedTuple):
    """What one document posts on its date."""

    document: str
    on: date
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Result of adding up the whole ledger again."""

    entries: int
    debits: Decimal
    credits: Decimal
    problems: tuple[str, ...]

    @property
    def is_balanced(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


class Ledger:
    """The books of one company."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty the books."""
        self._entries: dict[str, Entry] = {}
        self._by_account: dict[str, dict[str, None]] = {}
        self._accounts: dict[str, Decimal] = {}
        self._parties: dict[str, dict[str, Decimal]] = {}
        # Whole months are summed as they are posted, so that a report over years need not read every entry.
        self._months: dict[int, dict[str, Decimal]] = {}
        self._by_month: dict[int, dict[str, None]] = {}

    def post(self, document: str, *, on: date, postings: Iterable[Posting]) -> None:
        """Enter a document, replacing what it posted before."""
        kept = tuple(posting for posting in postings if posting.amount)
        total = sum((posting.amount for posting in kept), ZERO)
        if total:
            raise LedgerBugError(f"{document} does not balance: its postings sum to {total}")
        self.unpost(document)
        if not kept:
            return
        self._entries[document] = Entry(document, on, kept)
        self._by_month.setdefault(_month(on), {})[document] = None
        for posting in kept:
            self._add(posting, posting.amount, on)
            self._by_account.setdefault(posting.account, {})[document] = None

    def unpost(self, document: str) -> None:
        """Remove a document's entry, if it has one."""
        entry = self._entries.pop(document, None)
        if entry is None:
            return
        self._by_month[_month(entry.on)].pop(document, None)
        for posting in entry.postings:
            self._add(posting, -posting.amount, entry.on)
            self._by_account[posting.account].pop(document, None)

    def entry(self, document: str) -> Entry | None:
        """Return what a document posted."""
        return self._entries.get(document)

    def balance(self, account: str, *, as_of: date | None = None) -> Decimal:
        """Return an account's balance, debit positive."""
        if as_of is None:
            return self._accounts.get(account, ZERO)
        return sum(
            (p.amount for e in self.entries(account, end=as_of) for p in e.postings if p.account == account),
            ZERO,
        )

    def party_balance(self, account: str, party: str) -> Decimal:
        """Return what one customer or supplier has on one account."""
        return self._parties.get(party, {}).get(account, ZERO)

    def party_balances(self, party: str) -> dict[str, Decimal]:
        """Return every account on which a party has a balance."""
        return {account: amount for account, amount in self._parties.get(party, {}).items() if amount}

    def entries(
        self, account: str | None = None, *, start: date | None = None, end: date | None = None
    ) -> Iterator[Entry]:
        """Yield entries, of one account when named, within inclusive dates, in order of entry."""
        documents: Iterable[str] = self._entries if account is None else self._by_account.get(account, ())
        for document in documents:
            entry = self._entries[document]
            if (start is None or entry.on >= start) and (end is None or entry.on <= end):
                yield entry

    def trial_balance(self, *, start: date | None = None, end: date | None = None) -> dict[str, Decimal]:
        """Return the sum per account within inclusive dates; the sums add up to zero."""
        if start is None and end is None:
            return {account: amount for account, amount in self._accounts.items() if amount}
        totals: dict[str, Decimal] = {}
        edges = {_month(edge) for edge in (start, end) if edge is not None}
        for month, sums in self._months.items():
            if month in edges or (start is not None and month < _month(start)):
                continue
            if end is None or month < _month(end):
                for account, amount in sums.items():
                    totals[account] = totals.get(account, ZERO) + amount
        for document in (document for month in edges for document in self._by_month.get(month, ())):
            entry = self._entries[document]
            if (start is None or entry.on >= start) and (end is None or entry.on <= end):
                for posting in entry.postings:
                    totals[posting.account] = totals.get(posting.account, ZERO) + posting.amount
        return {account: amount for account, amount in totals.items() if amount}

    def check(self) -> LedgerCheck:
        """Add everything up again and compare with the running balances."""
        problems: list[str] = []
        accounts: dict[str, Decimal] = {}
        parties: dict[tuple[str, str], Decimal] = {}
        debits = credited = ZERO
        for entry in self._entries.values():
            total = ZERO
            for posting in entry.postings:
                total += posting.amount
                accounts[posting.account] = accounts.get(posting.account, ZERO) + posting.amount
                if posting.party is not None:
                    key = (posting.account, posting.party)
                    parties[key] = parties.get(key, ZERO) + posting.amount
                if posting.amount > 0:
                    debits += posting.amount
                else:
                    credited -= posting.amount
            if total:
                problems.append(f"{entry.document} is out of balance by {total}")
        problems += _differences("account", self._accounts, accounts)
        months: dict[str, Decimal] = {}
        for account, amount in ((a, n) for sums in self._months.values() for a, n in sums.items()):
            months[account] = months.get(account, ZERO) + amount
        problems += _differences("months of account", months, accounts)
        running = {(account, who): sums[account] for who, sums in self._parties.items() for account in sums}
        problems += _differences("party", running, parties)
        if debits != credited:
            problems.append(f"debits {debits} differ from credits {credited}")
        return LedgerCheck(len(self._entries), debits, credited, tuple(problems))

    def _add(self, posting: Posting, amount: Decimal, on: date) -> None:
        month = self._months.setdefault(_month(on), {})
        month[posting.account] = month.get(posting.account, ZERO) + amount
        self._accounts[posting.account] = self._accounts.get(posting.account, ZERO) + amount
        if posting.party is not None:
            sums = self._parties.setdefault(posting.party, {})
            sums[posting.account] = sums.get(posting.account, ZERO) + amount


def _month(on: date) -> int:
    return on.year * 12 + on.month


def _differences(what: str, running: Mapping[K, Decimal], summed: Mapping[K, Decimal]) -> list[str]:
    return [
        f"{what} {key} shows {running.get(key, ZERO)} but its postings sum to {summed.get(key, ZERO)}"
        for key in running.keys() | summed.keys()
        if running.get(key, ZERO) != summed.get(key, ZERO)
    ]

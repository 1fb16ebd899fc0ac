"""A provider's books in the simulator: the bookkeeper's window, a wire for the product, and what can befall both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from resources.gate import Gate, OpenGate
from resources.spec import Access, CompanyFacts
from sync.clock import Clock
from sync.errors import AccessExpired
from sync.ports import Provider
from tests.simulation.wire import Dialect, FaultyWire, InProcess

Json = dict[str, Any]
Kind = Literal["bill", "invoice"]
Role = Literal["vendor", "customer"]
KINDS: tuple[Kind, ...] = ("bill", "invoice")
PARTY: dict[Kind, Role] = {"bill": "vendor", "invoice": "customer"}
DATE = "2040-02-20"


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice or bill as the bookkeeper sees it; `texts` are what its lines say."""

    kind: Kind
    id: str
    number: str
    party: str
    date: str
    total: Decimal
    open: Decimal
    memo: str
    texts: frozenset[str]
    is_live: bool
    has_mark: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document; a new one has no id yet, and takes its account from the last one."""

    id: str | None
    text: str
    amount: Decimal
    account: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry as the bookkeeper sees it; a line's amount is negative where it is a credit."""

    id: str
    number: str
    date: str
    memo: str
    lines: tuple[Line, ...]
    is_live: bool


@dataclass(frozen=True, slots=True)
class Money:
    """A payment of an invoice, or of a bill."""

    kind: Kind
    id: str
    document: str
    amount: Decimal
    is_live: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was changed last, by the provider's own clock, and its version where it has one."""

    entity: str
    remote_id: str
    changed_at: datetime
    version: str | None = None
    is_live: bool = True


class Books(ABC):
    """One company's books at one provider."""

    key: ClassVar[str]
    title: ClassVar[str]
    dialect: ClassVar[Dialect]
    # Without an optimistic lock, what somebody saves between our last look and our write is lost, and nobody can tell.
    has_lock: ClassVar[bool]
    # Whether a bill has a field for a memo.
    has_bill_memo: ClassVar[bool]
    company_id: str
    wire: InProcess
    # Where calls wait for their turn; without limits in most worlds, because time passes there only with the calls.
    gate: Gate = OpenGate()

    def __init__(self) -> None:
        """Begin with books in which nobody has done anything."""
        # What the bookkeeper changed in each record by hand, and which records ended so.
        self.touched: defaultdict[str, set[str]] = defaultdict(set)
        self.ended: set[str] = set()

    def _note(self, record: str, *fields: str, is_done: bool, is_end: bool = False) -> bool:
        if is_done:
            self.touched[record].update(fields)
        if is_done and is_end:
            self.ended.add(record)
        return is_done

    def _with(self, role: Role, party: str) -> list[str]:
        """Return the documents that are with somebody."""
        kinds = [kind for kind in KINDS if PARTY[kind] == role]
        return [paper.id for kind in kinds for paper in self.papers(kind) if paper.party == party]

    def _note_merge(self, lose: str, moved: list[str], *, is_done: bool) -> bool:
        for document in moved:
            self._note(document, "party", is_done=is_done)
        return self._note(lose, is_done=is_done, is_end=True)

    @abstractmethod
    def provider(self, access: Access, http: FaultyWire, clock: Clock) -> Provider:
        """The product's own way of speaking with this company."""

    @abstractmethod
    def consent(self) -> Json:
        """Go through a consent and get tokens."""

    @abstractmethod
    def refresh(self, tokens: Json) -> Json | None:
        """Get new tokens for old; None where the provider refuses."""

    @abstractmethod
    def revoke(self) -> None:
        """Withdraw the consent, as the owner can at any time."""

    @abstractmethod
    def forget(self) -> None:
        """Forget every request id and what was answered to it."""

    def remember(self) -> None:
        """Remember request ids from now on, as it should."""
        return

    @abstractmethod
    def stamps(self) -> list[Stamp]:
        """When everything there is was changed last."""

    @abstractmethod
    def accounts(self) -> dict[str, str]:
        """The ids of the accounts `income`, `cost`, `bank`, `receivable` and `payable`."""

    @abstractmethod
    def papers(self, kind: Kind) -> list[Paper]:
        """All invoices or bills, ended ones included."""

    @abstractmethod
    def money(self, kind: Kind) -> list[Money]:
        """All payments of invoices, or of bills, ended ones included where they are kept."""

    @abstractmethod
    def names(self, role: Role) -> dict[str, str]:
        """The active vendors or customers, id by name."""

    @abstractmethod
    def write_memo(self, paper: Paper, memo: str, *, keeps_mark: bool) -> bool:
        """Change what a document says; False where the provider does not allow it."""

    @abstractmethod
    def reprice(self, paper: Paper, amount: Decimal) -> bool:
        """Change the amount of the last line."""

    @abstractmethod
    def lines(self, paper: Paper) -> list[Line]:
        """The lines of a document, in their order."""

    @abstractmethod
    def due(self, paper: Paper) -> str:
        """The day on which a document is due, or "" where it does not say."""

    @abstractmethod
    def put_lines(self, paper: Paper, lines: list[Line]) -> bool:
        """Replace the lines of a document."""

    @abstractmethod
    def renumber(self, paper: Paper, number: str) -> bool:
        """Give a document another number."""

    @abstractmethod
    def redate(self, paper: Paper, due: str) -> bool:
        """Let a document be due on another day."""

    @abstractmethod
    def close_until(self, day: str | None) -> None:
        """Close the books up to a day, the day included, or open them."""

    @abstractmethod
    def everything(self) -> str:
        """All that stands in invoices, bills and names now, as the books keep it, in one text."""

    @abstractmethod
    def end(self, paper: Paper, *, how: Literal["void", "delete"]) -> bool:
        """Void a document, or delete it where that is another thing."""

    @abstractmethod
    def pay(self, paper: Paper, amount: Decimal) -> bool:
        """Enter a payment."""

    @abstractmethod
    def unpay(self, money: Money) -> bool:
        """Take a payment out of the books."""

    @abstractmethod
    def repay(self, money: Money, paper: Paper, amount: Decimal) -> bool:
        """Let a payment pay this document by this amount, and nothing else any more."""

    @abstractmethod
    def rename(self, role: Role, remote_id: str, name: str) -> bool:
        """Rename a vendor or customer."""

    @abstractmethod
    def merge(self, role: Role, *, keep: str, lose: str) -> bool:
        """Merge one vendor or customer into another."""

    @abstractmethod
    def enter_bill(self, vendor: str, number: str, amount: Decimal) -> bool:
        """Enter a bill of one's own."""

    @abstractmethod
    def change_silently(self, paper: Paper) -> bool:
        """Change something without the provider's time of change moving, where there is such a thing."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """All journal entries, ended ones included where they are kept."""

    @abstractmethod
    def write_entry_memo(self, entry: Entry, memo: str) -> bool:
        """Change what a journal entry says, and leave our mark where it is."""

    @abstractmethod
    def reprice_entry(self, entry: Entry, amount: Decimal) -> bool:
        """Change the amount of its first line, and its last line by as much."""

    @abstractmethod
    def end_entry(self, entry: Entry) -> bool:
        """Void a journal entry, or delete it where it cannot be voided."""

    @abstractmethod
    def trial_balance(self) -> dict[str, Decimal]:
        """What the ledger itself says stands on each account."""

    @abstractmethod
    def unapplied(self, kind: Kind) -> Decimal:
        """What was paid for invoices, or bills, and stands for none of them."""

    @abstractmethod
    def problems(self) -> list[str]:
        """What does not add up in the books."""


class SimAccess:
    """The product's way in: a token that is renewed when the company refuses it, until the consent itself is gone."""

    def __init__(self, books: Books, *, company: CompanyFacts, told: Callable[[str], None]) -> None:
        """Begin with fresh tokens; `told` hears when the connection is lost."""
        self._books = books
        self._company = company
        self._told = told
        self.is_lost = False
        self._tokens = books.consent()

    @property
    def company(self) -> CompanyFacts:
        """The company's facts, so that nothing is asked twice."""
        return self._company

    def token(self) -> str:
        """Return the present token."""
        if self.is_lost:
            raise AccessExpired(provider=self._books.title, reason="the consent is gone")
        found: str = self._tokens["access_token"]
        return found

    def renew(self, refused: str) -> str:
        """Refresh by the refresh token."""
        if self._tokens["access_token"] == refused:
            fresh = self._books.refresh(self._tokens)
            if fresh is None:
                error = AccessExpired(provider=self._books.title, reason="the refresh was refused")
                self.report(error)
                raise error
            self._tokens = fresh
        return self.token()

    def report(self, error: AccessExpired) -> None:
        """Keep that the connection is lost; said once."""
        if not self.is_lost:
            self.is_lost = True
            self._told(error.user_message)

    def confirm(self) -> None:
        """Nobody to tell here."""

    def reconnect(self) -> None:
        """Go through the consent again, as the builder does."""
        self._tokens = self._books.consent()
        self.is_lost = False

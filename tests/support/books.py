"""The bookkeeper's hands in two accounting systems: one set of gestures, so that one test speaks of both.

Each gesture goes over HTTP to the real sandbox with a token of the bookkeeper's own; amounts come back as Decimal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from resources.settings import Settings

Json = dict[str, Any]
DATE = "2026-05-20"


@dataclass(frozen=True)
class Seen:
    """A document as the bookkeeper sees it."""

    id: str
    number: str | None
    total: Decimal
    open: Decimal
    party: str
    memo: str
    is_valid: bool
    date: str = ""


class RunningClock:
    """The time of this machine, moved as far as a test says; the sandbox's is moved with it."""

    def __init__(self) -> None:
        """Begin at the present."""
        self.ahead = timedelta()

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC) + self.ahead


class Books(ABC):
    """One company's books, and the person who keeps them."""

    key: ClassVar[str]
    title: ClassVar[str]
    # Lists that a sync asks each time: what an idle one may cost.
    idle_calls: ClassVar[int]
    # What one call of the provider can carry.
    writes_per_call: ClassVar[int]
    has_native_lock: ClassVar[bool]

    def __init__(self, url: str, emulator: Any) -> None:
        self.url = url
        self.emulator = emulator
        self.clock = RunningClock()
        self.http = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def control(self, method: str, path: str, body: Json | None = None) -> Any:
        """Use a control route; a refusal fails the test."""
        answer = self.http.request(method, f"/_sandbox{path}", json=body if method != "GET" else None)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def fault(self, kind: str, **rule: Any) -> None:
        """Let something go wrong."""
        self.control("POST", "/faults", {"kind": kind, **rule})

    def calls(self) -> list[Any]:
        """The calls to the accounting API so far, oldest first."""
        return [entry for entry in reversed(self.emulator.log.recent(5000)) if self.is_api(entry.path)]

    def browse(self, url: str, **extra: str) -> dict[str, str]:
        """Send a browser to the consent page and return what it brings back to the callback."""
        answer = httpx.get(f"{url}&{urlencode(extra)}", follow_redirects=False)
        assert answer.status_code == httpx.codes.FOUND, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    @abstractmethod
    def is_api(self, path: str) -> bool:
        """Whether a path is the accounting API's."""

    @abstractmethod
    def settings(self, base: Settings) -> Settings:
        """Settings that point at this sandbox."""

    @abstractmethod
    def open_company(self, name: str) -> str:
        """Open a company of its own, and look at it from now on; return its id."""

    @abstractmethod
    def consent(self, url: str) -> dict[str, str]:
        """Say yes to connecting the company."""

    @abstractmethod
    def account(self, kind: str) -> str:
        """The id of an account: income, cost, bank, receivable, payable, clearing."""

    @abstractmethod
    def customer(self, name: str) -> str:
        """Enter a customer."""

    @abstractmethod
    def vendor(self, name: str) -> str:
        """Enter a vendor."""

    @abstractmethod
    def names(self, kind: str) -> list[str]:
        """The active customers or vendors."""

    @abstractmethod
    def enter(
        self, kind: str, party: str, *, number: str, amount: str, memo: str = "", account: str | None = None
    ) -> str:
        """Enter an invoice or bill; a bill on this account, or on the usual one."""

    @abstractmethod
    def documents(self, kind: str) -> list[Seen]:
        """All invoices or bills, ended ones included."""

    @abstractmethod
    def reprice(self, kind: str, remote_id: str, amount: str) -> None:
        """Change the amount of a document's only line."""

    @abstractmethod
    def end(self, kind: str, remote_id: str) -> None:
        """Void an invoice, or take a bill out of the books."""

    @abstractmethod
    def rename(self, kind: str, remote_id: str, name: str) -> None:
        """Rename a customer or vendor."""

    @abstractmethod
    def merge_vendors(self, *, keep: str, lose: str) -> None:
        """Merge one vendor into another."""

    @abstractmethod
    def pay(self, kind: str, parts: dict[str, str], *, reference: str) -> None:
        """Enter one payment for one or more invoices (or bills) of one party."""

    @abstractmethod
    def unpay(self, kind: str, reference: str) -> None:
        """Take a payment out of the books."""

    @abstractmethod
    def reconcile_part(self, reference: str) -> None:
        """Find a part of a receipt on the bank statement, and the rest not yet."""

    @abstractmethod
    def reconcile(self, reference: str) -> None:
        """Find a payment on the bank statement."""

    @abstractmethod
    def fill(self, size: int) -> None:
        """Add that many documents at once."""

    @abstractmethod
    def touch_oldest(self) -> str:
        """Change the invoice that a reader met first, and return its id."""

    @abstractmethod
    def live_refresh_calls(self) -> int:
        """How many token calls were made."""

    @abstractmethod
    def deposit(self, amount: str, *, memo: str) -> None:
        """Put money that no payment brought into the bank."""

    @abstractmethod
    def journals(self) -> list[tuple[str, Decimal]]:
        """What valid journal entries say and the sum of their debits."""

    @abstractmethod
    def enter_journal(self, number: str, amount: str) -> None:
        """Enter a journal of costs against the clearing account."""

    @abstractmethod
    def rename_account(self, account_id: str, name: str) -> None:
        """Give an account another name."""

    @abstractmethod
    def accounts(self) -> list[str]:
        """The names of the chart."""

    @abstractmethod
    def add_account(self, name: str, kind: str, *, number: str) -> str:
        """Enter an account of kind income, cost, asset or liability; return its id."""

    @abstractmethod
    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        """Make an account inactive, or active again."""

    @abstractmethod
    def annotate(self, kind: str, remote_id: str, memo: str) -> None:
        """Write something else into the memo of an invoice, or of a bill where it has one."""

    @abstractmethod
    def arrived(self) -> list[str]:
        """The numbers of all bills in the order in which they came into the books."""

    @abstractmethod
    def balances(self) -> dict[str, Decimal]:
        """What the ledger itself says stands on each account: id → debits less credits."""

    @abstractmethod
    def bill_lines(self, number: str) -> list[tuple[Decimal, str]]:
        """The amount and account id of each line of a bill."""

    @abstractmethod
    def kept(self, kind: str) -> dict[str, str]:
        """Every invoice or bill as the provider keeps it, to the byte: number → the whole document as text."""

    @abstractmethod
    def close_until(self, day: str | None) -> None:
        """Close the books up to a day, or open them."""

    def valid(self, kind: str) -> list[Seen]:
        """The documents that count."""
        return [one for one in self.documents(kind) if one.is_valid]

"""A sandbox, as a builder's bookkeeper works in it: by its window, not by the product's tokens.

One class per accounting system founds a company there, keeps its books, and says what a person would click on its
consent page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

import httpx
import simplejson

from pipelines.processes import ProcessError

Json = dict[str, Any]
Tell = Callable[[str], None]


class LedgerRefused(ProcessError):
    """The ledger did not take what the bookkeeper entered."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What the bookkeeper entered after the first sync."""

    payments: int
    bill_payments: int
    deposits: int


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a bill as it stands in the ledger."""

    number: str
    party: str
    is_unpaid: bool
    body: Json


class SandboxLedger(ABC):
    """One company of a sandbox."""

    title: ClassVar[str]

    def __init__(self, base_url: str, company: str) -> None:
        """Stand before the books of a company; `company` is its id there."""
        self.company = company
        self._client = httpx.Client(base_url=base_url, timeout=60)

    @classmethod
    @abstractmethod
    def found(cls, base_url: str, *, name: str) -> Self:
        """Found a new company with a chart of accounts and nothing else."""

    @property
    @abstractmethod
    def clicks(self) -> Mapping[str, str]:
        """What the sandbox's consent page is told instead of a person's clicks."""

    @abstractmethod
    def open_books(self, manifest: Json) -> int:
        """Enter what the bookkeeper had before anybody connected anything; return how many things were entered."""

    @abstractmethod
    def document(self, entity: str, remote_id: str) -> Document:
        """Look up an invoice or a bill."""

    @abstractmethod
    def enter(self, wanted: Json, books: Books, *, tell: Tell) -> Entered:
        """Enter payments, bill payments and deposits."""

    @abstractmethod
    def correct_bill(self, bill: Json, *, amount: Decimal, memo: str) -> None:
        """Change a bill of one line, as the vendor's statement has it."""

    def trial_balance(self) -> dict[str, Decimal]:
        """Return the ledger's own trial balance: account name → debit less credit."""
        found = self._ask("GET", f"/_sandbox/trial-balance/{self.company}")
        return {row["name"]: Decimal(row["balance"]) for row in found["accounts"]}

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        content = None if body is None else simplejson.dumps(body, use_decimal=True).encode()
        response = self._client.request(method, path, content=content)
        answer: Json = response.json(parse_float=Decimal)
        if response.is_error:
            raise LedgerRefused(
                f"The sandbox refused what the bookkeeper entered: {answer.get('error', answer)}"
            )
        return answer


@dataclass(frozen=True, slots=True)
class Books:
    """What the bookkeeper knows of the company: the documents that came in, and accounts by name."""

    documents: Mapping[tuple[str, str, str], Document]
    accounts: Mapping[str, str]

    def unpaid(self, entity: str, number: str, party: str) -> Json | None:
        """Return a document as long as nothing was paid on it: a day that was broken off goes on, not over again."""
        found = self.documents.get((entity, number, party))
        return found.body if found is not None and found.is_unpaid else None

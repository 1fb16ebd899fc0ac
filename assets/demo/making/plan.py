"""The words of a made-up builder: codes, people, jobs, and the documents drawn up for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

Role = Literal["work", "retainage", "stored_materials"]


@dataclass(frozen=True, slots=True)
class Code:
    """A cost code; `items` are what suppliers sell under it (name, unit price), none for a subcontractor's trade."""

    code: str
    name: str
    division: str
    cost_type: str
    items: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """A client or vendor; a vendor's `divisions` say what it bills for, `style` how it numbers its invoices."""

    name: str
    email: str
    phone: str
    street: str
    city: str
    region: str
    postal_code: str
    divisions: Sequence[str] = ()
    style: str = ""
    license_number: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A contract: who, how much, from when, for how many months, and what share is held back."""

    number: str
    name: str
    client: str
    contract: int
    start_month: int
    months: int
    retainage_percent: int
    status: str = "active"


@dataclass(slots=True)
class Line:
    """A line of a document."""

    description: str
    amount: Decimal
    code: str | None = None
    role: Role = "work"
    quantity: Decimal | None = None
    price: Decimal | None = None
    job: str | None = None


@dataclass(slots=True)
class Document:
    """An invoice, draw, bill or purchase order."""

    kind: str
    number: str
    party: str
    job: str | None
    on: date
    due: date | None
    memo: str
    lines: list[Line] = field(default_factory=list)
    purchase_order: str | None = None

    @property
    def total(self) -> Decimal:
        """What the lines add up to."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


@dataclass(slots=True)
class EntryLine:
    """A line of a journal entry."""

    description: str
    debit: Decimal = Decimal("0.00")
    credit: Decimal = Decimal("0.00")
    account: str | None = None
    code: str | None = None
    client: str | None = None
    job: str | None = None


@dataclass(slots=True)
class Entry:
    """A journal entry."""

    number: str
    on: date
    kind: str
    memo: str
    lines: list[EntryLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `is_in_ledger` says that the builder's bookkeeper has it in the accounting system already."""

    number: str
    name: str
    account_type: str
    description: str = ""
    is_in_ledger: bool = True


@dataclass(frozen=True, slots=True)
class Company:
    """One made-up builder before its documents are drawn up."""

    slug: str
    name: str
    # The accounting system its books are kept in, as the product names it.
    provider: str
    time_zone: str
    seed: int
    codes: Sequence[Code]
    clients: Sequence[Party]
    vendors: Sequence[Party]
    jobs: Sequence[Job]
    accounts: Sequence[Account]
    # Division → account of the ledger that the demo maps its cost codes to.
    preferred: dict[str, str]
    unmapped: Sequence[str]
    # Division → months from the start and to the end of its work, as shares of the job's duration.
    windows: dict[str, tuple[str, str]]
    # Division → its share of the contract.
    shares: dict[str, int]
    vendor_retainage_percent: int
    draw_prefix: str


def cents(amount: Decimal) -> Decimal:
    """Round to cents, half up."""
    return amount.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")

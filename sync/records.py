"""Records in canonical form, their checksums, and which entity is which.

A canonical record is a JSON object of plain texts, so that it can be hashed, stored and shown. Amounts are texts as
`sync.money.amount_text` writes them, dates are ISO texts. Two dialects share each shape:

* ours:   `party` and the references in applications are our record ids; lines carry `code` (cost code id) and `role`;
* theirs: `party` and references are the provider's ids; lines carry `account` (provider account id) and `id`.

Each side is only ever compared with its own base; fields are compared across sides by `sync.compare`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

Canonical = dict[str, Any]

# Made once: asked for by each call of `json.dumps`, it would be made anew for every record.
_canonical_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class Entity(StrEnum):
    """A kind of record that is kept in agreement."""

    ACCOUNT = "account"
    CUSTOMER = "customer"
    VENDOR = "vendor"
    INVOICE = "invoice"
    BILL = "bill"
    JOURNAL_ENTRY = "journal_entry"
    PAYMENT = "payment"
    BILL_PAYMENT = "bill_payment"
    DEPOSIT = "deposit"


# What must be in agreement before what: a document's party and accounts come first, money that pays it after it.
SYNC_ORDER: tuple[Entity, ...] = (
    Entity.ACCOUNT,
    Entity.CUSTOMER,
    Entity.VENDOR,
    Entity.INVOICE,
    Entity.BILL,
    Entity.JOURNAL_ENTRY,
    Entity.PAYMENT,
    Entity.BILL_PAYMENT,
    Entity.DEPOSIT,
)

Direction = Literal["push", "pull", "both"]
# Where a record of this entity may be born by default (requirement §3). Edits of linked records go both ways.
DEFAULT_DIRECTION: Mapping[Entity, Direction] = {
    Entity.ACCOUNT: "both",
    Entity.CUSTOMER: "push",
    Entity.VENDOR: "push",
    Entity.INVOICE: "push",
    Entity.BILL: "push",
    Entity.JOURNAL_ENTRY: "push",
    Entity.PAYMENT: "pull",
    Entity.BILL_PAYMENT: "pull",
    Entity.DEPOSIT: "pull",
}

# What lies in the past by its date: documents, and the money that pays them.
HISTORY = (
    Entity.INVOICE,
    Entity.BILL,
    Entity.JOURNAL_ENTRY,
    Entity.PAYMENT,
    Entity.BILL_PAYMENT,
    Entity.DEPOSIT,
)

OurState = Literal["draft", "active", "inactive", "void", "deleted"]
TheirState = Literal["active", "inactive", "void", "deleted"]


@dataclass(frozen=True, slots=True)
class OurRecord:
    """One record of the platform in canonical form ("ours")."""

    entity: Entity
    record_id: str
    state: OurState
    canonical: Canonical
    label: str
    changed_at: datetime
    natural_key: str | None = None
    document_date: date | None = None
    total: Decimal | None = None
    currency: str | None = None

    @property
    def checksum(self) -> str:
        """Hash of what sync compares on our side."""
        return checksum(self.canonical, state=self.state)


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """One record of a provider in canonical form ("theirs"); `entity` may also be a list such as `item`.

    `version` is the provider's own version (QuickBooks: SyncToken), `marker` our mark if the record carries one,
    `balance` what is still open on a document, `raw` what a later write needs and no more.
    """

    entity: str
    remote_id: str
    version: str | None
    state: TheirState
    canonical: Canonical
    label: str
    changed_at: datetime | None
    natural_key: str | None = None
    document_date: date | None = None
    total: Decimal | None = None
    balance: Decimal | None = None
    currency: str | None = None
    marker: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    # The record of the same kind into which somebody merged this one.
    merged_into: str | None = None

    @property
    def checksum(self) -> str:
        """Hash of what sync compares on their side."""
        return checksum(self.canonical, state=self.state)


def checksum(canonical: Canonical, *, state: str) -> str:
    """Return the SHA-256 of a canonical record and its state; equal records give equal texts on every machine."""
    return hashlib.sha256(_canonical_text([state, canonical]).encode()).hexdigest()


# A record that is gone has no values: every deleted record has this checksum.
DELETED_CHECKSUM = checksum({}, state="deleted")


def name_key(name: str) -> str:
    """Return the natural key of a name: what a bookkeeper would call the same name."""
    return " ".join(name.casefold().split())


def number_key(number: str | None) -> str | None:
    """Return the natural key of a document number, or None where there is none."""
    return name_key(number) if number and number.strip() else None

"""What the engine gives to the database and takes from it: the sides of a link, settings, outcomes, attempts, audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sync.compare import EndPolicy, Strategy
from sync.dimensions import Dimension
from sync.errors import Category
from sync.ports import Operation
from sync.records import Canonical, Direction, Entity, OurState, TheirState
from sync.tax_codes import TaxCode

Trigger = Literal["manual", "scheduled", "real_time", "initial_import"]
LogDirection = Literal["push", "pull"]
LinkedBy = Literal["created", "matched", "applied", "adopted", "person"]


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """The connection as a sync sees it."""

    builder_id: str
    connection_id: str
    provider: str
    provider_title: str
    company_name: str
    strategy: Strategy
    currency: str
    # What jobs, cost codes and cost types become in the ledger.
    dimensions: Sequence[Dimension] = ()
    # Which of the provider's tax codes lines carry.
    tax_codes: Sequence[TaxCode] = ()
    # Whether one name of the ledger can be a customer and a vendor at once.
    shares_parties: bool = False


@dataclass(frozen=True, slots=True)
class OptionSubject:
    """A job, cost code or cost type as it stands here, as far as its option needs it.

    `parent_id` is the provider's id of a job's client, `is_pending` says that lines of it wait to be sent.
    """

    id: str
    label: str
    is_open: bool
    is_pending: bool
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClosedBooks:
    """Until when a ledger's books are closed, as far as it reports it or says it when it refuses something."""

    until: date | None = None
    # A refused day: it is closed at least until then, whatever is reported.
    refused_until: date | None = None
    # What the ledger reports of its own accord.
    reported: date | None = None

    @property
    def at_least(self) -> date | None:
        """The last day that is known to be closed."""
        return max((one for one in (self.until, self.refused_until) if one is not None), default=None)

    @property
    def is_told(self) -> bool:
        """Whether that is the last closed day, and not only one of them."""
        return self.until is not None and self.until == self.at_least


@dataclass(frozen=True, slots=True)
class EntitySetting:
    """How one entity is synced on one connection."""

    entity: Entity
    is_enabled: bool
    direction: Direction
    strategy: Strategy
    ended_here: EndPolicy | None = None
    ended_there: EndPolicy | None = None
    # hold, first_open_day or ask (`sync.periods`): what happens to a new document of a closed period
    closed_period: str = "hold"
    needs_approval: bool = False
    # Older documents of the ledger on which nothing is open are not brought in; None brings in all.
    history_from: date | None = None


@dataclass(frozen=True, slots=True)
class OurSide:
    """Our record as last absorbed from the platform's tables."""

    state: OurState
    canonical: Canonical
    checksum: str
    revision: int
    label: str
    changed_at: datetime
    total: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class TheirSide:
    """Their record as last seen."""

    state: TheirState
    canonical: Canonical
    checksum: str
    version: str | None
    label: str
    changed_at: datetime | None
    total: Decimal | None
    currency: str | None
    raw: Mapping[str, Any]
    # What is still open on it, as the ledger says.
    balance: Decimal | None = None
    # The name of the record that took its place, where it was merged away.
    merged_into: str | None = None

    @property
    def paid(self) -> Decimal:
        """What payments and credits were applied to it in the ledger."""
        if self.total is None or self.balance is None:
            return Decimal(0)
        return self.total - self.balance


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link with both of its sides and its base."""

    id: str
    entity: Entity
    record_id: str | None
    remote_id: str | None
    ours: OurSide | None
    theirs: TheirSide | None
    ours_checksum: str | None
    theirs_checksum: str | None
    base_ours_checksum: str | None
    base_theirs_checksum: str | None
    base_ours: Canonical | None
    base_theirs: Canonical | None
    state: str
    # Only set while it speaks of the very values that are there now.
    decision: str | None
    tries: int
    first_failed_at: datetime | None
    # Our line keys with the mapping version that each line went to the ledger under.
    line_versions: Mapping[str, str] = field(default_factory=dict)
    # Records of the provider that a person said are not this one.
    not_remote_ids: frozenset[str] = frozenset()
    # The values that a person has accepted for sending, and what was chosen for a document of a closed period.
    approved_checksum: str | None = None
    approved_by: str | None = None
    period_choice: str | None = None

    @property
    def label(self) -> str:
        """The name under which people know the record."""
        if self.ours is not None:
            return self.ours.label
        return self.theirs.label if self.theirs is not None else self.id

    @property
    def total(self) -> Decimal | None:
        """The amount of the record, ours first."""
        if self.ours is not None and self.ours.total is not None:
            return self.ours.total
        return self.theirs.total if self.theirs is not None else None

    @property
    def currency(self) -> str | None:
        """The currency of the record, ours first."""
        if self.ours is not None and self.ours.currency is not None:
            return self.ours.currency
        return self.theirs.currency if self.theirs is not None else None


@dataclass(frozen=True, slots=True)
class Settlement:
    """A link on which both sides agree now: the new base, and how the two came to be linked if they just were."""

    link_id: str
    ours_checksum: str | None
    theirs_checksum: str | None
    base_ours: Canonical | None
    base_theirs: Canonical | None
    linked_by: LinkedBy | None = None
    mapping_version_id: str | None = None
    # None: as they were.
    line_versions: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Why one link cannot go on, and by which values that was judged: they may be others by the time it is noted."""

    link_id: str
    ours_checksum: str | None
    theirs_checksum: str | None
    state: Literal["held", "conflict", "failed", "unknown"]
    cause: str | None
    tries: int = 0
    first_failed_at: datetime | None = None
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one record; becomes a row of v2_sync_records."""

    link: LinkView
    direction: LogDirection
    status: Literal["synced", "conflict", "error", "skipped", "held"]
    action: str
    message: str | None = None
    category: Category | None = None
    code: str | None = None
    remedy: str | None = None
    cause: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    conflict_data: Mapping[str, Any] | None = None
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Apply:
    """One record of ours as it shall be after the ledger's values were taken; `record_id` is new for a new one."""

    record_id: str
    state: Literal["active", "inactive", "void"]
    canonical: Canonical


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """One write about to be sent."""

    link_id: str
    record_id: str
    revision: int
    operation: Operation
    serial: int
    request_id: str
    marker: str
    canonical: Canonical
    remote_id: str | None
    remote_version: str | None
    mapping_version_id: str | None
    # Why it is sent, and what it overwrites: the audit log must have it even if this process never hears the answer.
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt whose outcome is not settled, with the mirror's record that carries its marker, if any."""

    id: str
    link_id: str
    record_id: str
    revision: int
    operation: Operation
    serial: int
    request_id: str
    marker: str
    canonical: Canonical
    payload_hash: str
    remote_id: str | None
    remote_version: str | None
    # When it was last sent, and when first: the same request may have been sent again.
    started_at: datetime
    first_started_at: datetime
    remote_id_with_marker: str | None
    mapping_version_id: str | None
    evidence: Mapping[str, Any]
    # Records of this kind that were deleted in the ledger since it was sent and that nobody had seen before.
    unseen_deleted: tuple[str, ...] = ()
    # When the ledger's feed of changes was last read to its end.
    changes_read_at: datetime | None = None
    # How often it was sent, and whether a person has to press Retry before it is sent again.
    sendings: int = 1
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit entry: what changed by whose doing, and what it was before."""

    action: str
    reason: str
    link: LinkView
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    strategy: str | None = None
    mapping_version_id: str | None = None

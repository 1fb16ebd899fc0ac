"""The error and review queues."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging, Period, Text
from api.models.base import ID_EXAMPLE, CategoryName, EntityName, Linked, Page, ProfileName, Shown, Taken
from api.models.syncs import SyncRunView

QueueStatus = TypeAliasType("QueueStatus", Literal["error", "held"])
OutcomeChoice = TypeAliasType("OutcomeChoice", Literal["adopt", "send_again", "leave"])


class SyncErrorQuery(Period):
    """Which waiting records to list."""

    status: QueueStatus | None = Field(
        default=None, description="`error` or `held`; both unless told otherwise."
    )
    connection_id: UUID | None = Field(default=None, description="Only this connection.")
    entity: EntityName | None = Field(default=None, description="Only this entity.")
    category: CategoryName | None = Field(default=None, description="Only this category.")
    cause: Text | None = Field(default=None, description="Only what one cause holds.")


class QueueRecord(Linked):
    """What every waiting record shows."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    connection_id: UUID
    provider: str = Field(examples=["quickbooks_online"])
    sync_log_id: UUID
    platform_entity_type: str = Field(examples=["bill"])
    platform_entity_id: UUID
    provider_entity_id: str | None = None
    direction: Literal["push", "pull"]
    label: str = Field(examples=["Bill 4471 of Summit Electric"])
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = Field(default=None, examples=["USD"])
    created_at: datetime


class SyncErrorRecord(QueueRecord):
    """A record that did not get through, why, and what to do."""

    status: QueueStatus = Field(description="`held`: waits for its cause to go away, in the review queue.")
    error_message: str | None = Field(
        default=None,
        examples=[
            "Bill 4471 waits because cost code 03-300 has no expense account. Map it under Account mapping; it is sent by itself."
        ],
    )
    category: CategoryName | None = None
    code: str | None = Field(default=None, examples=["hold.mapping_missing"])
    remedy: str | None = Field(default=None, examples=["fix_mapping"])
    action: str = Field(description="The button to offer.", examples=["fix_mapping"])
    cause: str | None = Field(
        default=None, description="Everything with the same cause is released by one fix."
    )
    retry_count: int = 0
    next_retry_at: datetime | None = Field(
        default=None, description="When it is tried again by itself; null: it waits."
    )
    is_queued: bool = Field(description="True where the next sync looks at it again.")


class SyncErrorPage(Page):
    """Waiting records, newest first."""

    items: list[SyncErrorRecord]


class RetryOptions(Taken):
    """Whether to wait for the next sync."""

    start_sync: bool = Field(default=False, description="Start a sync of the entity at once.")


class QueueSelection(Taken):
    """Which waiting records are meant; what is left out means any."""

    status: QueueStatus | None = None
    connection_id: UUID | None = None
    entity: EntityName | None = None
    category: CategoryName | None = None
    cause: Text | None = None


class RetryAll(QueueSelection):
    """Which waiting records to try again."""

    start_sync: bool = Field(default=False, description="Start a sync of the entities at once.")


class DismissAll(QueueSelection):
    """Which waiting records to leave alone."""

    reason: Text = Field(default="", description="Why, for the audit log.")


class OurRecord(Shown):
    """Our record, as it stands now."""

    platform_entity_id: UUID
    label: str = Field(examples=["Bill 4471 of Summit Electric"])
    number: str | None = Field(default=None, examples=["4471"])
    document_date: date | None = None
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = Field(default=None, examples=["USD"])


class WriteAttempt(Shown):
    """The write that was not confirmed."""

    request_id: str
    operation: str = Field(examples=["create"])
    started_at: datetime


class Candidate(Shown):
    """A record of the ledger that could be it."""

    provider_entity_id: str = Field(examples=["1187"])
    provider_url: str | None = Field(default=None, description="Its page in the accounting system.")
    label: str = Field(examples=["Bill 4471 of Summit Electric"])
    number: str | None = None
    party: str | None = Field(default=None, examples=["Summit Electric"])
    document_date: date | None = None
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    open_amount: Decimal | None = Field(default=None, examples=["0.00"])
    currency: str | None = None
    state: str = Field(examples=["active"])
    has_our_mark: bool = Field(description="It carries this record's own mark: Tieout wrote it.")
    is_linked: bool = Field(description="It belongs to another record of the platform already.")


class UnconfirmedWrite(Shown):
    """What is known about a write of which nobody can tell whether it happened."""

    id: UUID
    message: str
    ours: OurRecord | None
    attempt: WriteAttempt
    candidates: list[Candidate]
    choices: list[OutcomeChoice] = Field(description="What can be decided as things stand.")


class OutcomeDecision(Taken):
    """What became of an unconfirmed write, by a person who looked."""

    outcome: OutcomeChoice = Field(
        description="`adopt`: it is that one; `send_again`: it never arrived; `leave`: leave it alone until it changes here."
    )
    provider_entity_id: Text | None = Field(
        default=None, description="With `adopt`: which of the candidates it is.", examples=["1187"]
    )
    reason: Text = Field(default="", description="Why, for the audit log.")
    start_sync: bool = Field(default=False, description="Start a sync of the entity at once.")


class Decided(Shown):
    """A decision that the next sync carries out."""

    id: UUID
    outcome: str = Field(examples=["adopt"])
    runs: list[SyncRunView]


class Retried(Shown):
    """What is tried again, and the runs that do it, if any were asked for."""

    records: int
    runs: list[SyncRunView]


class Dismissed(Shown):
    """How many records are left alone until either side changes."""

    records: int


class HoldCause(Shown):
    """One reason why records wait, with all that it blocks."""

    connection_id: UUID
    cause: str = Field(examples=[f"hold.mapping_missing:expense:{ID_EXAMPLE}"])
    code: str | None = Field(default=None, examples=["hold.mapping_missing"])
    remedy: str | None = Field(default=None, examples=["fix_mapping"])
    action: str = Field(description="The button to offer.", examples=["fix_mapping"])
    message: str | None = Field(default=None, description="What the oldest record says.")
    records: int = Field(description="All that it blocks.", examples=[14])
    direct: int = Field(description="Those that name the cause; the others wait for these.", examples=[12])
    amounts: dict[str, Decimal] = Field(description="By currency.", examples=[{"USD": "18250.00"}])
    entities: list[EntityName]
    oldest: date | None = Field(default=None, description="The date of the oldest document.")
    since: datetime | None = None
    platform_entity_type: ProfileName | None = Field(
        default=None, description="The profile that lacks an account; null where no account ends the hold."
    )
    platform_cost_code_id: UUID | None = None


class HoldCauseList(Shown):
    """Everything that holds records, the cause with the oldest document first."""

    items: list[HoldCause]


class HeldRecordQuery(Paging):
    """Which cause."""

    cause: Text = Field(min_length=1, description="The cause whose records are meant.")
    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )


class HeldRecord(Linked):
    """A record that a cause blocks."""

    id: UUID | None = Field(default=None, description="Its row in the error queue.")
    platform_entity_type: EntityName
    platform_entity_id: UUID
    provider_entity_id: str | None = None
    label: str | None = None
    document_date: date | None = None
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    is_direct: bool = Field(description="False where it waits for another record that the cause holds.")
    message: str | None = None


class HeldRecordPage(Page):
    """All that a cause blocks, in the order in which it is sent: what others depend on first, then the oldest."""

    items: list[HeldRecord]


class HoldFix(Taken):
    """The account that ends one hold."""

    cause: Text = Field(min_length=1)
    provider_account_id: Text = Field(min_length=1, max_length=100, examples=["84"])


class FixHolds(Taken):
    """Accounts for what records wait for, saved as one new version of the mapping."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    version: int | None = Field(
        default=None, ge=0, le=2_000_000_000, description="The mapping's version, if it was looked at."
    )
    fixes: list[HoldFix] = Field(min_length=1, max_length=500)
    note: Text = Field(default="", description="Why, for the history.")
    start_sync: bool = Field(default=False, description="Start a sync of what is released at once.")


class FixedHolds(Shown):
    """What was released, and the runs that send it, if they were asked for."""

    version: int = Field(description="The mapping's version now.")
    released: list[HoldCause]
    records: int
    runs: list[SyncRunView]

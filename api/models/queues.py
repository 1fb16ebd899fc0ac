"""The error, review and conflict queues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging, Period, Text
from api.models.base import ID_EXAMPLE, CategoryName, EntityName, Linked, Page, ProfileName, Shown, Taken
from api.models.syncs import SyncRunView

Side = TypeAliasType("Side", Literal["platform", "provider"])
WholeChoice = TypeAliasType("WholeChoice", Literal["platform", "provider", "ignore", "keep_both"])
SameChoice = TypeAliasType("SameChoice", Literal["platform", "provider", "ignore"])
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


class ConflictQuery(Period):
    """Which conflicts to list."""

    connection_id: UUID | None = Field(default=None, description="Only this connection.")
    entity: EntityName | None = Field(default=None, description="Only this entity.")


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


class ConflictField(Shown):
    """One field: ours, what both sides last agreed on, theirs."""

    field: str = Field(examples=["due_date"])
    ours: Any = Field(default=None, examples=["2026-04-30"])
    base: Any = Field(default=None, examples=["2026-04-15"])
    theirs: Any = Field(default=None, examples=["2026-05-15"])
    changed_by: Literal["platform", "provider", "both", "neither"] | None = Field(
        default=None,
        description="Who changed it since both last agreed; null where they never did. neither: the ledger filled it in by"
        " itself, and an answer per field may leave it out.",
    )
    ours_shown: str | list[str] | None = Field(
        default=None, description="Ours as people read it: names instead of ids, lines as texts."
    )
    base_shown: str | list[str] | None = None
    theirs_shown: str | list[str] | None = None


class ConflictEffect(Shown):
    """What one answer does to both sides, or why it cannot be given."""

    choice: WholeChoice
    is_allowed: bool
    ledger: str = Field(
        examples=["Bill 4471 is changed in QuickBooks Online: total 100.00 → 115.00 (a difference of 15.00)"]
    )
    platform: str = Field(examples=["Nothing changes here."])
    why_not: str | None = Field(
        default=None, description="Why it is not allowed; names that would clash, for example."
    )


class Conflict(QueueRecord):
    """A record that both sides changed since they last agreed."""

    version: str = Field(
        description="Names the values shown; send it when resolving.", examples=["9f86d081884c7d65"]
    )
    fields: list[ConflictField]
    money_difference: Decimal | None = Field(default=None, examples=["250.00"])
    choices: list[ConflictEffect] = Field(description="What each answer will do on both sides.")
    message: str | None = None
    is_stale: bool = Field(description="True where a side changed since; the next sync compares again.")


class ConflictPage(Page):
    """Unresolved conflicts, newest first."""

    items: list[Conflict]


class ConflictDecision(Shown):
    """What was decided about the record before, and the values that were in conflict then."""

    at: datetime
    actor: str
    decision: str = Field(examples=["use_ours"])
    reason: str
    fields: list[ConflictField]


class EarlierConflict(Shown):
    """What this conflict showed before one side changed again."""

    until: datetime
    fields: list[ConflictField]
    money_difference: Decimal | None = None


class ConflictDetail(Conflict):
    """A conflict with its history."""

    earlier: list[EarlierConflict] = Field(
        description="What it showed before, while it was open, oldest first."
    )
    history: list[ConflictDecision] = Field(
        description="What was decided about this record before, oldest first."
    )


class ResolveAll(Taken):
    """One answer for many conflicts. Without `version` it is a preview; with it, exactly what was shown is decided."""

    chosen_value: SameChoice = Field(description="A side per field is for one conflict at a time.")
    like: UUID | None = Field(
        default=None,
        description="All of the same kind as this conflict: same entity, same fields in conflict.",
    )
    connection_id: UUID | None = Field(default=None, description="Else: only this connection.")
    entity: EntityName | None = Field(default=None, description="Else: only this entity.")
    version: Text | None = Field(
        default=None, description="The preview's version; leave out to get a preview."
    )
    reason: Text = Field(default="", description="Why, for the audit log.")
    start_sync: bool = Field(default=False, description="Start a sync of the entities at once.")


class SelectedConflict(Shown):
    """One conflict of a selection, and what the answer does to both sides."""

    id: UUID
    label: str
    money_difference: Decimal | None = None
    ledger: str
    platform: str


class ResolvedAll(Shown):
    """A preview of what one answer would decide, or what it has decided."""

    is_preview: bool
    version: str = Field(description="Send it to decide exactly these.", examples=["9f86d081884c7d65"])
    records: int
    left_out: int = Field(description="Of the same kind, but changed since they were shown, or beyond 500.")
    money_difference: Decimal = Field(description="The sum of the absolute differences.", examples=["250.00"])
    conflicts: list[SelectedConflict] = Field(description="The first fifty.")
    runs: list[SyncRunView] = Field(default_factory=list)


class ConflictChoice(Taken):
    """Which values to keep."""

    chosen_value: WholeChoice | Mapping[Text, Side] = Field(
        description="One side for everything, a side per field of the conflict, `keep_both`, or `ignore` until one side"
        " changes again.",
        examples=["platform", {"due_date": "platform", "memo": "provider"}],
    )
    version: Text | None = Field(
        default=None, description="The version that was shown; another one since gives 409."
    )
    reason: Text = Field(default="", description="Why, for the audit log.")
    start_sync: bool = Field(default=False, description="Start a sync of the entity at once.")


class Resolved(Shown):
    """A decision that the next sync carries out."""

    id: UUID
    decision: str = Field(examples=["use_ours"])
    run: SyncRunView | None = None

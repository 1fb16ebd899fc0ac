"""The queue of conflicts: three values per field, what each answer does, and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Period, Text
from api.models.base import EntityName, Page, Shown, Taken
from api.models.queues import QueueRecord
from api.models.syncs import SyncRunView

Side = TypeAliasType("Side", Literal["platform", "provider"])
WholeChoice = TypeAliasType("WholeChoice", Literal["platform", "provider", "ignore", "keep_both"])
SameChoice = TypeAliasType("SameChoice", Literal["platform", "provider", "ignore"])


class ConflictQuery(Period):
    """Which conflicts to list."""

    connection_id: UUID | None = Field(default=None, description="Only this connection.")
    entity: EntityName | None = Field(default=None, description="Only this entity.")


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

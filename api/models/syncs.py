"""Syncs: asking for one, how they go, and what they did."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging, Period
from api.models.base import ID_EXAMPLE, DirectionName, EntityName, LogStatus, Page, RunStatus, Shown, Taken
from api.models.connections import ConnectionStatus

Color = TypeAliasType("Color", Literal["green", "yellow", "red"])
RecordStatus = TypeAliasType("RecordStatus", Literal["synced", "conflict", "error", "skipped", "held"])


class LogQuery(Period):
    """Which part of the sync history to list."""

    connection_id: UUID | None = Field(default=None, description="Only this connection.")
    run_id: UUID | None = Field(default=None, description="Only this run.")
    entity: EntityName | None = Field(default=None, description="Only this entity.")
    direction: Literal["push", "pull"] | None = Field(default=None, description="Only this direction.")
    status: LogStatus | None = Field(default=None, description="Only this status.")
    expand: Literal["records"] | None = Field(default=None, description="Show each row's newest records too.")


class LogRecordQuery(Paging):
    """Which records of a history row to list."""

    status: RecordStatus | None = Field(default=None, description="Only records in this status.")


class SyncStart(Taken):
    """What to sync; everything, both ways, unless told otherwise."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    entities: list[EntityName] = Field(
        default_factory=list,
        max_length=50,
        description="Which entities; none means all, with the tie-out.",
        examples=[["invoice", "payment"]],
    )
    direction: DirectionName = "both"


class SyncRunView(Shown):
    """One sync as somebody asked for it."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    connection_id: UUID
    trigger: Literal["manual", "scheduled", "real_time", "initial_import"]
    entities: list[str] = Field(description="Empty: all.")
    direction: DirectionName
    status: RunStatus = Field(examples=["queued"])
    requested_by: str
    requested_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    dagster_run_id: str | None = None
    provider_calls: int = 0
    error_summary: str | None = None


class SyncStarted(Shown):
    """The run that answers the request."""

    run: SyncRunView
    is_new: bool = Field(description="False where a run that does the same was already queued or under way.")


class SyncStep(Shown):
    """What a run did, or is doing, with one entity in one direction."""

    id: UUID
    entity_type: str = Field(examples=["invoice"])
    direction: Literal["push", "pull"]
    status: LogStatus
    records_processed: int
    records_succeeded: int
    records_failed: int
    started_at: datetime
    completed_at: datetime | None = None
    error_summary: str | None = None
    summary: dict[str, Any] = Field(
        default_factory=dict,
        description="Counts and amounts by outcome.",
        examples=[{"pushed": {"count": 3, "amount": "120.00"}}],
    )


class SyncRunDetail(SyncRunView):
    """A run with its steps so far."""

    steps: list[SyncStep]


class SyncLogEntry(SyncStep):
    """One row of the sync history."""

    connection_id: UUID
    provider: str
    sync_run_id: UUID | None = None
    sync_type: Literal["manual", "scheduled", "real_time", "initial_import"]
    records: list[SyncLogRecord] | None = Field(
        default=None,
        description="With `expand=records`: the newest records; /sync/log/{id}/records has them all.",
    )


class SyncLogPage(Page):
    """Sync history, newest first."""

    items: list[SyncLogEntry]


class SyncLogRecord(Shown):
    """What a sync did with one record."""

    id: UUID
    sync_log_id: UUID
    connection_id: UUID
    platform_entity_type: str
    platform_entity_id: UUID
    provider_entity_id: str | None = None
    direction: Literal["push", "pull"]
    status: RecordStatus
    action: str = Field(examples=["created"])
    label: str = Field(examples=["Invoice 1042"])
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    error_message: str | None = None
    code: str | None = None
    created_at: datetime
    resolved_at: datetime | None = None


class SyncLogRecordPage(Page):
    """Records of one history row, newest first."""

    items: list[SyncLogRecord]


class HealthReason(Shown):
    """One thing that keeps a connection from being green."""

    color: Color
    message: str = Field(
        examples=["3 records are held until the cause is fixed. Look under Errors and held."]
    )


class HealthView(Shown):
    """Green, yellow or red, with every reason in words, the worst first."""

    color: Color
    reasons: list[HealthReason]


class QueueCounts(Shown):
    """How many records wait, and for what."""

    errors: int = 0
    held: int = 0
    conflicts: int = 0


class EntityStatus(Shown):
    """How one entity stands: what waits, and its newest steps."""

    entity_type: str
    waiting: QueueCounts
    steps: list[SyncStep] = Field(description="Of the run under way, else the newest push and pull.")


class TieOutLineView(Shown):
    """One thing that must agree, in the company's own currency."""

    name: str = Field(default="", examples=["Accounts receivable"])
    ours: Decimal = Field(default=Decimal(0), examples=["5446498.00"])
    theirs: Decimal = Field(default=Decimal(0), examples=["5446498.00"])
    explanation: str = Field(default="", description="Why they differ, where that is known.")


class TieOutView(Shown):
    """The newest proof that both sides agree."""

    is_tied: bool
    difference: Decimal = Field(description="The largest difference of a total.", examples=["0.00"])
    taken_at: datetime
    is_outdated: bool = Field(
        description="Whether something was synced since; the next sync of everything compares anew."
    )
    lines: list[TieOutLineView] = Field(description="Both sides, line by line.")


class ConnectionSyncStatus(Shown):
    """How one connection stands."""

    connection_id: UUID
    provider: str
    provider_title: str
    company_name: str | None = None
    status: ConnectionStatus
    health: HealthView
    last_sync_at: datetime | None = None
    next_due_at: datetime | None = None
    access_ends_at: datetime | None = None
    days_until_expiry: int | None = None
    waiting: QueueCounts
    tie_out: TieOutView | None = None
    current_run: SyncRunView | None = Field(default=None, description="The run that is queued or under way.")
    last_run: SyncRunView | None = Field(default=None, description="The newest run that has ended.")
    entities: list[EntityStatus]


class SyncStatus(Shown):
    """How the builder's books stand, as of now."""

    at: datetime
    health: HealthView
    connections: list[ConnectionSyncStatus]


SyncLogEntry.model_rebuild()
SyncLogPage.model_rebuild()

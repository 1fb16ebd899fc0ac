"""Rehearsals: what a sync would do, before it does it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging
from api.models.base import ID_EXAMPLE, DirectionName, EntityName, Page, Shown, Taken

ForeseenName = TypeAliasType(
    "ForeseenName", Literal["created", "changed", "voided", "linked", "held", "conflict", "failed"]
)
BookName = TypeAliasType("BookName", Literal["ledger", "platform"])
RehearsalStatus = TypeAliasType("RehearsalStatus", Literal["queued", "started", "completed", "failed"])


class RehearsalStart(Taken):
    """What to rehearse; everything, both ways, unless told otherwise."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    entities: list[EntityName] = Field(
        default_factory=list,
        max_length=50,
        description="Which entities; none means all. A document whose new vendor is left out is held.",
        examples=[["vendor", "bill"]],
    )
    direction: DirectionName = "both"


class RehearsalQuery(Paging):
    """Which rehearsals to list."""

    connection_id: UUID | None = Field(default=None, description="Only this connection.")


class RehearsalRecordQuery(Paging):
    """Which records of a rehearsal to list."""

    entity: EntityName | None = Field(default=None, description="Only this entity.")
    outcome: ForeseenName | None = Field(default=None, description="Only this outcome.")


class RehearsalView(Shown):
    """One rehearsal as somebody asked for it."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    connection_id: UUID
    entities: list[str] = Field(description="Empty: all.")
    direction: DirectionName
    status: RehearsalStatus
    requested_by: str
    requested_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    dagster_run_id: str | None = None
    provider_calls: int = Field(description="Reads at the provider; a rehearsal makes no other calls.")
    records_read: int = Field(description="How many records of the ledger were new or had changed.")
    error_summary: str | None = None


class RehearsalPage(Page):
    """Rehearsals, newest first."""

    items: list[RehearsalView]


class RehearsalTotal(Shown):
    """How many records of one entity, and how much money, one outcome has."""

    entity: EntityName
    outcome: ForeseenName
    book: BookName | None = Field(description="Whose book it would be written to; null: nobody's.")
    currency: str | None = Field(examples=["USD"])
    records: int
    amount: Decimal = Field(examples=["1250.00"])


class RehearsalDetail(RehearsalView):
    """A rehearsal with its totals."""

    totals: list[RehearsalTotal]


class RehearsalField(Shown):
    """One field that would change; of a conflict: ours, last agreed, theirs."""

    field: str = Field(examples=["total"])
    before: Any = Field(default=None, examples=["100.00"])
    after: Any = Field(default=None, examples=["115.00"])
    ours: Any = None
    base: Any = None
    theirs: Any = None


class RehearsalRecord(Shown):
    """What a sync would do to one record, or why it would wait."""

    position: int
    entity: EntityName
    outcome: ForeseenName
    book: BookName | None = None
    is_known: bool = Field(
        description="True where it waits today already and the sync would not change that."
    )
    label: str = Field(examples=["Bill 4471 of Summit Electric"])
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    platform_entity_id: UUID | None = Field(default=None, validation_alias="record_id")
    provider_entity_id: str | None = Field(default=None, validation_alias="remote_id")
    reason: str
    code: str | None = None
    remedy: str | None = None
    cause: str | None = None
    fields: list[RehearsalField]


class RehearsalRecordPage(Page):
    """Records of one rehearsal, in the order in which a sync works."""

    items: list[RehearsalRecord]

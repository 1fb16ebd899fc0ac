"""How and when a connection is synced."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from api.models.base import DirectionName, EntityName, Shown

StrategyName = TypeAliasType(
    "StrategyName", Literal["last_write_wins", "platform_wins", "provider_wins", "manual"]
)
EndPolicyName = TypeAliasType("EndPolicyName", Literal["follow", "ask", "keep"])
PeriodPolicyName = TypeAliasType("PeriodPolicyName", Literal["hold", "first_open_day", "ask"])
ApprovalLane = TypeAliasType("ApprovalLane", Literal["direct", "review"])
DayName = TypeAliasType("DayName", Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
TIME = r"^\d{2}:\d{2}$"


class SyncWindow(BaseModel):
    """Days and hours, in the connection's time zone, between which scheduled and real-time syncs may run."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    days: list[DayName] = Field(
        min_length=1, max_length=7, description="The days on which it opens.", examples=[["mon", "tue"]]
    )
    opens: str = Field(alias="from", pattern=TIME, description="When it opens.", examples=["06:00"])
    closes: str = Field(
        alias="until",
        pattern=TIME,
        description="When it closes; before `from` means the next morning, 00:00 for both the whole day.",
        examples=["20:00"],
    )


class EntitySettings(BaseModel):
    """How one entity is synced."""

    model_config = ConfigDict(extra="forbid")

    entity: EntityName
    is_enabled: bool = Field(default=True, description="Whether it is synced at all.")
    direction: DirectionName = Field(description="Payments, bill payments and deposits are only pulled.")
    conflict_strategy: StrategyName | None = Field(
        default=None, description="What happens when both sides changed; null means the connection's."
    )
    ended_here: EndPolicyName | None = Field(
        default=None,
        description="What becomes of the ledger's when ours was voided, deleted or made inactive; null goes by the strategy."
        " Left out, it stays as it is.",
    )
    ended_there: EndPolicyName | None = Field(
        default=None,
        description="What becomes of ours when the ledger's was voided, deleted, merged or made inactive; null as above."
        " Left out, it stays as it is.",
    )
    closed_period: PeriodPolicyName | None = Field(
        default=None,
        description="A new document dated in a closed period: `hold` it, post it on the `first_open_day` with a line in its"
        " memo, or `ask` a person. Left out, it stays as it is.",
    )
    approval: ApprovalLane | None = Field(
        default=None,
        description="`direct`, or `review`: nothing of this kind is sent before a person accepts it. Left out, it stays.",
    )


class PreferenceShown(Shown):
    """Something that only this connection's accounting system lets one choose."""

    name: str = Field(examples=["document_status"])
    value: str | None = Field(description="What was chosen; null: nothing, so the first of `values` holds.")
    values: list[str] = Field(
        description="What may be chosen; empty: the id of one of the connection's accounts."
    )
    meaning: str


class ConnectionSettingsIn(BaseModel):
    """A connection's settings, to replace the present ones."""

    model_config = ConfigDict(extra="forbid")

    sync_schedule: str = Field(
        max_length=100,
        description="manual, every_15_minutes, hourly, daily, or five cron fields such as `30 6 * * 1-5`.",
        examples=["hourly"],
    )
    sync_window: SyncWindow | None = Field(default=None, description="null: syncs may run at any time.")
    time_zone: str = Field(max_length=60, examples=["America/Denver"])
    conflict_strategy: StrategyName
    is_real_time: bool = Field(
        description="Send what is approved at once, and look at once when the provider says that something changed."
    )
    history_from: date | None = Field(
        default=None,
        description="Documents of the ledger dated before this day are not brought in, unless something is open on them or"
        " they pay what is here; null brings in all. Left out, it stays as it is.",
        examples=["2026-01-01"],
    )
    entities: list[EntitySettings] = Field(
        default_factory=list, max_length=9, description="Entities left out stay as they are."
    )
    preferences: dict[str, str | None] = Field(
        default_factory=dict,
        max_length=20,
        description="What only this accounting system lets one choose; names left out stay, null takes a choice back.",
        examples=[{"document_status": "draft"}],
    )


class StrategyEffect(Shown):
    """What would become of the open conflicts of one entity."""

    entity: EntityName
    strategy: StrategyName
    what: Literal["sent", "taken", "merged", "stays", "held"] = Field(
        description="`sent`: ours goes to the ledger; `taken`: the ledger's comes here; `merged`: each side's own changes;"
        " `stays`: a person still decides; `held`: waits for something else."
    )
    records: int
    amount: Decimal = Field(examples=["1250.00"])


class SettingsPreview(Shown):
    """What saving these settings would do with the conflicts that are open now."""

    conflicts: list[StrategyEffect]


class ConnectionSettingsShown(Shown):
    """How and when a connection is synced."""

    connection_id: UUID
    sync_schedule: str
    sync_window: SyncWindow | None
    time_zone: str
    conflict_strategy: StrategyName
    is_real_time: bool
    history_from: date | None = Field(
        description="From which day on the ledger's closed documents are brought in."
    )
    entities: list[EntitySettings]
    preferences: list[PreferenceShown]
    next_due_at: datetime | None = Field(description="When the next scheduled sync is due.")
    waits: str | None = Field(
        description="While the window is closed: until when syncs wait, in a sentence.",
        examples=["Syncs wait until Monday 06:00 (America/Denver)."],
    )

"""The approval lane: records that a person accepts before they are sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging, Text
from api.models.base import ID_EXAMPLE, EntityName, Linked, Page, Shown, Taken
from api.models.syncs import SyncRunView

ApprovalState = TypeAliasType("ApprovalState", Literal["waiting", "rejected"])
PeriodChoiceName = TypeAliasType("PeriodChoiceName", Literal["first_open_day", "hold"])


class ApprovalQuery(Paging):
    """Which records of the lane to list."""

    state: ApprovalState = Field(default="waiting", description="`rejected`: rejected and not edited since.")
    connection_id: UUID | None = Field(default=None, description="Only this connection.")
    entity: EntityName | None = Field(default=None, description="Only this entity.")


class Approval(Linked):
    """A record that waits for a person, or that a person rejected."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    connection_id: UUID
    provider: str
    platform_entity_type: EntityName
    platform_entity_id: UUID
    provider_entity_id: str | None = None
    label: str = Field(examples=["Bill 4471 of Summit Electric"])
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    message: str = Field(
        validation_alias="error_message",
        examples=["Bill 4471 waits for approval to be created in QuickBooks Online. Accept or reject it."],
    )
    created_at: datetime
    is_stale: bool = Field(description="True where it was edited since; the next sync shows it anew.")
    rejected_at: datetime | None = None
    rejected_by: str | None = None
    reject_reason: str | None = None


class ApprovalPage(Page):
    """Records of the approval lane, newest first."""

    items: list[Approval]


class Acceptance(Taken):
    """Why a record may be sent, and whether to do so at once."""

    reason: Text = Field(default="", description="Why, for the audit log.")
    start_sync: bool = Field(default=False, description="Start a sync of the entity at once.")


class AcceptAll(Acceptance):
    """Which records to accept; what is left out means any."""

    connection_id: UUID | None = None
    entity: EntityName | None = None


class Rejection(Taken):
    """Why a record is not sent."""

    reason: Text = Field(min_length=1, description="Why; whoever entered it reads this.")


class Accepted(Shown):
    """How many records the next sync sends, and the runs that do it, if any were asked for."""

    records: int
    runs: list[SyncRunView]


class Rejected(Shown):
    """How many records are not sent until they are edited or sent back."""

    records: int


class PeriodDecision(Taken):
    """What happens to a document whose date lies in a closed period."""

    choice: PeriodChoiceName = Field(
        description="`first_open_day`: posted there with a line in its memo; `hold`: it goes on waiting."
    )
    reason: Text = Field(default="", description="Why, for the audit log.")
    start_sync: bool = Field(default=False, description="Start a sync of the entity at once.")

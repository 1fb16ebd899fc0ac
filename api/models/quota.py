"""What a connection's calls came to."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.models.base import Shown

ModeName = TypeAliasType(
    "ModeName", Literal["normal", "bulk_waits", "schedule_waits", "people_only", "stopped"]
)


class QuotaShown(Shown):
    """Calls to the accounting system, what is left of them, and who waits before it would block them. Days are UTC."""

    connection_id: UUID
    calls_today: int
    calls_left_today: int | None = Field(
        description="The provider's own figure; null where it tells none, as QuickBooks does."
    )
    calls_forecast_today: int = Field(
        description="What today comes to if its rest is like the days of the last week."
    )
    throttled_today: int = Field(description="How often the provider asked to slow down.")
    metered_reads_this_month: int = Field(description="Reads that count against the app's plan at Intuit.")
    bytes_read_this_month: int = Field(description="What Xero's price tiers count as egress.")
    asked_to_wait_until: datetime | None
    is_waiting: bool = Field(
        description="Whether a call waits for its turn at this moment, because the provider takes only so many a minute."
    )
    mode: ModeName
    sentence: str = Field(description="The mode in words.")

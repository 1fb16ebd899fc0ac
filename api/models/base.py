"""What all models of the API share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

EntityName = TypeAliasType(
    "EntityName",
    Literal[
        "account",
        "customer",
        "vendor",
        "invoice",
        "bill",
        "journal_entry",
        "payment",
        "bill_payment",
        "deposit",
    ],
)
DirectionName = TypeAliasType("DirectionName", Literal["push", "pull", "both"])
ProfileName = TypeAliasType("ProfileName", Literal["cost_code", "revenue", "asset", "liability"])
AccountType = TypeAliasType(
    "AccountType",
    Literal[
        "bank",
        "accounts_receivable",
        "other_current_asset",
        "fixed_asset",
        "other_asset",
        "accounts_payable",
        "credit_card",
        "other_current_liability",
        "long_term_liability",
        "equity",
        "income",
        "cost_of_goods_sold",
        "expense",
        "other_income",
        "other_expense",
    ],
)
CategoryName = TypeAliasType(
    "CategoryName", Literal["auth", "validation", "rate_limit", "network", "unknown"]
)
RunStatus = TypeAliasType("RunStatus", Literal["queued", "started", "completed", "partial", "failed"])
LogStatus = TypeAliasType("LogStatus", Literal["started", "completed", "partial", "failed"])

ID_EXAMPLE = "8f14e45f-ceea-467f-a9c8-2f4b9a1d3c55"


class Shown(BaseModel):
    """A model that is answered with."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Taken(BaseModel):
    """A model that is sent in; a field nobody knows is an error, so that a typing mistake is not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Linked(Shown):
    """A record with links to both of its sides."""

    platform_url: str | None = Field(
        default=None,
        description="The record's page on the platform, by TIEOUT_PLATFORM_RECORD_URL.",
        examples=["https://platform.example.com/bill/8f14e45f-ceea-467f-a9c8-2f4b9a1d3c55"],
    )
    provider_url: str | None = Field(
        default=None,
        description="The record's page in the accounting system; null while it is not there.",
        examples=["https://app.qbo.intuit.com/app/bill?txnId=1187"],
    )


class Page(Shown):
    """One page of a list."""

    next_cursor: str | None = Field(
        default=None, description="Send it as `cursor` for the next page; null on the last."
    )

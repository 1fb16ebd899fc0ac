"""Providers, connections, and the provider's chart of accounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import PAGE_ROWS_MAX, Paging
from api.models.base import ID_EXAMPLE, AccountType, Page, Shown

ConnectionStatus = TypeAliasType("ConnectionStatus", Literal["connected", "disconnected", "error", "expired"])
AccountState = TypeAliasType("AccountState", Literal["active", "inactive", "void", "deleted"])


class ConnectionQuery(Paging):
    """Which connections to list."""

    status: list[ConnectionStatus] | None = Field(
        default=None, max_length=10, description="All but disconnected ones, unless told otherwise."
    )


class AccountQuery(Paging):
    """Which accounts to list."""

    state: list[AccountState] | None = Field(
        default=None, max_length=10, description="Active and inactive ones, unless told otherwise."
    )
    account_type: AccountType | None = Field(default=None, description="Only accounts of this type.")
    refresh: bool = Field(default=False, description="Read the chart of accounts from the provider first.")
    limit: int = Field(
        default=PAGE_ROWS_MAX, ge=1, le=PAGE_ROWS_MAX, description="How many rows a page holds at most."
    )


class Connection(Shown):
    """One builder's authorised link to one company file of a provider."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    provider: str = Field(examples=["quickbooks_online"])
    provider_title: str = Field(examples=["QuickBooks Online"])
    status: ConnectionStatus = Field(examples=["connected"])
    status_reason: str | None = Field(default=None, description="Why it is not connected, in a sentence.")
    company_name: str | None = Field(default=None, examples=["Cedar Ridge Homes LLC"])
    currency: str | None = Field(default=None, examples=["USD"])
    sync_schedule: str | None = Field(default=None, examples=["hourly"])
    conflict_strategy: str | None = Field(default=None, examples=["last_write_wins"])
    time_zone: str = Field(examples=["America/Denver"])
    connected_at: datetime | None = None
    disconnected_at: datetime | None = None
    last_sync_at: datetime | None = None
    next_due_at: datetime | None = None
    access_ends_at: datetime | None = Field(
        default=None, description="When the consent ends unless it is used or renewed before."
    )
    days_until_expiry: int | None = Field(default=None, description="Whole days until then.", examples=[92])
    created_at: datetime


class ConnectionPage(Page):
    """Connections, newest first."""

    items: list[Connection]


class Provider(Shown):
    """An accounting system that can be connected, and whether it is."""

    provider: str = Field(examples=["quickbooks_online"])
    title: str = Field(examples=["QuickBooks Online"])
    is_available: bool = Field(description="False while the operator has not entered the app's credentials.")
    connection: Connection | None = Field(
        default=None, description="The builder's connection, if there ever was one."
    )


class ProviderList(Shown):
    """All providers of this installation."""

    items: list[Provider]


class ConnectStart(Shown):
    """Where to send the person who gives consent."""

    provider: str = Field(examples=["quickbooks_online"])
    redirect_url: str = Field(
        description="Open it in the same browser.",
        examples=["https://appcenter.intuit.com/connect/oauth2?client_id=…"],
    )
    browser: str = Field(
        description="Binds the answer to this browser. A browser keeps it as a cookie; a script sends it back to the"
        " callback as the header `X-Tieout-Browser`.",
        examples=["u2vZ…"],
    )
    expires_at: datetime = Field(description="The consent must be given before.")


class Connected(Shown):
    """A consent that led to a connection."""

    connection_id: UUID = Field(examples=[ID_EXAMPLE])
    provider: str = Field(examples=["quickbooks_online"])
    company_name: str = Field(examples=["Cedar Ridge Homes LLC"])
    notice: str | None = Field(default=None, description="What did not work right after it, if anything.")


class DisconnectedConnection(Shown):
    """A connection that ended: tokens revoked and wiped, mapping out of use, history kept."""

    connection_id: UUID = Field(examples=[ID_EXAMPLE])
    status: Literal["disconnected"] = "disconnected"
    notice: str | None = Field(
        default=None, description="A step to take at the provider, if it could not be told."
    )


class LedgerAccount(Shown):
    """One account of the provider's chart of accounts, as last seen."""

    id: str = Field(description="The provider's own id.", examples=["84"])
    name: str = Field(examples=["Construction Materials"])
    number: str | None = Field(default=None, examples=["5020"])
    account_type: str = Field(examples=["cost_of_goods_sold"])
    description: str | None = None
    state: AccountState = Field(examples=["active"])
    balance: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = Field(default=None, examples=["USD"])
    seen_at: datetime


class LedgerAccountPage(Page):
    """Accounts by name."""

    items: list[LedgerAccount]

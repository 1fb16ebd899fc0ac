"""What the bank statement says of payments and deposits, as the accounting system's bookkeeper has matched them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Paging
from api.models.base import ID_EXAMPLE, Linked, Page, Shown

MoneyName = TypeAliasType("MoneyName", Literal["payment", "bill_payment", "deposit"])
BankStatus = TypeAliasType("BankStatus", Literal["matched", "partially_matched", "unmatched", "unknown"])


class BankQuery(Paging):
    """Which money to list."""

    entity: MoneyName | None = Field(default=None, description="Only this kind.")
    status: BankStatus | None = Field(
        default=None, description="Only what stands so; `unknown`: the accounting system has not said yet."
    )


class BankLine(Linked):
    """A payment, bill payment or deposit that both sides have."""

    platform_entity_type: MoneyName
    platform_entity_id: UUID = Field(examples=[ID_EXAMPLE])
    provider_entity_id: str = Field(examples=["1187"])
    label: str = Field(examples=["Payment 1041 of Brook"])
    document_date: date
    amount: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    reference: str | None = Field(
        default=None, description="Of the bank or cheque, as the accounting system has it."
    )
    deposited_on: date | None = Field(default=None, description="When a payment reached the bank.")
    status: BankStatus = Field(description="What was found of it on the bank statement.")


class BankTotal(Shown):
    """How much money of a kind stands so."""

    entity: MoneyName
    status: BankStatus
    currency: str | None = None
    records: int
    amount: Decimal = Field(examples=["1250.00"])


class BankPage(Page):
    """Money that both sides have, newest document first."""

    totals: list[BankTotal] = Field(description="Of the whole connection, whatever the filter.")
    items: list[BankLine]

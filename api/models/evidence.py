"""The evidence pack of one record."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from api.models.base import EntityName, Shown


class EvidenceRecord(Shown):
    """What ours says."""

    label: str
    state: str
    revision: int = Field(description="Counts its edits; each revision is sent under a request of its own.")
    checksum: str
    document_date: date | None = None
    total: Decimal | None = Field(default=None, examples=["1250.00"])
    currency: str | None = None
    changed_at: datetime
    canonical: dict[str, Any]


class EvidenceLedger(Shown):
    """The record's place in one ledger."""

    connection_id: UUID
    provider: str
    company_name: str | None = None
    provider_entity_id: str | None = Field(validation_alias="remote_id", examples=["147"])
    provider_url: str | None = Field(default=None, description="Its page in the accounting system.")
    link_state: str
    is_settled: bool = Field(description="Whether both sides have it and agree, as far as is known.")
    cause: str | None = None
    linked_by: str | None = Field(description="created, matched, applied, adopted or person.")
    linked_at: datetime | None = None
    settled_at: datetime | None = Field(description="When both sides last agreed.")
    agreed_ours: dict[str, Any] | None = Field(validation_alias="base_ours")
    agreed_theirs: dict[str, Any] | None = Field(validation_alias="base_theirs")
    approved_by: str | None = None
    approved_at: datetime | None = None
    ledger_state: str | None = None
    ledger_version: str | None = None
    ledger_checksum: str | None = None
    ledger_changed_at: datetime | None = None
    ledger_seen_at: datetime | None = None
    ledger_canonical: dict[str, Any] | None = None


class EvidenceAttempt(Shown):
    """One try to write the record to a ledger."""

    id: UUID
    connection_id: UUID
    operation: str
    revision: int
    state: str
    request_id: str = Field(description="The idempotency key it went out under.")
    payload_hash: str
    is_intact: bool = Field(description="Whether the payload kept here still has that hash.")
    payload: dict[str, Any]
    mapping_version: int | None = None
    strategy: str | None = None
    reason: str | None = None
    posted_on: str | None = Field(
        default=None, description="The day it was posted on where that is not our date."
    )
    approved_by: str | None = None
    provider_entity_id: str | None = Field(default=None, validation_alias="remote_id")
    provider_version: str | None = Field(default=None, validation_alias="remote_version")
    sync_run_id: UUID | None = None
    started_at: datetime
    settled_at: datetime | None = None
    code: str | None = None
    message: str | None = None


class EvidenceChange(Shown):
    """One entry of the audit log about the record."""

    id: UUID
    at: datetime
    actor: str
    action: str
    reason: str
    strategy: str | None = None
    mapping_version: int | None = None
    connection_id: UUID | None = None
    provider_entity_id: str | None = Field(default=None, validation_alias="remote_id")
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    is_after_last_send: bool


class EvidencePack(Shown):
    """Everything that is known about one record; lists are oldest first."""

    entity: EntityName
    platform_entity_id: UUID
    platform_url: str | None = Field(default=None, description="The record's page on the platform.")
    sent_at: datetime | None = Field(description="When a ledger last took it from us.")
    record: EvidenceRecord
    ledgers: list[EvidenceLedger]
    attempts: list[EvidenceAttempt]
    changes: list[EvidenceChange]

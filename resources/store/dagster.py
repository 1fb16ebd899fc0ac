"""What Dagster's assets and sensors ask of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from resources.store.database import Database

UNKNOWN_FOR_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class UnbalancedEntry:
    """A posted journal entry whose debits and credits differ."""

    number: str
    debits: Decimal
    credits: Decimal


@dataclass(frozen=True, slots=True)
class StaleUnknown:
    """A write of which nobody has known for more than a day whether the ledger took it."""

    label: str
    operation: str
    started_at: datetime


def connection_of(database: Database, builder_id: str, provider: str) -> tuple[str, str] | None:
    """Return id and company name of a builder's connection to a provider, or None."""
    with database.builder_tx(UUID(builder_id)) as tx:
        row = tx.row("dagster_connection", builder_id=builder_id, provider=provider)
    return (row["id"], row["company_name"]) if row else None


def unbalanced_entries(database: Database, builder_id: str) -> Sequence[UnbalancedEntry]:
    """Return posted journal entries whose debits and credits differ."""
    with database.builder_tx(UUID(builder_id)) as tx:
        rows = tx.rows("check_unbalanced_entries", builder_id=builder_id)
    return [UnbalancedEntry(row["number"], row["debits"], row["credits"]) for row in rows]


def stale_unknowns(
    database: Database, builder_id: str, *, connection_id: str, now: datetime
) -> Sequence[StaleUnknown]:
    """Return writes whose outcome has been unknown for more than a day."""
    with database.builder_tx(UUID(builder_id)) as tx:
        rows = tx.rows(
            "check_stale_unknowns",
            builder_id=builder_id,
            connection_id=connection_id,
            before=now - UNKNOWN_FOR_MAX,
        )
    return [StaleUnknown(row["label"], row["operation"], row["started_at"]) for row in rows]


def builder_ids(database: Database) -> Sequence[str]:
    """Return every builder's id."""
    with database.scheduler_tx() as tx:
        return [row["id"] for row in tx.rows("dagster_builder_ids")]

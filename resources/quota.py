"""What one connection's calls came to, and who waits before its provider would block them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from resources.meter import Quota, month_use, quota_of
from resources.registry import spec_of
from resources.settings import Settings
from resources.store.database import Database
from sync.errors import NotFound
from sync.quota import Mode, mode_of_month


def read_quota(
    database: Database, settings: Settings, *, builder_id: UUID, connection_id: UUID, now: datetime
) -> Quota:
    """Return a connection's figures; raises NotFound where the builder has no such connection."""
    with database.builder_tx(builder_id) as transaction:
        row = transaction.row("connection_read", builder_id=builder_id, id=connection_id)
    if row is None:
        raise NotFound(what="connection", id=connection_id)
    spec = spec_of(row["provider"])
    allowed = spec.metered_reads_a_month(settings)
    with database.shared_tx() as transaction:
        month = (
            mode_of_month(month_use(transaction, provider=spec.key, allowed=allowed, now=now))
            if allowed
            else Mode.NORMAL
        )
        return quota_of(
            transaction,
            provider=spec.key,
            company_id=row["provider_tenant_id"] or "",
            reserves=spec.limits.day_reserve if spec.limits else (0, 0, 0, 0),
            month=month,
            now=now,
        )

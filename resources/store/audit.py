"""The audit log: who did what to which record, and what it was before. Rows are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from resources.store.database import Transaction


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log."""

    actor: str
    action: str
    reason: str = ""
    connection_id: UUID | str | None = None
    link_id: UUID | str | None = None
    entity: str | None = None
    record_id: UUID | str | None = None
    remote_id: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def write_audit(tx: Transaction, entry: AuditEntry) -> None:
    """Add a line to the audit log, in the transaction of what it tells about."""
    tx.run(
        "audit_insert",
        actor=entry.actor,
        action=entry.action,
        reason=entry.reason,
        connection_id=entry.connection_id,
        link_id=entry.link_id,
        entity=entry.entity,
        record_id=entry.record_id,
        remote_id=entry.remote_id,
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
    )

"""Puts the sync status together: per connection its health, its runs, and every entity's progress."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from api.chosen import chosen_connection
from api.models.syncs import (
    ConnectionSyncStatus,
    EntityStatus,
    HealthReason,
    HealthView,
    QueueCounts,
    SyncRunView,
    SyncStatus,
    SyncStep,
    TieOutView,
)
from api.routes.connections import access_ends_at
from api.services import Services
from resources.store import mappings, views
from resources.store.database import Transaction
from resources.store.run_requests import SyncRun
from sync.health import ConnectionFacts, Health, connection_health, days_until, overall_health
from sync.records import SYNC_ORDER

_COUNTED = {"error": "errors", "held": "held", "conflict": "conflicts"}


def sync_status(tx: Transaction, services: Services, *, connection_id: UUID | None) -> SyncStatus:
    """Return how the builder's connections (or one of them) stand now."""
    if connection_id is not None:
        connections = [chosen_connection(tx, connection_id)]
    else:
        connections = views.connections(tx)
    runs = views.newest_runs(tx)
    counts = views.queue_counts(tx)
    tie_outs = views.newest_tie_outs(tx)
    now = services.clock.now()
    shown: list[ConnectionSyncStatus] = []
    healths: list[Health] = []
    for row in connections:
        newest, ended = runs.get(("newest", row["id"])), runs.get(("ended", row["id"]))
        waiting = [each for each in counts if each["connection_id"] == row["id"]]
        tie_out = tie_outs.get(row["id"])
        total = _counts(waiting)
        facts = ConnectionFacts(
            title=services.title_of(row["provider"]),
            status=row["status"],
            last_sync_at=row["last_sync_at"],
            next_due_at=row["next_due_at"],
            access_ends_at=row["refresh_expires_at"],
            status_reason=row["status_reason"],
            refresh_failures=row["refresh_failures"],
            errors=total.errors,
            held=total.held,
            conflicts=total.conflicts,
            last_run_status=ended.status if ended else None,
            last_run_error=ended.error_summary if ended else None,
            unmapped=mappings.missing_accounts(tx, row["id"]),
            is_tied=tie_out["is_tied"] if tie_out else None,
        )
        health = connection_health(facts, now=now)
        healths.append(health)
        ends_at = access_ends_at(row)
        current = newest if newest and newest.status in ("queued", "started") else None
        shown.append(
            ConnectionSyncStatus(
                connection_id=row["id"],
                provider=row["provider"],
                provider_title=facts.title,
                company_name=row["company_name"],
                status=row["status"],
                health=_health(health),
                last_sync_at=row["last_sync_at"],
                next_due_at=row["next_due_at"],
                access_ends_at=ends_at,
                days_until_expiry=days_until(ends_at, now=now),
                waiting=total,
                tie_out=TieOutView.model_validate(tie_out) if tie_out else None,
                current_run=_run(current),
                last_run=_run(ended),
                entities=_entities(tx, row["id"], run=current, waiting=waiting),
            )
        )
    return SyncStatus(at=now, health=_health(overall_health(healths)), connections=shown)


def waiting_counts(rows: Sequence[views.Row], *, connection_id: UUID) -> QueueCounts:
    """Add up what waits at one connection."""
    return _counts([row for row in rows if row["connection_id"] == connection_id])


def _entities(
    tx: Transaction, connection_id: UUID, *, run: SyncRun | None, waiting: Sequence[views.Row]
) -> list[EntityStatus]:
    wanted = [entity.value for entity in SYNC_ORDER]
    if run:
        steps = views.run_steps(tx, run.id)
    else:
        steps = views.newest_entity_logs(tx, connection_id, entities=wanted)
    return [
        EntityStatus(
            entity_type=entity,
            waiting=_counts([row for row in waiting if row["entity"] == entity]),
            steps=[SyncStep(**row) for row in steps if row["entity_type"] == entity],
        )
        for entity in wanted
    ]


def _counts(rows: Sequence[views.Row]) -> QueueCounts:
    sums = dict.fromkeys(_COUNTED.values(), 0)
    for row in rows:
        sums[_COUNTED[row["status"]]] += row["records"]
    return QueueCounts(**sums)


def _run(run: SyncRun | None) -> SyncRunView | None:
    return SyncRunView.model_validate(run) if run else None


def _health(health: Health) -> HealthView:
    return HealthView(
        color=health.color,
        reasons=[HealthReason(color=reason.color, message=reason.message) for reason in health.reasons],
    )

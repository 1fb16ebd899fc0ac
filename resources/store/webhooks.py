"""Webhooks out: events as an outbox, endpoints with sealed secrets, deliveries with their log.

`write_events` may run at any time, as often as anybody likes: each thing that happened is one event.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Database, Transaction
from resources.store.views import After, Row
from resources.vault import Vault
from sync.errors import InvalidInput, NotFound
from sync.events import EVENT_TYPES

SECRET_BYTES = 32
SECRET_FIELD = "webhook_secret"  # noqa: S105 - where it is kept, not what it is
OLD_SECRET_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=30)
# A builder's first look; and how far the next one goes back, because what began earlier may be committed later.
FIRST_LOOK, LOOK_AGAIN = timedelta(hours=1), timedelta(minutes=15)
REPLAY_EVENTS_MAX = 10_000
ENDPOINTS_MAX = 50
LEASE = timedelta(minutes=2)
# What a receiver answers that wants to hear nothing ever again.
GONE = 410


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is to be."""

    url: str
    events: tuple[str, ...] = ()
    description: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that this process took on, with the secrets that sign it."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    tries: int
    url: str
    secrets: tuple[str, ...]
    type: str
    data: Row
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went."""

    state: str
    status: int | None = None
    error: str | None = None
    milliseconds: int | None = None
    next_try_at: datetime | None = None


def write_events(database: Database, builder_id: UUID, *, now: datetime) -> int:
    """Write what happened since the last look as events, with a delivery for whoever wants each."""
    with database.builder_tx(builder_id, is_planned_once=True) as tx:
        looked_at = tx.value("events_looked_at")
        since = now - FIRST_LOOK if looked_at is None else looked_at - LOOK_AGAIN
        return int(tx.value("events_write", now=now, since=since))


def forget_events(database: Database, builder_id: UUID, *, now: datetime) -> int:
    """Remove events older than they are kept, with their deliveries."""
    with database.builder_tx(builder_id) as tx:
        return tx.run("events_forget", before=now - KEPT_FOR)


def list_events(
    tx: Transaction,
    *,
    event_type: str | None,
    since: datetime | None,
    until: datetime | None,
    after: After,
    rows_max: int,
) -> list[Row]:
    """Return what happened, newest first."""
    return tx.records(
        "events_list",
        type=event_type,
        since=since,
        until=until,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


# ---------------------------------------------------------------- endpoints


def add_endpoint(
    tx: Transaction, vault: Vault, builder_id: UUID, wanted: Wanted, *, actor: str, now: datetime
) -> tuple[UUID, str]:
    """Add an endpoint; return its id and its secret, which is shown this once."""
    _check(wanted)
    if len(tx.rows("endpoints_list", id=None)) >= ENDPOINTS_MAX:
        raise InvalidInput(
            what="Another endpoint", reason=f"there are {ENDPOINTS_MAX} already; remove one first"
        )
    endpoint_id, secret = UUID(str(uuid7())), new_secret()
    tx.run(
        "endpoint_insert",
        id=endpoint_id,
        url=wanted.url,
        description=wanted.description,
        events=list(wanted.events),
        secret=seal(vault, builder_id, endpoint_id, secret),
        created_by=actor,
        now=now,
    )
    _audit(tx, actor, "webhook.added", endpoint_id, url=wanted.url, events=list(wanted.events))
    return endpoint_id, secret


def endpoints(tx: Transaction, *, endpoint_id: UUID | None = None) -> list[Row]:
    """Return the endpoints, newest first, without their secrets."""
    return [dict(row) for row in tx.rows("endpoints_list", id=endpoint_id)]


def endpoint(tx: Transaction, endpoint_id: UUID) -> Row:
    """Return one endpoint, or raise NotFound."""
    found = endpoints(tx, endpoint_id=endpoint_id)
    if not found:
        raise NotFound(what="webhook endpoint", id=str(endpoint_id))
    return found[0]


def change_endpoint(tx: Transaction, endpoint_id: UUID, wanted: Wanted, *, actor: str) -> None:
    """Change where and what an endpoint hears, or switch it on and off."""
    _check(wanted)
    changed = tx.run(
        "endpoint_change",
        id=endpoint_id,
        url=wanted.url,
        description=wanted.description,
        events=list(wanted.events),
        status="active" if wanted.is_active else "disabled",
    )
    if not changed:
        raise NotFound(what="webhook endpoint", id=str(endpoint_id))
    _audit(tx, actor, "webhook.changed", endpoint_id, url=wanted.url, is_active=wanted.is_active)


def remove_endpoint(tx: Transaction, endpoint_id: UUID, *, actor: str) -> None:
    """Remove an endpoint and its delivery log."""
    if not tx.run("endpoint_delete", id=endpoint_id):
        raise NotFound(what="webhook endpoint", id=str(endpoint_id))
    _audit(tx, actor, "webhook.removed", endpoint_id)


def rotate_secret(
    tx: Transaction, vault: Vault, builder_id: UUID, endpoint_id: UUID, *, actor: str, now: datetime
) -> tuple[str, datetime]:
    """Give an endpoint a new secret; return it and until when the old one signs too."""
    if tx.row("endpoint_secret", id=endpoint_id) is None:
        raise NotFound(what="webhook endpoint", id=str(endpoint_id))
    secret, until = new_secret(), now + OLD_SECRET_FOR
    sealed = seal(vault, builder_id, endpoint_id, secret)
    tx.run("endpoint_rotate", id=endpoint_id, secret=sealed, old_until=until)
    _audit(tx, actor, "webhook.secret_rotated", endpoint_id)
    return secret, until


def rewrap_secrets(database: Database, vault: Vault, builder_id: UUID) -> int:
    """Wrap every endpoint's secrets by the newest key of the keyring."""
    with database.builder_tx(builder_id) as tx:
        rows = tx.rows("endpoints_sealed")
        for row in rows:
            place = {
                "builder_id": str(builder_id),
                "connection_id": str(row["id"]),
                "field": SECRET_FIELD,
            }
            old = row["old_secret_encrypted"]
            tx.run(
                "endpoint_rewrap",
                id=row["id"],
                secret=vault.rewrap(row["secret_encrypted"], **place),
                old_secret=vault.rewrap(old, **place) if old else None,
            )
        return len(rows)


# ---------------------------------------------------------------- deliveries


def builders_with_deliveries(database: Database, *, now: datetime) -> list[UUID]:
    """Return whose deliveries are due."""
    with database.scheduler_tx() as tx:
        return [row["builder_id"] for row in tx.rows("deliveries_builders_due", now=now)]


def claim_deliveries(
    database: Database, vault: Vault, builder_id: UUID, *, now: datetime, rows_max: int
) -> list[Due]:
    """Take deliveries on for the length of a lease."""
    with database.builder_tx(builder_id) as tx:
        rows = tx.rows("deliveries_claim", now=now, leased_until=now + LEASE, rows_max=rows_max)
    return [_due(vault, builder_id, dict(row)) for row in rows]


def settle_delivery(
    database: Database, builder_id: UUID, due: Due, outcome: Outcome, *, now: datetime
) -> None:
    """Note how a try went; an endpoint that is gone, or never answered in all the tries, is disabled."""
    with database.builder_tx(builder_id) as tx:
        tx.run(
            "delivery_settle",
            id=due.id,
            state=outcome.state,
            next_try_at=outcome.next_try_at,
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
            now=now,
        )
        if outcome.state == "failed":
            reason = outcome.error or f"it answered {outcome.status} to every try"
            disabled = tx.run(
                "endpoint_disable",
                id=due.endpoint_id,
                reason=reason,
                is_gone=outcome.status == GONE,
                delivery_id=due.id,
            )
            if disabled:
                _audit(tx, "tieout", "webhook.disabled", due.endpoint_id, reason=reason)


def deliveries(
    tx: Transaction, endpoint_id: UUID, *, state: str | None, after: After, rows_max: int
) -> list[Row]:
    """Return the delivery log of one endpoint, newest first."""
    return tx.records(
        "deliveries_list",
        endpoint_id=endpoint_id,
        state=state,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def resend(tx: Transaction, delivery_id: UUID, *, now: datetime) -> UUID:
    """Send one delivery's event to its endpoint again; return the new delivery."""
    made: UUID | None = tx.value("delivery_resend", id=delivery_id, now=now)
    if made is None:
        raise NotFound(what="delivery", id=str(delivery_id))
    return made


def replay(tx: Transaction, endpoint_id: UUID, *, since: datetime, until: datetime, now: datetime) -> int:
    """Send every event of a time to an endpoint again, oldest first; return how many."""
    endpoint(tx, endpoint_id)
    return tx.run(
        "deliveries_replay",
        endpoint_id=endpoint_id,
        since=since,
        until=until,
        now=now,
        rows_max=REPLAY_EVENTS_MAX,
    )


def new_secret() -> str:
    """Make a signing secret in the standard's form."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def seal(vault: Vault, builder_id: UUID, endpoint_id: UUID, secret: str) -> str:
    """Seal an endpoint's secret, bound to it."""
    return vault.seal(secret, builder_id=str(builder_id), connection_id=str(endpoint_id), field=SECRET_FIELD)


def _due(vault: Vault, builder_id: UUID, row: Row) -> Due:
    sealed: Sequence[str | None] = (row.pop("secret_encrypted"), row.pop("old_secret_encrypted"))
    place = {
        "builder_id": str(builder_id),
        "connection_id": str(row["endpoint_id"]),
        "field": SECRET_FIELD,
    }
    return Due(**row, secrets=tuple(vault.open(each, **place) for each in sealed if each))


def _check(wanted: Wanted) -> None:
    if unknown := sorted(set(wanted.events) - set(EVENT_TYPES)):
        raise InvalidInput(
            what=f"The event {unknown[0]}",
            reason=f"there is no such event; choose of {', '.join(EVENT_TYPES)}",
        )


def _audit(tx: Transaction, actor: str, action: str, endpoint_id: UUID, **after: Any) -> None:
    write_audit(tx, AuditEntry(actor=actor, action=action, after={"endpoint": str(endpoint_id), **after}))

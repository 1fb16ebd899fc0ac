"""Notices: raised from how things stand, listed and marked read per person, and handed to mail.

`raise_notifications` may run at any time, from any process, as often as it likes: what is the matter is compared with what
was told, so that everything is told once and a lost call loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from resources.store.database import Database, Transaction
from resources.store.views import After, Row
from sync.health import EXPIRY_WARNING
from sync.notices import Kind

# How long a hold has to last before a mail is sent about it.
HELD_QUIET = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person wants to be told of, and where to."""

    email: str | None = None
    muted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouped:
    """One person's notices, taken to be sent as one mail."""

    builder_name: str
    person: str
    email: str
    tries: int
    notices: tuple[Row, ...]

    @property
    def ids(self) -> list[UUID]:
        """Return the notices' ids."""
        return [row["notification_id"] for row in self.notices]


def raise_notifications(database: Database, builder_id: UUID, *, now: datetime) -> list[Kind]:
    """Tell what has become the matter and end what no longer is; return the kinds that began."""
    with database.builder_tx(builder_id, is_planned_once=True) as tx:
        rows = tx.rows("notices_raise", now=now, expiry_warning=EXPIRY_WARNING, held_quiet=HELD_QUIET)
    for row in rows:
        log.info(
            "notice", builder=str(builder_id), connection=str(row["connection_id"]), notice_kind=row["kind"]
        )
    return [row["kind"] for row in rows]


def list_notices(
    tx: Transaction, person: str, *, unread_only: bool, open_only: bool, after: After, rows_max: int
) -> list[Row]:
    """Return what a person is told, newest first."""
    return tx.records(
        "notices_list",
        person=person,
        unread_only=unread_only,
        open_only=open_only,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def unread_count(tx: Transaction, person: str) -> int:
    """Return how many notices a person has not read."""
    return int(tx.value("notices_unread", person=person))


def mark_read(tx: Transaction, person: str, *, ids: Sequence[UUID] | None, now: datetime) -> int:
    """Note that a person has read these notices, or all; return how many there were."""
    return tx.run("notices_mark_read", person=person, ids=None if ids is None else list(ids), now=now)


def preferences(tx: Transaction, person: str) -> Preferences:
    """Return what a person wants to be told of."""
    row = tx.row("notices_preferences", person=person)
    return Preferences(row["email"], tuple(row["muted"])) if row else Preferences()


def prefer(tx: Transaction, person: str, wanted: Preferences, *, now: datetime) -> None:
    """Keep what a person wants to be told of from now on."""
    tx.run("notices_prefer", person=person, email=wanted.email, muted=list(wanted.muted), now=now)


def builders_with_mail(database: Database, *, now: datetime) -> list[UUID]:
    """Return whose mails are due."""
    with database.scheduler_tx() as tx:
        return [row["builder_id"] for row in tx.rows("mail_builders_due", now=now)]


def all_builders(database: Database) -> list[UUID]:
    """Return every builder, for the sweep."""
    with database.scheduler_tx() as tx:
        return [row["id"] for row in tx.rows("builders_all")]


def claim_mail(database: Database, builder_id: UUID, *, now: datetime) -> Grouped | bool | None:
    """Take one person's due notices; False when nothing is due, None when what was due is no longer the matter."""
    with database.builder_tx(builder_id) as tx:
        rows: list[dict[str, Any]] = [dict(row) for row in tx.rows("mail_claim", now=now)]
    if not rows:
        return False
    sending = [row for row in rows if row["state"] == "sending"]
    if not sending:
        return None
    first = sending[0]
    return Grouped(
        builder_name=first["builder_name"],
        person=first["person"],
        email=first["email"],
        tries=max(row["tries"] for row in sending),
        notices=tuple(sending),
    )


def records_behind(
    tx: Transaction, *, connection_id: UUID, kind: Kind, now: datetime, rows_max: int
) -> list[Row]:
    """Return the newest records behind a notice of dead letters, holds or conflicts."""
    rows = tx.rows("notices_records", connection_id=connection_id, kind=kind, now=now, rows_max=rows_max)
    return [dict[str, Any](row) for row in rows]


def settle_mail(
    database: Database,
    builder_id: UUID,
    mail: Grouped,
    *,
    state: str,
    now: datetime,
    next_try_at: datetime | None = None,
) -> None:
    """Note how sending a mail went."""
    with database.builder_tx(builder_id) as tx:
        tx.run(
            "mail_settle",
            state=state,
            next_try_at=next_try_at or now,
            now=now,
            person=mail.person,
            ids=mail.ids,
        )

"""What a person does about records that wait: retry, dismiss, choose. The link carries it; the next sync honours it.

Each decision is one transaction over the link, its queue row and the audit log. The link is locked before the row, as
sync does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction
from sync.choices import Choice, asked_of, clash_of, conflict_version, decision_of, fields_of
from sync.errors import AlreadyDone, NotFound, OutcomeUndecided
from sync.refusals import ChoiceRejected, StaleChoice, StillLookedUp

FAILURES: tuple[str, ...] = ("error", "held")
CONFLICTS: tuple[str, ...] = ("conflict",)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which open rows are meant; None means any."""

    statuses: tuple[str, ...] = FAILURES
    connection_id: UUID | None = None
    entity: str | None = None
    category: str | None = None
    cause: str | None = None

    def parameters(self) -> dict[str, Any]:
        """The filter as the queries take it."""
        return {
            "statuses": list(self.statuses),
            "connection_id": self.connection_id,
            "entity": self.entity,
            "category": self.category,
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True)
class Touched:
    """How many records of one connection and entity a decision reached."""

    connection_id: UUID
    entity: str
    records: int


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, why, and when."""

    actor: str
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was stored for a conflict, and which entity's next sync carries it out."""

    touched: Touched
    decision: str


def retry(tx: Transaction, record_id: UUID, *, actor: str) -> Touched:
    """Let the next sync try a failed or held record again from the beginning."""
    opened = open_record(tx, record_id, statuses=FAILURES, what="sync error")
    tx.run("queue_link_reopen", id=opened.link["id"])
    tx.run("queue_record_reopen", id=record_id)
    write_audit(tx, opened.entry("queue.retried", actor=actor, after={"state": "open"}))
    return opened.touched


def retry_all(tx: Transaction, chosen: QueueFilter, *, actor: str) -> list[Touched]:
    """Let the next sync try everything again that the filter names."""
    touched = [Touched(**row) for row in tx.rows("queue_reopen_all", **chosen.parameters())]
    for each in touched:
        write_audit(
            tx,
            AuditEntry(
                actor=actor,
                action="queue.retried_all",
                connection_id=each.connection_id,
                entity=each.entity,
                after={"records": each.records},
            ),
        )
    return touched


def dismiss(tx: Transaction, record_id: UUID, *, actor: str, reason: str, now: datetime) -> None:
    """Leave a failed or held record alone until either side changes."""
    opened = open_record(tx, record_id, statuses=FAILURES, what="sync error")
    # What the ledger could not answer may be left: if it changes here, the ledger is asked again before anything is sent.
    if opened.link["state"] == "unknown" and opened.record["code"] != OutcomeUndecided.code:
        raise StillLookedUp(label=opened.label)
    leave(tx, opened, record_id, by=Decider(actor, reason, now))


def leave(tx: Transaction, opened: Opened, record_id: UUID, *, by: Decider) -> None:
    """Set an open queue row aside until either side changes."""
    tx.run("queue_link_ignore", id=opened.link["id"])
    tx.run("queue_record_resolve", id=record_id, resolution="dismissed", actor=by.actor, now=by.now)
    entry = opened.entry("queue.dismissed", actor=by.actor, after={"state": "ignored"}, reason=by.reason)
    write_audit(tx, entry)


def dismiss_all(
    tx: Transaction, chosen: QueueFilter, *, actor: str, reason: str, now: datetime
) -> list[Touched]:
    """Leave everything alone that the filter names, except what is being looked up in the ledger."""
    rows = tx.rows("queue_ignore_all", **chosen.parameters(), actor=actor, reason=reason, now=now)
    return [Touched(**row) for row in rows]


def resolve(
    tx: Transaction, record_id: UUID, *, choice: Choice, seen_version: str | None, by: Decider
) -> Resolution:
    """Store what a person chose for a conflict; the next sync carries it out.

    Raises StaleChoice when either side changed after the values that were shown.
    """
    opened = open_record(tx, record_id, statuses=CONFLICTS, what="conflict")
    conflict: Mapping[str, Any] = opened.record["conflict_data"] or {}
    shown = (conflict.get("ours_checksum"), conflict.get("theirs_checksum"))
    is_stale = shown != (opened.link["ours_checksum"], opened.link["theirs_checksum"])
    if is_stale or (seen_version is not None and seen_version != conflict_version(conflict)):
        raise StaleChoice(label=opened.label)
    decision = _carried_by_link(tx, opened, conflict, choice)
    tx.run("queue_record_resolve", id=record_id, resolution=decision, actor=by.actor, now=by.now)
    entry = opened.entry("conflict.resolved", actor=by.actor, after={"decision": decision}, reason=by.reason)
    # Every value that a choice can overwrite is kept, whichever side it was on.
    write_audit(tx, replace(entry, before={"fields": conflict.get("fields", [])}))
    return Resolution(opened.touched, decision)


def _carried_by_link(tx: Transaction, opened: Opened, conflict: Mapping[str, Any], choice: Choice) -> str:
    """Put a choice on the link, and return its name."""
    link_id = opened.link["id"]
    if choice == "ignore":
        tx.run("queue_link_ignore", id=link_id)
        return "ignore"
    if choice == "keep_both":
        clash = clash_of(conflict, provider="the ledger")
        if clash is not None:
            raise ChoiceRejected(f"Both cannot be kept. {clash}")
        # First the pair is taken apart, because a record of the ledger stands on one link only.
        tx.run("queue_link_part", id=link_id, remote_id=opened.link["remote_id"])
        tx.run("queue_link_half", id=link_id, remote_id=opened.link["remote_id"])
        return "keep_both"
    decision = decision_of(choice, fields=fields_of(conflict), asked=asked_of(conflict))
    tx.run("queue_link_decide", id=link_id, decision=decision)
    return decision


@dataclass(frozen=True, slots=True)
class Opened:
    """An open queue row and its link, both locked."""

    record: sa.RowMapping
    link: sa.RowMapping

    @property
    def label(self) -> str:
        """The name under which people know the record."""
        return self.record["label"] or "This record"

    @property
    def touched(self) -> Touched:
        """What a decision about it reaches."""
        return Touched(self.record["connection_id"], self.record["platform_entity_type"], 1)

    def entry(self, action: str, *, actor: str, after: Mapping[str, Any], reason: str = "") -> AuditEntry:
        """What the audit log keeps of a decision about this row."""
        return AuditEntry(
            actor=actor,
            action=action,
            reason=reason,
            connection_id=self.record["connection_id"],
            link_id=self.link["id"],
            entity=self.record["platform_entity_type"],
            record_id=self.link["record_id"],
            remote_id=self.link["remote_id"] or self.record["provider_entity_id"],
            before={"message": self.record["error_message"]},
            after=after,
        )


def open_record(tx: Transaction, record_id: UUID, *, statuses: Sequence[str], what: str) -> Opened:
    """Lock the link and then the row of an open queue entry; raises NotFound or AlreadyDone."""
    link_id = tx.value("queue_link_of", id=record_id, statuses=list(statuses))
    link = tx.row("queue_link_lock", id=link_id) if link_id is not None else None
    record = tx.row("queue_record_lock", id=record_id, statuses=list(statuses))
    if record is None:
        raise NotFound(what=what, id=str(record_id))
    if record["resolved_at"] is not None:
        done = f"decided ({record['resolution']})" if record["resolution"] else "settled"
        raise AlreadyDone(what=record["label"] or f"This {what}", done=done)
    if link is None:
        raise AlreadyDone(what=record["label"] or f"This {what}", done="removed with its connection's books")
    return Opened(record, link)

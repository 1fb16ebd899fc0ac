"""The approval lane, and the choice for a document of a closed period: what a person decides before a record is sent.

Each decision is about the values that were shown: an edit since asks again.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction
from resources.store.queue import Decider, Opened, Touched, open_record
from resources.store.views import After, Row
from sync.errors import InvalidInput, NotFound, PeriodLocked
from sync.lanes import ApprovalMissing, PeriodQuestion
from sync.refusals import StaleApproval

HELD = ("held",)
PeriodChoice = Literal["first_open_day", "hold"]


def accept(tx: Transaction, record_id: UUID, *, by: Decider) -> Touched:
    """Let the next sync send a record; raises StaleApproval where it was edited after it was shown."""
    opened = _waiting(tx, record_id)
    _must_be_current(opened)
    tx.run("lane_accept", id=opened.link["id"], actor=by.actor, now=by.now)
    tx.run("queue_record_resolve", id=record_id, resolution="approved", actor=by.actor, now=by.now)
    checksum = {"checksum": opened.link["ours_checksum"]}
    write_audit(tx, opened.entry("approval.accepted", actor=by.actor, after=checksum, reason=by.reason))
    return opened.touched


def accept_all(
    tx: Transaction, *, connection_id: UUID | None, entity: str | None, by: Decider
) -> list[Touched]:
    """Let the next sync send everything that waits for approval; what was edited meanwhile stays."""
    rows = tx.rows(
        "lane_accept_all",
        connection_id=connection_id,
        entity=entity,
        actor=by.actor,
        reason=by.reason,
        now=by.now,
    )
    return [Touched(**row) for row in rows]


def reject(tx: Transaction, record_id: UUID, *, by: Decider) -> None:
    """Do not send a record: it is not proposed again until it is edited, or sent back into the lane."""
    opened = _waiting(tx, record_id)
    _must_be_current(opened)
    tx.run("queue_link_ignore", id=opened.link["id"])
    tx.run("lane_reject_record", id=record_id, actor=by.actor, reason=by.reason, now=by.now)
    write_audit(
        tx, opened.entry("approval.rejected", actor=by.actor, after={"state": "ignored"}, reason=by.reason)
    )


def resend(tx: Transaction, record_id: UUID, *, by: Decider) -> Touched:
    """Propose a rejected record again as it is."""
    link = tx.row("lane_rejected_link", id=record_id)
    if link is None:
        raise NotFound(what="rejected record", id=str(record_id))
    tx.run("lane_resend", id=link["id"])
    write_audit(
        tx,
        AuditEntry(
            actor=by.actor,
            action="approval.resent",
            reason=by.reason,
            connection_id=link["connection_id"],
            link_id=link["id"],
            entity=link["entity"],
            record_id=link["record_id"],
            remote_id=link["remote_id"],
            after={"state": "open"},
        ),
    )
    return Touched(link["connection_id"], link["entity"], 1)


def choose_period(tx: Transaction, record_id: UUID, *, choice: PeriodChoice, by: Decider) -> Touched:
    """Store what a person chose for a document whose date lies in a closed period; the next sync carries it out."""
    opened = open_record(tx, record_id, statuses=HELD, what="document of a closed period")
    if opened.record["code"] not in (PeriodLocked.code, PeriodQuestion.code):
        raise InvalidInput(
            what=opened.label,
            reason="it does not wait for a date; only a new document of a closed period can be moved",
        )
    _must_be_current(opened)
    chosen = None if choice == "hold" else choice
    tx.run("period_choose", id=opened.link["id"], choice=chosen)
    write_audit(tx, opened.entry("period.chosen", actor=by.actor, after={"choice": choice}, reason=by.reason))
    return opened.touched


def approvals(
    tx: Transaction,
    *,
    is_rejected: bool,
    connection_id: UUID | None,
    entity: str | None,
    after: After,
    rows_max: int,
) -> list[Row]:
    """Return records that wait for approval, or were rejected and not edited since, newest first."""
    rows = tx.rows(
        "view_approvals",
        is_rejected=is_rejected,
        connection_id=connection_id,
        entity=entity,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )
    return [dict[str, Any](row) for row in rows]


def _waiting(tx: Transaction, record_id: UUID) -> Opened:
    opened = open_record(tx, record_id, statuses=HELD, what="record that waits for approval")
    if opened.record["code"] != ApprovalMissing.code:
        raise NotFound(what="record that waits for approval", id=str(record_id))
    return opened


def _must_be_current(opened: Opened) -> None:
    link = opened.link
    if link["state"] != "held" or link["decided_ours_checksum"] != link["ours_checksum"]:
        raise StaleApproval(label=opened.label)

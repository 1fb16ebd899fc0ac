"""Writes whose outcome only a person can tell: showing the evidence, and carrying out what was decided.

Nothing is written to the ledger here. *It is that one* pairs the two records and lets the next sync compare them; *it
never arrived* strikes the look-alikes out, so that the next look in the ledger finds none and sends the same request
again; *leave* keeps the record aside until it changes here, and even then the ledger is asked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from resources.store.audit import write_audit
from resources.store.database import Transaction, json_text
from resources.store.queue import FAILURES, Decider, Opened, Touched, leave, open_record
from resources.store.work.pairs import naming
from sync.errors import OutcomeUndecided
from sync.outgoing import NAMED_BY
from sync.records import Entity
from sync.refusals import NothingToDecide, OutcomeRejected

Outcome = Literal["adopt", "send_again", "leave"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one unconfirmed write: our record, the attempt, and what the ledger shows."""

    ours: sa.RowMapping | None
    attempt: sa.RowMapping
    candidates: Sequence[sa.RowMapping]
    message: str
    # What can be chosen as things stand.
    choices: tuple[Outcome, ...]


def evidence(tx: Transaction, record_id: UUID) -> Evidence:
    """Return the evidence about an open queue row; raises NotFound or NothingToDecide."""
    return _evidence(tx, open_record(tx, record_id, statuses=FAILURES, what="sync error"))


def decide(
    tx: Transaction, record_id: UUID, *, outcome: Outcome, remote_id: str | None, by: Decider
) -> Touched:
    """Carry out what a person said became of a write; raises NothingToDecide or OutcomeRejected."""
    opened = open_record(tx, record_id, statuses=FAILURES, what="sync error")
    found = _evidence(tx, opened)
    if outcome not in found.choices:
        raise OutcomeRejected(
            label=opened.label,
            reason="the ledger has documents with this record's own mark, so it did arrive; choose one",
        )
    if outcome == "adopt":
        _adopt(tx, opened, found, remote_id, by)
    elif outcome == "send_again":
        ids = [row["provider_entity_id"] for row in found.candidates]
        tx.run("undecided_not_these", link_id=opened.link["id"], remote_ids=ids)
        tx.run("queue_record_reopen", id=record_id)
        _note(tx, opened, found, by, after={"outcome": outcome, "is_none_of": ids})
    else:
        leave(tx, opened, record_id, by=by)
    return opened.touched


def _evidence(tx: Transaction, opened: Opened) -> Evidence:
    link_id = opened.link["id"]
    attempt = tx.row("undecided_attempt", link_id=link_id)
    if opened.record["code"] != OutcomeUndecided.code or attempt is None:
        raise NothingToDecide(label=opened.label)
    details: Mapping[str, Any] = opened.record["details"] or {}
    candidates = tx.rows(
        "undecided_candidates", link_id=link_id, remote_ids=list(details.get("candidates") or ())
    )
    has_mark = any(row["marker"] == attempt["marker"] for row in candidates)
    choices: tuple[Outcome, ...] = ("adopt", "leave") if has_mark else ("adopt", "send_again", "leave")
    return Evidence(
        ours=tx.row("undecided_ours", link_id=link_id),
        attempt=attempt,
        candidates=candidates,
        message=str(opened.record["error_message"] or ""),
        choices=choices,
    )


def _adopt(tx: Transaction, opened: Opened, found: Evidence, remote_id: str | None, by: Decider) -> None:
    chosen = next((row for row in found.candidates if row["provider_entity_id"] == remote_id), None)
    if chosen is None:
        raise OutcomeRejected(
            label=opened.label, reason="say with provider_entity_id which of the candidates it is"
        )
    if chosen["is_linked"]:
        raise OutcomeRejected(
            label=opened.label, reason=f"{chosen['label']} already belongs to another record of the platform"
        )
    link, names = opened.link, {"builder_id": opened.link["builder_id"]}
    pairs = json_text([{"link_id": str(link["id"]), "remote_id": remote_id}])
    tx.run("drop_waiting_halves", **names, connection_id=link["connection_id"], rows=pairs, now=by.now)
    tx.run("pair_links", **names, rows=pairs)
    tx.run("undecided_paired", link_id=link["id"], now=by.now)
    if link["entity"] in NAMED_BY:
        # Money on it came in before anybody knew that it is ours.
        tx.run(
            "reopen_naming",
            **names,
            connection_id=link["connection_id"],
            **naming(Entity(link["entity"])),
            remote_ids=[remote_id],
        )
    tx.run(
        "settle_attempt",
        **names,
        connection_id=link["connection_id"],
        request_id=found.attempt["request_id"],
        state="done",
        message="A person found it in the ledger.",
        code=None,
        category=None,
        remote_id=remote_id,
        remote_version=None,
        now=by.now,
    )
    tx.run("queue_record_resolve", id=opened.record["id"], resolution="adopted", actor=by.actor, now=by.now)
    _note(tx, opened, found, by, after={"outcome": "adopt", "remote_id": remote_id})


def _note(tx: Transaction, opened: Opened, found: Evidence, by: Decider, *, after: Mapping[str, Any]) -> None:
    entry = opened.entry("push.decided", actor=by.actor, after=after, reason=by.reason)
    before = {**(entry.before or {}), "request_id": found.attempt["request_id"]}
    write_audit(tx, replace(entry, before=before))

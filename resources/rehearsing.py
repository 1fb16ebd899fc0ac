"""Carrying out a rehearsal: read the ledger, run the real engine in a transaction, write the diff down, roll back.

The ledger is read first and into memory, so that no transaction is open while a provider is called. Then the same
engine as in a sync works in one transaction, against a ledger that only pretends (`sync.rehearsal`). The transaction is
rolled back whatever happens; only the diff is stored after it. Decision 0024.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from resources.store import rehearsals
from resources.store.database import Database, Transaction
from resources.store.dimensions import options_of
from resources.store.rehearsal_work import RehearsalStore, RehearsalWork
from sync.clock import Clock
from sync.engine import CHANGES_STREAM, ConnectionSync
from sync.errors import ProviderError, Remedy
from sync.outgoing import Reference
from sync.ports import ChangePage, Provider
from sync.records import SYNC_ORDER, Entity
from sync.rehearsal import Foreseen, ForeseenOutcome, Rehearsed, foreseen, named_in
from sync.stored import ConnectionFacts

# Somebody at work on one of these records goes first.
PATIENCE_MILLISECONDS = 3000
# The state of a queue row → what a rehearsal calls it.
WAITING: Mapping[str, ForeseenOutcome] = {"error": "failed", "held": "held", "conflict": "conflict"}


class RehearsalDisturbed(ProviderError):
    """Somebody was editing what the rehearsal wanted to look at; it gave way."""

    code = "rehearsal.disturbed"
    remedy = Remedy.RETRY_LATER
    template = (
        "The rehearsal gave way because somebody was saving the same records at that moment."
        " Nothing was changed; rehearse again."
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rehearsal works with."""

    database: Database
    provider: Provider
    facts: ConnectionFacts
    clock: Clock


def carry_out(parts: Parts, begun: rehearsals.StartedRehearsal) -> None:
    """Rehearse a sync and keep its diff; raises SyncError where it cannot be done."""
    builder_id = UUID(parts.facts.builder_id)
    pages = _read(parts)
    found = _rehearse(parts, begun, pages)
    rehearsals.end(
        parts.database,
        builder_id,
        rehearsal_id=begun.id,
        found=found,
        facts={"calls": parts.provider.calls, "records_read": sum(len(page.records) for page in pages)},
        error=None,
        now=parts.clock.now(),
    )


def _read(parts: Parts) -> list[ChangePage]:
    """Read what changed in the ledger; the cursor stays, so that the next sync reads the same again."""
    with parts.database.builder_tx(UUID(parts.facts.builder_id)) as tx:
        cursor = tx.value(
            "read_cursor",
            builder_id=parts.facts.builder_id,
            connection_id=parts.facts.connection_id,
            stream=CHANGES_STREAM,
        )
        known = options_of(tx, UUID(parts.facts.builder_id), connection_id=UUID(parts.facts.connection_id))
    if known and parts.provider.book is not None:
        parts.provider.book.know(known)
    return list(parts.provider.changes(cursor))


def _rehearse(
    parts: Parts, begun: rehearsals.StartedRehearsal, pages: Sequence[ChangePage]
) -> list[Foreseen]:
    ledger = Rehearsed(
        provider=parts.provider, pages=pages, facts=parts.provider.company(), now=parts.clock.now()
    )
    try:
        with parts.database.rolled_back_tx(UUID(parts.facts.builder_id)) as tx:
            tx.value("rehearsal_patience", milliseconds=str(PATIENCE_MILLISECONDS))
            store = RehearsalStore(
                tx, facts=parts.facts, rehearsal_id=begun.id, clock=parts.clock, actor=begun.requested_by
            )
            _make_room(tx, parts, begun)
            engine = ConnectionSync(
                store=store, provider=ledger, clock=parts.clock, actor=store.actor, direction=begun.direction
            )
            engine.pull_changes(with_census=False)
            for entity in begun.entities:
                engine.sync_entity(entity)
            return _diff(tx, store, begun, parts)
    except sa.exc.OperationalError as error:
        # A lock that is not given in time, or a deadlock: whoever saves something goes first.
        raise RehearsalDisturbed from error


def _make_room(tx: Transaction, parts: Parts, begun: rehearsals.StartedRehearsal) -> None:
    """Give the rehearsal the run's row that log rows and attempts point at; it is rolled back with them."""
    tx.run(
        "create_sync_run",
        builder_id=parts.facts.builder_id,
        sync_run_id=begun.id,
        connection_id=parts.facts.connection_id,
        trigger="manual",
        entities=[],
        direction=begun.direction,
        requested_by=begun.requested_by,
        now=parts.clock.now(),
        dagster_run_id=None,
    )


def _diff(
    tx: Transaction, store: RehearsalStore, begun: rehearsals.StartedRehearsal, parts: Parts
) -> list[Foreseen]:
    work = RehearsalWork(tx, store, now=parts.clock.now())
    named: set[Reference] = set()
    for audit in store.audits:
        for side in (audit.before, audit.after):
            named.update(named_in(audit.link.entity, (side or {}).get("canonical")))
    found = foreseen(
        store.outcomes,
        store.audits,
        ours=work.our_names([each for each in named if _is_uuid(each[1])]),
        theirs=work.their_names(named),
        codes=work.code_names(),
    )
    waiting = tx.rows(
        "rehearsal_waiting",
        builder_id=parts.facts.builder_id,
        connection_id=parts.facts.connection_id,
        entities=[entity.value for entity in begun.entities],
        link_ids=[each.link_id for each in found],
    )
    for row in waiting:
        values = dict(row)
        outcome, entity = WAITING[values.pop("status")], Entity(values.pop("entity"))
        found.append(Foreseen(entity=entity, outcome=outcome, is_known=True, **values))
    order = {entity: place for place, entity in enumerate(SYNC_ORDER)}
    return sorted(found, key=lambda each: order[each.entity])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

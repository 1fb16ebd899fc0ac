"""Rehearsals: asking for one, keeping what it would have done, and reading that in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from resources.store.database import Database, Transaction, json_text
from resources.store.views import FROM_START, After
from sync.errors import NotFound
from sync.records import SYNC_ORDER, Direction, Entity
from sync.rehearsal import Foreseen, ForeseenTotal, Rehearsal

# A diff older than this says nothing about the books of today.
KEPT_FOR = timedelta(days=30)
# By then the process that carried it out is gone.
RUNS_FOR_MAX = timedelta(hours=2)
NEVER_ENDED = "This rehearsal never ended. Check that Dagster is running, then rehearse again."
LAUNCH_BROKE = "This rehearsal was not started because of an error on our side. Start it again."
BROKE = (
    "This rehearsal stopped on an error of Tieout itself; nothing was written to either book. Start it again."
)
RECORDS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """What is to be rehearsed: which connection, which entities (none: all), which way, and by whom it is asked."""

    connection_id: UUID
    requested_by: str
    entities: Sequence[Entity] = ()
    direction: Direction = "both"


@dataclass(frozen=True, slots=True)
class StartedRehearsal:
    """A rehearsal that has begun, as its row says."""

    id: str
    connection_id: str
    entities: Sequence[Entity]
    direction: Direction
    requested_by: str


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which part of a rehearsal's records is meant; None means any."""

    entity: str | None = None
    outcome: str | None = None


def create(database: Database, builder_id: UUID, *, request: RehearsalRequest, now: datetime) -> str:
    """Note a rehearsal that is asked for, and return its id."""
    rehearsal_id = str(uuid7())
    chosen = [entity for entity in SYNC_ORDER if entity in request.entities]
    with database.builder_tx(builder_id) as tx:
        _tidy(tx, builder_id, now=now)
        tx.run(
            "rehearsal_create",
            builder_id=builder_id,
            rehearsal_id=rehearsal_id,
            connection_id=request.connection_id,
            entities=[] if len(chosen) == len(SYNC_ORDER) else [each.value for each in chosen],
            direction=request.direction,
            requested_by=request.requested_by,
            now=now,
        )
    return rehearsal_id


def start(
    database: Database, builder_id: UUID, *, rehearsal_id: str, dagster_run_id: str | None, now: datetime
) -> StartedRehearsal:
    """Note that a rehearsal has begun; raises NotFound where there is none that could begin."""
    with database.builder_tx(builder_id) as tx:
        row = tx.row(
            "rehearsal_start",
            builder_id=builder_id,
            rehearsal_id=rehearsal_id,
            dagster_run_id=dagster_run_id,
            now=now,
        )
    if row is None:
        raise NotFound(what="rehearsal that waits to begin", id=rehearsal_id)
    entities = tuple(Entity(name) for name in row["entities"])
    return StartedRehearsal(
        rehearsal_id, row["connection_id"], entities or SYNC_ORDER, row["direction"], row["requested_by"]
    )


def note_launch(database: Database, builder_id: UUID, *, rehearsal_id: str, dagster_run_id: str) -> None:
    """Remember the Dagster run that carries a rehearsal out."""
    with database.builder_tx(builder_id) as tx:
        tx.run(
            "rehearsal_launched",
            builder_id=builder_id,
            rehearsal_id=rehearsal_id,
            dagster_run_id=dagster_run_id,
        )


def end(
    database: Database,
    builder_id: UUID,
    *,
    rehearsal_id: str,
    found: Sequence[Foreseen],
    facts: Mapping[str, int],
    error: str | None,
    now: datetime,
) -> None:
    """Keep what a rehearsal found, or why it found nothing; `facts` are `calls` and `records_read`."""
    rows = [{**_row(each), "position": place} for place, each in enumerate(found, start=1)]
    with database.builder_tx(builder_id) as tx:
        if rows:
            tx.run(
                "rehearsal_save_records",
                builder_id=builder_id,
                rehearsal_id=rehearsal_id,
                rows=json_text(rows),
            )
        tx.run(
            "rehearsal_end",
            builder_id=builder_id,
            rehearsal_id=rehearsal_id,
            error=error,
            calls=facts.get("calls", 0),
            records_read=facts.get("records_read", 0),
            now=now,
        )


def fail(database: Database, builder_id: UUID, *, rehearsal_id: str, sentence: str, now: datetime) -> None:
    """End a rehearsal that found nothing, with the reason."""
    end(database, builder_id, rehearsal_id=rehearsal_id, found=(), facts={}, error=sentence, now=now)


def _row(each: Foreseen) -> dict[str, Any]:
    row = asdict(each)
    del row["link_id"]
    return row


def _tidy(tx: Transaction, builder_id: UUID, *, now: datetime) -> None:
    tx.run(
        "rehearsals_tidy",
        builder_id=builder_id,
        kept_since=now - KEPT_FOR,
        given_up_before=now - RUNS_FOR_MAX,
        sentence=NEVER_ENDED,
        now=now,
    )


# ---------------------------------------------------------------- reading


def rehearsals(
    tx: Transaction,
    *,
    connection_id: UUID | None = None,
    after: After = FROM_START,
    rows_max: int,
) -> list[dict[str, Any]]:
    """Return rehearsals, newest first."""
    rows = tx.rows(
        "view_rehearsals",
        id=None,
        connection_id=connection_id,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )
    return [dict(row) for row in rows]


def rehearsal(tx: Transaction, rehearsal_id: UUID) -> dict[str, Any]:
    """Return one rehearsal with its totals; raises NotFound."""
    row = tx.row(
        "view_rehearsals", id=rehearsal_id, connection_id=None, after_at=None, after_id=None, rows_max=1
    )
    if row is None:
        raise NotFound(what="rehearsal", id=str(rehearsal_id))
    totals = [dict(each) for each in tx.rows("view_rehearsal_totals", rehearsal_id=rehearsal_id)]
    return {**row, "totals": totals}


def records(
    tx: Transaction, rehearsal_id: UUID, *, chosen: RecordFilter, after: int, rows_max: int
) -> list[dict[str, Any]]:
    """Return records of one rehearsal in the order in which a sync works; `after` is the last position before."""
    rows = tx.rows(
        "view_rehearsal_records",
        rehearsal_id=rehearsal_id,
        entity=chosen.entity,
        outcome=chosen.outcome,
        after=after,
        rows_max=rows_max,
    )
    return [dict(row) for row in rows]


def read(
    database: Database, builder_id: UUID, *, rehearsal_id: str, rows_max: int = RECORDS_SHOWN_MAX
) -> Rehearsal:
    """Return a finished rehearsal with its totals and first records."""
    with database.builder_tx(builder_id) as tx:
        row = rehearsal(tx, UUID(rehearsal_id))
        found = records(tx, UUID(rehearsal_id), chosen=RecordFilter(), after=0, rows_max=rows_max)
    return Rehearsal(
        id=rehearsal_id,
        totals=[ForeseenTotal(**{**each, "entity": Entity(each["entity"])}) for each in row["totals"]],
        records=[_foreseen(each) for each in found],
        records_read=row["records_read"],
        provider_calls=row["provider_calls"],
    )


def _foreseen(row: Mapping[str, Any]) -> Foreseen:
    values = {name: row[name] for name in Foreseen.__dataclass_fields__ if name in row}
    record_id = row["record_id"]
    return Foreseen(
        **{
            **values,
            "entity": Entity(row["entity"]),
            "record_id": str(record_id) if record_id is not None else None,
        }
    )

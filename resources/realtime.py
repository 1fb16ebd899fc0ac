"""Real time: what is committed on the platform's tables reaches the ledger within tenths of a second.

The table of changes is the truth and is looked at every second; NOTIFY only makes the next look come sooner. So a lost
notification, a restart of the database or of this process loses nothing. One connection is worked on by one worker at
a time, whichever process it lives in; what changes meanwhile makes one further pass, however many changes there were.

What a large import brought is none of people's work of the moment: it goes in passes of its own, one kind of record at a
time in the order of what depends on what, behind everything else of its connection and of the calls a provider allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog
from uuid_utils.compat import uuid7

from resources.changes import ChangeBell
from resources.wiring import NewRun, Tieout
from sync.errors import InvalidSetting, RateLimited, SyncError
from sync.records import SYNC_ORDER, Entity
from sync.schedule import zone_of
from sync.summary import EntitySummary
from sync.window import read_window

POLL_SECONDS = 1.0
# Looks are at least this far apart: the first change after a rest goes at once, those that follow it closely together.
LOOKS_APART_SECONDS = 0.03
CONNECTIONS_AT_ONCE = 6
# Another sync of the connection is under way: it takes these changes along, or the next look does.
BUSY_SECONDS = 1.0
BACKOFF_SECONDS_MAX = 300.0
REQUESTED_BY = "real time"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Touched:
    """One connection on which something changed, and when each entity was last changed."""

    builder_id: str
    connection_id: str
    provider: str
    entities: dict[Entity, datetime]
    # When the provider last told that something changed there.
    hinted_at: datetime | None = None
    # Whether a large import changed it, and nobody else.
    is_bulk: bool = False

    def next_kind(self) -> Touched:
        """Return what of it is next: of a large import one kind of record, so that people's work comes in between."""
        if not self.is_bulk:
            return self
        first = next(entity for entity in SYNC_ORDER if entity in self.entities)
        return replace(self, entities={first: self.entities[first]})


@dataclass(frozen=True, slots=True)
class Done:
    """One pass over one connection, for whoever wants to show it."""

    touched: Touched
    summaries: Sequence[EntitySummary]


class Witness(Protocol):
    """Is told of every pass that was made; must not take long."""

    def saw(self, done: Done) -> None:
        """Take note of a pass."""
        ...

    def flush(self) -> None:
        """Show what was noted; called about four times a second, from one thread."""
        ...


@dataclass(slots=True)
class _Patience:
    """How often a connection failed in a row, and until when it is left alone."""

    tries: int = 0
    until: float = 0.0
    # By entity, and whether it was a large import's.
    handled: dict[tuple[Entity, bool], datetime] = field(default_factory=dict)


class RealTimeWorker:
    """Looks, and lets a bounded number of connections be worked on at once."""

    def __init__(
        self,
        tieout: Tieout,
        bell: ChangeBell,
        *,
        witness: Witness,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Work with this product; `witness` is told what was done."""
        self._tieout = tieout
        self._bell = bell
        self._witness = witness
        self._monotonic = monotonic
        self._stopped = threading.Event()
        self._under_way: dict[str, Future[None]] = {}
        self._patience: dict[str, _Patience] = {}
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Let `run` end after the passes that are under way."""
        self._stopped.set()
        self._bell.ring()

    def run(self) -> None:
        """Work until stopped."""
        self._bell.start()
        with ThreadPoolExecutor(CONNECTIONS_AT_ONCE, thread_name_prefix="real-time") as pool:
            while not self._stopped.is_set():
                looked_at = self._monotonic()
                self.look(pool)
                self._witness.flush()
                self._bell.wait(POLL_SECONDS)
                self._stopped.wait(max(looked_at + LOOKS_APART_SECONDS - self._monotonic(), 0.0))
        self._bell.stop()
        self._witness.flush()

    def look(self, pool: ThreadPoolExecutor) -> int:
        """Start a pass for every connection with changes that nobody works on; return how many were started."""
        try:
            due = self._due()
        except sa.exc.DBAPIError as error:
            # The database is restarting: the changes wait in it, and the next look finds them.
            log.warning("look_failed", reason=type(error.orig).__name__)
            return 0
        started = 0
        with self._lock:
            for touched in due:
                # What finds no place now is found again: the queue is the table itself.
                if len(self._under_way) >= CONNECTIONS_AT_ONCE:
                    break
                if touched.connection_id not in self._under_way:
                    future = pool.submit(self._pass, touched)
                    self._under_way[touched.connection_id] = future
                    started += 1
        return started

    def _due(self) -> list[Touched]:
        with self._tieout.database.scheduler_tx() as tx:
            rows = tx.rows("real_time_changes")
        urgent: dict[str, Touched] = {}
        bulk: dict[str, Touched] = {}
        for row in rows:
            patience = self._patience.setdefault(row["connection_id"], _Patience())
            if self._monotonic() < patience.until or self._is_closed(row):
                continue
            entity, is_bulk = Entity(row["entity"]) if row["entity"] else None, bool(row["is_bulk"])
            is_new = entity is not None and patience.handled.get((entity, is_bulk)) != row["changed_at"]
            if is_bulk and is_new:
                touched = bulk.setdefault(row["connection_id"], _touched(row, is_bulk=True))
            elif row["pull_hinted_at"] is not None or is_new:
                touched = urgent.setdefault(row["connection_id"], _touched(row, is_bulk=False))
            if entity is not None and is_new:
                touched.entities[entity] = row["changed_at"]
        # A connection's large imports wait until nothing else of it does.
        waiting = [each.next_kind() for name, each in bulk.items() if name not in urgent]
        return [*urgent.values(), *waiting]

    def _is_closed(self, row: sa.RowMapping) -> bool:
        try:
            window = read_window(row["sync_window"])
            return window is not None and not window.is_open(
                self._tieout.clock.now(), zone_of(row["time_zone"])
            )
        except InvalidSetting:
            # Written past the API; its next scheduled sync says so.
            return True

    def _pass(self, touched: Touched) -> None:
        patience = self._patience[touched.connection_id]
        try:
            summaries = self._sync(touched)
            if summaries is None:
                patience.until = self._monotonic() + BUSY_SECONDS
            else:
                patience.tries = 0
                # An entity that is switched off keeps its note of changes; that is no reason to look for ever.
                patience.handled.update(
                    {(entity, touched.is_bulk): at for entity, at in touched.entities.items()}
                )
                self._witness.saw(Done(touched, summaries))
        except SyncError as error:
            self._leave_alone(
                patience, wait=error.details.get("wait_seconds") if isinstance(error, RateLimited) else None
            )
            log.warning("real_time_pass_failed", connection=touched.connection_id, code=error.code)
        except Exception as error:
            self._leave_alone(patience, wait=None)
            log.exception("real_time_pass_broke", connection=touched.connection_id, kind=type(error).__name__)
        finally:
            with self._lock:
                self._under_way.pop(touched.connection_id, None)
            self._bell.ring()

    def _leave_alone(self, patience: _Patience, *, wait: float | None) -> None:
        patience.tries += 1
        seconds = wait if wait is not None else min(2.0**patience.tries, BACKOFF_SECONDS_MAX)
        patience.until = self._monotonic() + seconds

    def _sync(self, touched: Touched) -> list[EntitySummary] | None:
        """Sync what was touched; None where somebody else is working on this connection."""
        with self._tieout.database.session_lock(
            "lock_connection", "unlock_connection", connection_id=touched.connection_id
        ) as is_mine:
            return self._sync_alone(touched) if is_mine else None

    def _hint_done(self, touched: Touched) -> None:
        if touched.hinted_at is not None:
            with self._tieout.database.builder_tx(UUID(touched.builder_id)) as tx:
                tx.run(
                    "hint_done",
                    builder_id=touched.builder_id,
                    connection_id=touched.connection_id,
                    hinted_at=touched.hinted_at,
                )

    def _sync_alone(self, touched: Touched) -> list[EntitySummary]:
        entities = [entity for entity in SYNC_ORDER if entity in touched.entities]
        new_run = NewRun(
            trigger="initial_import" if touched.is_bulk else "real_time",
            entities=list(entities),
            requested_by=REQUESTED_BY,
        )
        is_done = False
        try:
            # The schedule stays as it is: a busy day must not push the scheduled sync away.
            with self._tieout.sync_alone(
                touched.builder_id, touched.connection_id, str(uuid7()), new_run=new_run
            ) as sync:
                changed = set(touched.entities)
                if touched.hinted_at is not None:
                    seen = sync.pull_changes(with_census=False).by_entity
                    changed |= {entity for entity in SYNC_ORDER if entity in seen}
                summaries = [sync.sync_entity(entity) for entity in SYNC_ORDER if entity in changed]
            is_done = True
        finally:
            if touched.is_bulk and not is_done:
                self._note_bulk_again(touched, entities)
        self._hint_done(touched)
        return summaries

    def _note_bulk_again(self, touched: Touched, entities: Sequence[Entity]) -> None:
        """Its notes are taken, what they stand for is not all sent: a later look finds it again."""
        with self._tieout.database.builder_tx(UUID(touched.builder_id)) as tx:
            tx.run(
                "note_bulk_again",
                builder_id=touched.builder_id,
                connection_id=touched.connection_id,
                entities=list(entities),
            )


def _touched(row: sa.RowMapping, *, is_bulk: bool) -> Touched:
    hinted_at = None if is_bulk else row["pull_hinted_at"]
    return Touched(row["builder_id"], row["connection_id"], row["provider"], {}, hinted_at, is_bulk=is_bulk)

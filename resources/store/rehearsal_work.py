"""A rehearsal's transactions: savepoints of one transaction that is rolled back, and what was reported in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from resources.store.database import Transaction
from resources.store.sync_store import STATISTICS_ROWS_MIN, PostgresWork
from resources.store.work.ours import Noted
from resources.store.work.part import SyncSession
from sync.clock import Clock
from sync.records import Entity
from sync.stored import Apply, AttemptView, Audit, ConnectionFacts, Outcome

Note = tuple[Entity, str, datetime]


class RehearsalStore(SyncSession):
    """`sync.store.Store` over one open transaction: each work is a savepoint of it. Nothing here commits."""

    def __init__(
        self, tx: Transaction, *, facts: ConnectionFacts, rehearsal_id: str, clock: Clock, actor: str
    ) -> None:
        """Take the transaction that will be rolled back."""
        super().__init__(facts=facts, sync_run_id=rehearsal_id, trigger="manual", actor=actor)
        self._tx = tx
        self._clock = clock
        self._statistics_due = STATISTICS_ROWS_MIN
        self.outcomes: list[Outcome] = []
        self.audits: list[Audit] = []
        self.seen: set[Note] = set()

    @contextmanager
    def work(self, *, is_brief: bool = False) -> Iterator[RehearsalWork]:
        """Open a savepoint; what is done in it stays until the whole rehearsal is rolled back."""
        del is_brief
        with self._tx.connection.begin_nested():
            yield RehearsalWork(self._tx, self, now=self._clock.now())
        if self.rows_written >= self._statistics_due:
            self._statistics_due = 2 * self.rows_written
            self._tx.value("refresh_statistics")


class RehearsalWork(PostgresWork):
    """The work of a sync, except that notes of changes stay where they are and reports are remembered."""

    def __init__(self, tx: Transaction, session: RehearsalStore, *, now: datetime) -> None:
        super().__init__(tx, session, now=now)
        self._rehearsal = session

    def unsettled(self, entity: Entity) -> list[AttemptView]:
        """List nothing: what nobody knows the outcome of would be looked up first, and stays among what waits."""
        return []

    def record(self, log_id: str, outcomes: Sequence[Outcome]) -> None:
        """Remember what a sync would report."""
        self._rehearsal.outcomes += outcomes
        super().record(log_id, outcomes)

    def audit(self, entries: Sequence[Audit]) -> None:
        """Remember what a sync would write down."""
        self._rehearsal.audits += entries
        super().audit(entries)

    def _noted(self, entity: Entity) -> dict[str, Noted]:
        # Taking notes off the list would make whoever edits one of these records wait until the rehearsal ends.
        return {note[1]: Noted(note[2]) for note in self._unseen(entity, mark=True)}

    def _edited_meanwhile(self, entity: Entity, rows: Sequence[Apply]) -> list[str]:
        ids = {row.record_id for row in rows}
        return [note[1] for note in self._unseen(entity, mark=False) if note[1] in ids]

    def _unseen(self, entity: Entity, *, mark: bool) -> list[Note]:
        rows = self._tx.rows("rehearsal_peek", **self._builder, entity=entity)
        notes = [(entity, row["record_id"], row["changed_at"]) for row in rows]
        unseen = [note for note in notes if note not in self._rehearsal.seen]
        if mark:
            self._rehearsal.seen.update(unseen)
        return unseen

"""`sync.store` on PostgreSQL: the database as one sync of one connection sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from uuid import UUID

from resources.store.database import Database
from resources.store.mappings import load_mapping
from resources.store.work.attempts import AttemptsPart
from resources.store.work.census import CensusPart
from resources.store.work.dimensions import DimensionsPart
from resources.store.work.ours import OursPart
from resources.store.work.outcomes import OutcomesPart
from resources.store.work.pairs import LinksPart
from resources.store.work.part import SyncSession
from resources.store.work.proofs import ProofsPart
from resources.store.work.theirs import TheirsPart
from sync.clock import Clock
from sync.compare import Strategy
from sync.mapping import MappingTable
from sync.records import DEFAULT_DIRECTION, Entity
from sync.stored import ClosedBooks, ConnectionFacts, EntitySetting, Trigger

# How long a ledger's refusal stands for a closing date that it does not report.
REFUSAL_REMEMBERED = timedelta(hours=20)
# As many rows at once make plans made before them useless, long before autovacuum looks.
STATISTICS_ROWS_MIN = 250


class PostgresWork(
    OursPart, TheirsPart, CensusPart, LinksPart, DimensionsPart, AttemptsPart, OutcomesPart, ProofsPart
):
    """Everything that happens in one transaction of a sync; the methods are described in `sync.store.Work`."""

    def mapping(self, version_id: str | None = None) -> MappingTable:
        """Return the mapping as it is now, or one of its older versions."""
        return load_mapping(self._tx, self._session.facts.connection_id, version_id=version_id)

    def code_names(self) -> dict[str, str]:
        """Return cost code id → code and name, for sentences."""
        return {row["id"]: row["name"] for row in self._tx.rows("code_names", **self._builder)}

    def entity_setting(self, entity: Entity) -> EntitySetting:
        """Return how this entity is synced; without a row of its own, the defaults of the requirement."""
        row = self._tx.row("read_entity_setting", **self._connection, entity=entity)
        default = self._session.facts.strategy
        history_from = row["history_from"] if row is not None else None
        if row is None or row["direction"] is None:
            return EntitySetting(
                entity,
                is_enabled=True,
                direction=DEFAULT_DIRECTION[entity],
                strategy=default,
                history_from=history_from,
            )
        strategy = Strategy(row["conflict_strategy"]) if row["conflict_strategy"] else default
        return EntitySetting(
            entity,
            is_enabled=row["is_enabled"],
            direction=row["direction"],
            strategy=strategy,
            ended_here=row["ended_here"],
            ended_there=row["ended_there"],
            closed_period=row["closed_period"],
            needs_approval=row["approval"] == "review",
            history_from=history_from,
        )

    def closed_books(self) -> ClosedBooks:
        """Return until when the provider's books are closed, as it last said or showed by refusing something."""
        row = self._tx.row("read_closed_until", **self._connection, since=self._now - REFUSAL_REMEMBERED)
        return ClosedBooks() if row is None else ClosedBooks(**row)

    def note_closed_until(self, day: date | None) -> None:
        """Remember the last day of the provider's closed books."""
        self._tx.run("note_closed_until", **self._connection, day=day, now=self._now)

    def note_refused_period(self, day: date, *, is_exact: bool) -> None:
        """Remember for a day what a refusal taught of a closed period."""
        since = self._now - REFUSAL_REMEMBERED
        self._tx.run(
            "note_refused_period", **self._connection, day=day, is_exact=is_exact, now=self._now, since=since
        )


class PostgresStore(SyncSession):
    """One connection of one builder, for the length of one sync run."""

    def __init__(
        self,
        database: Database,
        *,
        facts: ConnectionFacts,
        sync_run_id: str,
        trigger: Trigger,
        clock: Clock,
        actor: str,
    ) -> None:
        """Take what every transaction of this sync needs to know."""
        super().__init__(facts=facts, sync_run_id=sync_run_id, trigger=trigger, actor=actor)
        self._database = database
        self._clock = clock
        self._statistics_due = STATISTICS_ROWS_MIN

    @contextmanager
    def work(self, *, is_brief: bool = False) -> Iterator[PostgresWork]:
        """Open one transaction; it commits when the block ends well."""
        # A pass in real time is about a few documents, and what a large import brought goes in passes of its own.
        is_planned_once = is_brief or self.trigger == "real_time"
        with self._database.builder_tx(UUID(self._facts.builder_id), is_planned_once=is_planned_once) as tx:
            yield PostgresWork(tx, self, now=self._clock.now())
        if self.rows_written >= self._statistics_due:
            # Twice as many until the next time, so that the cost stays in proportion.
            self._statistics_due = 2 * self.rows_written
            with self._database.builder_tx(UUID(self._facts.builder_id)) as tx:
                tx.value("refresh_statistics")

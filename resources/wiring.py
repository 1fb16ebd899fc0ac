"""The product, put together: one object that owns the database and opens everything else over it.

The API, the command line, the real-time worker and Dagster's resource all start here, so that each of them runs the
same use cases over the same parts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self, cast
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from resources.connections import Connections
from resources.imports.importer import Imports
from resources.imports.spool import Spool
from resources.postgres import database_urls
from resources.registry import PROVIDERS
from resources.rehearsing import Parts, carry_out
from resources.settings import Settings
from resources.store import rehearsals
from resources.store.bank import read_bank
from resources.store.database import Database, Transaction
from resources.store.notices import raise_notifications
from resources.store.run_ends import close_run
from resources.store.sync_store import PostgresStore
from resources.store.webhooks import write_events
from resources.vault import Vault
from sync.clock import Clock, SystemClock
from sync.compare import Strategy
from sync.dimensions import read_dimensions
from sync.engine import ConnectionSync
from sync.errors import NotFound, SyncBusy, SyncError
from sync.ports import Provider
from sync.quota import Priority
from sync.records import SYNC_ORDER, Direction, Entity
from sync.rehearsal import Rehearsal
from sync.stored import ConnectionFacts, Trigger
from sync.summary import EntitySummary, PullSummary, TieOut
from sync.tax_codes import read_tax_codes

# How long a step waits for another step of the same connection before it gives up and says so.
LOCK_WAIT_SECONDS_MAX = 120
LOCK_POLL_SECONDS = 0.5

# No sync asked for without Dagster (on the command line, say) goes on for longer.
PASS_LASTS_MAX = timedelta(days=1)

# What the bank statement speaks of.
MONEY = frozenset({Entity.PAYMENT, Entity.BILL_PAYMENT, Entity.DEPOSIT})

BROKE = "This pass ended on an error of Tieout itself; the next one takes up where it stopped."

_PRIORITIES: Mapping[Trigger, Priority] = {
    "manual": Priority.PERSON,
    "real_time": Priority.REAL_TIME,
    "scheduled": Priority.SCHEDULE,
    "initial_import": Priority.BULK,
}


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that begins at once: what asked for it, and what it is to look at."""

    trigger: Trigger
    entities: Sequence[str]
    requested_by: str
    direction: Direction = "both"
    dagster_run_id: str | None = None


class OpenSync:
    """One connection's sync while the connection's lock is held; counts its provider calls on the run."""

    def __init__(
        self, engine: ConnectionSync, tieout: Tieout, store: PostgresStore, *, provider: Provider
    ) -> None:
        """Wrap the engine; `finish` and the call counter need the run's row."""
        self._engine = engine
        self._tieout = tieout
        self._store = store
        self._provider = provider
        self._has_new_money = False
        # Nothing came in and nothing was done: known only where one object did both.
        self._is_idle = False
        self._pulled: PullSummary | None = None
        # Calls that are on the run already.
        self.calls_noted = 0

    def pull_changes(self, *, with_census: bool = True) -> PullSummary:
        """Bring what the provider changed since the last look into the mirror, and go on with its census."""
        self._pulled = self._engine.pull_changes(with_census=with_census)
        return self._pulled

    def sync_entity(self, entity: Entity) -> EntitySummary:
        """Compare one entity on both sides and do what is to be done."""
        summary = self._engine.sync_entity(entity)
        self._has_new_money |= entity in MONEY and summary.processed > 0
        return summary

    def sync_entities(self) -> Iterator[EntitySummary]:
        """Do that for all entities, in order; where nothing is to be done, in one look."""
        done = 0
        for summary in self._engine.sync_entities():
            self._has_new_money |= summary.entity in MONEY and summary.processed > 0
            done += summary.processed
            yield summary
        self._is_idle = done == 0 and self._pulled is not None and self._pulled.changed == 0

    def tie_out(self) -> TieOut:
        """Prove that both sides agree, or say where they do not; the bank's view of the money goes with the proof."""
        proof = self._engine.tie_out()
        self.read_bank()
        return proof

    def sync_all(self) -> tuple[PullSummary, list[EntitySummary], TieOut]:
        """Do every step once, in order."""
        pulled = self.pull_changes()
        return pulled, list(self.sync_entities()), self.tie_out()

    def read_bank(self) -> None:
        """Take over what the bank statement says of payments and deposits."""
        self._has_new_money = False
        read_bank(
            self._tieout.database,
            self._provider,
            self._store.facts,
            has_news=not self._is_idle,
            now=self._tieout.clock.now(),
        )

    def close(self) -> None:
        """Leave nothing of what was read untold: money that came in without a proof has its bank status too."""
        if self._has_new_money:
            self.read_bank()

    @property
    def provider_calls(self) -> int:
        """How many provider calls were made since this sync was opened."""
        return self._engine.provider_calls

    def finish(self, *, error: str | None = None) -> None:
        """Close the run with its calls, and say when the connection is due next."""
        calls = self.provider_calls
        self._tieout.finish_run(
            self._store.facts.builder_id,
            self._store.facts.connection_id,
            self._store.sync_run_id,
            error=error,
            calls=calls - self.calls_noted,
        )
        self.calls_noted = calls


class Tieout:
    """The product as its settings say; use it as a context manager."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, database: Database | None = None
    ) -> None:
        """Open the database (already migrated) and everything over it."""
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.database = database or Database(database_urls(settings))
        self.vault = Vault.from_settings(settings)
        self.imports = Imports(self.database, clock=self.clock, spool=Spool(settings.import_folder))
        self.connections = Connections(
            self.database, settings, vault=self.vault, clock=self.clock, on_connected=self.pull_accounts
        )

    def close(self) -> None:
        """Give the connections to the database and the providers back."""
        self.connections.close()
        self.database.close()

    def __enter__(self) -> Self:
        """Use the product for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, whatever happened."""
        self.close()

    # ------------------------------------------------------------------ syncs

    @contextmanager
    def sync(
        self,
        builder_id: str,
        connection_id: str,
        sync_run_id: str,
        *,
        actor: str | None = None,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS_MAX,
    ) -> Iterator[OpenSync]:
        """Open one connection's sync under its lock; provider calls are added to the run when the block ends.

        Raises NotFound, AccessExpired, ProviderUnavailable, or SyncBusy when another sync keeps the lock too long.
        """
        with (
            self._lock(builder_id, connection_id, wait_seconds=lock_wait_seconds, sync_run_id=sync_run_id),
            self.sync_alone(builder_id, connection_id, sync_run_id, actor=actor) as opened,
        ):
            yield opened

    @contextmanager
    def sync_alone(
        self,
        builder_id: str,
        connection_id: str,
        sync_run_id: str,
        *,
        actor: str | None = None,
        new_run: NewRun | None = None,
    ) -> Iterator[OpenSync]:
        """Open a sync for a caller that holds the connection's lock; `new_run` is noted first and ended with the block."""
        run, facts, found, priority = self._begin(builder_id, connection_id, sync_run_id, new_run=new_run)
        # What ended by itself says so; until then it is our own mistake.
        sentence: str | None = BROKE if new_run is not None else None
        opened: OpenSync | None = None
        try:
            provider = self.connections.open_found(builder_id, found, priority=priority)
            store = PostgresStore(
                self.database,
                facts=facts,
                sync_run_id=sync_run_id,
                trigger=run["trigger"],
                clock=self.clock,
                actor=actor or run["requested_by"],
            )
            engine = ConnectionSync(
                store=store,
                provider=provider,
                clock=self.clock,
                actor=store.actor,
                direction=run["direction"],
            )
            opened = OpenSync(engine, self, store, provider=provider)
            yield opened
            opened.close()
            sentence = None
        except SyncError as error:
            sentence = error.user_message
            raise
        finally:
            calls = opened.provider_calls - opened.calls_noted if opened is not None else 0
            names = {"builder_id": builder_id, "sync_run_id": sync_run_id, "calls": calls}
            if new_run is not None:
                with self._brief_tx(builder_id) as tx:
                    tx.run("finish_sync_run", **names, error=sentence, now=self.clock.now())
            elif calls:
                with self._brief_tx(builder_id) as tx:
                    tx.run("count_provider_calls", **names)

    def rehearse(
        self,
        builder_id: str,
        rehearsal_id: str,
        *,
        dagster_run_id: str | None = None,
        lock_wait_seconds: float = LOCK_WAIT_SECONDS_MAX,
    ) -> Rehearsal:
        """Carry out a rehearsal that was asked for: nothing is written to either book. Returns its diff.

        Raises what `sync` raises, and RehearsalDisturbed; the rehearsal then has ended with that sentence.
        """
        begun = rehearsals.start(
            self.database,
            UUID(builder_id),
            rehearsal_id=rehearsal_id,
            dagster_run_id=dagster_run_id,
            now=self.clock.now(),
        )
        sentence: str | None = rehearsals.BROKE
        try:
            facts = self._facts(builder_id, begun.connection_id)
            with self._lock(builder_id, begun.connection_id, wait_seconds=lock_wait_seconds):
                provider = self.connections.open(builder_id, begun.connection_id, priority=Priority.PERSON)
                carry_out(Parts(self.database, provider, facts, self.clock), begun)
            sentence = None
        except SyncError as error:
            sentence = error.user_message
            raise
        finally:
            if sentence is not None:
                rehearsals.fail(
                    self.database,
                    UUID(builder_id),
                    rehearsal_id=rehearsal_id,
                    sentence=sentence,
                    now=self.clock.now(),
                )
        return rehearsals.read(self.database, UUID(builder_id), rehearsal_id=rehearsal_id)

    def _facts(self, builder_id: str, connection_id: str) -> ConnectionFacts:
        with self.database.builder_tx(UUID(builder_id)) as tx:
            row = tx.row("read_connection_facts", builder_id=builder_id, connection_id=connection_id)
        if row is None:
            raise NotFound(what="connection", id=connection_id)
        return _facts_of(builder_id, row)

    @contextmanager
    def _lock(
        self, builder_id: str, connection_id: str, *, wait_seconds: float, sync_run_id: str | None = None
    ) -> Iterator[None]:
        deadline = time.monotonic() + wait_seconds
        while True:
            with self.database.session_lock(
                "lock_connection", "unlock_connection", connection_id=connection_id
            ) as is_locked:
                if is_locked:
                    yield
                    return
            if time.monotonic() > deadline:
                if sync_run_id is not None:
                    with self._brief_tx(builder_id) as tx:
                        tx.run("note_gave_way", builder_id=builder_id, sync_run_id=sync_run_id)
                raise SyncBusy(company=self._facts(builder_id, connection_id).company_name)
            time.sleep(LOCK_POLL_SECONDS)

    def _begin(
        self, builder_id: str, connection_id: str, sync_run_id: str, *, new_run: NewRun | None
    ) -> tuple[Mapping[Any, Any], ConnectionFacts, sa.RowMapping, Priority]:
        """Note that a run begins, and read what it needs to know: itself, its connection's facts, row and priority."""
        names = {"builder_id": builder_id, "connection_id": connection_id}
        now = self.clock.now()
        with self._brief_tx(builder_id) as tx:
            row = tx.row("read_connection_facts", **names)
            if row is None:
                raise NotFound(what="connection", id=connection_id)
            run: Mapping[Any, Any] | None
            if new_run is not None:
                run = asdict(new_run)
                tx.run("create_sync_run", **names, **run, sync_run_id=sync_run_id, now=now)
            else:
                run = tx.row("read_sync_run", builder_id=builder_id, sync_run_id=sync_run_id)
            if run is None:
                raise NotFound(what="sync run", id=sync_run_id)
            tx.run("begin_sync_run", **names, sync_run_id=sync_run_id, now=now, before=now - PASS_LASTS_MAX)
            priority = _PRIORITIES[cast("Trigger", run["trigger"])]
            # A schedule that has a large import to send waits like the import.
            if priority is Priority.SCHEDULE and tx.value("is_bulk_waiting", **names):
                priority = Priority.BULK
            found = tx.row("connection_read", builder_id=builder_id, id=connection_id)
            assert found is not None, "its facts were read in this transaction"
        return run, _facts_of(builder_id, row), found, priority

    def finish_run(
        self, builder_id: str, connection_id: str, sync_run_id: str, *, error: str | None, calls: int = 0
    ) -> None:
        """Close a sync run with its outcome and compute when the connection is due next; `calls` are added to it."""
        now = self.clock.now()
        with self._brief_tx(builder_id) as tx:
            close_run(
                tx,
                builder_id=builder_id,
                connection_id=connection_id,
                sync_run_id=sync_run_id,
                error=error,
                calls=calls,
                now=now,
            )
        raise_notifications(self.database, UUID(builder_id), now=now)
        write_events(self.database, UUID(builder_id), now=now)

    def _brief_tx(self, builder_id: str) -> AbstractContextManager[Transaction]:
        """A transaction of the run's own book-keeping: a few rows, by their keys."""
        return self.database.builder_tx(UUID(builder_id), is_planned_once=True)

    def pull_accounts(self, builder_id: str, connection_id: str) -> None:
        """Right after a consent: give existing records their half links and bring the provider's books into the mirror."""
        run_id = self._new_run(builder_id, connection_id)
        with self.sync(builder_id, connection_id, run_id) as sync:
            sync.pull_changes()
            sync.sync_entity(Entity.ACCOUNT)
            sync.finish()

    def _new_run(self, builder_id: str, connection_id: str) -> str:
        with self.database.builder_tx(UUID(builder_id)) as tx:
            tx.run("link_existing_records", builder_id=builder_id, connection_id=connection_id)
            tx.run("reopen_after_consent", builder_id=builder_id, connection_id=connection_id)
        return self.note_run(
            UUID(builder_id),
            UUID(connection_id),
            entities=[Entity.ACCOUNT],
            direction="pull",
            requested_by="connect",
            trigger="initial_import",
        )

    def note_run(
        self,
        builder_id: UUID,
        connection_id: UUID,
        *,
        entities: Sequence[Entity],
        direction: Direction,
        requested_by: str,
        trigger: Trigger = "manual",
    ) -> str:
        """Note a sync that is about to be carried out in this process, and return its id."""
        run_id = str(uuid7())
        with self.database.builder_tx(builder_id) as tx:
            tx.run(
                "create_sync_run",
                builder_id=builder_id,
                sync_run_id=run_id,
                connection_id=connection_id,
                trigger=trigger,
                # No entities means all, as in a request through the API.
                entities=[] if len(entities) == len(SYNC_ORDER) else [entity.value for entity in entities],
                direction=direction,
                requested_by=requested_by,
                now=self.clock.now(),
                dagster_run_id=None,
            )
        return run_id


def _facts_of(builder_id: str, row: Mapping[Any, Any]) -> ConnectionFacts:
    return ConnectionFacts(
        builder_id=builder_id,
        connection_id=row["id"],
        provider=row["provider"],
        provider_title=PROVIDERS[row["provider"]].title,
        company_name=row["company_name"],
        strategy=Strategy(row["strategy"]),
        currency=row["currency"],
        dimensions=read_dimensions(row["dimensions"]),
        tax_codes=read_tax_codes(row["tax_codes"]),
        shares_parties=PROVIDERS[row["provider"]].shares_parties,
    )

"""One connection of the simulated builder: a company's books, the product's way in, and syncs that can go wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from resources.hints import follow
from resources.registry import PROVIDERS
from resources.spec import CompanyFacts, Hint
from resources.store.notices import raise_notifications
from resources.store.sync_store import PostgresStore, PostgresWork
from sync.compare import Strategy
from sync.engine import ConnectionSync
from sync.errors import SyncError
from sync.records import DEFAULT_DIRECTION, SYNC_ORDER, Direction, Entity
from sync.stored import ConnectionFacts, Trigger
from sync.summary import EntitySummary
from tests.simulation.books import Books, Kind, SimAccess
from tests.simulation.faults import Death, Fault, FaultPlan
from tests.simulation.wire import Call, FaultyWire, Surprises

if TYPE_CHECKING:
    from tests.simulation.world import SimWorld

OUTAGE_HOURS = (1, 6, 24)
# How often the bookkeeper takes up what was just made.
TOUCHED_SHARE = 0.5
Look = Callable[[ConnectionSync], dict[str, int]]


class MortalStore(PostgresStore):
    """The real store, in a process that can die at a commit."""

    plan: FaultPlan
    world: SimWorld

    @contextmanager
    def work(self, *, is_brief: bool = False) -> Iterator[PostgresWork]:
        """Open a transaction; the plan may end the process just before or just after its commit."""
        # Two frames up, past contextlib, is the step of the engine whose commit this is.
        fault = self.plan.at_commit(f"commit: {sys._getframe(2).f_code.co_name}")
        with super().work(is_brief=is_brief) as work:
            yield work
            if fault is Fault.DEATH_BEFORE_COMMIT:
                raise Death
        if fault is Fault.DEATH_AFTER_COMMIT:
            raise Death

    def new_id(self) -> str:
        """Return an id that the seed decides, later ones greater, as the product's are."""
        return self.world.later_id()


class Company:
    """One connected company."""

    def __init__(
        self, world: SimWorld, books: Books, *, strategy: Strategy, reviewed: Sequence[Kind] = ()
    ) -> None:
        """Connect the world's builder to a company; a person accepts what is `reviewed` before it is sent."""
        self.world = world
        self.books = books
        self.strategy = strategy
        self.reviewed = tuple(reviewed)
        self.connection_id = world.new_id()
        self.syncs = 0
        self.deaths = 0
        self.has_forgotten = False
        # Which way the sync under way may carry anything.
        self.direction: Direction = "both"
        self._hint_number = 0
        world.run(
            "insert into v2_integration_connections"
            " (id, builder_id, provider, status, provider_tenant_id, provider_company_name, connected_at, settings)"
            " values (%s, %s, %s, 'connected', %s, 'Sim Books', now(), '{\"real_time\": true}')",
            self.connection_id,
            world.builder_id,
            books.key,
            books.company_id,
        )
        # In a world of two companies each chart of accounts stays where it is; and a journal is kept only where the world says so.
        for entity, is_enabled in (("account", True), ("journal_entry", False), ("deposit", False)):
            world.run(
                "insert into entity_settings (builder_id, connection_id, entity, is_enabled, direction)"
                " values (%s, %s, %s, %s, 'pull')",
                world.builder_id,
                self.connection_id,
                entity,
                is_enabled,
            )
        # Until when its books are closed, whether they ever were, and what that may do to a document's day.
        self.closed_until: str | None = None
        self.first_open_days: set[str] = set()
        self.may_move = False
        for kind in self.reviewed:
            self.set_lane(kind, approval="review")
        self.access = SimAccess(
            books,
            company=CompanyFacts(books.company_id, "Sim Books", "USD", "US"),
            told=self._lost,
        )
        self.http = FaultyWire(
            books.wire,
            world.plan,
            world.clock,
            dialect=books.dialect,
            surprises=Surprises(
                interfere=world.interfere,
                same_record=lambda call: world.same_record(self, call),
                forget=self._forget,
                revoke=books.revoke,
                outage=self._outage,
                another_sync=self._another_sync,
                unheard=self._unheard,
                witness=self._witness,
                tell=self.tell,
            ),
        )

    def tell(self, sentence: str) -> None:
        """Write a line of the story."""
        self.world.tell(f"{self.books.title}: {sentence}")

    def set_lane(self, kind: Kind, **values: str) -> None:
        """Set what documents of a kind have to pass: `approval`, `closed_period`."""
        self.world.run(
            "insert into entity_settings (builder_id, connection_id, entity, direction) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            self.world.builder_id,
            self.connection_id,
            kind,
            DEFAULT_DIRECTION[Entity(kind)],
        )
        for name, value in values.items():
            self.world.run(
                f"update entity_settings set {name} = %s where connection_id = %s and entity = %s",
                value,
                self.connection_id,
                kind,
            )

    # ------------------------------------------------------------------ what befalls the connection

    def _lost(self, sentence: str) -> None:
        self.tell(f"the connection is lost: {sentence}")
        self._set_status("expired")

    def _set_status(self, status: str) -> None:
        self.world.run(
            "update v2_integration_connections set status = %s where id = %s", status, self.connection_id
        )

    def reconnect(self) -> None:
        """The builder connects the company again, where that is needed."""
        if self.access.is_lost:
            self.access.reconnect()
            self._set_status("connected")
            self.tell("connected again")

    def _forget(self) -> None:
        self.has_forgotten = True
        self.books.forget()

    def knows(self, entity: str, remote_id: str) -> bool:
        """Say whether a sync has ever seen a record of the ledger."""
        return bool(
            self.world.rows(
                "select 1 from mirror where connection_id = %s and entity = %s and remote_id = %s",
                self.connection_id,
                entity,
                remote_id,
            )
        )

    def _outage(self) -> None:
        hours = self.world.random.choice(OUTAGE_HOURS)
        self.http.is_out = True
        self.world.clock.later(hours * 3600, self.end_outage)
        self.tell(f"out for {hours} hours")

    def end_outage(self) -> None:
        """The provider can be reached again."""
        self.http.is_out = False

    def _unheard(self, call: Call) -> None:
        """Let somebody take up, before we look, what was just made without our hearing of it."""
        dice = self.world.plan.dice
        is_name = "Contacts" in call.path or b'"Vendor"' in call.body or b'"Customer"' in call.body
        is_entry = "ManualJournals" in call.path or b'"JournalEntry"' in call.body
        if self.world.plan.is_on and dice.random() < TOUCHED_SHARE:
            self.world.clock.later(
                dice.choice([5, 60, 900]),
                lambda: self._touch(is_name=is_name, is_entry=is_entry),
            )

    def _touch(self, *, is_name: bool, is_entry: bool) -> None:
        if is_entry and self.world.journals is not None:
            self.world.journals.touch_newest(self)
        else:
            self.world.people.touch_newest(self, is_name=is_name)

    def _witness(self, call: Call) -> None:
        if not self.world.database.app.is_idle:
            self.world.breach(f"in a transaction: {call.method} {call.path} was called with one open")
        if self.direction == "pull" and self.books.dialect.point(call)[1]:
            self.world.breach(f"pull only: {call.method} {call.path} was written in a sync that only reads")

    def unstored(self) -> Iterator[str]:
        """Find what changed before the cursor and is not in the mirror as it was then."""
        ((cursor,),) = self.world.rows(
            "select (select position from cursors where connection_id = %s and stream = 'changes')",
            self.connection_id,
        )
        if cursor is None:
            return
        since = datetime.fromisoformat(json.loads(cursor)["since"] if cursor.startswith("{") else cursor)
        rows = self.world.rows(
            "select entity, remote_id, version, remote_changed_at from mirror where connection_id = %s",
            self.connection_id,
        )
        stored = {(entity, remote_id): (version, at) for entity, remote_id, version, at in rows}
        for one in self.books.stamps():
            if one.changed_at >= since:
                continue
            version, at = stored.get((one.entity, one.remote_id), (None, None))
            # To the second, because neither provider tells the time more exactly.
            if not one.is_live and version is at is None:
                continue  # begun and ended between two looks: no news
            is_kept = at is not None and at >= one.changed_at - timedelta(seconds=1)
            if version != one.version if one.version is not None else not is_kept:
                yield (
                    f"cursor: {self.books.title} changed {one.entity} {one.remote_id} at {one.changed_at:%d %H:%M:%S%z},"
                    f" the cursor is at {since:%d %H:%M:%S%z}, and the mirror has what was there before"
                )

    # ------------------------------------------------------------------ webhooks

    def announce(self) -> None:
        """Send a webhook, which the wire may lose, double or delay."""
        self._hint_number += 1
        hint = Hint(self.books.company_id, {"id": self._hint_number})
        fault = self.world.plan.at_hint()
        if fault is Fault.HINT_LOST:
            return
        if fault is Fault.HINT_DOUBLED:
            self._deliver(hint)
        if fault is Fault.HINT_LATE:
            self.world.clock.later(self.world.random.choice([20, 400, 4000]), lambda: self._deliver(hint))
        else:
            self._deliver(hint)

    def _deliver(self, hint: Hint) -> None:
        if not self.world.is_settling and self.world.database.app.is_idle:
            follow(self.world.database, PROVIDERS[self.books.key], [hint], now=self.world.clock.now())

    # ------------------------------------------------------------------ syncs

    def sync(self, *, with_faults: bool, direction: Direction = "both") -> int | None:
        """Run one whole sync in a process of its own; how much it did, or None where it did not end well."""
        if direction == "both":
            return self._run("scheduled", with_faults=with_faults, look=self._everything)
        self.tell(f"a sync that may only {direction}")
        before, self.direction = self._here(), direction
        try:
            return self._run("manual", with_faults=with_faults, look=self._everything)
        finally:
            self.direction = "both"
            if direction == "push" and self._here() != before:
                self.world.breach(
                    f"push only: a sync that only sends to {self.books.title} changed our records"
                )

    def _here(self) -> list[tuple[object, ...]]:
        """Return what the platform's own tables say; nobody of the office works while a sync runs."""
        return self.world.rows(
            "select id::text, status, total, memo from v2_bills union all"
            " select id::text, status, total, memo from v2_invoices union all"
            " select id::text, null, null, name from v2_vendors union all"
            " select id::text, null, null, name from v2_clients union all"
            " select id::text, status, null, memo from v2_journal_entries union all"
            " select id::text, null, amount, null from v2_payments union all"
            " select id::text, null, amount, null from v2_bill_payments order by 1"
        )

    def look(self, *, with_faults: bool) -> None:
        """Let the real-time worker look: at what changed on the platform, and at the ledger where a webhook came."""
        with self.world.database.scheduler_tx() as tx:
            rows = [row for row in tx.rows("real_time_changes") if row["connection_id"] == self.connection_id]
        if not rows:
            return
        entities = {Entity(row["entity"]) for row in rows if row["entity"]}
        hinted_at = rows[0]["pull_hinted_at"]

        def look(engine: ConnectionSync) -> dict[str, int]:
            changed = set(entities)
            if hinted_at is not None:
                changed |= set(engine.pull_changes().by_entity)
            return _told([engine.sync_entity(entity) for entity in SYNC_ORDER if entity in changed])

        if self._run("real_time", with_faults=with_faults, look=look) is not None and hinted_at is not None:
            with self.world.database.builder_tx(UUID(self.world.builder_id)) as tx:
                tx.run(
                    "hint_done",
                    builder_id=self.world.builder_id,
                    connection_id=self.connection_id,
                    hinted_at=hinted_at,
                )

    @staticmethod
    def _everything(engine: ConnectionSync) -> dict[str, int]:
        pulled, summaries, _ = engine.sync_all()
        return _told(summaries) | ({"news": pulled.changed} if pulled.changed else {})

    def _another_sync(self) -> None:
        """Try a second sync of this connection while one is under way, as a second worker would."""
        was_on, self.world.plan.is_on = self.world.plan.is_on, False
        was_only, self.direction = self.direction, "both"
        try:
            self._run("scheduled", with_faults=False, look=self._everything)
        finally:
            self.world.plan.is_on, self.direction = was_on, was_only

    def _run(self, trigger: Trigger, *, with_faults: bool, look: Look) -> int | None:
        world = self.world
        if self.access.is_lost:
            self.tell("not synced: the connection is lost")
            return None
        with world.database.session_lock(
            "lock_connection", "unlock_connection", connection_id=self.connection_id
        ) as is_mine:
            if not is_mine:
                self.tell("not synced: another sync is under way")
                return None
            self.syncs += 1
            world.plan.is_on = with_faults
            try:
                return self._run_alone(trigger, look)
            finally:
                world.plan.is_on = False

    def _run_alone(self, trigger: Trigger, look: Look) -> int | None:
        world = self.world
        run_id = self._begin(trigger)
        store = MortalStore(
            world.database,
            facts=self._facts(),
            sync_run_id=run_id,
            trigger=trigger,
            clock=world.clock,
            actor="sim",
        )
        store.plan, store.world = world.plan, world
        provider = self.books.provider(self.access, self.http, world.clock)
        engine = ConnectionSync(
            store=store, provider=provider, clock=world.clock, actor="sim", direction=self.direction
        )
        error: str | None = None
        did: int | None = None
        try:
            told = look(engine)
            self.tell(f"{trigger} sync: {told or 'nothing to do'}")
            did = sum(told.values())
        except SyncError as trouble:
            error = trouble.user_message
            self.tell(f"{trigger} sync stopped: {error}")
        except Death:
            self.deaths += 1
            self.tell(f"{trigger} sync: the process died")
            world.check_cursor(self)
            return None
        self._finish(run_id, error)
        return did

    def _begin(self, trigger: Trigger) -> str:
        return self.world.add(
            "sync_runs",
            connection_id=self.connection_id,
            trigger=trigger,
            requested_by="sim",
            status="started",
            requested_at=self.world.clock.now(),
        )

    def _finish(self, run_id: str, error: str | None) -> None:
        world = self.world
        with world.database.builder_tx(UUID(world.builder_id)) as tx:
            tx.run(
                "finish_sync_run",
                builder_id=world.builder_id,
                sync_run_id=run_id,
                error=error,
                calls=0,
                now=world.clock.now(),
            )
        raise_notifications(world.database, UUID(world.builder_id), now=world.clock.now())

    def _facts(self) -> ConnectionFacts:
        return ConnectionFacts(
            builder_id=self.world.builder_id,
            connection_id=self.connection_id,
            provider=self.books.key,
            provider_title=self.books.title,
            company_name="Sim Books",
            strategy=self.strategy,
            currency="USD",
            shares_parties=PROVIDERS[self.books.key].shares_parties,
        )


def _told(summaries: Sequence[EntitySummary]) -> dict[str, int]:
    # What is held or not confirmed is looked at each time, because nobody tells when its cause has gone: no news.
    return {
        f"{each.entity} {name}": tally.count
        for each in summaries
        for name, tally in each.tallies.items()
        if tally.count and name not in ("held", "failed")
    }

"""A builder's office connected to one accounting system, whichever it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from resources.consent import ConnectedCompany
from resources.wiring import Tieout
from sync.errors import SyncError
from sync.records import Entity
from sync.summary import EntitySummary, PullSummary, TieOut
from tests.fakes.world import Platform
from tests.support.books import Books

BROWSER = "a-browser-s-own-secret"


class Done:
    """What one sync did."""

    def __init__(
        self, pulled: PullSummary, summaries: list[EntitySummary], proof: TieOut, calls: int
    ) -> None:
        self.pulled = pulled
        self.of = {each.entity: each for each in summaries}
        self.proof = proof
        self.calls = calls

    @property
    def failed(self) -> list[str]:
        """The sentences of what failed."""
        return [str(one) for each in self.of.values() for one in each.failed]

    @property
    def differences(self) -> list[tuple[str, Decimal]]:
        """What does not tie out."""
        return [(line.name, line.difference) for line in self.proof.lines if line.difference]

    def count(self, entity: Entity, outcome: str) -> int:
        """How many records of an entity had an outcome."""
        return self.of[entity].tallies[outcome].count  # type: ignore[index]


class Office(Platform):
    """The platform's hands (inherited), the bookkeeper's, and the product between."""

    def __init__(self, tieout: Tieout, books: Books) -> None:
        """Make a builder; `connect` gives it the company that the books are open at."""
        super().__init__(tieout.database, clock=books.clock)
        self.tieout = tieout
        self.books = books

    def later(self, **by: float) -> None:
        """Let time pass on both sides."""
        self.books.clock.ahead += timedelta(**by)
        self.books.control("POST", "/clock", {"shift_seconds": timedelta(**by).total_seconds()})

    def begin(self) -> str:
        """Begin a consent and return where the browser goes."""
        start = self.tieout.connections.begin(
            self.builder_id, self.books.key, browser=BROWSER, requested_by="test"
        )
        return start.url

    def connect(self) -> ConnectedCompany:
        """Go through the consent, and map the one cost code."""
        params = self.books.consent(self.begin())
        connected = self.tieout.connections.complete(self.books.key, params=params, browser=BROWSER)
        assert connected.notice is None, connected.notice
        self.connection_id = connected.connection_id
        self.map_to({"cost_code": self.books.account("cost"), "revenue": self.books.account("income")})
        return connected

    def sync(self) -> Done:
        """Do one whole sync as somebody pressing the button does, some minutes after whatever happened before."""
        self.later(minutes=3)
        run_id = self.add(
            "sync_runs",
            connection_id=self.connection_id,
            trigger="manual",
            requested_by="test",
            status="queued",
        )
        with self.tieout.sync(self.builder_id, self.connection_id, run_id) as sync:
            pulled, summaries, proof = sync.sync_all()
            sync.finish()
            return Done(pulled, summaries, proof, sync.provider_calls)

    def scheduled(self, *, trigger: str = "scheduled", patience_seconds: float = 60) -> str | None:
        """Do one sync as the schedule does, to its end or to its error, whose sentence is returned."""
        run_id = self.add(
            "sync_runs",
            connection_id=self.connection_id,
            trigger=trigger,
            requested_by="schedule",
            requested_at=self.books.clock.now(),
        )
        sentence = None
        try:
            with self.tieout.sync(
                self.builder_id, self.connection_id, run_id, lock_wait_seconds=patience_seconds
            ) as sync:
                sync.sync_all()
        except SyncError as error:
            sentence = error.user_message
        self.tieout.finish_run(self.builder_id, self.connection_id, run_id, error=sentence)
        return sentence

    def refused_for_lost_access(self, entity: Entity) -> None:
        """Leave the one record of an entity as a refusal for lost rights does: failed, and waiting for somebody."""
        self.run(
            "update links set state = 'failed', ours_checksum = 'x', decided_ours_checksum = 'x',"
            " decided_theirs_checksum = theirs_checksum where entity = %s",
            entity.value,
        )
        ((link_id, record_id),) = self.rows("select id, record_id from links where entity = %s", entity.value)
        self.add(
            "v2_sync_records",
            sync_log_id=self.value("select id from v2_sync_log limit 1"),
            platform_entity_type=entity.value,
            platform_entity_id=record_id,
            direction="push",
            status="error",
            connection_id=self.connection_id,
            link_id=link_id,
            action="failed",
            category="auth",
            code="provider.access_expired",
        )

    def due_in(self) -> int:
        """In how many whole minutes the next scheduled sync is due."""
        due = self.value(
            "select next_due_at from v2_integration_connections where id = %s", self.connection_id
        )
        return round((due - self.books.clock.now()).total_seconds() / 60)

    def settled(self) -> Done:
        """Sync until a sync does nothing; the last one is returned."""
        for _ in range(5):
            done = self.sync()
            if all(summary.processed == 0 for summary in done.of.values()):
                return done
        raise AssertionError(
            f"does not settle: {[(e.value, dict(s.tallies)) for e, s in done.of.items() if s.processed]}"
        )

    def set_direction(self, entity: Entity, direction: str) -> None:
        """Change where records of an entity may be born."""
        self.run(
            "update entity_settings set direction = %s where connection_id = %s and entity = %s",
            direction,
            self.connection_id,
            entity.value,
        )

    def linked(self, entity: Entity) -> int:
        """How many records of an entity are paired."""
        count: int = self.value(
            "select count(*) from links where connection_id = %s and entity = %s and record_id is not null and remote_id is not null",
            self.connection_id,
            entity.value,
        )
        return count

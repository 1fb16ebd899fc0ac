"""A desk without a database: remembers what was asked of it, and answers what the test told it to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from resources.dagster.desk import (
    BegunRun,
    BrokenRun,
    ConnectedCompany,
    Doubt,
    DroppedFiles,
    DueConnection,
    FileReport,
    RehearsalWanted,
    RunRequested,
    SyncInProgress,
)
from resources.retention import Forgotten
from sync.records import SYNC_ORDER, Entity
from sync.rehearsal import Rehearsal
from sync.summary import EntitySummary, PullSummary, TieOut, TieOutLine

BUILDER = "0190c0de-0000-7000-8000-000000000001"
OTHER_BUILDER = "0190c0de-0000-7000-8000-000000000002"
CONNECTION = "0190c0de-0000-7000-8000-0000000000c1"


def balanced() -> TieOut:
    return TieOut((TieOutLine("Open with customers", Decimal("10.00"), Decimal("10.00")),))


@dataclass
class FakeSync:
    desk: FakeDesk

    def pull_changes(self) -> PullSummary:
        self.desk.did("pull_changes")
        return PullSummary(read=3, changed=2, by_entity={"invoice": 2, "account": 1}, provider_calls=1)

    def sync_entity(self, entity: Entity) -> EntitySummary:
        self.desk.did(str(entity))
        return self.desk.summaries.get(entity, EntitySummary(entity))

    def sync_entities(self) -> Iterator[EntitySummary]:
        return (self.sync_entity(entity) for entity in SYNC_ORDER)

    def tie_out(self) -> TieOut:
        self.desk.did("tie_out")
        return self.desk.proof

    def finish(self) -> None:
        self.desk.did("finish")


@dataclass
class FakeDesk:
    companies: dict[tuple[str, str], ConnectedCompany] = field(
        default_factory=lambda: {
            (BUILDER, "quickbooks_online"): ConnectedCompany(CONNECTION, "Larkin Homes LLC")
        }
    )
    summaries: dict[Entity, EntitySummary] = field(default_factory=dict)
    proof: TieOut = field(default_factory=balanced)
    errors: dict[str, Exception] = field(default_factory=dict)
    unbalanced: list[Doubt] = field(default_factory=list)
    unknowns: list[Doubt] = field(default_factory=list)
    builders: list[str] = field(default_factory=lambda: [BUILDER])
    due: list[DueConnection] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    opened: list[RunRequested] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    closed: list[tuple[BrokenRun, str]] = field(default_factory=list)
    rehearsed: list[RehearsalWanted] = field(default_factory=list)
    rehearsal: Rehearsal | None = None

    dropped: list[DroppedFiles] = field(default_factory=list)
    reports: list[FileReport] = field(default_factory=list)

    def dropped_files(self) -> list[DroppedFiles]:
        return self.dropped

    def import_dropped(self, builder_id: str) -> list[FileReport]:
        self.did(f"import_dropped {builder_id}")
        return self.reports

    @property
    def run_days(self) -> int:
        return 14

    def forget_history(self) -> Forgotten:
        self.did("forget_history")
        return Forgotten(records=3, log_rows=2, runs=1)

    def did(self, step: str) -> None:
        self.steps.append(step)
        if step in self.errors:
            raise self.errors[step]

    def connection_of(self, builder_id: str, provider: str) -> ConnectedCompany | None:
        return self.companies.get((builder_id, provider))

    def open_run(self, run: RunRequested) -> str:
        self.opened.append(run)
        return run.sync_run_id or f"run-of-{run.dagster_run_id}"

    def end_run(
        self, *, builder_id: str, connection_id: str, sync_run_id: str, error: str | None = None
    ) -> None:
        assert (builder_id, connection_id) == (BUILDER, CONNECTION)
        if error is None:
            self.did("finish")
        else:
            self.failed.append((sync_run_id, error))

    def fail_runs_of(self, run: BrokenRun, *, sentence: str) -> int:
        self.closed.append((run, sentence))
        return 1

    @contextmanager
    def sync(self, builder_id: str, connection_id: str, sync_run_id: str) -> Iterator[SyncInProgress]:
        assert (builder_id, connection_id) == (BUILDER, CONNECTION)
        yield FakeSync(self)

    def rehearse(self, builder_id: str, connection_id: str, wanted: RehearsalWanted) -> Rehearsal:
        assert (builder_id, connection_id) == (BUILDER, CONNECTION)
        self.rehearsed.append(wanted)
        self.did("rehearse")
        assert self.rehearsal is not None
        return self.rehearsal

    def unbalanced_entries(self, builder_id: str) -> Sequence[Doubt]:
        return self.unbalanced

    def stale_unknowns(self, builder_id: str, connection_id: str) -> Sequence[Doubt]:
        return self.unknowns

    def builder_ids(self) -> Sequence[str]:
        return self.builders

    def begin_due(self, connection: DueConnection, *, dagster_run_id: str) -> BegunRun | None:
        company = self.connection_of(connection.builder_id, connection.provider)
        if company is None or connection.connection_id in self.done:
            return None
        return BegunRun(f"run-of-{connection.builder_id}-in-{dagster_run_id}", company.company_name)

    def due_connections(self, *, limit: int) -> Sequence[DueConnection]:
        return self.due[:limit]

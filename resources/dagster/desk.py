"""The desk: all that Dagster's assets and sensors ask of the product, as a protocol.

Assets stay thin because of it, and tests put a fake behind it. The real one is `resources.dagster.resource`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from resources.retention import Forgotten
from sync.records import Entity
from sync.rehearsal import Rehearsal
from sync.summary import EntitySummary, PullSummary, TieOut

Trigger = Literal["manual", "scheduled", "initial_import"]


@dataclass(frozen=True, slots=True)
class ConnectedCompany:
    """A builder's usable connection to one provider."""

    connection_id: str
    company_name: str


@dataclass(frozen=True, slots=True)
class DueConnection:
    """A connection whose next scheduled sync is due."""

    builder_id: str
    connection_id: str
    provider: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class BegunRun:
    """The sync run that was begun for a due connection."""

    sync_run_id: str
    company_name: str


@dataclass(frozen=True, slots=True)
class RunRequested:
    """What a Dagster run knows about the sync it stands for; `sync_run_id` is None unless the API asked for it."""

    builder_id: str
    connection_id: str
    dagster_run_id: str
    sync_run_id: str | None = None
    trigger: Trigger = "manual"
    entities: Sequence[Entity] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class RehearsalWanted:
    """What a Dagster run knows about the rehearsal it stands for; `rehearsal_id` is None unless the API asked for it."""

    dagster_run_id: str
    rehearsal_id: str | None = None
    entities: Sequence[Entity] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class BrokenRun:
    """A Dagster run that ended without being able to say so, and what its tags tell about it."""

    builder_id: str
    dagster_run_id: str
    sync_run_id: str | None = None
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that breaks an accounting truth: which record, and what is wrong with it."""

    label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DroppedFiles:
    """A builder whose drop folder has files, and what tells these from others that were there before."""

    builder_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one dropped file, in words."""

    file_name: str
    entity: str
    is_imported: bool
    documents: int
    sentence: str
    problem_count: int = 0
    problems: Sequence[str] = field(default_factory=tuple)


class SyncInProgress(Protocol):
    """One connection's sync, held open while an asset works."""

    def pull_changes(self) -> PullSummary:
        """Bring what the provider changed since the last look into the mirror."""
        ...

    def sync_entity(self, entity: Entity) -> EntitySummary:
        """Compare one entity on both sides and do what is to be done."""
        ...

    def sync_entities(self) -> Iterator[EntitySummary]:
        """Do that for all entities, in order; where nothing is to be done, in one look."""
        ...

    def tie_out(self) -> TieOut:
        """Prove that both sides agree, or say where they do not."""
        ...

    def finish(self) -> None:
        """Record that the sync run ended well, and when the connection is due next."""
        ...


class Desk(Protocol):
    """Where syncs are asked for."""

    def connection_of(self, builder_id: str, provider: str) -> ConnectedCompany | None:
        """Return the builder's connection to a provider, or None where it has none to sync."""
        ...

    def open_run(self, run: RunRequested) -> str:
        """Return the id of the sync run that a Dagster run stands for, making its row when nobody else did."""
        ...

    def end_run(
        self, *, builder_id: str, connection_id: str, sync_run_id: str, error: str | None = None
    ) -> None:
        """Record how a sync run ended (early, with an error's sentence) and when the connection is due next.

        A scheduled one that another sync kept from beginning leaves no trace; it is due again in two minutes.
        """
        ...

    def fail_runs_of(self, run: BrokenRun, *, sentence: str) -> int:
        """Record the end of every unfinished sync run that a dead Dagster run stood for; return how many."""
        ...

    def sync(
        self, builder_id: str, connection_id: str, sync_run_id: str
    ) -> AbstractContextManager[SyncInProgress]:
        """Open one connection's sync; one at a time per connection."""
        ...

    def rehearse(self, builder_id: str, connection_id: str, wanted: RehearsalWanted) -> Rehearsal:
        """Carry out a rehearsal, asked for by the API or here, and return its diff; nothing is written to a book."""
        ...

    def unbalanced_entries(self, builder_id: str) -> Sequence[Doubt]:
        """Return posted journal entries whose debits and credits differ."""
        ...

    def stale_unknowns(self, builder_id: str, connection_id: str) -> Sequence[Doubt]:
        """Return writes whose outcome has been unknown for more than a day."""
        ...

    def builder_ids(self) -> Sequence[str]:
        """Return every builder, oldest first."""
        ...

    @property
    def run_days(self) -> int:
        """Return for how many days Dagster keeps finished runs."""
        ...

    def forget_history(self) -> Forgotten:
        """Forget closed history of all builders that is older than the settings say; safe to repeat."""
        ...

    def begin_due(self, connection: DueConnection, *, dagster_run_id: str) -> BegunRun | None:
        """Begin the scheduled sync run of a connection; None where it was synced since it was found due."""
        ...

    def due_connections(self, *, limit: int) -> Sequence[DueConnection]:
        """Return connections whose sync is due, the longest waiting first."""
        ...

    def dropped_files(self) -> Sequence[DroppedFiles]:
        """Return the builders in whose drop folders files wait."""
        ...

    def import_dropped(self, builder_id: str) -> Sequence[FileReport]:
        """Import what lies in a builder's drop folder; one file never stops the others."""
        ...

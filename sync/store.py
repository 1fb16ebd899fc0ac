"""What the engine needs from the database, as protocols; `resources/store` implements them on PostgreSQL.

A `Store` belongs to one connection of one builder. Every method of `Work` runs inside one transaction; nothing here
calls a provider, and no transaction is open while a provider is called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from sync.dimensions import Dimension, DimensionTable, Option
from sync.errors import Category
from sync.mapping import MappingTable
from sync.outgoing import Reference
from sync.ports import Headcount, Operation
from sync.records import Direction, Entity, RemoteRecord
from sync.stored import (
    Apply,
    AttemptView,
    Audit,
    Block,
    ClosedBooks,
    ConnectionFacts,
    EntitySetting,
    LinkView,
    LogDirection,
    NewAttempt,
    OptionSubject,
    Outcome,
    Settlement,
)
from sync.summary import TieOut
from sync.tax_codes import TaxCode


class Work(Protocol):
    """Everything that happens in one transaction of a sync."""

    # -- ours
    def absorb(self, entity: Entity, record_ids: Collection[str] | None = None) -> int:
        """Bring noted (or given) platform changes into canonical form and onto the links; return how many differed."""
        ...

    def note_all(self, entity: Entity) -> None:
        """Have every platform record of an entity looked at again, whatever the change notes say."""
        ...

    def apply(self, entity: Entity, rows: Sequence[Apply]) -> dict[str, str | None]:
        """Write the ledger's values into the platform's tables and absorb them.

        Returns the rows that were not written: record id → the rule of the platform's tables they break, or None for
        a record that somebody has edited since it was judged.
        """
        ...

    # -- theirs
    def save_mirror(self, records: Sequence[RemoteRecord]) -> int:
        """Store what was read; return how many differ from the copy we had. Unknown deletes are no news."""
        ...

    def seen_before(self, entity: Entity, remote_ids: Sequence[str], *, moment: datetime) -> frozenset[str]:
        """Return which records were read before a moment and have not changed since."""
        ...

    def cursor(self, stream: str) -> str | None:
        """Return how far a stream was read."""
        ...

    def move_cursor(self, stream: str, position: str) -> None:
        """Remember how far a stream was read; belongs into the transaction that stored what was read."""
        ...

    # -- census
    def count_census(self, rows: Sequence[Headcount], *, number: int) -> None:
        """Store what a page of this census listed."""
        ...

    def census_differences(
        self, *, number: int, begun_at: datetime, rows_max: int, without: Collection[Entity] = ()
    ) -> list[tuple[Entity, str]]:
        """List records that the mirror shows otherwise than this census: missing on one side, or in another version.

        Nothing is said of the entities `without`, whose lists this census could not read.
        """
        ...

    def check_census(self, entity: Entity, remote_id: str, *, version: str | None, number: int) -> None:
        """Note that a difference was looked into."""
        ...

    def pass_over_in_census(self, entity: Entity, remote_id: str, *, number: int) -> None:
        """Note that a difference could not be looked into in this census; the next one tries again."""
        ...

    def end_census(self, *, number: int) -> None:
        """Forget what earlier censuses listed."""
        ...

    # -- links
    def match(self, entity: Entity) -> int:
        """Pair records that exist on both sides and are not linked yet; return how many pairs were made."""
        ...

    def pair(self, remote_ids: Mapping[str, str]) -> None:
        """Put provider records on our halves of links, taking over the halves that were waiting for them."""
        ...

    def pair_new(self, records: Mapping[str, str | None]) -> None:
        """Give links that had only their side records of ours which are about to be written; None takes one back."""
        ...

    def different(self, entity: Entity, *, now: datetime) -> list[str]:
        """List the links on which something has to be decided now, oldest document first."""
        ...

    def quiet(self, *, now: datetime) -> list[tuple[Entity, Direction]] | None:
        """Return the enabled entities with their directions where nothing is to be done in any of them; else None."""
        ...

    def links(self, link_ids: Sequence[str]) -> list[LinkView]:
        """Load links with both sides, in the order asked."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Move the base of links on which both sides agree."""
        ...

    def leave(self, links: Sequence[LinkView]) -> None:
        """Take note of links about which nothing is done, until one of their sides is not what it was judged by."""
        ...

    def block(self, blocks: Sequence[Block]) -> None:
        """Take note of why links cannot go on, with the checksums they were judged by."""
        ...

    def open_link(self, link_id: str) -> None:
        """Let a link be looked at again, whatever blocked it."""
        ...

    def remote_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map our records to the provider's ids, where linked."""
        ...

    def record_ids(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Map provider records to our ids, where linked."""
        ...

    def shared_names(self, entity: Entity, remote_ids: Collection[str]) -> frozenset[str]:
        """Return which of these customers are active vendors of ours too, or the reverse; empty where none can be."""
        ...

    def merged_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the names that took the place of customers and vendors of ours that the ledger merged away."""
        ...

    def our_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of our records."""
        ...

    def their_names(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return the labels of the provider's records."""
        ...

    def reopen_naming(self, entity: Entity, remote_ids: Sequence[str]) -> None:
        """Look again at payments that pay documents, or deposits of payments, which have just been linked."""
        ...

    def reopen_left(self, entity: Entity, remote_ids: Sequence[str]) -> None:
        """Look again at documents that were left in the ledger, because money that pays them is here now."""
        ...

    def paid_since(self, entity: Entity, remote_ids: Sequence[str], *, since: date) -> list[str]:
        """Return which of these documents are paid by money that is here or is dated on that day or later."""
        ...

    # -- mapping and settings
    def mapping(self, version_id: str | None = None) -> MappingTable:
        """Return the mapping as it is now, or one of its older versions."""
        ...

    def code_names(self) -> dict[str, str]:
        """Return cost code id → code and name, for sentences."""
        ...

    def entity_setting(self, entity: Entity) -> EntitySetting:
        """Return how this entity is synced."""
        ...

    def closed_books(self) -> ClosedBooks:
        """Return until when the provider's books are closed, as it last said or showed by refusing something."""
        ...

    def note_closed_until(self, day: date | None) -> None:
        """Remember the last day of the provider's closed books."""
        ...

    def note_refused_period(self, day: date, *, is_exact: bool) -> None:
        """Remember for a while what a refusal taught: the last closed day, or a day that is closed at least."""
        ...

    # -- dimensions
    def options(self) -> list[Option]:
        """Return what jobs, codes and types are in the ledger's lists, as far as it came."""
        ...

    def option_subjects(self, dimension: Dimension) -> list[OptionSubject]:
        """Return the subjects that lines wait for, and those whose option is no longer as they are.

        What was refused a short while ago for a reason that does not stop any line is left out.
        """
        ...

    def save_option(self, option: Option, *, actor: str, action: str | None) -> None:
        """Keep how an option stands, with an audit entry where something was done about it."""
        ...

    def dimension_table(self) -> DimensionTable:
        """Return what lines carry besides their account."""
        ...

    def tax_codes(self) -> Sequence[TaxCode]:
        """Return which of the provider's tax codes lines carry."""
        ...

    # -- attempts
    def serials(self, requests: Sequence[tuple[str, int, Operation]]) -> dict[str, int]:
        """Return link id → how many attempts of this revision and operation are known not to have been executed."""
        ...

    def stage(self, entity: Entity, attempts: Sequence[NewAttempt]) -> datetime:
        """Store attempts as `sending` before the call, and return as of when; the same request id is the same attempt."""
        ...

    def settle_attempt(
        self,
        request_id: str,
        *,
        state: Literal["done", "rejected", "moved", "unknown"],
        message: str | None = None,
        code: str | None = None,
        category: Category | None = None,
        remote_id: str | None = None,
        remote_version: str | None = None,
    ) -> None:
        """Store how an attempt ended."""
        ...

    def uncount_sending(self, request_id: str) -> None:
        """Take back that an attempt was sent once more: it did not leave."""
        ...

    def confirm_attempts(self, written: Mapping[str, RemoteRecord]) -> None:
        """Store that writes were done: request id → the record as the ledger answered."""
        ...

    def unsettled(self, entity: Entity) -> list[AttemptView]:
        """List attempts whose outcome nobody knows: unknown ones, and those a dead process left `sending`."""
        ...

    # -- outcomes
    def open_log(self, entity: Entity, direction: LogDirection) -> str:
        """Begin a row of v2_sync_log for this run and return its id; the same row when asked again."""
        ...

    def quiet_logs(self, directions: Mapping[Entity, LogDirection]) -> None:
        """Write finished rows of v2_sync_log for entities in which nothing was to be done."""
        ...

    def close_log(
        self, log_id: str, *, succeeded: int, failed: int, summary: Mapping[str, Any], error: str | None
    ) -> None:
        """Finish a row of v2_sync_log."""
        ...

    def close(self, link_ids: Sequence[str]) -> None:
        """Close the queue entries of links that need nothing any more, where there are any."""
        ...

    def record(self, log_id: str, outcomes: Sequence[Outcome]) -> None:
        """Write v2_sync_records: one row per record; an open row of the same link is updated or closed."""
        ...

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log."""
        ...

    # -- tie-out
    def last_document_date(self) -> date | None:
        """Return the date of the ledger's latest document, which may lie ahead; None where it has none."""
        ...

    def tie_out_sums(self) -> dict[str, Decimal]:
        """Return the sums and balances of both sides that a tie-out compares, by name."""
        ...

    def last_tie_out(self) -> TieOut | None:
        """Return the newest tie-out if nothing was written or read since; None where a new one is due."""
        ...

    def save_tie_out(self, tie_out: TieOut) -> None:
        """Keep a tie-out as evidence."""
        ...


class Store(Protocol):
    """The database, as one sync of one connection sees it."""

    @property
    def facts(self) -> ConnectionFacts:
        """The connection's settings as they were when this sync began."""
        ...

    def work(self, *, is_brief: bool = False) -> AbstractContextManager[Work]:
        """Open one transaction; it commits when the block ends well. `is_brief`: it looks up a few rows by their keys."""
        ...

    def new_id(self) -> str:
        """Return a new record id (UUID, version 7)."""
        ...

"""Versions of a mapping: what changed between two, how a draft moves onto a newer one, and what publishing would do.

Everything here is a comparison of two tables of accounts; nothing is looked up and nothing is stored. What was sent
stays where it was sent (`sync.outgoing`), so an impact only ever moves lines that are still to go out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sync.mapping import (
    LineKey,
    MappingRow,
    MappingTable,
    Profile,
    job_of_subject,
    profile_of_line,
)
from sync.records import Entity

ChangeKind = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One target that is mapped otherwise: by another row, for the first time, or no more."""

    key: LineKey
    before: MappingRow | None
    after: MappingRow | None

    @property
    def kind(self) -> ChangeKind:
        """What happens to the row."""
        if self.before is None:
            return "added"
        return "changed" if self.after is not None else "removed"


def row_changes(before: Iterable[MappingRow], after: Iterable[MappingRow]) -> list[RowChange]:
    """Return what differs between two sets of rows, by profile and cost code."""
    was = {row.key: row for row in before}
    now = {row.key: row for row in after}
    return [
        RowChange(key, was.get(key), now.get(key))
        for key in sorted(was.keys() | now.keys(), key=str)
        if was.get(key) != now.get(key)
    ]


@dataclass(frozen=True, slots=True)
class Rebased:
    """A draft's rows on top of a newer version, and the targets that both changed; there the draft's row stands."""

    rows: tuple[MappingRow, ...]
    both_changed: tuple[LineKey, ...]


def rebased(
    draft: Iterable[MappingRow], *, base: Iterable[MappingRow], newest: Iterable[MappingRow]
) -> Rebased:
    """Carry what a draft changed since its base over to the newest version."""
    base_rows, newest_rows = list(base), list(newest)
    mine = {change.key: change.after for change in row_changes(base_rows, draft)}
    theirs = {change.key: change.after for change in row_changes(base_rows, newest_rows)}
    rows = {row.key: row for row in newest_rows}
    for key, row in mine.items():
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row
    clashing = sorted((key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]), key=str)
    return Rebased(tuple(rows.values()), tuple(clashing))


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Document lines of one kind: coded alike, in one currency, and equally far on their way to the ledger."""

    entity: Entity
    role: str
    cost_code_id: str | None
    job_id: str | None
    currency: str
    is_ready: bool
    is_sent: bool
    lines: int
    documents: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """Lines of one kind that one mapping books on another account than the other; None is no account at all."""

    group: LineGroup
    profile: Profile
    cost_code_id: str | None
    account_before: str | None
    account_after: str | None


@dataclass(frozen=True, slots=True)
class LineMoves:
    """What another mapping means for the builder's lines."""

    # Approved and not in the ledger yet: they would be booked otherwise.
    unsent: tuple[Move, ...]
    # Not approved yet: the same once they are.
    drafts: tuple[Move, ...]
    # In the ledger: they stay as they are, though they would be booked otherwise today.
    stay: tuple[Move, ...]


def line_moves(groups: Iterable[LineGroup], *, now: MappingTable, then: MappingTable) -> LineMoves:
    """Say which lines would be booked on another account under the mapping `then`, and which stay all the same."""
    unsent: list[Move] = []
    drafts: list[Move] = []
    stay: list[Move] = []
    for group in groups:
        profile, code = profile_of_line(group.entity, role=group.role, cost_code_id=group.cost_code_id)
        before = now.lookup(profile, code, job_id=group.job_id)
        after = then.lookup(profile, code, job_id=group.job_id)
        if before == after:
            continue
        where = stay if group.is_sent else unsent if group.is_ready else drafts
        where.append(Move(group, profile, code, before, after))
    return LineMoves(tuple(unsent), tuple(drafts), tuple(stay))


def freed(causes: Mapping[str, LineKey | None], *, now: MappingTable, then: MappingTable) -> list[str]:
    """Return the causes of holds that have no account now and would have one then."""
    return [
        cause
        for cause, key in causes.items()
        if key is not None and now.lookup(*key) is None and then.lookup(*key) is not None
    ]


def touched_codes(changes: Sequence[RowChange]) -> list[str] | None:
    """Return the cost codes whose lines may move; None for any, where a default changed that all may fall back on."""
    subjects = [change.key[1] for change in changes]
    if any(subject is None or job_of_subject(subject) is not None for subject in subjects):
        return None
    return sorted({subject for subject in subjects if subject is not None})

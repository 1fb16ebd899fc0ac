"""What a sync did, in the numbers a bookkeeper asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sync.records import Entity

Outcome = Literal["pushed", "pulled", "linked", "held", "conflict", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("pushed", "pulled", "linked", "held", "conflict", "failed")


@dataclass(slots=True)
class Tally:
    """How many records and how much money had one outcome."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def add(self, amount: Decimal | None) -> None:
        """Count one record more."""
        self.count += 1
        self.amount += amount or Decimal(0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One record that did not get through: which, what is wrong, and what to do."""

    label: str
    sentence: str
    remedy: str
    cause: str
    amount: Decimal | None = None


@dataclass(slots=True)
class EntitySummary:
    """What one sync did with one entity."""

    entity: Entity
    tallies: dict[Outcome, Tally] = field(default_factory=lambda: {name: Tally() for name in OUTCOMES})
    failed: list[Trouble] = field(default_factory=list)
    held: list[Trouble] = field(default_factory=list)
    conflicts: list[Trouble] = field(default_factory=list)
    is_enabled: bool = True

    def count(self, outcome: Outcome, amount: Decimal | None) -> None:
        """Add one record to an outcome."""
        self.tallies[outcome].add(amount)

    @property
    def processed(self) -> int:
        """How many records had any outcome."""
        return sum(tally.count for tally in self.tallies.values())

    def held_by_cause(self) -> list[tuple[str, str, int, Decimal]]:
        """Group what is held by cause: cause, one sentence, how many, how much."""
        groups: dict[str, list[Trouble]] = {}
        for trouble in self.held:
            groups.setdefault(trouble.cause, []).append(trouble)
        return [
            (cause, items[0].sentence, len(items), sum((i.amount or Decimal(0) for i in items), Decimal(0)))
            for cause, items in groups.items()
        ]


@dataclass(slots=True)
class PullSummary:
    """What the look at the provider's changes brought into the mirror."""

    read: int = 0
    changed: int = 0
    deleted: int = 0
    by_entity: dict[str, int] = field(default_factory=dict)
    provider_calls: int = 0
    is_full: bool = False
    # What the census listed meanwhile, and how much of it no feed of changes had told.
    counted: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class TieOutLine:
    """One thing that must agree: ours and theirs, in the home currency."""

    name: str
    ours: Decimal
    theirs: Decimal
    explanation: str = ""

    @property
    def difference(self) -> Decimal:
        """Ours minus theirs."""
        return self.ours - self.theirs


@dataclass(frozen=True, slots=True)
class TieOut:
    """The proof that counts and sums agree on both sides, or where they do not."""

    lines: tuple[TieOutLine, ...]
    is_fresh: bool = True

    @property
    def is_tied(self) -> bool:
        """True when every line agrees to the cent."""
        return all(line.difference == 0 for line in self.lines)

    @property
    def difference(self) -> Decimal:
        """The largest absolute difference of a line: one amount that is missing shows in several of them."""
        return max((abs(line.difference) for line in self.lines), default=Decimal(0))

"""The three-way comparison: what has to be done about one link, decided by one pure function.

Ours and theirs are each compared with their own base by checksum (set-based, in SQL); what reaches this module are
only the links where something differs. Requirement §5 (conflict resolution), architecture §3 (the one idea).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sync.clock import Skew
from sync.records import Direction, OurState, TheirState


class Strategy(StrEnum):
    """Who wins when both sides changed the same record."""

    LAST_WRITE_WINS = "last_write_wins"
    PLATFORM_WINS = "platform_wins"
    PROVIDER_WINS = "provider_wins"
    MANUAL = "manual"


# What one side does when a linked record was voided, deleted, merged away or made inactive on the other: end it too, ask a
# person, or keep it as it is. None goes by the strategy.
EndPolicy = Literal["follow", "ask", "keep"]


class Verdict(StrEnum):
    """What has to be done about one link."""

    SETTLE = "settle"  # both sides say the same: only the base moves
    CREATE = "create"  # ours is new: send it
    UPDATE = "update"  # ours changed: send the change
    VOID = "void"  # ours was voided, deleted or made inactive: let the ledger follow
    APPLY_NEW = "apply_new"  # theirs is new: bring it in
    APPLY = "apply"  # theirs changed: bring the change in
    APPLY_VOID = "apply_void"  # theirs was voided, deleted or made inactive: let ours follow
    MERGE = "merge"  # different fields changed: bring in theirs, then send ours
    CONFLICT = "conflict"  # a person decides
    LEAVE = "leave"  # nothing to do by setting; looked at again when it changes
    WAIT = "wait"  # it was sent and then set back to draft: neither sent again nor taken out of the ledger


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the decision about one link depends on."""

    ours: OurState | None
    theirs: TheirState | None
    ours_changed: bool
    theirs_changed: bool
    has_base: bool
    same_values: bool
    disjoint_fields: bool
    direction: Direction
    strategy: Strategy
    decision: str | None = None
    ours_changed_at: datetime | None = None
    theirs_changed_at: datetime | None = None
    # How far their clock is ahead of ours, where it was measured.
    skew: Skew | None = None
    # What to do when it ended here (about the ledger's), and when it ended in the ledger (about ours).
    ended_here: EndPolicy | None = None
    ended_there: EndPolicy | None = None
    # An older document of the ledger on which nothing is open, where history is brought in from a day on only.
    is_before_history: bool = False
    # Theirs is another active record of ours too (a client's contact that is also a vendor); ending it would end that one.
    is_shared: bool = False
    # The name that took its place, where the ledger merged it away; it is never made or made active again.
    merged_into: str | None = None

    @property
    def ended_for_good(self) -> bool:
        """Whether no edit brings theirs back to life."""
        return self.theirs in ENDED_FOR_GOOD or self.merged_into is not None

    @property
    def end_there(self) -> str:
        """What became of theirs, in words."""
        if self.merged_into is not None:
            return f"was merged into “{self.merged_into}” in the ledger"
        return f"became {self.theirs} in the ledger"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, why, and whose values are lost by it (they go to the audit log)."""

    verdict: Verdict
    reason: str
    overwrites: str | None = None  # "ours" | "theirs"


GONE: frozenset[str] = frozenset({"void", "deleted", "inactive"})
# What no edit brings back to life: only a new document can take its place, and only if a person says so.
ENDED_FOR_GOOD: frozenset[str] = frozenset({"void", "deleted"})


def decide(link: Situation) -> Decision:
    """Say what has to be done about one link."""
    if link.ours is None:
        return _theirs_only(link)
    if link.theirs is None:
        return _ours_only(link)
    if link.ours == "draft":
        return Decision(Verdict.WAIT, "it is in the ledger but was set back to draft here")
    if link.decision is not None:
        return _decided(link, link.decision)
    if not link.has_base:
        return _just_matched(link)
    return _pair(link)


def _ours_only(link: Situation) -> Decision:
    if link.ours != "active":
        return Decision(Verdict.LEAVE, f"it is {link.ours} here and was never in the ledger")
    if link.direction == "pull":
        return Decision(Verdict.LEAVE, "records of this kind are not sent by setting")
    return Decision(Verdict.CREATE, "it is new here")


def _theirs_only(link: Situation) -> Decision:
    if link.theirs in GONE:
        return Decision(Verdict.LEAVE, f"it is {link.theirs} in the ledger and was never here")
    if link.direction == "push":
        return Decision(Verdict.LEAVE, "records of this kind are not brought in by setting")
    if link.is_before_history:
        return Decision(
            Verdict.LEAVE, "it is older than the history that is brought in, and nothing is open on it"
        )
    return Decision(Verdict.APPLY_NEW, "it is new in the ledger")


def _just_matched(link: Situation) -> Decision:
    if link.same_values:
        return Decision(Verdict.SETTLE, "both sides already had it, with the same values")
    if link.theirs in GONE or link.ours in GONE:
        return Decision(Verdict.CONFLICT, "both sides have it, but one says it is no longer valid")
    return Decision(Verdict.CONFLICT, "both sides already had it, with different values")


def _decided(link: Situation, decision: str) -> Decision:
    if decision == "use_ours":
        if link.direction == "pull" and link.theirs in GONE:
            return Decision(Verdict.LEAVE, "a person kept the platform's record; such records are never sent")
        verdict = Verdict.VOID if link.ours in GONE else Verdict.UPDATE
        if link.ended_for_good:
            verdict = Verdict.CREATE if link.ours == "active" else Verdict.SETTLE
        elif verdict is Verdict.VOID and link.is_shared:
            return _kept_for_the_other(link)
        return Decision(verdict, "a person chose the platform's values", overwrites="theirs")
    if decision == "use_theirs":
        verdict = Verdict.APPLY_VOID if link.theirs in GONE else Verdict.APPLY
        return Decision(verdict, "a person chose the ledger's values", overwrites="ours")
    assert decision.startswith("merge:"), f"unknown decision {decision!r}"
    return Decision(Verdict.MERGE, "a person chose value by value", overwrites="ours")


def _pair(link: Situation) -> Decision:
    if not link.ours_changed and not link.theirs_changed:
        return Decision(Verdict.SETTLE, "nothing changed since the two sides last agreed")
    if link.same_values:
        return Decision(Verdict.SETTLE, "both sides were changed to the same values")
    if link.ours in GONE and link.theirs in GONE:
        return Decision(Verdict.SETTLE, "both sides say it is no longer valid")
    if link.direction == "pull":
        return _pulled_pair(link)
    if link.is_shared and link.ours in GONE and not _is_undone(link):
        return _kept_for_the_other(link)
    if link.ours_changed and not link.theirs_changed:
        return _only_ours_changed(link)
    if link.theirs_changed and not link.ours_changed:
        return _only_theirs_changed(link)
    return _both_changed(link)


def _is_undone(link: Situation) -> bool:
    """Say whether the ledger's record, being the truth by setting, takes back that ours ended."""
    return link.strategy is Strategy.PROVIDER_WINS and link.ended_here is None


def _kept_for_the_other(link: Situation) -> Decision:
    return Decision(
        Verdict.LEAVE,
        f"it became {link.ours} here; in the ledger it is another record of ours too, which is active",
    )


def _pulled_pair(link: Situation) -> Decision:
    """Decide about a record that only the ledger may make and change, such as a payment; nothing of it is ever sent."""
    if link.ours_changed and link.strategy is Strategy.MANUAL:
        return Decision(Verdict.CONFLICT, "it was changed here, and records of this kind are only brought in")
    lost = "ours" if link.ours_changed else None
    if link.theirs in GONE:
        by_setting = _ended_there(link)
        if by_setting is not None:
            return by_setting
        return Decision(Verdict.APPLY_VOID, f"it {link.end_there}", overwrites="ours")
    return Decision(Verdict.APPLY, "records of this kind are brought in from the ledger", overwrites=lost)


def _ended_here(link: Situation) -> Decision | None:
    """Decide by setting about a record that ended here; None where the strategy decides."""
    match link.ended_here:
        case "follow":
            return Decision(Verdict.VOID, f"it became {link.ours} here", overwrites="theirs")
        case "ask":
            return Decision(Verdict.CONFLICT, f"it became {link.ours} here, and the setting asks first")
        case "keep":
            return Decision(Verdict.LEAVE, f"it became {link.ours} here; the ledger keeps its own by setting")
        case None:
            return None


def _ended_there(link: Situation) -> Decision | None:
    """Decide by setting about a record that ended in the ledger; None where the strategy decides."""
    match link.ended_there:
        case "follow":
            return Decision(Verdict.APPLY_VOID, f"it {link.end_there}", overwrites="ours")
        case "ask":
            return Decision(Verdict.CONFLICT, f"it {link.end_there}, and the setting asks first")
        case "keep":
            return Decision(Verdict.LEAVE, f"it {link.end_there}; the platform keeps its own by setting")
        case None:
            return None


def _ending(link: Situation) -> str:
    if link.merged_into is not None:
        return link.end_there
    return f"was {'deleted' if link.theirs == 'deleted' else 'voided'} in the ledger"


def _only_ours_changed(link: Situation) -> Decision:
    by_setting = _ended_here(link) if link.ours in GONE else None
    if by_setting is not None:
        return by_setting
    if link.strategy is Strategy.PROVIDER_WINS:
        return Decision(Verdict.APPLY, "the ledger is the source of truth by setting", overwrites="ours")
    if link.ours in GONE:
        return Decision(Verdict.VOID, f"it became {link.ours} here", overwrites="theirs")
    if link.ended_for_good:
        return Decision(Verdict.CONFLICT, f"it {_ending(link)} and is valid again here")
    return Decision(Verdict.UPDATE, "it changed here")


def _only_theirs_changed(link: Situation) -> Decision:
    gone = link.theirs in GONE
    by_setting = _ended_there(link) if gone else None
    if by_setting is not None:
        return by_setting
    if not gone and link.ours in GONE and link.ended_here == "keep":
        return Decision(Verdict.LEAVE, f"it is {link.ours} here; the ledger keeps its own by setting")
    if link.strategy is Strategy.PLATFORM_WINS:
        if link.ended_for_good:
            return Decision(Verdict.CONFLICT, f"it {_ending(link)} and is never silently made again")
        if link.ours in GONE:
            return Decision(
                Verdict.VOID, "the platform is the source of truth by setting", overwrites="theirs"
            )
        return Decision(Verdict.UPDATE, "the platform is the source of truth by setting", overwrites="theirs")
    if gone and link.strategy is Strategy.MANUAL:
        return Decision(Verdict.CONFLICT, f"it {link.end_there}")
    if gone:
        return Decision(Verdict.APPLY_VOID, f"it {link.end_there}", overwrites="ours")
    return Decision(Verdict.APPLY, "it changed in the ledger")


def _both_changed(link: Situation) -> Decision:
    if link.theirs in GONE or link.ours in GONE:
        return Decision(Verdict.CONFLICT, "one side ended it while the other changed it")
    match link.strategy:
        case Strategy.PLATFORM_WINS:
            return Decision(Verdict.UPDATE, "the platform wins by setting", overwrites="theirs")
        case Strategy.PROVIDER_WINS:
            return Decision(Verdict.APPLY, "the ledger wins by setting", overwrites="ours")
        case Strategy.MANUAL | Strategy.LAST_WRITE_WINS if link.disjoint_fields:
            return Decision(Verdict.MERGE, "each side changed other fields")
        case Strategy.MANUAL:
            return Decision(Verdict.CONFLICT, "both sides changed the same fields")
        case Strategy.LAST_WRITE_WINS:
            return _last_write(link)


# Two clocks are never closer than this; a smaller difference does not say who was last.
CLOCK_SKEW = timedelta(seconds=2)


def _last_write(link: Situation) -> Decision:
    if link.ours_changed_at is None or link.theirs_changed_at is None:
        return Decision(Verdict.CONFLICT, "one side does not say when it changed")
    ahead = link.skew.ahead if link.skew is not None else timedelta(0)
    margin = max(CLOCK_SKEW, link.skew.margin if link.skew is not None else CLOCK_SKEW)
    difference = link.ours_changed_at - (link.theirs_changed_at - ahead)
    if abs(difference) < margin:
        return Decision(
            Verdict.CONFLICT,
            f"both sides changed within {margin.total_seconds():.0f} seconds, too close to tell who was last",
        )
    if difference > timedelta(0):
        return Decision(Verdict.UPDATE, "the platform's change is the later one", overwrites="theirs")
    return Decision(Verdict.APPLY, "the ledger's change is the later one", overwrites="ours")

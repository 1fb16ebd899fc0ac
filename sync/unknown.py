"""Writes whose outcome nobody knows: the verdict table, as one pure function (architecture §4, field §6).

"Not found" alone never licenses a second send: only once the provider can no longer be working on the first one. And a
second send that was never looked at (refused for its pace, for the access, or before it left) says nothing of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sync.errors import AccessExpired, ProviderUnavailable, RateLimited, SyncError
from sync.ports import NotSent, Operation, Rejected, Unknown, WriteOutcome
from sync.retry import PROVIDER_TIMEOUT


class UnknownVerdict(StrEnum):
    """What is done about a write whose outcome was not known."""

    ADOPT = "adopt"  # it happened: the document found is ours
    COMPARE = "compare"  # the document moved on: compare again
    SEND_AGAIN = "send_again"  # it did not happen and cannot happen any more
    WAIT = "wait"  # the provider may still be working on it
    ASK = "ask"  # a person has to look


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen when looking in the ledger."""

    operation: Operation
    age: timedelta
    # create: how many records carry our marker, and how many look the same without one
    with_marker: int = 0
    look_alikes: int = 0
    # create: how many records that nobody had seen were deleted since; one of them may be what was written
    unseen_deleted: int = 0
    # update and void: whether the record is still at the version we knew, and whether it shows what we sent
    version_moved: bool = False
    shows_what_was_sent: bool = False


def judge_unknown(seen: Evidence) -> UnknownVerdict:
    """Say what is done about a write whose outcome was not known."""
    if seen.operation == "create":
        if seen.with_marker == 1:
            return UnknownVerdict.ADOPT
        if seen.with_marker > 1:
            return UnknownVerdict.ASK
        if seen.age < PROVIDER_TIMEOUT:
            return UnknownVerdict.WAIT
        # Sending again what somebody has just deleted would bring it back by itself.
        is_doubtful = seen.look_alikes or seen.unseen_deleted
        return UnknownVerdict.ASK if is_doubtful else UnknownVerdict.SEND_AGAIN
    if seen.shows_what_was_sent:
        return UnknownVerdict.ADOPT
    if seen.version_moved:
        return UnknownVerdict.COMPARE
    return UnknownVerdict.WAIT if seen.age < PROVIDER_TIMEOUT else UnknownVerdict.SEND_AGAIN


NOT_LOOKED_AT = (RateLimited, ProviderUnavailable, AccessExpired)


def told_by_repeat(outcome: WriteOutcome) -> WriteOutcome:
    """Return what the outcome of a request that was sent before says about the first sending.

    A refusal that came before the provider looked at the write ends nothing: a new request could double what the first
    one made.
    """
    if isinstance(outcome, NotSent):
        return Unknown(f"it could not be asked again: {_why(outcome.error)}")
    if not isinstance(outcome, Rejected) or _was_looked_at(outcome.error):
        return outcome
    return Unknown(f"it could not be asked again: {_why(outcome.error)}")


def _was_looked_at(error: SyncError) -> bool:
    # What cannot even be written down has no code of the provider's.
    has_answer = error.details.get("provider_code", "not_sent") != "not_sent"
    return has_answer and not isinstance(error, NOT_LOOKED_AT)


def _why(error: SyncError) -> str:
    if isinstance(error, RateLimited):
        return "too many calls for now"
    return str(error.details.get("reason") or error.details.get("text") or error.user_message).rstrip(".")

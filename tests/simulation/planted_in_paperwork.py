"""Planted bugs that only show where there are drafts, acceptances or closed books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from resources.store.sync_store import PostgresWork
from sync import approval, compare, judge, pushed, pushing, settling
from sync.compare import Decision, Situation
from tests.simulation.planting import PlantedBug, instead
from tests.simulation.time import VirtualClock


@contextmanager
def drafts_sent() -> Iterator[None]:
    """A draft counts as new."""
    original = compare._ours_only

    def ours_only(link: Situation) -> Decision:
        return original(replace(link, ours="active") if link.ours == "draft" else link)

    with instead(compare, "_ours_only", ours_only):
        yield


@contextmanager
def draft_edits_sent() -> Iterator[None]:
    """What was set back to draft is compared and sent as if it were approved."""
    original = judge.decide

    def decide(link: Situation) -> Decision:
        return original(replace(link, ours="active") if link.ours == "draft" and link.theirs else link)

    with instead(judge, "decide", decide):
        yield


@contextmanager
def unheard_drafts_taken_for_not_executed() -> Iterator[None]:
    """A create that cannot be found counts as never executed once its record is a draft again."""
    with instead(settling, "_rests_in_doubt", lambda _seen: False):
        yield


@contextmanager
def acceptance_not_asked_for() -> Iterator[None]:
    """The approval lane lets everything through."""
    with instead(pushing, "must_be_accepted", lambda *_args, **_more: None):
        yield


@contextmanager
def acceptance_of_other_values() -> Iterator[None]:
    """Whatever was accepted once is accepted for all its values."""

    def is_accepted(link: Any, setting: Any) -> bool:
        return not setting.needs_approval or link.decision is not None or link.approved_checksum is not None

    with instead(approval, "is_accepted", is_accepted):
        yield


@contextmanager
def closed_period_is_an_error() -> Iterator[None]:
    """A refusal for a closed period is a failure like any other."""

    def settle(work: Any, each: Any, error: Any, recorder: Any) -> None:
        pushed.reject(work, each, error, recorder, now=VirtualClock().now())

    with instead(pushed, "_settle_closed", settle):
        yield


@contextmanager
def moved_without_a_word() -> Iterator[None]:
    """A document of a closed period is posted on another day, and nobody is told."""
    with instead(pushing, "moved_to", lambda *_: None):
        yield


@contextmanager
def opened_books_not_noticed() -> Iterator[None]:
    """A closing date that moves back is not believed."""
    original = PostgresWork.note_closed_until

    def note(self: PostgresWork, day: date | None) -> None:
        known = self.closed_books().reported
        if known is None or (day is not None and day > known):
            original(self, day)

    with instead(PostgresWork, "note_closed_until", note):
        yield


OF_PAPERWORK: tuple[PlantedBug, ...] = (
    drafts_sent,
    draft_edits_sent,
    unheard_drafts_taken_for_not_executed,
    acceptance_not_asked_for,
    acceptance_of_other_values,
    closed_period_is_an_error,
    moved_without_a_word,
    opened_books_not_noticed,
)

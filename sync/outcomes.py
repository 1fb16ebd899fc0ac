"""Writing down what happened to each record: the sync log, its records, the queues and the summary, in step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sync import retry
from sync.causes import cause_of
from sync.errors import Category, ConflictFound, Held, Remedy, SyncError
from sync.records import Entity
from sync.store import Work
from sync.stored import Block, LinkView, LogDirection, Outcome
from sync.summary import EntitySummary, Tally, Trouble
from sync.summary import Outcome as OutcomeName


class Recorder:
    """Collects the outcomes of one entity's sync and writes them with the work they belong to."""

    def __init__(self, work: Work, summary: EntitySummary) -> None:
        """Begin with an open transaction; later calls pass the one they are in."""
        self._begin_work = work
        self.summary = summary
        self.look_again: set[str] = set()
        self._logs: dict[LogDirection, str] = {}
        self._blocks: list[Block] = []
        self._closed: list[str] = []
        self._pending: dict[LogDirection, list[Outcome]] = {"push": [], "pull": []}
        self._succeeded: dict[LogDirection, int] = {"push": 0, "pull": 0}
        self._failed: dict[LogDirection, int] = {"push": 0, "pull": 0}
        # What stands in the log row of each direction: a reader who adds both rows counts nothing twice.
        self._tallies: dict[LogDirection, dict[OutcomeName, Tally]] = {"push": {}, "pull": {}}

    def begin(self, entity: Entity, direction: LogDirection) -> None:
        """Open the log row of the entity's own direction; the other one is opened when something happens in it."""
        self._logs[direction] = self._begin_work.open_log(entity, direction)

    # ------------------------------------------------------------------ what can happen to a record

    def pushed(self, link: LinkView, action: str, *, details: Mapping[str, Any] | None = None) -> None:
        """Count a record that was written to the provider."""
        self._add(Outcome(link, "push", "synced", action, details=details or {}), "pushed")

    def pulled(self, link: LinkView, action: str, reason: str) -> None:
        """Count a record whose ledger values were taken."""
        self._add(Outcome(link, "pull", "synced", action, details={"reason": reason}), "pulled")

    def linked(self, link: LinkView, reason: str) -> None:
        """Count a record that both sides already had."""
        self._add(Outcome(link, "pull", "synced", "linked", details={"reason": reason}), "linked")

    def close(self, link: LinkView) -> None:
        """Close the queue entry of a record that needs nothing any more; says nothing where there was none."""
        self._closed.append(link.id)

    def hold(self, work: Work, link: LinkView, held: Held) -> None:
        """Keep a record waiting for its cause to go away."""
        self._block(link, "held", held.cause)
        outcome = Outcome(
            link,
            "push",
            "held",
            "held",
            message=held.user_message,
            category=Category.VALIDATION,
            code=held.code,
            remedy=held.remedy,
            cause=held.cause,
            details=_plain(held.details),
        )
        self._add(outcome, "held")
        self.summary.held.append(_trouble(link, held, held.cause))

    def wait(self, work: Work, link: LinkView, sentence: str) -> None:
        """Keep a record waiting that was set back to draft after it was sent."""
        held = Held(sentence)
        self.hold(work, link, held)

    def conflict(self, work: Work, link: LinkView, *, reason: str, data: Mapping[str, Any]) -> None:
        """Queue a record for a person's choice."""
        self._block(link, "conflict", None)
        names = ", ".join(item["field"].replace("_", " ") for item in data["fields"]) or reason
        error = ConflictFound(label=link.label, fields=names)
        outcome = Outcome(
            link,
            "push",
            "conflict",
            "conflict",
            message=error.user_message,
            code=error.code,
            remedy=error.remedy,
            details={"reason": reason},
            conflict_data=data,
        )
        self._add(outcome, "conflict")
        self.summary.conflicts.append(_trouble(link, error, error.code))

    def failed(
        self, work: Work, link: LinkView, error: SyncError, *, now: datetime, direction: LogDirection = "push"
    ) -> None:
        """Keep a record that could not be written: tried again by itself, or queued for a person."""
        tries = link.tries + 1
        first = link.first_failed_at or now
        at = retry.next_try(error=error, tries=tries, first_failed_at=first, now=now, key=link.id)
        cause = cause_of(error, link=link)
        self._block(link, "failed", cause, tries=tries, first_failed_at=first, next_try_at=at)
        message = error.user_message
        if retry.is_dead(error=error, at=at):
            message = f"{message} It was tried {tries} times and is not tried again by itself: press Retry when the cause is gone."
        outcome = Outcome(
            link,
            direction,
            "error",
            "failed",
            message=message,
            category=error.category,
            code=error.code,
            remedy=Remedy.ASK_USER if retry.is_dead(error=error, at=at) else error.remedy,
            cause=cause,
            details={**_plain(error.details), "dead_letter": retry.is_dead(error=error, at=at)},
            next_try_at=at,
        )
        self._add(outcome, "failed")
        self.summary.failed.append(_trouble(link, error, cause))

    def unknown(
        self, work: Work, link: LinkView, error: SyncError, *, evidence: Mapping[str, Any] | None = None
    ) -> None:
        """Keep a record whose write was not confirmed, until the ledger has been asked."""
        self._block(link, "unknown", error.code)
        outcome = Outcome(
            link,
            "push",
            "error",
            "unknown",
            message=error.user_message,
            category=error.category,
            code=error.code,
            remedy=error.remedy,
            cause=error.code,
            details={**_plain(error.details), **(evidence or {})},
        )
        self._add(outcome, "failed")
        self.summary.failed.append(_trouble(link, error, error.code))

    # ------------------------------------------------------------------ writing it down

    def flush(self, work: Work) -> None:
        """Write the outcomes collected so far in the transaction of the work they came from."""
        if self._closed:
            work.close(self._closed)
            self._closed = []
        work.block(self._blocks)
        self._blocks.clear()
        for direction, outcomes in self._pending.items():
            if outcomes:
                if direction not in self._logs:
                    self._logs[direction] = work.open_log(self.summary.entity, direction)
                work.record(self._logs[direction], outcomes)
                outcomes.clear()

    def finish(self, work: Work, *, error: str | None) -> None:
        """Close the log rows with counts and amounts."""
        self.flush(work)
        for direction, log_id in self._logs.items():
            work.close_log(
                log_id,
                succeeded=self._succeeded[direction],
                failed=self._failed[direction],
                summary={
                    str(name): {"count": tally.count, "amount": f"{tally.amount:f}"}
                    for name, tally in self._tallies[direction].items()
                },
                error=error,
            )

    def _block(
        self,
        link: LinkView,
        state: Literal["held", "conflict", "failed", "unknown"],
        cause: str | None,
        *,
        tries: int = 0,
        first_failed_at: datetime | None = None,
        next_try_at: datetime | None = None,
    ) -> None:
        self._blocks.append(
            Block(
                link_id=link.id,
                ours_checksum=link.ours_checksum,
                theirs_checksum=link.theirs_checksum,
                state=state,
                cause=cause,
                tries=tries,
                first_failed_at=first_failed_at,
                next_try_at=next_try_at,
            )
        )

    def _add(self, outcome: Outcome, name: OutcomeName) -> None:
        self._pending[outcome.direction].append(outcome)
        self.summary.count(name, outcome.link.total)
        self._tallies[outcome.direction].setdefault(name, Tally()).add(outcome.link.total)
        if outcome.status == "synced":
            self._succeeded[outcome.direction] += 1
        else:
            self._failed[outcome.direction] += 1


def _trouble(link: LinkView, error: SyncError, cause: str) -> Trouble:
    return Trouble(link.label, error.user_message, error.remedy, cause, link.total)


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, (int, bool, type(None))) else str(value)
        for name, value in details.items()
    }

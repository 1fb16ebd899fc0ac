"""Bugs planted on purpose: a simulator that does not find them proves nothing.

Each is a small, plausible mistake in the product, put in for the length of a run and taken out again. They reach into
the engine, which no other test may do.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from resources.quickbooks.provider import QuickBooks
from resources.store.database import Transaction
from resources.store.sync_store import PostgresWork
from resources.xero.provider import Xero
from sync import census, compare, engine, fields, judge, pushing, requests, settling, taking
from sync.compare import Decision, Situation, Strategy, Verdict
from sync.errors import ProviderUnavailable
from sync.ports import Rejected, Unknown, Write, WriteOutcome
from sync.records import Entity
from sync.stored import Audit, Settlement
from sync.unknown import Evidence, UnknownVerdict
from tests.simulation import company
from tests.simulation.database import SimDatabase
from tests.simulation.planted_in_paperwork import OF_PAPERWORK
from tests.simulation.planted_in_values import IN_VALUES
from tests.simulation.planting import PlantedBug, instead


@contextmanager
def request_id_dropped() -> Iterator[None]:
    """Every try is a new request, and an unknown outcome is simply sent again."""
    numbers = itertools.count()

    def fresh(**_: Any) -> str:
        return f"{next(numbers):032x}"

    def blind(seen: Evidence) -> UnknownVerdict:
        return UnknownVerdict.SEND_AGAIN

    with instead(requests, "request_id", fresh), instead(settling, "judge_unknown", blind):
        yield


@contextmanager
def unknown_taken_for_rejected() -> Iterator[None]:
    """A write that was not confirmed counts as not executed."""

    def mistaken(original: Any) -> Any:
        def write(self: Any, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
            outcomes = original(self, writes)
            return [
                _as_rejected(outcome, each) if isinstance(outcome, Unknown) else outcome
                for outcome, each in zip(outcomes, writes, strict=True)
            ]

        return write

    with (
        instead(QuickBooks, "write", mistaken(QuickBooks.write)),
        instead(Xero, "write", mistaken(Xero.write)),
    ):
        yield


def _as_rejected(outcome: Unknown, write: Write) -> Rejected:
    return Rejected(ProviderUnavailable(provider="QuickBooks", reason=f"{outcome.reason} ({write.label})"))


@contextmanager
def attempts_of_the_dead_forgotten() -> Iterator[None]:
    """Attempts that a dead process left behind are not looked up."""
    with instead(PostgresWork, "unsettled", lambda _self, _entity: []):
        yield


@contextmanager
def cursor_moved_early() -> Iterator[None]:
    """The cursor is stored before what was read is."""
    original = engine.ConnectionSync.pull_changes

    def pull(self: Any) -> Any:
        with self._store.work() as work:
            cursor = work.cursor(engine.CHANGES_STREAM)
        pages = list(self._provider.changes(cursor))
        with self._store.work() as work:
            for page in pages:
                if page.cursor is not None:
                    work.move_cursor(engine.CHANGES_STREAM, page.cursor)
        for page in pages:
            with self._store.work() as work:
                work.save_mirror(page.records)
        return original(self)

    with instead(engine.ConnectionSync, "pull_changes", pull):
        yield


@contextmanager
def ledger_changes_overwritten() -> Iterator[None]:
    """A change on both sides is always ours to win, without asking."""

    def ours(link: Situation) -> Decision:
        return Decision(Verdict.UPDATE, "planted")

    with instead(compare, "_both_changed", ours), instead(pushing, "_overwritten", lambda _link: None):
        yield


@contextmanager
def deletes_ignored() -> Iterator[None]:
    """What the ledger deleted is not news."""
    original = PostgresWork.save_mirror

    def save(self: PostgresWork, records: Any) -> int:
        return original(self, [record for record in records if record.state != "deleted"])

    with instead(PostgresWork, "save_mirror", save):
        yield


@contextmanager
def deleted_documents_made_again() -> Iterator[None]:
    """What is gone from the ledger is created once more."""
    original = compare.decide

    def decide(link: Situation) -> Decision:
        if (
            link.theirs == "deleted"
            and link.ours == "active"
            and link.strategy is not Strategy.MANUAL
            and link.direction != "pull"
        ):
            return Decision(Verdict.CREATE, "planted")
        return original(link)

    with instead(judge, "decide", decide):
        yield


@contextmanager
def base_taken_from_ours_alone() -> Iterator[None]:
    """After a look-up the base is what the ledger shows now, as if we had agreed on it."""
    with instead(fields, "same_values", lambda *_: True):
        yield


@contextmanager
def stale_versions_sent() -> Iterator[None]:
    """A record that moved is written over with its newest version, uncompared."""
    original = QuickBooks.write

    def write(self: QuickBooks, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        fresh = []
        for each in writes:
            now = self.read(each.entity, each.remote_id) if each.remote_id else None
            fresh.append(replace(each, version=now.version, previous=dict(now.raw)) if now else each)
        return original(self, fresh)

    with instead(QuickBooks, "write", write), instead(pushing, "_overwritten", lambda _link: None):
        yield


@contextmanager
def merged_changes_not_sent() -> Iterator[None]:
    """After a merge both bases move, and our half of it never reaches the ledger."""
    original = taking._settlement

    def settlement(each: Any, after: Any, context: Any) -> Settlement:
        return replace(original(each, after, context), ours_checksum=after.ours_checksum)

    with instead(taking, "_settlement", settlement):
        yield


@contextmanager
def overwritten_values_not_kept() -> Iterator[None]:
    """Nothing is written to the audit log."""
    with instead(PostgresWork, "audit", lambda _self, _entries: None):
        yield


@contextmanager
def payments_applied_once() -> Iterator[None]:
    """A payment that changes or disappears later is not looked at again."""
    original = taking.take

    def take(work: Any, items: Any, context: Any, *args: Any, **more: Any) -> None:
        kept = [item for item in items if not (item.link.entity == "payment" and item.link.record_id)]
        original(work, kept, context, *args, **more)

    with instead(taking, "take", take):
        yield


@contextmanager
def lock_removed() -> Iterator[None]:
    """Two syncs of one connection may run at the same time."""

    @contextmanager
    def session_lock(_self: Any, _lock: str, _unlock: str, /, **_: Any) -> Iterator[bool]:
        yield True

    with instead(SimDatabase, "session_lock", session_lock):
        yield


@contextmanager
def marker_ignored() -> Iterator[None]:
    """What carries our mark is taken for a look-alike."""
    original = settling._judge

    def judge_unmarked(provider: Any, entity: Any, attempt: Any, found: Any, **more: Any) -> Any:
        return original(provider, entity, attempt, [replace(record, marker=None) for record in found], **more)

    with instead(settling, "_judge", judge_unmarked):
        yield


@contextmanager
def webhook_believed() -> Iterator[None]:
    """A webhook counts as proof that everything up to it is known, so that nothing older is read."""
    original = company.follow

    def follow(database: Any, spec: Any, hints: Any, *, now: datetime) -> int:
        found: int = original(database, spec, hints, now=now)
        position = now.isoformat()
        if spec.key == "xero":
            position = json.dumps({"since": position, "swept": position})
        with database.scheduler_tx() as tx:
            rows = tx.rows("hint_connections", provider=spec.key, company_ids=[hints[0].company_id])
        for row in rows:
            with database.builder_tx(row["builder_id"]) as tx:
                tx.run(
                    "move_cursor",
                    builder_id=row["builder_id"],
                    connection_id=row["id"],
                    stream=engine.CHANGES_STREAM,
                    position=position,
                    now=now,
                )
        return found

    with instead(company, "follow", follow):
        yield


@contextmanager
def xero_key_relied_on_beyond_its_memory() -> Iterator[None]:
    """A create that was not confirmed is sent again under its old key, without looking, however long ago it was."""
    original = settling.judge_unknown

    def judge_by_key(seen: Evidence) -> UnknownVerdict:
        return UnknownVerdict.SEND_AGAIN if seen.operation == "create" else original(seen)

    with instead(settling, "judge_unknown", judge_by_key):
        yield


@contextmanager
def tombstone_ignored() -> Iterator[None]:
    """What was deleted from the platform's tables leaves no trace on its link."""
    original = Transaction.run

    def run(self: Transaction, query: str, /, **parameters: Any) -> int:
        return 0 if query == "mark_records_deleted" else original(self, query, **parameters)

    with instead(Transaction, "run", run):
        yield


@contextmanager
def replayed_answer_believed() -> Iterator[None]:
    """The answer to a repeated request is taken for how things stand now."""
    original = pushing._prepare

    def prepare(*args: Any, **more: Any) -> Any:
        return replace(original(*args, **more), is_repeat=False)

    with instead(pushing, "_prepare", prepare):
        yield


@contextmanager
def doubtful_overwrites_not_kept() -> Iterator[None]:
    """What a change overwrote is kept only where the change was confirmed."""
    original = PostgresWork.audit

    def audit(self: PostgresWork, entries: Sequence[Audit]) -> None:
        original(self, [entry for entry in entries if entry.action != "push.unconfirmed"])

    with instead(PostgresWork, "audit", audit):
        yield


@contextmanager
def refused_second_asking_taken_for_not_executed() -> Iterator[None]:
    """A request that was sent before and is refused unseen the second time counts as never executed."""
    original = PostgresWork.settle_attempt

    def settle(self: PostgresWork, request_id: str, **more: Any) -> None:
        is_heard_of = str(more.get("code")).startswith("push.outcome")
        if more["state"] == "unknown" and not is_heard_of:
            more["state"] = "rejected"
        original(self, request_id, **more)

    def believed(outcome: WriteOutcome) -> WriteOutcome:
        return outcome

    with (
        instead(PostgresWork, "settle_attempt", settle),
        instead(pushing, "told_by_repeat", believed),
        instead(settling, "told_by_repeat", believed),
    ):
        yield


@contextmanager
def begun_however_late() -> Iterator[None]:
    """What waited long between its storing and its sending is sent all the same.

    Two rare troubles have to meet on one call for it to show, so it is not hunted for (`test_known_troubles`).
    """
    ages = timedelta(hours=1)
    with instead(pushing, "BEGIN_WITHIN", ages), instead(settling, "BEGIN_WITHIN", ages):
        yield


@contextmanager
def settling_writes_in_a_sync_that_only_reads() -> Iterator[None]:
    """What was not confirmed is asked for again whichever way the sync may carry anything."""
    original = settling.settle_unknown

    def settle(*args: Any, **more: Any) -> None:
        original(*args, **{**more, "direction": "both"})

    with instead(settling, "settle_unknown", settle):
        yield


@contextmanager
def direction_ignored() -> Iterator[None]:
    """A sync that may only read or only send does both once anything differs."""
    original = engine.ConnectionSync._takes

    def takes(self: Any, judged: Any) -> Any:
        self._direction = "both"
        return original(self, judged)

    with instead(engine.ConnectionSync, "_takes", takes):
        yield


@contextmanager
def census_left_out() -> Iterator[None]:
    """What no feed of changes told of is never looked for."""

    def nothing(*_: Any, **_more: Any) -> census.Counted:
        return census.Counted()

    with instead(census, "go_on", nothing):
        yield


@contextmanager
def journal_doubled() -> Iterator[None]:
    """An unconfirmed write of a journal entry counts as never made, and goes out as a new request."""
    numbers, request_id, judge_found = itertools.count(), requests.request_id, settling._judge

    def fresh(**asked: Any) -> str:
        is_entry = asked["entity"] is Entity.JOURNAL_ENTRY
        return f"{next(numbers):032x}" if is_entry else request_id(**asked)

    def blind(provider: Any, entity: Any, *seen: Any, **more: Any) -> Any:
        is_entry = entity is Entity.JOURNAL_ENTRY
        return (UnknownVerdict.SEND_AGAIN, None) if is_entry else judge_found(provider, entity, *seen, **more)

    with instead(requests, "request_id", fresh), instead(settling, "_judge", blind):
        yield


PLANTED: dict[str, PlantedBug] = {
    found.__name__: found
    for found in (
        request_id_dropped,
        unknown_taken_for_rejected,
        attempts_of_the_dead_forgotten,
        cursor_moved_early,
        ledger_changes_overwritten,
        deletes_ignored,
        deleted_documents_made_again,
        base_taken_from_ours_alone,
        stale_versions_sent,
        merged_changes_not_sent,
        overwritten_values_not_kept,
        payments_applied_once,
        lock_removed,
        marker_ignored,
        webhook_believed,
        xero_key_relied_on_beyond_its_memory,
        tombstone_ignored,
        replayed_answer_believed,
        doubtful_overwrites_not_kept,
        refused_second_asking_taken_for_not_executed,
        settling_writes_in_a_sync_that_only_reads,
        direction_ignored,
        census_left_out,
        journal_doubled,
        *IN_VALUES,
        *OF_PAPERWORK,
    )
}
NEEDS_PAPERWORK = frozenset(bug.__name__ for bug in OF_PAPERWORK)

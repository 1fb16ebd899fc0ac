"""Planted bugs that double and lose no document: what both sides say about it is not the same, or nobody finds out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sync import compare, engine, outgoing, retry, taking
from sync.compare import Decision, Situation, Verdict
from sync.outgoing import Resolver
from sync.records import Canonical, Entity
from sync.summary import TieOut
from tests.simulation import company
from tests.simulation.database import SimDatabase
from tests.simulation.planting import PlantedBug, instead


@contextmanager
def wrong_party() -> Iterator[None]:
    """A document goes to the first linked vendor or customer of its batch."""
    original = Resolver.remote_id

    def remote_id(self: Resolver, reference: Any, *, label: str) -> str:
        original(self, reference, label=label)
        return next(remote_id for (entity, _), remote_id in self.remote_ids.items() if entity == reference[0])

    with instead(Resolver, "remote_id", remote_id):
        yield


@contextmanager
def line_texts_dropped() -> Iterator[None]:
    """A line that the ledger has goes out without its text."""
    original = outgoing._document_line

    def line(*args: Any, **more: Any) -> Canonical:
        found = original(*args, **more)
        return {**found, "description": ""} if found["id"] else found

    with instead(outgoing, "_document_line", line):
        yield


@contextmanager
def costs_posted_as_income() -> Iterator[None]:
    """A bill's lines take the account of the cost code's revenue."""
    original = Resolver.account

    def account(self: Resolver, entity: Entity, line: Any, **more: Any) -> tuple[str, str]:
        return original(self, Entity.INVOICE if entity is Entity.BILL else entity, line, **more)

    with instead(Resolver, "account", account):
        yield


@contextmanager
def renames_not_taken() -> Iterator[None]:
    """A name that changed in the ledger counts as taken, and ours stays."""
    original = taking._taken

    def taken(item: Any, context: Any, **more: Any) -> Any:
        found, ours = original(item, context, **more), item.link.ours
        if item.link.entity not in (Entity.VENDOR, Entity.CUSTOMER) or ours is None:
            return found
        kept = {**found.row.canonical, "name": ours.canonical["name"]}
        return replace(found, row=replace(found.row, canonical=kept))

    with instead(taking, "_taken", taken):
        yield


@contextmanager
def told_again_at_each_sync() -> Iterator[None]:
    """A notice ends a moment before the next look, which raises it anew."""
    original = company.raise_notifications

    def raise_again(database: SimDatabase, builder_id: UUID, *, now: datetime) -> Any:
        ended = now - timedelta(seconds=1)
        database.office(str(builder_id)).run(
            "update notifications set resolved_at = %s where resolved_at is null and created_at < %s",
            [ended, ended],
        )
        return original(database, builder_id, now=now)

    with instead(company, "raise_notifications", raise_again):
        yield


@contextmanager
def never_merges() -> Iterator[None]:
    """Whenever both sides changed, a person is asked."""

    def both_changed(link: Situation) -> Decision:
        return Decision(Verdict.CONFLICT, "planted")

    with instead(compare, "_both_changed", both_changed):
        yield


@contextmanager
def everything_asked() -> Iterator[None]:
    """Whatever changed, a person is asked."""
    original = compare._pair

    def pair(link: Situation) -> Decision:
        found = original(link)
        return found if found.verdict is Verdict.SETTLE else Decision(Verdict.CONFLICT, "planted")

    with instead(compare, "_pair", pair):
        yield


@contextmanager
def gives_up_at_once() -> Iterator[None]:
    """What fails once is not tried again."""
    with instead(retry, "TRIES_MAX", 1):
        yield


@contextmanager
def tie_out_always_tied() -> Iterator[None]:
    """Whatever the ledger says, the tie-out shows ours twice."""
    original = engine.tie_out

    def tied(*args: Any) -> TieOut:
        return TieOut(tuple(replace(line, theirs=line.ours) for line in original(*args).lines))

    with instead(engine, "tie_out", tied):
        yield


IN_VALUES: tuple[PlantedBug, ...] = (
    wrong_party,
    line_texts_dropped,
    costs_posted_as_income,
    renames_not_taken,
    told_again_at_each_sync,
    never_merges,
    everything_asked,
    gives_up_at_once,
    tie_out_always_tied,
)

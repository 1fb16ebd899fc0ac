"""Random edits on both sides, any strategy, any answer: no value is ever in neither book nor the audit log."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.store import queue, views
from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Entity
from tests.fakes.world import World

Values = set[str]

EDITS = st.sampled_from(["our memo", "our amount", "their memo", "their amount", "their void", "our void"])
ANSWERS = st.sampled_from(["platform", "provider", "ignore", "each field", "nothing"])
ROUNDS = st.lists(st.tuples(st.lists(EDITS, max_size=4), ANSWERS), min_size=2, max_size=5)


class Story:
    """One bill in two books, with a fresh value for every edit."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.numbers = count(1)
        self.bill = world.bill(world.vendor(), amounts=("100.00",), memo="memo-000")
        self.seen: Values = set()

    def edit(self, what: str) -> None:
        """Let a person on one side do one thing; what that alone takes out of both books, the person has overwritten."""
        before = self.standing()
        self._do(what)
        self.seen -= before - self.standing()

    def _do(self, what: str) -> None:
        number = next(self.numbers)
        amount, memo = f"{200 + number}.{number:02d}", f"memo-{number:03d}"
        self.world.later(seconds=30)
        if what == "our memo":
            self.world.change("v2_bills", self.bill, memo=memo)
        elif what == "our amount":
            self.world.change("v2_bill_lines", self._line(), amount=amount)
            self.world.change("v2_bills", self.bill, total=amount)
        elif what == "our void":
            self.world.change("v2_bills", self.bill, status="void")
        else:
            self._their(what, memo=memo, amount=amount)

    def _line(self) -> str:
        found: str = self.world.value(
            "select id::text from v2_bill_lines where bill_id = %s limit 1", self.bill
        )
        return found

    def _their(self, what: str, *, memo: str, amount: str) -> None:
        for kept in self.world.ledger.all(Entity.BILL):
            if what == "their memo":
                self.world.ledger.edit(Entity.BILL, kept.remote_id, memo=memo)
            elif what == "their amount":
                lines = [{**kept.canonical["lines"][0], "amount": amount}]
                self.world.ledger.edit(Entity.BILL, kept.remote_id, lines=lines, total=amount)
            else:
                self.world.ledger.end(Entity.BILL, kept.remote_id, "void")

    def standing(self) -> Values:
        """Every memo and total that is in one of the books now."""
        ours = {
            str(each)
            for row in self.world.rows("select memo, total::numeric(19, 2)::text from v2_bills")
            for each in row
        }
        kept = [one for (entity, _), one in self.world.ledger.kept.items() if entity is Entity.BILL]
        theirs = {str(one.canonical[name]) for one in kept for name in ("memo", "total")}
        return {each for each in ours | theirs if each}

    def sync(self) -> None:
        """Sync; what stood in the books before it counts from now on."""
        self.seen |= self.standing()
        self.world.sync()

    def answer(self, how: str) -> None:
        """Let a person answer the open conflicts."""
        if how == "nothing":
            return
        world = self.world
        with world.database.builder_tx(UUID(world.builder_id)) as tx:
            for row in views.queue(tx, views.QueueView(statuses=queue.CONFLICTS), rows_max=10):
                fields = [each["field"] for each in (row["conflict_data"] or {}).get("fields", [])]
                choice: Any = how
                if how == "each field":
                    if not fields:
                        continue
                    choice = {name: ("platform", "provider")[n % 2] for n, name in enumerate(fields)}
                queue.resolve(
                    tx,
                    row["id"],
                    choice=choice,
                    seen_version=None,
                    by=queue.Decider("test", "because", world.clock.now()),
                )

    def lost(self) -> Values:
        """What stood in a book once and is now nowhere."""
        written = " ".join(
            str(part)
            for row in self.world.rows(
                "select coalesce(before::text, ''), coalesce(after::text, '') from audit_log"
            )
            for part in row
        )
        return {value for value in self.seen - self.standing() if value not in written}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(strategy=st.sampled_from(list(Strategy)), rounds=ROUNDS)
def test_no_value_is_in_neither_book_nor_the_audit_log(
    database: Database, strategy: Strategy, rounds: list[tuple[list[str], str]]
) -> None:
    world = World(database)
    world.map_code()
    world.strategy = strategy
    story = Story(world)
    story.sync()
    for edits, answer in rounds:
        for what in edits:
            story.edit(what)
        story.sync()
        story.answer(answer)
        story.sync()
    assert story.lost() == set()

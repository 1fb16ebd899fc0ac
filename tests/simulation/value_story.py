"""Stories of people who edit the same documents in both books, with a fresh value for every edit.

A value is a text, a number, a date or an amount that is made once and used once, so that it is recognised wherever it
turns up: in the platform's tables, in the sandbox's own ledger, in the audit log.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args
from uuid import UUID

from resources.store import queue, views
from sync.choices import Choice, Side
from sync.compare import Strategy
from sync.errors import SyncError
from tests.simulation.books import KINDS, PARTY, Kind, Line, Paper
from tests.simulation.company import Company
from tests.simulation.database import SimDatabase
from tests.simulation.faults import Fault
from tests.simulation.people import TABLES
from tests.simulation.wire import Call
from tests.simulation.world import SimWorld

Values = frozenset[str]
Act = Literal[
    "our memo",
    "our amount",
    "our words",
    "our new line",
    "our line less",
    "our number",
    "our due date",
    "our name",
    "our void",
    "our deletion",
    "our document",
    "their memo",
    "their amount",
    "their words",
    "their new line",
    "their line less",
    "their number",
    "their due date",
    "their name",
    "their void",
    "their payment",
    "their payment back",
    "the same number on both sides",
    "theirs while ours is written",
    "another strategy",
]
Answer = Literal["nothing", "platform", "provider", "each field", "ignore", "keep_both", "leave"]
ACTS: tuple[Act, ...] = get_args(Act)
ANSWERS: tuple[Answer, ...] = get_args(Answer)
PARTIES: Mapping[Kind, str] = {"bill": "v2_vendors", "invoice": "v2_clients"}
FIRST_DUE = date(2050, 1, 1)
# Values of these shapes are ours alone: nothing else in either book looks like one.
_VALUE = re.compile(
    r"(?:memo|words|Name|N)-\d{5}|20[5-9]\d-\d\d-\d\d|(?<![\d.])1\d{4}\.[1-9]{2}(?=(?:00)?(?!\d))"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody does: to which of the documents there are, and where there are several ways, in which."""

    act: Act
    kind: Kind
    place: int = 0


class _Interrupted(SimWorld):
    """A world in which what happens while a record is written is the story's."""

    meanwhile: Callable[[Company, Call], None] | None = None

    def same_record(self, company: Company, call: Call) -> None:
        if self.meanwhile is not None:
            self.meanwhile(company, call)


class ValueStory:
    """One builder, one company, and a few documents that both sides work on."""

    def __init__(self, database: SimDatabase, *, shape: str, strategy: Strategy) -> None:
        """Begin with a bill and an invoice of two lines each that both books agree on."""
        self.world = _Interrupted(database, 1, shape=shape)
        (self.company,) = self.world.companies
        self.books = self.company.books
        self.company.strategy = strategy
        self.told: list[str] = []
        self._numbers = itertools.count(1)
        self._made: set[str] = set()
        self._seen: set[str] = set()
        for entity in (*KINDS, *PARTY.values()):
            self.world.run(
                "insert into entity_settings (builder_id, connection_id, entity, direction) values (%s, %s, %s, 'both')",
                self.world.builder_id,
                self.company.connection_id,
                entity,
            )
        for kind in KINDS:
            self._our_document(kind)
        self.sync()

    # ------------------------------------------------------------------ values

    def _next(self) -> int:
        return next(self._numbers)

    def _new(self, value: str) -> str:
        self._made.add(value)
        return value

    def _text(self, word: str) -> str:
        return self._new(f"{word}-{self._next():05d}")

    def _amount(self) -> Decimal:
        number = self._next()
        return Decimal(self._new(f"{10000 + number}.{number % 9 + 1}{number * 7 % 9 + 1}"))

    def _due(self) -> str:
        return self._new((FIRST_DUE + timedelta(days=self._next())).isoformat())

    def standing(self) -> Values:
        """Every value that is in one of the two books now."""
        ours = self.world.rows(
            "select concat_ws(' ', number, memo, due_date, total) from v2_bills"
            " union all select concat_ws(' ', number, memo, due_date, total) from v2_invoices"
            " union all select concat_ws(' ', description, amount) from v2_bill_lines"
            " union all select concat_ws(' ', description, amount) from v2_invoice_lines"
            " union all select name from v2_vendors union all select name from v2_clients"
        )
        return _values(" ".join(row[0] for row in ours)) | _values(self.books.everything())

    def lost(self) -> Values:
        """What stood in a book when a sync began, and is now in neither book nor the audit log."""
        rows = self.world.rows("select concat_ws(' ', before::text, after::text) from audit_log")
        # A sum may look like a value (a balance is one), but nobody wrote it.
        return (
            frozenset(self._seen & self._made) - self.standing() - _values(" ".join(row[0] for row in rows))
        )

    # ------------------------------------------------------------------ people

    def do(self, step: Step) -> None:
        """Let a person do one thing; what that alone takes out of both books, the person has overwritten."""
        before = self.standing()
        said = _DOES[step.act](self, step)
        self.told.append(f"{step.act} of the {step.kind}: {said or 'not possible'}")
        self._seen -= before - self.standing()
        self.world.clock.move(30)

    def sync(self) -> None:
        """Sync; what stands in the books before it counts from now on."""
        self._seen |= self.standing()
        self.world.clock.move(60)
        self.company.sync(with_faults=False)
        self.told += self.world.story
        self.world.story.clear()
        self.world.plan.sure.clear()
        self.world.clock.move(60)

    def answer(self, how: Answer) -> None:
        """Let a person answer all that waits for one."""
        if how == "nothing":
            return
        world = self.world
        by = queue.Decider("office", "because", world.clock.now())
        statuses = queue.FAILURES if how == "leave" else queue.CONFLICTS
        with world.database.builder_tx(UUID(world.builder_id)) as tx:
            rows = views.queue(tx, views.QueueView(statuses=statuses), rows_max=20)
        for row in rows:
            try:
                with world.database.builder_tx(UUID(world.builder_id)) as tx:
                    if how == "leave":
                        queue.dismiss(tx, row["id"], actor=by.actor, reason=by.reason, now=by.now)
                    else:
                        choice = _choice(how, row["conflict_data"] or {})
                        queue.resolve(tx, row["id"], choice=choice, seen_version=None, by=by)
                self.told.append(f"answer {how}: {row['label']}")
            except SyncError as refused:
                self.told.append(f"answer {how} refused: {refused.user_message}")

    # ------------------------------------------------------------------ the office

    def _ours(self, step: Step) -> str | None:
        table = TABLES[step.kind][0]
        rows = self.world.rows(f"select id::text from {table} where status = 'approved' order by id")
        return rows[step.place % len(rows)][0] if rows else None

    def _our_document(self, kind: Kind, number: str | None = None) -> str:
        number = number or self._text("N")
        amounts = [f"{self._amount():f}" for _ in range(2)]
        parties = self.world.rows(f"select id::text from {PARTIES[kind]} where is_active order by id")
        name, memo, due = self._text("Name"), self._text("memo"), self._due()
        if kind == "bill":
            party = parties[0][0] if parties else self.world.vendor(name)
            made = self.world.bill(party, number=number, amounts=amounts, memo=memo, due_date=due)
        else:
            party = parties[0][0] if parties else self.world.client(name)
            made = self.world.invoice(party, number=number, amounts=amounts, memo=memo, due_date=due)
        _, lines, column = TABLES[kind]
        for (line,) in self.world.rows(f"select id::text from {lines} where {column} = %s order by 1", made):
            self.world.run(f"update {lines} set description = %s where id = %s", self._text("words"), line)
        return number

    def our_value(self, step: Step) -> str | None:
        """Change a field of a document here."""
        found = self._ours(step)
        if found is None:
            return None
        column, value = {
            "our memo": lambda: ("memo", self._text("memo")),
            "our number": lambda: ("number", self._text("N")),
            "our due date": lambda: ("due_date", self._due()),
            "our void": lambda: ("status", "void"),
        }[step.act]()
        self.world.change(TABLES[step.kind][0], found, **{column: value})
        return value

    def our_line(self, step: Step) -> str | None:
        """Change, add or remove a line of a document here."""
        found = self._ours(step)
        if found is None:
            return None
        _, table, column = TABLES[step.kind]
        rows = self.world.rows(
            f"select id::text, position from {table} where {column} = %s order by position", found
        )
        chosen, said = rows[step.place % len(rows)][0], ""
        if step.act == "our amount":
            said = f"{self._amount():f}"
            self.world.run(f"update {table} set amount = %s where id = %s", said, chosen)
        elif step.act == "our words":
            said = self._text("words")
            self.world.run(f"update {table} set description = %s where id = %s", said, chosen)
        elif step.act == "our new line":
            said = f"{self._amount():f}"
            values = {"description": self._text("words"), "amount": said, "cost_code_id": self.world.code}
            self.world.add(table, **{column: found}, position=rows[-1][1] + 1, **values)
        elif len(rows) > 1:
            said = "gone"
            self.world.run(f"delete from {table} where id = %s", chosen)
        total = self.world.value(f"select sum(amount) from {table} where {column} = %s", found)
        self.world.change(TABLES[step.kind][0], found, total=total)
        return said

    def our_name(self, step: Step) -> str | None:
        """Rename a vendor or client here."""
        rows = self.world.rows(f"select id::text from {PARTIES[step.kind]} where is_active order by id")
        if not rows:
            return None
        name = self._text("Name")
        self.world.change(PARTIES[step.kind], rows[step.place % len(rows)][0], name=name)
        return name

    def our_deletion(self, step: Step) -> str | None:
        """Delete a document that nothing was paid on."""
        found = self._ours(step)
        receipt = {"bill": "bill_payment", "invoice": "payment"}[step.kind]
        if found is None or self.world.rows(
            f"select 1 from v2_{receipt}_applications where {step.kind}_id = %s", found
        ):
            return None
        self.world.run(f"delete from {TABLES[step.kind][0]} where id = %s", found)
        return found

    def our_document(self, step: Step) -> str:
        """Approve a document."""
        return self._our_document(step.kind)

    # ------------------------------------------------------------------ the bookkeeper

    def _theirs(self, step: Step) -> Paper | None:
        papers = [paper for paper in self.books.papers(step.kind) if paper.is_live]
        return papers[step.place % len(papers)] if papers else None

    def their_value(self, step: Step) -> str | None:
        """Change a field of a document there."""
        paper = self._theirs(step)
        return None if paper is None else self._change_theirs(step, paper)

    def _change_theirs(self, step: Step, paper: Paper) -> str | None:
        if step.act == "their number":
            value = self._text("N")
            return value if self.books.renumber(paper, value) else None
        if step.act == "their due date":
            value = self._due()
            return value if self.books.redate(paper, value) else None
        if step.kind == "bill" and not self.books.has_bill_memo:
            return None
        value = self._text("memo")
        return value if self.books.write_memo(paper, value, keeps_mark=True) else None

    def their_line(self, step: Step) -> str | None:
        """Change, add or remove a line of a document there."""
        paper = self._theirs(step)
        if paper is None:
            return None
        lines = self.books.lines(paper)
        place = step.place % len(lines)
        old = lines[place]
        if step.act == "their amount":
            lines[place] = Line(old.id, old.text, self._amount())
        elif step.act == "their words":
            lines[place] = Line(old.id, self._text("words"), old.amount)
        elif step.act == "their new line":
            lines.append(Line(None, self._text("words"), self._amount()))
        elif len(lines) > 1:
            del lines[place]
        return str(lines) if self.books.put_lines(paper, lines) else None

    def their_name(self, step: Step) -> str | None:
        """Rename a vendor or customer there."""
        found = sorted(self.books.names(PARTY[step.kind]))
        name = self._text("Name")
        if not found or not self.books.rename(PARTY[step.kind], found[step.place % len(found)], name):
            return None
        return name

    def their_void(self, step: Step) -> str | None:
        """Void a document there, or delete it."""
        paper = self._theirs(step)
        how: Literal["void", "delete"] = "void" if step.place % 2 else "delete"
        return how if paper is not None and self.books.end(paper, how=how) else None

    def their_payment(self, step: Step) -> str | None:
        """Pay half of a document there."""
        paper = self._theirs(step)
        if paper is None or not paper.open:
            return None
        half = (paper.open / 2).quantize(Decimal("0.01"))
        return f"{half:f}" if self.books.pay(paper, half) else None

    def their_payment_back(self, step: Step) -> str | None:
        """Take a payment out of the books there."""
        money = [each for each in self.books.money(step.kind) if each.is_live]
        return money[0].id if money and self.books.unpay(money[0]) else None

    # ------------------------------------------------------------------ both

    def the_same_number(self, step: Step) -> str | None:
        """Enter a bill there and one here under the same number, with other values."""
        parties = sorted(self.books.names("vendor"))
        number = self._text("N")
        if not parties or not self.books.enter_bill(parties[0], number, self._amount()):
            return None
        return self._our_document("bill", number)

    def meanwhile(self, step: Step) -> str | None:
        """Let the bookkeeper save a document in the very moment in which it is written."""
        if not self.books.has_lock:
            return None  # Xero cannot tell: what is saved in that moment is lost (docs/guarantees.md)

        def save(company: Company, call: Call) -> None:
            for kind in KINDS:
                for paper in company.books.papers(kind):
                    if paper.is_live and f'"{paper.id}"'.encode() in call.body:
                        before = self.standing()
                        said = self._change_theirs(Step("their memo", kind), paper)
                        self.told.append(f"in that moment: {said}")
                        self._seen -= before - self.standing()
                        self._seen |= self.standing()
                        return

        self.world.meanwhile = save
        self.world.plan.sure = [Fault.SAME_RECORD]
        return "at the next write"

    def another_strategy(self, step: Step) -> str:
        """Change who wins."""
        strategies = list(Strategy)
        self.company.strategy = strategies[step.place % len(strategies)]
        return self.company.strategy.value


def _values(text: str) -> Values:
    return frozenset(_VALUE.findall(text))


def _choice(how: Answer, conflict: Mapping[str, Any]) -> Choice:
    names = [str(each["field"]) for each in conflict.get("fields", [])]
    if how != "each field" or not names:
        return "provider" if how in ("each field", "nothing", "leave") else how
    sides: tuple[Side, Side] = ("platform", "provider")
    return {name: sides[place % 2] for place, name in enumerate(names)}


_DOES: Mapping[Act, Callable[[ValueStory, Step], str | None]] = {
    "our memo": ValueStory.our_value,
    "our number": ValueStory.our_value,
    "our due date": ValueStory.our_value,
    "our void": ValueStory.our_value,
    "our amount": ValueStory.our_line,
    "our words": ValueStory.our_line,
    "our new line": ValueStory.our_line,
    "our line less": ValueStory.our_line,
    "our name": ValueStory.our_name,
    "our deletion": ValueStory.our_deletion,
    "our document": ValueStory.our_document,
    "their memo": ValueStory.their_value,
    "their number": ValueStory.their_value,
    "their due date": ValueStory.their_value,
    "their amount": ValueStory.their_line,
    "their words": ValueStory.their_line,
    "their new line": ValueStory.their_line,
    "their line less": ValueStory.their_line,
    "their name": ValueStory.their_name,
    "their void": ValueStory.their_void,
    "their payment": ValueStory.their_payment,
    "their payment back": ValueStory.their_payment_back,
    "the same number on both sides": ValueStory.the_same_number,
    "theirs while ours is written": ValueStory.meanwhile,
    "another strategy": ValueStory.another_strategy,
}

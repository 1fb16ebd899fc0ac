"""One simulated world: a builder with one or two connected companies, people who work in all, and a seed over it."""

from __future__ import annotations

import itertools
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from resources.store.notices import Preferences, prefer
from sync.compare import Strategy
from tests.fakes.world import Platform
from tests.simulation.books import KINDS, Kind
from tests.simulation.company import Company
from tests.simulation.database import SimDatabase
from tests.simulation.faults import FaultPlan
from tests.simulation.journals import Journals
from tests.simulation.people import People
from tests.simulation.quickbooks_books import QuickBooksBooks
from tests.simulation.time import VirtualClock
from tests.simulation.wire import Call
from tests.simulation.xero_books import XeroBooks

SHAPES: dict[str, tuple[type[QuickBooksBooks | XeroBooks], ...]] = {
    "quickbooks": (QuickBooksBooks,),
    "xero": (XeroBooks,),
    "both": (QuickBooksBooks, XeroBooks),
}
SHAPE_WEIGHTS = (5, 4, 2)
# How far the provider's clock may stand from ours, in seconds.
SKEWS = (0, 0, 0, -240, -30, 1, 30, 240)
FAULT_RATES = (0.05, 0.15, 0.15, 0.3)
# What a person accepts before it is sent to a company.
LANES: tuple[tuple[Kind, ...], ...] = ((), ("bill",), ("invoice",), KINDS)
LANE_WEIGHTS = (4, 1, 1, 1)
# How many of the worlds without paperwork keep a journal.
JOURNAL_SHARE = 0.4
SETTLING_ROUNDS_MAX = 14
MERGED_SWEEP_DAYS = 8
_MEMO = re.compile(r"(?:ours|theirs)-\d+")


def memos_in(*texts: str) -> set[str]:
    """Return every memo of the simulated people that stands in texts."""
    return {memo for text in texts for memo in _MEMO.findall(text)}


class SimWorld(Platform):
    """Everything random in it comes from the seed; each step has dice of its own, so that a step can be left out."""

    database: SimDatabase

    def __init__(
        self, database: SimDatabase, seed: int, *, shape: str | None = None, has_paperwork: bool = False
    ) -> None:
        """Make the world of a seed; with paperwork there are drafts, acceptances and closed books in it."""
        database.begin_world(seed)
        self.seed = seed
        self.random = Random(f"{seed}/world")
        self.clock = VirtualClock()
        self._ids = Random(f"{seed}/ids")
        self._later = itertools.count(1)
        super().__init__(database, clock=self.clock, new_id=self._new_id)
        # What the office changed in each record by hand, and which records it ended.
        self.touched: defaultdict[str, set[str]] = defaultdict(set)
        self.ended: set[str] = set()
        self.plan = FaultPlan(self.random, rate=self.random.choice(FAULT_RATES))
        self.story: list[str] = []
        self.breaches: list[str] = []
        self.is_settling = False
        self.has_paperwork = has_paperwork
        self.shape = shape or self.random.choices(list(SHAPES), SHAPE_WEIGHTS)[0]
        self.companies: list[Company] = []
        with database.builder_tx(uuid.UUID(self.builder_id)) as tx:
            prefer(tx, "owner", Preferences("owner@example.com"), now=self.clock.now())
        lanes = Random(f"{seed}/lanes")
        for kind in SHAPES[self.shape]:
            reviewed = lanes.choices(LANES, LANE_WEIGHTS)[0] if has_paperwork else ()
            company = Company(self, self._books(kind), strategy=self._strategy(), reviewed=reviewed)
            self.companies.append(company)
        self.people = People(self)
        has_journal = not has_paperwork and Random(f"{seed}/journal").random() < JOURNAL_SHARE
        self.journals = Journals(self) if has_journal else None
        self.interfering: list[Callable[[], None]] = []
        for company in self.companies:
            self.connection_id = company.connection_id
            company.sync(with_faults=False)
            accounts = company.books.accounts()
            self.map_company(company, accounts)

    def _books(self, kind: type[QuickBooksBooks | XeroBooks]) -> QuickBooksBooks | XeroBooks:
        skew = self.random.choice(SKEWS)
        return kind(lambda: self.clock.timestamp() + skew)

    def _strategy(self) -> Strategy:
        # Two books that are each the source of truth for the same record contradict each other for ever.
        taken = [company.strategy for company in self.companies]
        return self.random.choice(
            [one for one in Strategy if one is not Strategy.PROVIDER_WINS or one not in taken]
        )

    def map_company(self, company: Company, accounts: dict[str, str]) -> None:
        """Map the one cost code to a company's accounts."""
        version = self.add(
            "mapping_versions", connection_id=company.connection_id, number=1, created_by="sim"
        )
        for profile, account in (("revenue", accounts["income"]), ("cost_code", accounts["cost"])):
            self.add(
                "v2_account_mappings",
                connection_id=company.connection_id,
                version_id=version,
                platform_cost_code_id=self.code,
                platform_entity_type=profile,
                provider_account_id=account,
            )

    def throw(self, step: int) -> None:
        """Take the dice of a step."""
        self.random = Random(f"{self.seed}/step {step}")
        self.plan.dice = Random(f"{self.seed}/faults of step {step}")

    # ------------------------------------------------------------------ the platform's tables

    def run(self, statement: str, *parameters: Any) -> None:
        """Run one statement as any SQL client of the platform would."""
        self.database.office(self.builder_id).run(statement, parameters)

    def change(self, table: str, row_id: str, **values: Any) -> None:
        """Change a row, as of now, as the office does."""
        self.note(row_id, *values, is_end=values.get("status") == "void")
        super().change(table, row_id, **values)

    def note(self, record: str, *fields: str, is_end: bool = False) -> None:
        """Note what the office changed in a record, or that it ended it."""
        self.touched[record].update(fields)
        if is_end:
            self.ended.add(record)

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read as the builder."""
        found = self.database.office(self.builder_id).run(statement, parameters)
        return [tuple(row.values()) for row in found.all()]

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def later_id(self) -> str:
        """Return an id that sorts after all before it."""
        return str(uuid.UUID(int=(next(self._later) << 64) | self._ids.getrandbits(60)))

    # ------------------------------------------------------------------ the story

    def tell(self, sentence: str) -> None:
        """Write a line of the story."""
        self.story.append(f"{self.clock.now():%m-%d %H:%M:%S}  {sentence}")

    def breach(self, sentence: str) -> None:
        """Keep a promise that was seen broken on the way."""
        if sentence not in self.breaches:
            self.breaches.append(sentence)
            self.tell(f"BROKEN: {sentence}")

    def interfere(self) -> None:
        """Let somebody act while a call is under way: who was asked to, or else the bookkeeper."""
        with self._unguarded():
            if self.interfering:
                self.interfering.pop(0)()
            else:
                self.people.bookkeeper_acts()

    def same_record(self, company: Company, call: Call) -> None:
        """Let the bookkeeper change the record that is being written."""
        with self._unguarded():
            self.people.edit_what_is_written(company, call)

    @contextmanager
    def _unguarded(self) -> Iterator[None]:
        self.people.is_unguarded = True
        try:
            yield
        finally:
            self.people.is_unguarded = False

    def standing_memos(self) -> set[str]:
        """Return every memo that stands in one of the books now."""
        here = self.rows(
            "select memo from v2_bills union all select memo from v2_invoices union all select memo from v2_journal_entries"
        )
        there = (
            paper.memo for company in self.companies for kind in KINDS for paper in company.books.papers(kind)
        )
        entries = (entry.memo for company in self.companies for entry in company.books.entries())
        return memos_in(*(row[0] for row in here), *there, *entries)

    def check_cursor(self, company: Company) -> None:
        """See that the cursor has not moved past what is stored; a process has just died."""
        for sentence in company.unstored():
            self.breach(sentence)

    # ------------------------------------------------------------------ the end

    def settle(self) -> None:
        """Faults stop; time passes and syncs run until nothing is left to decide by itself."""
        self.is_settling = True
        self.throw(-1)
        self.clock.move(200)  # whatever was late has arrived
        for company in self.companies:
            company.end_outage()
            company.reconnect()
            company.books.remember()
        if self.people.changed_silently:
            self.clock.move(MERGED_SWEEP_DAYS * 86400)
        for _ in range(SETTLING_ROUNDS_MAX):
            self.clock.move(600)
            for company in self.companies:
                # Xero forgets a company that nobody has synced for sixty days; its builder has been told so by now.
                company.reconnect()
            did = [company.sync(with_faults=False) for company in self.companies]
            waits = self._next_try()
            if not any(did) and None not in did and waits is None and not self.people.desk.clear_up():
                return
            if waits is not None:
                self.clock.move(max(0.0, waits))
        self.breach(
            f"restless: after {SETTLING_ROUNDS_MAX} syncs without faults there is still something to do"
        )

    def _next_try(self) -> float | None:
        ((at,),) = self.rows("select min(next_try_at) from links where state in ('failed', 'unknown')")
        return None if at is None else float((at - self.clock.now()).total_seconds())  # not money: seconds

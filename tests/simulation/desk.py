"""What stands between a document and the ledger, and who works it: drafts, the approval lane, closed books.

Only in worlds with paperwork (`SimWorld.has_paperwork`), so that the others stay as simple as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store import lanes
from resources.store.queue import Decider
from resources.store.sync_store import REFUSAL_REMEMBERED
from sync.errors import SyncError
from sync.periods import PeriodPolicy
from tests.simulation.books import KINDS, Kind

if TYPE_CHECKING:
    from tests.simulation.company import Company
    from tests.simulation.people import People
    from tests.simulation.world import SimWorld

# Until when books are closed: before every document, over the bills, over all, and over what was moved out of May.
CLOSING_DAYS = {"2026-05-19": "2026-05-20", "2026-05-20": "2026-05-21", "2026-05-31": "2026-06-01", "2026-06-30": "2026-07-01"}  # fmt: skip
POLICIES = (PeriodPolicy.HOLD, PeriodPolicy.HOLD, PeriodPolicy.FIRST_OPEN_DAY, PeriodPolicy.ASK)
OPENED_SHARE = CLEARED_SHARE = 0.7
_WAITING = """
select r.id::text, l.record_id::text, coalesce(o.canonical ->> 'memo', '')
from v2_sync_records r
join links l on l.id = r.link_id
left join records o on o.entity = l.entity and o.id = l.record_id
where l.connection_id = %s and r.code = any (%s) and r.status = 'held' and r.resolved_at is null
order by r.created_at, r.id
"""
_REJECTED = """
select r.id::text from v2_sync_records r join links l on l.id = r.link_id
where l.connection_id = %s and r.resolution = 'rejected' and l.state = 'ignored' order by r.created_at, r.id
"""
# While nobody has chosen another day for it.
_UNMOVED = ["hold.period_locked", "hold.period_question"]


class Desk:
    """What the office lets through and holds back, and what the bookkeepers close."""

    def __init__(self, world: SimWorld, people: People) -> None:
        """Set up a desk among the people of a world."""
        self.world = world
        self.people = people
        # Documents that are drafts, with what was written on them since.
        self.drafts: dict[str, set[str]] = {}
        self.never_approved: set[str] = set()
        # (connection, document) → what it said when somebody accepted it.
        self.accepted: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        # Documents about which somebody chose a side, having seen the values.
        self.decided: set[str] = set()
        self._is_cleared_up = False

    def acts(self) -> list[tuple[int, Callable[[], None]]]:
        """What people do here, and how often."""
        found: list[tuple[int, Callable[[], None]]] = [
            (2, self.enter_draft),
            (2, self.set_back_any),
            (3, self.approve_any),
            (1, self.close_or_open),
            (1, self.choose_day),
        ]
        if any(company.reviewed for company in self.world.companies):
            found.append((6, self.look_through))
        return found

    def note_memo(self, document: str, memo: str) -> None:
        """Note what was written on a document."""
        if document in self.drafts:
            self.drafts[document].add(memo)

    # ------------------------------------------------------------------ drafts

    def enter_draft(self) -> None:
        """Enter a document that nobody has approved yet."""
        self.people.new_document(status="draft")
        assert self.people.newest is not None
        document = self.people.newest[1]
        self.drafts[document] = set()
        self.never_approved.add(document)

    def set_back_any(self) -> None:
        """Set a document back to draft."""
        found = self.people.any_document()
        if found is not None:
            self.set_back(*found)

    def set_back(self, kind: Kind, document: str) -> None:
        """Set this document back to draft, where it is approved."""
        if self._turn(kind, document, before="approved", after="draft"):
            self.drafts[document] = set()

    def approve_any(self) -> None:
        """Approve a draft."""
        for kind in KINDS:
            waiting = [document for document in self.people.documents[kind] if document in self.drafts]
            if waiting:
                self.approve(kind, self.world.random.choice(waiting))
                return

    def approve(self, kind: Kind, document: str) -> None:
        """Approve this document, where it is a draft."""
        if self._turn(kind, document, before="draft", after="approved"):
            self.drafts.pop(document, None)
            self.never_approved.discard(document)

    def _turn(self, kind: Kind, document: str, *, before: str, after: str) -> bool:
        table = f"v2_{kind}s"
        if self.world.rows(f"select status from {table} where id = %s", document) != [(before,)]:
            return False
        self.world.change(table, document, status=after)
        self.world.tell(f"office: {kind} {document} is {after} now")
        return True

    # ------------------------------------------------------------------ the approval lane

    def look_through(self) -> None:
        """Accept what waits in a company's lane, one or all, or reject one; or propose a rejected one again."""
        company = self.world.random.choice([one for one in self.world.companies if one.reviewed])
        luck = self.world.random.random()
        if luck < 0.4:
            self.accept_all(company)
        elif luck < 0.7:
            self._one(company, lanes.accept)
        elif luck < 0.9:
            self._one(company, lanes.reject)
        else:
            for (record,) in self.world.rows(_REJECTED, company.connection_id)[-1:]:
                self._decide(lanes.resend, record)

    def accept_all(self, company: Company) -> bool:
        """Accept everything that waits in a company's lane; say whether anything did."""
        rows = self.world.rows(_WAITING, company.connection_id, ["hold.approval_missing"])
        # Every one of them: `any` would stop at the first.
        accepted = [self._accept(company, *row) for row in rows]
        return any(accepted)

    def _accept(self, company: Company, record: str, document: str, memo: str) -> bool:
        if not self._decide(lanes.accept, record):
            return False
        self.accepted[company.connection_id, document].add(memo)
        company.tell(f"the office accepts {document}, which says {memo!r}")
        return True

    def _one(self, company: Company, how: Callable[..., Any]) -> None:
        rows = self.world.rows(_WAITING, company.connection_id, ["hold.approval_missing"])
        if not rows:
            return
        record, document, memo = self.world.random.choice(rows)
        if how is lanes.accept:
            self._accept(company, record, document, memo)
        elif self._decide(how, record):
            company.tell(f"the office rejects {document}")

    def _decide(self, how: Callable[..., Any], record: str, **more: str) -> bool:
        """Decide as the API does; False where it was edited meanwhile, which is said."""
        world = self.world
        try:
            with world.database.builder_tx(UUID(world.builder_id)) as tx:
                how(tx, UUID(record), by=Decider("office", "looked through", world.clock.now()), **more)
        except SyncError as error:
            world.tell(f"office: not decided: {error.user_message}")
            return False
        return True

    # ------------------------------------------------------------------ closed books

    def close_or_open(self) -> None:
        """Let a bookkeeper close the books, close them at another day, or open them."""
        company = self.world.random.choice(self.world.companies)
        if company.closed_until is not None and self.world.random.random() < 0.5:
            self.open(company)
        else:
            for kind in KINDS:
                self.choose_policy(company, kind)
            self.close(company)

    def choose_policy(self, company: Company, kind: Kind) -> None:
        """Set what becomes of a company's new documents of closed periods."""
        policy = self.world.random.choice(POLICIES)
        company.set_lane(kind, closed_period=policy.value)
        company.may_move = company.may_move or policy is PeriodPolicy.FIRST_OPEN_DAY

    def close(self, company: Company) -> None:
        """Close a company's books up to some day."""
        day = self.world.random.choice(list(CLOSING_DAYS))
        company.books.close_until(day)
        company.closed_until = day
        company.first_open_days.add(CLOSING_DAYS[day])
        company.tell(f"the bookkeeper: the books are closed until {day}")

    def open(self, company: Company) -> None:
        """Open a company's books."""
        company.books.close_until(None)
        company.closed_until = None
        company.tell("the bookkeeper: the books are open again")

    def choose_day(self) -> None:
        """Choose for a document of a closed period: the first open day, or to leave it held."""
        company = self.world.random.choice(self.world.companies)
        rows = self.world.rows(_WAITING, company.connection_id, _UNMOVED)
        if rows:
            record, document, _ = self.world.random.choice(rows)
            choice = "first_open_day" if self.world.random.random() < 0.8 else "hold"
            if self._decide(lanes.choose_period, record, choice=choice):
                company.may_move = True
                company.tell(f"the office chooses {choice} for {document}")

    # ------------------------------------------------------------------ the end

    def clear_up(self) -> bool:
        """Once, when nothing else moves: mostly open the books and let through what waits; say whether to look again."""
        if self._is_cleared_up or not self.world.has_paperwork:
            return False
        self._is_cleared_up = True
        for company in self.world.companies:
            if company.closed_until is not None and self.world.random.random() < OPENED_SHARE:
                self.open(company)
            if company.reviewed and self.world.random.random() < CLEARED_SHARE:
                self.accept_all(company)
        if any(company.first_open_days for company in self.world.companies):
            # As long as a refusal is remembered for a closing date that was not reported.
            self.world.clock.move(REFUSAL_REMEMBERED.total_seconds() + 600)
        return True

    # ------------------------------------------------------------------ what must hold

    def broken(self, company: Company) -> Iterator[str]:
        """Find drafts and unaccepted documents in a ledger, and closed books that were not respected or not left again."""
        yield from self._drafts_there(company)
        yield from self._unaccepted(company)
        yield from self._held_for_nothing(company)

    def _drafts_there(self, company: Company) -> Iterator[str]:
        drafts = {
            row[0] for kind in KINDS for row in self.world.rows(f"select id::text from v2_{kind}s where status = 'draft'")
        }  # fmt: skip
        for kind in KINDS:
            for paper in company.books.papers(kind):
                for document in sorted(_documents(paper.texts)):
                    if document in self.never_approved:
                        yield f"draft: {kind} {document} was never approved and is in {company.books.title}"
                    written = self.drafts.get(document, set()) if document in drafts else set()
                    if paper.memo in written:
                        yield f"draft: {company.books.title} has {paper.memo!r}, written on the draft {document}"

    def _unaccepted(self, company: Company) -> Iterator[str]:
        for kind in company.reviewed:
            for paper in company.books.papers(kind):
                for document in sorted(_documents(paper.texts) - self.decided):
                    seen = self.accepted[company.connection_id, document]
                    if not seen:
                        yield f"unaccepted: {kind} {document} is in {company.books.title} and nobody accepted it"
                    elif paper.memo.startswith("ours-") and paper.memo.splitlines()[0] not in seen:
                        yield (
                            f"unaccepted: {kind} {document} says {paper.memo!r} in {company.books.title}, which nobody accepted"
                        )

    def _held_for_nothing(self, company: Company) -> Iterator[str]:
        rows = self.world.rows(
            "select l.entity, l.record_id::text, l.cause from links l where l.connection_id = %s and l.state = 'held'"
            " and starts_with(l.cause, 'hold.period') order by 1, 2",
            company.connection_id,
        )
        for entity, document, cause in rows if company.closed_until is None else ():
            yield f"held for nothing: {entity} {document} waits ({cause}) though the books of {company.books.title} are open"
        rows = self.world.rows(
            "select platform_entity_type, label, error_message from v2_sync_records where connection_id = %s"
            " and status = 'error' and starts_with(code, 'hold.period') order by 1, 2, 3",
            company.connection_id,
        )
        for entity, label, message in rows:
            yield f"no error: a closed period of {company.books.title} became an error of {entity} {label}: {message}"

    def is_told_of_move(self, company: Company, *, document: str, day: str) -> bool:
        """Say whether the audit log tells why a document stands on another day in a ledger than here."""
        return bool(
            self.world.rows(
                "select 1 from audit_log where connection_id = %s and record_id = %s and strpos(reason, %s) > 0 limit 1",
                company.connection_id,
                document,
                f"posted on {day}",
            )
        )


def _documents(texts: frozenset[str]) -> set[str]:
    return {text.removeprefix("of ") for text in texts if text.startswith("of ")}

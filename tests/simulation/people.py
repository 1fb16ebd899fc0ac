"""What people do in all books, drawn from the seed: the builder's office, and the bookkeeper of each company."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from resources.store.queue import Decider, QueueFilter, resolve, retry_all
from sync.choices import Side
from sync.errors import SyncError
from tests.simulation.books import KINDS, PARTY, Kind, Paper
from tests.simulation.desk import Desk
from tests.simulation.wire import Call

if TYPE_CHECKING:
    from tests.simulation.company import Company
    from tests.simulation.world import SimWorld

TABLES: dict[Kind, tuple[str, str, str]] = {
    "bill": ("v2_bills", "v2_bill_lines", "bill_id"),
    "invoice": ("v2_invoices", "v2_invoice_lines", "invoice_id"),
}


class People:
    """The office and the bookkeepers of one world."""

    def __init__(self, world: SimWorld) -> None:
        """Put people to work in a world."""
        self.world = world
        # Every memo that anybody wrote, and where: a value that no sync may take out of the books without a trace.
        self.memos: dict[str, str] = {}
        # While a call is on its way to books without a lock: what is saved now is lost, and nobody can tell.
        self.is_unguarded = False
        self.newest: tuple[Kind, str] | None = None
        self.newest_party: str | None = None
        self._count = 0
        self.vendors: list[str] = []
        self.clients: list[str] = []
        self.documents: dict[Kind, list[str]] = {"bill": [], "invoice": []}
        # (connection, text) of documents the bookkeeper ended: they must never come back by themselves.
        self.ended_there: set[tuple[str, str]] = set()
        # Those of which no sync had heard when they were ended.
        self.ended_unseen: set[tuple[str, str]] = set()
        self.changed_silently = False
        self.is_mark_torn_off = False
        self.desk = Desk(world, self)

    def act(self) -> None:
        """Somebody does something."""
        choices: list[tuple[int, Callable[[], None]]] = [
            (8, self.new_document),
            (7, self.edit_here),
            (1, self.void_here),
            (1, self.delete_here),
            (1, self.decide_here),
            (7, self.bookkeeper_acts),
        ]
        if self.world.has_paperwork:
            choices += self.desk.acts()
        if self.world.journals is not None:
            choices += self.world.journals.acts()
        weights = [weight for weight, _ in choices]
        self.world.random.choices([action for _, action in choices], weights)[0]()
        self.world.clock.move(self.world.random.choice([3, 30, 300]))

    def bookkeeper_acts(self) -> None:
        """A bookkeeper does something, and the provider tells of it."""
        company = self.world.random.choice(self.world.companies)
        actions: list[Callable[[Company], None]] = [
            self.edit_there,
            self.edit_there,
            self.edit_there,
            self.pay_there,
            self.pay_there,
            self.pay_there,
            self.unpay_there,
            self.unpay_there,
            self.unpay_there,
            self.end_there,
            self.end_there,
            self.rename_there,
            self.merge_there,
            self.enter_there,
            self.change_silently_there,
        ]
        self.world.random.choice(actions)(company)
        company.announce()

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Let somebody change a memo: what this alone takes out of all books, a person has overwritten, and no sync."""
        before = self.world.standing_memos()
        yield
        for memo in before - self.world.standing_memos():
            self.memos.pop(memo, None)

    # ------------------------------------------------------------------ the office

    def next_name(self, word: str) -> str:
        """Return a word with a number that nobody has used."""
        self._count += 1
        return f"{word}{self._count}"

    def amount(self) -> Decimal:
        """Return any amount of money."""
        return Decimal(self.world.random.randint(100, 99999)) / 100

    def _kind(self) -> Kind:
        return self.world.random.choice(KINDS)

    def new_document(
        self, kind: Kind | None = None, *, party: str | None = None, status: str = "approved"
    ) -> None:
        """Enter a bill or an invoice, sometimes of a new party, a bill sometimes without a number."""
        world, kind = self.world, kind or self._kind()
        parties = self.vendors if kind == "bill" else self.clients
        if party is None and (not parties or world.random.random() < 0.3):
            name = self.next_name("Vendor " if kind == "bill" else "Client ")
            parties.append(world.vendor(name) if kind == "bill" else world.client(name))
        number = self.next_name("B-" if kind == "bill" else "I-")
        amounts = [f"{self.amount():.2f}" for _ in range(world.random.randint(1, 3))]
        party = party or world.random.choice(parties)
        if kind == "bill":
            document = world.bill(
                party,
                number=None if world.random.random() < 0.3 else number,
                amounts=amounts,
                status=status,
            )
        else:
            document = world.invoice(party, number=number, amounts=amounts, status=status)
        _, lines, column = TABLES[kind]
        # The description names the platform's document, so that doubles are seen whatever becomes of the marker.
        world.run(f"update {lines} set description = %s where {column} = %s", f"of {document}", document)
        self.documents[kind].append(document)
        self.newest, self.newest_party = (kind, document), party
        world.tell(f"office: {kind} {number} {status}")

    def any_document(self) -> tuple[Kind, str] | None:
        """Return a document of the platform, where there is one."""
        kind = self._kind()
        return (kind, self.world.random.choice(self.documents[kind])) if self.documents[kind] else None

    def edit_here(self) -> None:
        """Change a document's memo or the amount of its first line."""
        found = self.any_document()
        if found is not None:
            self._edit_here(*found)

    def edit_newest_here(self, *, is_memo: bool = False) -> None:
        """Change the document that was approved last; `is_memo` where only its memo shall change."""
        if self.newest is not None:
            self._edit_here(*self.newest, is_memo=is_memo)

    def _edit_here(self, kind: Kind, document: str, *, is_memo: bool = False) -> None:
        world = self.world
        table, lines, column = TABLES[kind]
        rows = world.rows(f"select status, number from {table} where id = %s", document)
        if not rows or rows[0][0] == "void":
            return
        if is_memo or world.random.random() < 0.5:
            memo = self.next_name("ours-")
            with self.by_hand():
                world.change(table, document, memo=memo)
            self.memos[memo] = f"here on {kind} {document}"
            self.desk.note_memo(document, memo)
            world.tell(f"office: {rows[0][1]} gets the memo {memo}")
            return
        amount = self.amount()
        world.run(f"update {lines} set amount = %s where {column} = %s and position = 1", amount, document)
        world.run(
            f"update {table} set total = (select sum(amount) from {lines} where {column} = %s), updated_at = %s"
            " where id = %s",
            document,
            world.clock.now(),
            document,
        )
        world.note(document, "lines")
        world.tell(f"office: the first line of {rows[0][1]} becomes {amount}")

    def void_here(self) -> None:
        """Void a document."""
        found = self.any_document()
        if found is not None:
            self._void_here(*found)

    def void_newest_here(self) -> None:
        """Void the document that was entered last."""
        if self.newest is not None:
            self._void_here(*self.newest)

    def _void_here(self, kind: Kind, document: str) -> None:
        self.world.change(TABLES[kind][0], document, status="void")
        self.world.tell(f"office: {kind} {document} voided")

    def delete_here(self) -> None:
        """Delete a document that nothing was paid on from the platform's tables."""
        found = self.any_document()
        if found is None:
            return
        kind, document = found
        if self.world.rows(f"select 1 from v2_{_RECEIPTS[kind]}_applications where {kind}_id = %s", document):
            return
        with self.by_hand():
            self.world.run(f"delete from {TABLES[kind][0]} where id = %s", document)
        self.documents[kind].remove(document)
        self.world.note(document, is_end=True)
        self.world.tell(f"office: {kind} {document} deleted")

    def decide_here(self) -> None:
        """Try everything again that failed, or choose a side of the oldest conflict."""
        world = self.world
        rows = world.rows(
            "select id, platform_entity_id from v2_sync_records where status = 'conflict' and resolved_at is null"
            " order by created_at, id limit 1"
        )
        with world.database.builder_tx(UUID(world.builder_id)) as tx:
            if not rows:
                retry_all(tx, QueueFilter(), actor="office")
                return
            side: Side = world.random.choice(("platform", "provider"))
            try:
                resolve(
                    tx,
                    rows[0][0],
                    choice=side,
                    seen_version=None,
                    by=Decider(actor="office", reason="", now=world.clock.now()),
                )
            except SyncError:
                return
        world.tell(f"office: chooses the {side}'s values of {rows[0][1]}")
        self.allow_back(f"of {rows[0][1]}")
        self.desk.decided.add(str(rows[0][1]))

    def allow_back(self, text: str) -> None:
        """A person has decided about a document: what was ended may come back."""
        self.ended_there = {(where, what) for where, what in self.ended_there if what != text}

    # ------------------------------------------------------------------ the bookkeeper

    def _pick(self, company: Company, kind: Kind | None = None) -> Paper | None:
        found = [paper for paper in company.books.papers(kind or self._kind()) if paper.is_live]
        return self.world.random.choice(found) if found else None

    def _did(self, company: Company, what: str, *, is_done: bool) -> bool:
        company.tell(f"the bookkeeper: {what}{'' if is_done else ' (not allowed)'}")
        return is_done

    def edit_there(self, company: Company) -> None:
        """Change a document's memo, or the amount of its last line."""
        paper = self._pick(company)
        if paper is not None:
            self._edit_there(company, paper)

    def _edit_there(self, company: Company, paper: Paper) -> None:
        books = company.books
        if self.world.random.random() < 0.5:
            amount = self.amount()
            self._did(
                company,
                f"the last line of {paper.kind} {paper.id} becomes {amount}",
                is_done=books.reprice(paper, amount),
            )
            return
        if paper.kind == "bill" and not books.has_bill_memo:
            return
        self.write_memo_there(company, paper, keeps=self.world.random.random() < 0.85)

    def write_memo_there(self, company: Company, paper: Paper, *, keeps: bool = True) -> None:
        """Change what a document says, and leave our mark where it is or not."""
        books, memo = company.books, self.next_name("theirs-")
        with self.by_hand():
            is_done = books.write_memo(paper, memo, keeps_mark=keeps)
        said = f"{paper.kind} {paper.id} gets the memo {memo}{'' if keeps else ' and loses the mark'}"
        if self._did(company, said, is_done=is_done):
            if books.has_lock or not self.is_unguarded:
                self.memos[memo] = f"on {paper.kind} {paper.id} in {books.title}"
            self.is_mark_torn_off = self.is_mark_torn_off or not keeps

    def edit_what_is_written(self, company: Company, call: Call) -> None:
        """Change the very document that a call is about to change."""
        papers = [
            paper
            for kind in KINDS
            for paper in company.books.papers(kind)
            if paper.is_live and f'"{paper.id}"'.encode() in call.body
        ]
        if not papers:
            if self.world.journals is not None:
                self.world.journals.edit_what_is_written(company, call.body)
            return
        self._edit_there(company, self.world.random.choice(papers))

    def touch_newest(
        self, company: Company, *, is_name: bool, kind: Kind | None = None, ending: float = 0.5
    ) -> None:
        """Rename, change or end what came into the books last; `ending` is the chance that a document is ended."""
        if is_name:
            self.rename_there(company, newest=True)
            return
        for paper in [paper for paper in company.books.papers(kind or self._kind()) if paper.is_live][-1:]:
            self.touch(company, paper, ending=ending)

    def touch(self, company: Company, paper: Paper, *, ending: float) -> None:
        """Change or end a document; `ending` is the chance that it is ended."""
        if self.world.random.random() < ending:
            self._end_there(company, paper)
        else:
            self._edit_there(company, paper)

    def newest_there(self, company: Company) -> Paper | None:
        """Return the document that the office approved last as it stands in a company's books, where it is valid."""
        if self.newest is None:
            return None
        kind, document = self.newest
        found = (paper for paper in company.books.papers(kind) if f"of {document}" in paper.texts)
        return next((paper for paper in found if paper.is_live), None)

    def pay_there(self, company: Company) -> None:
        """Enter a payment, in full or in part."""
        paper = self._pick(company)
        if paper is not None:
            self.pay(company, paper)

    def pay(self, company: Company, paper: Paper) -> None:
        """Enter a payment of a document, in full or in part."""
        if not paper.open:
            return
        half = (paper.open / 2).quantize(Decimal("0.01"))
        amount = paper.open if self.world.random.random() < 0.5 or not half else half
        self._did(
            company,
            f"payment of {amount} for {paper.kind} {paper.id}",
            is_done=company.books.pay(paper, amount),
        )

    def unpay_there(self, company: Company) -> None:
        """Take a payment out of the books."""
        found = [money for money in company.books.money(self._kind()) if money.is_live]
        if found:
            money = self.world.random.choice(found)
            self._did(company, f"payment {money.id} removed", is_done=company.books.unpay(money))

    def pay_otherwise(self, company: Company, paper: Paper) -> None:
        """Take the last payment of a document out of the books, let it be less, or apply it to another document."""
        paid = [money for money in company.books.money(paper.kind) if money.document == paper.id]
        for money in [money for money in paid if money.is_live][-1:]:
            luck = self.world.random.random()
            others = [
                other
                for other in company.books.papers(paper.kind)
                if other.is_live and other.open and other.party == paper.party and other.id != paper.id
            ]
            if luck < 0.4:
                self._did(company, f"payment {money.id} removed", is_done=company.books.unpay(money))
            elif luck < 0.7 and others:
                other = self.world.random.choice(others)
                amount = min(money.amount, other.open)
                self._did(
                    company,
                    f"payment {money.id} is now {amount} for {other.kind} {other.id}",
                    is_done=company.books.repay(money, other, amount),
                )
            else:
                half = (money.amount / 2).quantize(Decimal("0.01"))
                self._did(
                    company,
                    f"payment {money.id} becomes {half}",
                    is_done=company.books.repay(money, paper, half),
                )

    def end_there(self, company: Company) -> None:
        """Void or delete a document."""
        paper = self._pick(company)
        if paper is not None:
            self._end_there(company, paper)

    def _end_there(self, company: Company, paper: Paper) -> None:
        how: Literal["void", "delete"] = "void" if self.world.random.random() < 0.5 else "delete"
        with self.by_hand():
            is_done = company.books.end(paper, how=how)
        if self._did(company, f"{paper.kind} {paper.id} ended ({how})", is_done=is_done):
            ended = {(company.connection_id, text) for text in paper.texts if text.startswith("of ")}
            self.ended_there |= ended
            if not company.knows(paper.kind, paper.id):
                self.ended_unseen |= ended

    def _party(self, company: Company, kind: Kind, *, newest: bool = False) -> str | None:
        names = list(company.books.names(PARTY[kind]))
        return self.world.random.choice(names[-1:] if newest else names) if names else None

    def rename_there(self, company: Company, *, newest: bool = False) -> None:
        """Rename a vendor or customer."""
        kind = self._kind()
        party = self._party(company, kind, newest=newest)
        if party is not None:
            name = self.next_name("Renamed ")
            is_done = company.books.rename(PARTY[kind], party, name)
            self._did(company, f"{PARTY[kind]} {party} is now {name}", is_done=is_done)

    def merge_there(self, company: Company) -> None:
        """Merge one vendor or customer into another."""
        kind = self._kind()
        names = list(company.books.names(PARTY[kind]))
        if len(names) > 1:
            keep, lose = self.world.random.sample(names, 2)
            is_done = company.books.merge(PARTY[kind], keep=keep, lose=lose)
            # Xero moves the documents to the one that is kept, and their times of change stay.
            self.changed_silently = self.changed_silently or (is_done and not company.books.has_lock)
            self._did(company, f"{PARTY[kind]} {lose} merged into {keep}", is_done=is_done)

    def enter_there(self, company: Company) -> None:
        """Enter a bill of one's own."""
        vendor = self._party(company, "bill")
        if vendor is not None:
            number = self.next_name("L-")
            is_done = company.books.enter_bill(vendor, number, self.amount())
            self._did(company, f"bill {number} entered", is_done=is_done)

    def change_silently_there(self, company: Company) -> None:
        """Change something that moves no time of change, where the provider has such a thing."""
        found = [
            paper
            for paper in company.books.papers("invoice")
            if paper.is_live and 0 < paper.open < paper.total
        ]
        if found:
            paper = self.world.random.choice(found)
            if company.books.change_silently(paper):
                self.changed_silently = True
                company.tell(f"the bookkeeper: {paper.kind} {paper.id} changed without a trace in its time")


_RECEIPTS: dict[Kind, str] = {"bill": "bill_payment", "invoice": "payment"}

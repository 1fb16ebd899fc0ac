"""Journal entries: the office posts, changes and ends them, the bookkeeper does too, and both books must agree on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.simulation.books import Entry

if TYPE_CHECKING:
    from tests.simulation.company import Company
    from tests.simulation.world import SimWorld

TABLE, LINES = "v2_journal_entries", "v2_journal_entry_lines"
ENTITY = "journal_entry"
Act = Callable[[], None]


class Journals:
    """What the people of one world do with journal entries."""

    def __init__(self, world: SimWorld) -> None:
        """Begin without any; each company carries them both ways."""
        self.world = world
        self.entries: list[str] = []
        # (connection, text) of entries the bookkeeper ended, and those of which no sync had heard then.
        self.ended_there: set[tuple[str, str]] = set()
        self.ended_unseen: set[tuple[str, str]] = set()
        for company in world.companies:
            world.run(
                "update entity_settings set is_enabled = true, direction = 'both'"
                " where connection_id = %s and entity = %s",
                company.connection_id,
                ENTITY,
            )

    def acts(self) -> list[tuple[int, Act]]:
        """What people do here, and how often."""
        return [
            (5, self.new_entry),
            (3, self.edit_here),
            (1, self.void_here),
            (1, self.delete_here),
            (3, lambda: self._there(self.edit_there)),
            (2, lambda: self._there(self.end_there)),
        ]

    # ------------------------------------------------------------------ the office

    def new_entry(self) -> None:
        """Post an entry of two or three lines: costs against income, or against one another where there are two charts."""
        world = self.world
        number = world.people.next_name("J-")
        amounts = [world.people.amount() for _ in range(world.random.randint(1, 2))]
        entry = world.add(
            TABLE, number=number, entry_date="2026-05-22", status="posted", updated_at=world.clock.now()
        )
        income = self._income()
        booked = [(amount, Decimal(0)) for amount in amounts] + [(Decimal(0), sum(amounts, Decimal(0)))]
        for position, (debit, credit) in enumerate(booked, start=1):
            on_account = credit and income is not None
            world.add(
                LINES,
                journal_entry_id=entry,
                position=position,
                description=f"of {entry}",
                account_id=income if on_account else None,
                cost_code_id=None if on_account else world.code,
                debit=debit,
                credit=credit,
            )
        self.entries.append(entry)
        world.tell(f"office: journal entry {number} posted")

    def _income(self) -> str | None:
        """Return the platform's account of income; with two charts of accounts one would not be in the other."""
        if len(self.world.companies) > 1:
            return None
        (company,) = self.world.companies
        rows = self.world.rows(
            "select record_id::text from links where entity = 'account' and remote_id = %s and record_id is not null",
            company.books.accounts()["income"],
        )
        return rows[0][0] if rows else None

    def _any(self) -> str | None:
        rows = self.world.rows(f"select id::text from {TABLE} where status = 'posted'")
        posted = {row[0] for row in rows}
        found = [entry for entry in self.entries if entry in posted]
        return self.world.random.choice(found) if found else None

    def edit_here(self) -> None:
        """Change an entry's memo, or the amount of its first debit and of its credit."""
        world, entry = self.world, self._any()
        if entry is None:
            return
        if world.random.random() < 0.5:
            memo = world.people.next_name("ours-")
            with world.people.by_hand():
                world.change(TABLE, entry, memo=memo)
            world.people.memos[memo] = f"here on journal entry {entry}"
            world.tell(f"office: journal entry {entry} gets the memo {memo}")
            return
        amount = world.people.amount()
        rows = world.rows(
            f"select position, debit, credit from {LINES} where journal_entry_id = %s order by position",
            entry,
        )
        if rows[0][1]:
            world.run(
                f"update {LINES} set debit = %s where journal_entry_id = %s and position = 1", amount, entry
            )
            world.run(
                f"update {LINES} set credit = (select sum(debit) from {LINES} where journal_entry_id = %s)"
                " where journal_entry_id = %s and credit > 0",
                entry,
                entry,
            )
            world.note(entry, "lines")
            # The platform tells of a changed line by its entry's time.
            world.run(f"update {TABLE} set updated_at = %s where id = %s", world.clock.now(), entry)
            world.tell(f"office: the first line of journal entry {entry} becomes {amount}")

    def void_here(self) -> None:
        """Void an entry."""
        entry = self._any()
        if entry is not None:
            self.world.change(TABLE, entry, status="void")
            self.world.tell(f"office: journal entry {entry} voided")

    def delete_here(self) -> None:
        """Delete an entry from the platform's tables."""
        entry = self._any()
        if entry is not None:
            with self.world.people.by_hand():
                self.world.run(f"delete from {TABLE} where id = %s", entry)
            self.entries.remove(entry)
            self.world.note(entry, is_end=True)
            self.world.tell(f"office: journal entry {entry} deleted")

    # ------------------------------------------------------------------ the bookkeeper

    def _there(self, act: Callable[[Company, Entry], None]) -> None:
        company = self.world.random.choice(self.world.companies)
        found = [entry for entry in company.books.entries() if entry.is_live]
        if found:
            act(company, self.world.random.choice(found))
            company.announce()

    def edit_there(self, company: Company, entry: Entry) -> None:
        """Change an entry's memo, or the amounts of its first and last line."""
        world, books = self.world, company.books
        if world.random.random() < 0.5:
            amount = world.people.amount()
            is_done = books.reprice_entry(entry, amount)
            company.tell(f"the bookkeeper: journal entry {entry.id} becomes {amount}{_said(is_done)}")
            return
        memo = world.people.next_name("theirs-")
        with world.people.by_hand():
            is_done = books.write_entry_memo(entry, memo)
        if is_done and (books.has_lock or not world.people.is_unguarded):
            world.people.memos[memo] = f"on journal entry {entry.id} in {books.title}"
        company.tell(f"the bookkeeper: journal entry {entry.id} gets the memo {memo}{_said(is_done)}")

    def end_there(self, company: Company, entry: Entry) -> None:
        """Void an entry, or delete it where that is the way."""
        with self.world.people.by_hand():
            is_done = company.books.end_entry(entry)
        if is_done:
            ended = {(company.connection_id, text) for text in _marks(entry)}
            self.ended_there |= ended
            if not company.knows(ENTITY, entry.id):
                self.ended_unseen |= ended
        company.tell(f"the bookkeeper: journal entry {entry.id} ended{_said(is_done)}")

    def touch_newest(self, company: Company) -> None:
        """Change or end what came into the books last."""
        for entry in [entry for entry in company.books.entries() if entry.is_live][-1:]:
            (self.end_there if self.world.random.random() < 0.5 else self.edit_there)(company, entry)

    def edit_what_is_written(self, company: Company, body: bytes) -> None:
        """Change the very entry that a call is about to change."""
        for entry in company.books.entries():
            if entry.is_live and f'"{entry.id}"'.encode() in body:
                self.edit_there(company, entry)
                return

    # ------------------------------------------------------------------ promises

    def broken(self, company: Company) -> Iterator[str]:
        """Find entries that were doubled, brought back, left over, lost, or differ with nobody asked about it."""
        entries = {entry.id: entry for entry in company.books.entries()}
        live = Counter(text for entry in entries.values() if entry.is_live for text in _marks(entry))
        title = company.books.title
        for text, count in live.items():
            if count > 1:
                yield f"doubled: {count} journal entries in {title} come from one record ({text})"
        untraceable = self.ended_unseen if company.has_forgotten else set()
        for where, text in sorted(self.ended_there - untraceable):
            if where == company.connection_id and live[text]:
                yield f"revived: the journal entry {text} was ended in {title} and came back by itself"
        links = self.world.rows(
            "select record_id::text, remote_id, state from links where connection_id = %s and entity = %s",
            company.connection_id,
            ENTITY,
        )
        yield from self._left_over(entries, links, title)
        for record, _, state in links:
            is_seen = live[f"of {record}"] == 1 and not self.world.people.is_mark_torn_off
            if state == "unknown" and is_seen:
                yield f"asked: a person is asked about journal entry {record}, which {title} shows with our mark"
        yield from self._differing(company, entries)

    def _left_over(
        self, entries: dict[str, Entry], links: list[tuple[str, str, str]], title: str
    ) -> Iterator[str]:
        known = {f"of {row[0]}" for row in self.world.rows(f"select id::text from {TABLE}")}
        known |= {f"of {record}" for record, _, state in links if state != "open"}
        waiting = {remote_id for _, remote_id, state in links if state != "open"}
        for entry in entries.values():
            mine = _marks(entry)
            if entry.is_live and mine and not mine & known and entry.id not in waiting:
                yield f"left over: journal entry {entry.id} in {title} was deleted here and still counts there"

    def _differing(self, company: Company, entries: dict[str, Entry]) -> Iterator[str]:
        title = company.books.title
        rows = self.world.rows(
            "select d.id::text, d.number, d.status, d.memo, d.entry_date::text, l.remote_id, l.state,"
            " (select json_agg(json_build_array(x.description, x.debit::text, x.credit::text, coalesce(a.remote_id,"
            "   (select m.provider_account_id from v2_account_mappings m where m.connection_id = %s and m.is_active"
            "    and m.platform_cost_code_id = x.cost_code_id and m.platform_entity_type = 'cost_code')))"
            "   order by x.position)"
            f"  from {LINES} x left join links a on a.entity = 'account' and a.record_id = x.account_id"
            "   and a.connection_id = l.connection_id where x.journal_entry_id = d.id) as lines"
            f" from {TABLE} d left join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
            " order by d.number, d.id",
            company.connection_id,
            ENTITY,
            company.connection_id,
        )
        for record, number, status, memo, day, remote_id, state, lines in rows:
            name, entry = f"journal entry {number}", entries.get(remote_id)
            is_posted = status == "posted"
            if state is None and is_posted:
                yield f"lost: {name} ({record}) has no link with {title}"
            if state != "open":
                continue
            if is_posted != (entry is not None and entry.is_live):
                gone = "valid" if entry is not None and entry.is_live else "gone"
                yield f"differs: {name} is {status} here and {gone} in {title}"
            elif entry is not None and is_posted:
                ours = [
                    (text, Decimal(debit) - Decimal(credit), account)
                    for text, debit, credit, account in lines
                ]
                theirs = [(line.text, line.amount, line.account) for line in entry.lines]
                values = (
                    ("memo", memo.strip(), entry.memo),
                    ("day", day, entry.date),
                    ("number", number, entry.number),
                    ("lines", ours, theirs),
                )
                for what, here, there in values:
                    if here != there:
                        yield f"differs: {what} of {name}: {here} here and {there} in {title}"


def _marks(entry: Entry) -> set[str]:
    return {line.text for line in entry.lines if line.text.startswith("of ")}


def _said(is_done: bool) -> str:
    return "" if is_done else " (not allowed)"

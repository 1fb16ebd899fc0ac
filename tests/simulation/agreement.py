"""Whether both books say the same once the world has settled: names, documents to the last line, and what is open."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from tests.simulation.books import KINDS, PARTY, Kind, Paper, Role
from tests.simulation.company import Company
from tests.simulation.people import TABLES

RECEIPTS: dict[Kind, str] = {"bill": "bill_payment", "invoice": "payment"}
NAMES: dict[Role, str] = {"vendor": "v2_vendors", "customer": "v2_clients"}
# Whom a document is with, and what the account of its lines is mapped as.
_WITH: dict[Kind, tuple[str, str]] = {"bill": ("vendor_id", "cost_code"), "invoice": ("client_id", "revenue")}
# The line that says why a document was posted on another day.
_MOVED = re.compile(r"\s*Dated \d{4}-\d\d-\d\d; posted .*because the books are closed until [\d-]+\.")


def disagreements(company: Company) -> Iterator[str]:
    """Say where a company's books and ours differ though nobody is asked about it."""
    yield from _names(company)
    yield from _documents(company)
    yield from _unpaid(company)
    yield from _unbalanced(company)


def papers_by_id(company: Company, kind: Kind) -> dict[str, Paper]:
    """Return a company's documents by their ids."""
    return {paper.id: paper for paper in company.books.papers(kind)}


def _names(company: Company) -> Iterator[str]:
    for role, table in NAMES.items():
        there = company.books.names(role)
        rows = company.world.rows(
            f"select t.name, l.remote_id from {table} t join links l on l.entity = %s and l.record_id = t.id"
            " and l.connection_id = %s where l.state = 'open' and t.is_active and l.remote_id is not null",
            role,
            company.connection_id,
        )
        for name, remote_id in rows:
            # Xero says of a contact only that it is a supplier or customer once it has a document.
            if there.get(remote_id, name) != name:
                yield f"differs: {role} {name} is named {there[remote_id]} in {company.books.title}"


class _Ours(NamedTuple):
    """A document as the platform's tables say it; a line is its text, amount and mapped account."""

    id: str
    number: str | None
    status: str
    total: Decimal
    memo: str
    day: str
    due: str | None
    remote_id: str
    party: str | None
    lines: list[tuple[str, str, str | None]] | None


def _documents(company: Company) -> Iterator[str]:
    title = company.books.title
    for kind in KINDS:
        there = papers_by_id(company, kind)
        for ours in _linked(company, kind):
            paper = there.get(ours.remote_id)
            is_live = paper is not None and paper.is_live
            name = f"{kind} {ours.number}"
            if (ours.status == "approved") != is_live:
                yield f"differs: {name} is {ours.status} here and {'valid' if is_live else 'gone'} in {title}"
            elif paper is not None and is_live:
                for what, here, found in _values(company, ours, paper):
                    if here != found:
                        yield f"differs: {what} of {name}: {here} here and {found} in {title}"
                if paper.date != ours.day:
                    yield from _moved(company, paper, document=ours.id, day=ours.day)


def _linked(company: Company, kind: Kind) -> list[_Ours]:
    """Return our documents about which nothing is open."""
    table, lines, column = TABLES[kind]
    party, profile = _WITH[kind]
    rows = company.world.rows(
        f"select d.id::text, d.number, d.status, d.total, d.memo, d.{kind}_date::text, d.due_date::text, l.remote_id,"
        " p.remote_id as party,"
        " (select json_agg(json_build_array(x.description, x.amount::text, m.provider_account_id) order by x.position)"
        f"  from {lines} x left join v2_account_mappings m on m.connection_id = l.connection_id and m.is_active"
        "    and m.platform_cost_code_id = x.cost_code_id and m.platform_entity_type = %s and x.role = 'work'"
        f"  where x.{column} = d.id) as lines"
        f" from {table} d join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
        f" left join links p on p.entity = %s and p.record_id = d.{party} and p.connection_id = l.connection_id"
        "   and p.state = 'open'"
        " where l.state = 'open' and l.remote_id is not null order by l.remote_id",
        profile,
        kind,
        company.connection_id,
        PARTY[kind],
    )
    return [_Ours(*row) for row in rows]


def _values(company: Company, ours: _Ours, paper: Paper) -> Iterator[tuple[str, object, object]]:
    """Name each value that both sides hold, with ours and theirs."""
    books = company.books
    yield "total", ours.total, paper.total
    if paper.kind == "invoice" or books.has_bill_memo:
        yield "memo", ours.memo.strip(), _MOVED.sub("", paper.memo)
    if ours.number:
        yield "number", ours.number, paper.number
    if ours.party is not None:
        yield PARTY[paper.kind], ours.party, paper.party
    if ours.due is not None:
        # Where we have none, the provider fills in its own.
        yield "due date", ours.due, books.due(paper)
    here, there = ours.lines or [], books.lines(paper)
    yield (
        "lines",
        [f"{text} {Decimal(amount):.2f}" for text, amount, _ in here],
        [f"{line.text} {line.amount:.2f}" for line in there],
    )
    # A line that somebody entered there keeps the account it was entered on.
    mapped = [pair for pair in zip(here, there, strict=False) if pair[0][2] is not None]
    yield "accounts", [account for (_, _, account), _ in mapped], [line.account for _, line in mapped]


def _moved(company: Company, paper: Paper, *, document: str, day: str) -> Iterator[str]:
    """Find documents that stand on another day in the ledger than here without anybody's having said so."""
    title, desk = company.books.title, company.world.people.desk
    if not company.may_move or paper.date not in company.first_open_days:
        yield f"moved: {paper.kind} {document} is of {day} here and of {paper.date} in {title}"
    elif not desk.is_told_of_move(company, document=document, day=paper.date):
        yield f"moved: {paper.kind} {document} went from {day} to {paper.date} in {title}, and the audit log does not say why"


class _Pair(NamedTuple):
    """A linked document that is valid on both sides; open here by all that was paid, and by what this company was."""

    number: str | None
    paper: Paper
    total: Decimal
    open: Decimal
    open_here: Decimal
    state: str


def _pairs(company: Company, kind: Kind) -> list[_Pair]:
    there, receipt = papers_by_id(company, kind), RECEIPTS[kind]
    rows = company.world.rows(
        "select d.number, l.remote_id, d.total, coalesce(sum(a.amount), 0) as paid,"
        " coalesce(sum(a.amount) filter (where p.remote_id is not null), 0) as paid_here, l.state"
        f" from {TABLES[kind][0]} d join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
        f" left join v2_{receipt}_applications a on a.{kind}_id = d.id"
        f" left join links p on p.entity = '{receipt}' and p.record_id = a.{receipt}_id"
        "   and p.connection_id = l.connection_id"
        " where d.status = 'approved' and l.base_ours_checksum is not null and l.base_theirs_checksum is not null"
        " group by d.number, l.remote_id, d.total, l.state",
        kind,
        company.connection_id,
    )
    return [
        _Pair(number, there[remote_id], total, total - paid, total - paid_here, state)
        for number, remote_id, total, paid, paid_here, state in rows
        if remote_id in there and there[remote_id].is_live
    ]


def _unpaid(company: Company) -> Iterator[str]:
    for kind in KINDS:
        receipt = RECEIPTS[kind]
        # A payment that waits for a person pays nothing here yet, or still what it paid before; it stands in a queue.
        waiting = company.world.rows(
            f"select p.remote_id, d.remote_id as document from links p left join v2_{receipt}_applications a"
            f" on a.{receipt}_id = p.record_id left join links d on d.entity = %s and d.record_id = a.{kind}_id"
            " and d.connection_id = p.connection_id"
            f" where p.entity = '{receipt}' and p.connection_id = %s and p.state <> 'open'",
            kind,
            company.connection_id,
        )
        waits = {money for money, _ in waiting}
        unclear = {document for _, document in waiting}
        unclear |= {money.document for money in company.books.money(kind) if money.id in waits}
        for pair in _pairs(company, kind):
            if pair.state != "open" or pair.paper.id in unclear:
                continue
            if pair.paper.open != pair.open_here:
                yield (
                    f"unpaid: {kind} {pair.number} is open by {pair.open_here} here and by {pair.paper.open}"
                    f" in {company.books.title}"
                )


def _unbalanced(company: Company) -> Iterator[str]:
    books = company.books
    for problem in books.problems():
        yield f"unbalanced: {books.title}: {problem}"
    stands = books.trial_balance()
    total = sum(stands.values(), Decimal(0))
    if total:
        yield f"unbalanced: the trial balance of {books.title} is off by {total}"
    counted = _counted(company)
    for account, amount in counted.items():
        if stands.get(account, Decimal(0)) != amount:
            yield (
                f"unbalanced: the documents of {books.title} come to {amount} on account {account},"
                f" its trial balance says {stands.get(account)}"
            )
    yield from _tie_out(company, counted)


def _counted(company: Company) -> dict[str, Decimal]:
    """Add up by account, debits above zero, what the documents of the books must have posted."""
    books, accounts = company.books, company.books.accounts()
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    kind: Kind
    for kind, control, sign in (("invoice", "receivable", 1), ("bill", "payable", -1)):
        sums[accounts[control]] -= sign * books.unapplied(kind)
        for paper in [paper for paper in books.papers(kind) if paper.is_live]:
            sums[accounts[control]] += sign * paper.open
            for line in books.lines(paper):
                sums[line.account] -= sign * line.amount
    for line in (line for entry in books.entries() if entry.is_live for line in entry.lines):
        sums[line.account] += line.amount
    return sums


def _tie_out(company: Company, counted: Mapping[str, Decimal]) -> Iterator[str]:
    """Hold the product's last tie-out against what stands in both books, whether or not it says that they agree."""
    title, accounts = company.books.title, company.books.accounts()
    rows = company.world.rows(
        "select lines from tie_outs where connection_id = %s order by taken_at desc, id desc limit 1",
        company.connection_id,
    )
    if not rows:
        yield f"unbalanced: {title} was never tied out"
        return
    expected: dict[str, tuple[Decimal, Decimal]] = {}
    kind: Kind
    for kind, name in (("invoice", "invoices"), ("bill", "bills")):
        pairs, none = _pairs(company, kind), Decimal(0)
        expected[name.capitalize()] = (
            sum((pair.total for pair in pairs), none),
            sum((pair.paper.total for pair in pairs), none),
        )
        expected[f"Open on {name}"] = (
            sum((pair.open for pair in pairs), none),
            sum((pair.paper.open for pair in pairs), none),
        )
    for control, sign in (("receivable", 1), ("payable", -1)):
        stands = sign * counted[accounts[control]]
        expected[f"Accounts {control} in the trial balance"] = (stands, stands)
    for line in rows[0][0]:
        found = (Decimal(line["ours"]), Decimal(line["theirs"]))
        should = expected.pop(line["name"], found)
        if found != should:
            yield f"untold: the tie-out of {title} has {_two(found)} as {line['name']} and should have {_two(should)}"
    if expected:
        yield f"untold: the tie-out of {title} says nothing of {', '.join(expected)}"


def _two(figures: tuple[Decimal, Decimal]) -> str:
    return f"{figures[0]:.2f} here and {figures[1]:.2f} there"

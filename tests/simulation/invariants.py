"""What must hold once faults have stopped and the world has settled; each broken promise is one sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from tests.simulation.books import KINDS, Kind, Paper
from tests.simulation.company import Company
from tests.simulation.people import TABLES
from tests.simulation.world import SimWorld, memos_in

CENT = Decimal("0.005")
# The line that says why a document was posted on another day.
_MOVED = re.compile(r"\s*Dated \d{4}-\d\d-\d\d; posted .*because the books are closed until [\d-]+\.")
RECEIPTS: dict[Kind, str] = {"bill": "bill_payment", "invoice": "payment"}


def broken_promises(world: SimWorld) -> list[str]:
    """List every promise that does not hold."""
    found = list(world.breaches)
    for company in world.companies:
        found += [
            *_doubled(company),
            *_revived(company),
            *_left_over(company),
            *_lost(company),
            *_asked(company),
            *_differing(company),
            *_unpaid(company),
            *_unbalanced(company),
            *company.unstored(),
            *world.people.desk.broken(company),
        ]
    return [*found, *_undecided(world), *_told_twice(world), *_vanished(world)]


def _papers(company: Company, kind: Kind) -> dict[str, Paper]:
    return {paper.id: paper for paper in company.books.papers(kind)}


def _live_texts(company: Company, kind: Kind) -> Counter[str]:
    """Count the valid documents of each record, by what their lines say."""
    return Counter(
        text
        for paper in company.books.papers(kind)
        if paper.is_live
        for text in paper.texts
        if text.startswith("of ")
    )


def _doubled(company: Company) -> Iterator[str]:
    for kind in KINDS:
        for text, count in _live_texts(company, kind).items():
            if count > 1:
                yield f"doubled: {count} {kind}s in {company.books.title} come from one record ({text})"
    for role in ("vendor", "customer"):
        names = Counter(name.casefold() for name in company.books.names(role).values())  # type: ignore[arg-type]
        for name, count in names.items():
            if count > 1:
                yield f"doubled: {count} {role}s in {company.books.title} are named {name}"


def _revived(company: Company) -> Iterator[str]:
    live = {text for kind in KINDS for text in _live_texts(company, kind)}
    people = company.world.people
    # Made, never confirmed, deleted before any look, and then forgotten by the provider: nothing is left to tell by.
    untraceable = people.ended_unseen if company.has_forgotten else set()
    for where, text in sorted(people.ended_there - untraceable):
        if where == company.connection_id and text in live:
            yield f"revived: the document {text} was ended in {company.books.title} and came back by itself"


def _left_over(company: Company) -> Iterator[str]:
    """Find documents in the ledger whose record is no longer on the platform and about which nobody is asked."""
    for kind in KINDS:
        table = TABLES[kind][0]
        known = {row[0] for row in company.world.rows(f"select 'of ' || id::text from {table}")}
        waiting = {
            found
            for row in company.world.rows(
                "select remote_id, 'of ' || record_id::text from links"
                " where connection_id = %s and entity = %s and state <> 'open'",
                company.connection_id,
                kind,
            )
            for found in row
        }
        for paper in company.books.papers(kind):
            mine = {text for text in paper.texts if text.startswith("of ")}
            if paper.is_live and mine and not mine & (known | waiting) and paper.id not in waiting:
                yield f"left over: {kind} {paper.id} in {company.books.title} was deleted here and still counts there"


def _lost(company: Company) -> Iterator[str]:
    world = company.world
    for kind in KINDS:
        there = _papers(company, kind)
        rows = world.rows(
            f"select d.id::text, d.number, l.remote_id, l.state from {TABLES[kind][0]} d"
            " left join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
            " where d.status = 'approved'",
            kind,
            company.connection_id,
        )
        for record_id, number, remote_id, state in rows:
            if state is None:
                yield f"lost: {kind} {number} ({record_id}) has no link with {company.books.title}"
            elif state == "open" and remote_id not in there:
                yield f"lost: {kind} {number} ({record_id}) is neither in {company.books.title} nor in any queue"
        known = {
            row[0]
            for row in world.rows(
                "select remote_id from links where entity = %s and connection_id = %s"
                " and (record_id is not null or state <> 'open')",
                RECEIPTS[kind],
                company.connection_id,
            )
        }
        for money in company.books.money(kind):
            if money.is_live and money.id not in known:
                yield f"lost: the payment {money.id} of a {kind} in {company.books.title} never came back"


def _asked(company: Company) -> Iterator[str]:
    """Find people who are asked about a write that the ledger plainly shows."""
    if company.world.people.is_mark_torn_off:
        return
    for kind in KINDS:
        live = _live_texts(company, kind)
        rows = company.world.rows(
            "select record_id::text from links where state = 'unknown' and entity = %s and connection_id = %s",
            kind,
            company.connection_id,
        )
        for (record_id,) in rows:
            if live[f"of {record_id}"] == 1:
                yield f"asked: a person is asked about {kind} {record_id}, which {company.books.title} shows with our mark"


def _undecided(world: SimWorld) -> Iterator[str]:
    rows = world.rows(
        "select l.entity, coalesce(r.label, m.label, l.id::text), l.state from links l"
        " left join records r on r.entity = l.entity and r.id = l.record_id"
        " left join mirror m on m.connection_id = l.connection_id and m.entity = l.entity and m.remote_id = l.remote_id"
        " where (l.ours_checksum is distinct from l.base_ours_checksum"
        "        or l.theirs_checksum is distinct from l.base_theirs_checksum) and l.state = 'open'"
        " order by 1, 2"
    )
    for entity, label, state in rows:
        yield f"undecided: {entity} {label} still differs and is {state}"
    rows = world.rows(
        "select l.entity, l.state, l.id::text from links l where l.state in ('held', 'conflict', 'failed', 'unknown')"
        " and not exists (select from v2_sync_records q where q.link_id = l.id and q.resolved_at is null)"
        " order by 1, 2, 3"
    )
    for entity, state, link in rows:
        yield f"untold: {entity} link {link} is {state} and stands in no queue"
    ((sending,),) = world.rows("select count(*) from attempts where state = 'sending'")
    if sending:
        yield f"undecided: {sending} attempts still say sending"


def _told_twice(world: SimWorld) -> Iterator[str]:
    rows = world.rows(
        "select link_id::text, count(*) from v2_sync_records where resolved_at is null and link_id is not null"
        " and status <> 'synced' group by 1 having count(*) > 1 order by 1"
    )
    for link, count in rows:
        yield f"told twice: link {link} stands in the queues {count} times"
    rows = world.rows(
        "select connection_id::text, kind, count(*) from notifications where resolved_at is null"
        " group by 1, 2 having count(*) > 1 order by 1, 2"
    )
    for connection, kind, count in rows:
        yield f"told twice: {count} open notices of {kind} for connection {connection}"
    # Ended and raised again in the same breath is the same thing said twice.
    rows = world.rows(
        "select a.kind, b.created_at from notifications a join notifications b"
        " on b.connection_id = a.connection_id and b.kind = a.kind and b.created_at = a.resolved_at and b.id <> a.id"
        " order by 1, 2"
    )
    for kind, at in rows:
        yield f"told twice: the notice {kind} ended and began again at {at}"


def _differing(company: Company) -> Iterator[str]:
    title = company.books.title
    for kind in KINDS:
        there = _papers(company, kind)
        rows = company.world.rows(
            f"select d.id::text, d.number, d.status, d.total, d.memo, d.{kind}_date::text, l.remote_id"
            f" from {TABLES[kind][0]} d join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
            " where l.state = 'open' and l.remote_id is not null",
            kind,
            company.connection_id,
        )
        for document, number, status, total, memo, day, remote_id in rows:
            paper = there.get(remote_id)
            is_live = paper is not None and paper.is_live
            if (status == "approved") != is_live:
                yield f"differs: {kind} {number} is {status} here and {'valid' if is_live else 'gone'} in {title}"
            elif paper is not None and is_live:
                if paper.total != total:
                    yield f"differs: {kind} {number} is {total} here and {paper.total} in {title}"
                has_memo = kind == "invoice" or company.books.has_bill_memo
                if has_memo and _MOVED.sub("", paper.memo) != memo.strip():
                    yield f"differs: {kind} {number} says {memo!r} here and {paper.memo!r} in {title}"
                if paper.date != day:
                    yield from _moved(company, paper, document=document, day=day)


def _moved(company: Company, paper: Paper, *, document: str, day: str) -> Iterator[str]:
    """Find documents that stand on another day in the ledger than here without anybody's having said so."""
    title, desk = company.books.title, company.world.people.desk
    if not company.may_move or paper.date not in company.first_open_days:
        yield f"moved: {paper.kind} {document} is of {day} here and of {paper.date} in {title}"
    elif not desk.is_told_of_move(company, document=document, day=paper.date):
        yield f"moved: {paper.kind} {document} went from {day} to {paper.date} in {title}, and the audit log does not say why"


def _unpaid(company: Company) -> Iterator[str]:
    for kind in KINDS:
        there = _papers(company, kind)
        receipt = RECEIPTS[kind]
        waiting = company.world.rows(
            "select 1 from links where entity = %s and connection_id = %s and state <> 'open' limit 1",
            receipt,
            company.connection_id,
        )
        if waiting:
            # A payment that waits for a person pays nothing here yet; it stands in a queue.
            continue
        rows = company.world.rows(
            f"select d.number, l.remote_id, d.total - coalesce((select sum(a.amount) from v2_{receipt}_applications a"
            f"   join links p on p.entity = '{receipt}' and p.record_id = a.{receipt}_id and p.connection_id = l.connection_id and p.remote_id is not null"
            f"   where a.{kind}_id = d.id), 0) from {TABLES[kind][0]} d"
            " join links l on l.entity = %s and l.record_id = d.id and l.connection_id = %s"
            " where d.status = 'approved' and l.state = 'open' and l.remote_id is not null",
            kind,
            company.connection_id,
        )
        for number, remote_id, still_open in rows:
            paper = there.get(remote_id)
            if paper is not None and paper.is_live and paper.open != still_open:
                yield f"unpaid: {kind} {number} is open by {still_open} here and by {paper.open} in {company.books.title}"


def _unbalanced(company: Company) -> Iterator[str]:
    for problem in company.books.problems():
        yield f"unbalanced: {company.books.title}: {problem}"
    total = sum(company.books.trial_balance().values(), Decimal(0))
    if total:
        yield f"unbalanced: the trial balance of {company.books.title} is off by {total}"
    waiting = company.world.rows(
        "select 1 from links where connection_id = %s and state <> 'open' limit 1", company.connection_id
    )
    proof = company.world.rows(
        "select is_tied, difference, lines::text from tie_outs where connection_id = %s order by taken_at desc, id desc limit 1",
        company.connection_id,
    )
    if not proof:
        yield f"unbalanced: {company.books.title} was never tied out"
    # Money received in one ledger is not entered in the other: with two, the tie-out rightly names it as a difference.
    elif (
        not waiting
        and not proof[0][0]
        and not (len(company.world.companies) > 1 and _has_money(company.world))
    ):
        yield f"unbalanced: {company.books.title} does not tie out by {proof[0][1]}: {proof[0][2]}"


def _has_money(world: SimWorld) -> bool:
    return any(company.books.money(kind) for company in world.companies for kind in KINDS)


def _vanished(world: SimWorld) -> Iterator[str]:
    kept = world.rows(
        "select before::text || coalesce(after::text, '') from audit_log where before is not null"
        " union all select conflict_data::text from v2_sync_records where conflict_data is not null"
        " union all select canonical::text from records union all select canonical::text from mirror"
    )
    found = world.standing_memos() | memos_in(*(str(row[0]) for row in kept))
    for memo, where in world.people.memos.items():
        if memo not in found:
            yield f"vanished: the memo {memo} written {where} is in no book and not in the audit log"

"""What must hold once faults have stopped and the world has settled; each broken promise is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.simulation.agreement import RECEIPTS, disagreements, papers_by_id
from tests.simulation.books import KINDS, Kind
from tests.simulation.company import Company
from tests.simulation.people import TABLES
from tests.simulation.reasons import unreasonable
from tests.simulation.world import SimWorld, memos_in

# How long after the last sync it is looked at once more, and again.
REST_SECONDS = 600


def broken_promises(world: SimWorld) -> list[str]:
    """List every promise that does not hold."""
    found = [*world.breaches, *_restless(world)]
    for company in world.companies:
        found += [
            *_doubled(company),
            *_revived(company),
            *_left_over(company),
            *_lost(company),
            *_asked(company),
            *disagreements(company),
            *company.unstored(),
            *world.people.desk.broken(company),
            *(world.journals.broken(company) if world.journals is not None else ()),
        ]
    return [*found, *_undecided(world), *_told_twice(world), *_vanished(world), *unreasonable(world)]


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
        there = papers_by_id(company, kind)
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


# What two more syncs must leave as it is; notices and mails count for ever, the queues as they stand.
_AT_REST = """
select 'notices', (select string_agg(concat(id, raised_at, resolved_at), ' ' order by id) from notifications)
union all select 'mails', (select count(*)::text from notification_mails)
union all select 'queues', (select string_agg(id::text, ' ' order by id) from v2_sync_records
                            where link_id is not null and resolved_at is null and status <> 'synced')
union all select 'attempts', (select count(*)::text from attempts)
union all select 'audit log', (select count(*)::text from audit_log)
union all select 'links', (select string_agg(concat(id, remote_id, state), ' ' order by id) from links)
"""


def _restless(world: SimWorld) -> Iterator[str]:
    """Sync twice more, where nothing happened: nobody may be told or asked anything again, and nothing be done."""
    # A bookkeeper may still be about to touch what was made last: that would be no rest.
    world.clock.forget()
    before = world.rows(_AT_REST)
    for _ in range(2):
        world.clock.move(REST_SECONDS)
        for company in world.companies:
            company.sync(with_faults=False)
    for (what, was), (_, now) in zip(before, world.rows(_AT_REST), strict=True):
        if was != now:
            yield f"not at rest: nothing happened, and two more syncs changed the {what}"


def _told_twice(world: SimWorld) -> Iterator[str]:
    # Ended and raised again in the same breath is the same thing said twice.
    rows = world.rows(
        "select a.kind, b.created_at from notifications a join notifications b"
        " on b.connection_id = a.connection_id and b.kind = a.kind and b.created_at = a.resolved_at and b.id <> a.id"
        " order by 1, 2"
    )
    for kind, at in rows:
        yield f"told twice: the notice {kind} ended and began again at {at}"


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

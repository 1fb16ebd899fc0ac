"""Whether what is not carried over has a reason to wait: a person is asked only where two people differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.simulation.world import SimWorld

_CONFLICTS = """
select l.entity, l.record_id::text, coalesce(r.label, l.remote_id), q.error_message,
       (select json_agg(json_build_array(o.connection_id, o.remote_id)) from links o
        where o.entity = l.entity and o.remote_id is not null and (o.id = l.id or o.record_id = l.record_id))
from links l
left join records r on r.entity = l.entity and r.id = l.record_id
left join v2_sync_records q on q.link_id = l.id and q.resolved_at is null and q.status = 'conflict'
where l.state = 'conflict'
order by 1, 3, 4
"""
_UNCONFIRMED = "select record_id::text from audit_log where action = 'push.unconfirmed'"
# What passes by itself is tried more than once before a person is asked to press Retry.
_GIVEN_UP = """
select l.entity, q.label, q.error_message
from links l
join v2_sync_records q on q.link_id = l.id and q.resolved_at is null and q.category in ('network', 'rate_limit')
where l.state = 'failed' and l.tries < 2
order by 1, 2
"""
# Whatever became of it later: what nobody confirmed is sent more than once before a person is asked.
_LEFT_TO_A_PERSON = """
select distinct platform_entity_type, label, error_message
from v2_sync_records
where code = 'push.never_confirmed' and error_message like '% not once in 1 tries%'
order by 1, 2
"""
_ENDS = """
select state, count(*) from links where entity in ('bill', 'invoice') group by 1
union all select 'merged', count(*) from v2_sync_records where action = 'merged' having count(*) > 0
"""


def unreasonable(world: SimWorld) -> Iterator[str]:
    """Find conflicts that no two people's changes made, and failures that would have passed."""
    yield from _needless(world)
    for entity, label, told in (*world.rows(_GIVEN_UP), *world.rows(_LEFT_TO_A_PERSON)):
        yield f"given up: {entity} {label} was tried once and not again, though that passes by itself: {told}"


def _needless(world: SimWorld) -> Iterator[str]:
    books = {company.connection_id: company.books for company in world.companies}
    unconfirmed = {record for (record,) in world.rows(_UNCONFIRMED)}
    for entity, record, label, told, places in world.rows(_CONFLICTS):
        there = [(books[connection], remote_id) for connection, remote_id in places or ()]
        if record in world.ended or any(remote_id in each.ended for each, remote_id in there):
            continue
        if record in unconfirmed:
            # Nobody can tell whether what the ledger shows is the bookkeeper's or what was sent and never confirmed.
            continue
        sides = [world.touched[record], *(each.touched[remote_id] for each, remote_id in there)]
        changed = [side for side in sides if side]
        if len(there) > 1 and changed:
            # What one ledger fills in by itself is a change of ours to the other.
            continue
        if not any(one & other for place, one in enumerate(changed) for other in changed[:place]):
            said = ", ".join(" and ".join(sorted(side)) or "nothing" for side in sides)
            yield f"needless: {entity} {label} is a conflict ({told}) though people changed: {said} (here, there)"


def ends(world: SimWorld) -> Counter[str]:
    """Count what became of the documents' links, and how often two people's changes were merged."""
    return Counter({state: int(count) for state, count in world.rows(_ENDS)})

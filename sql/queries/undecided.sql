-- Writes whose outcome only a person can tell: the evidence, and what was decided.

-- name: undecided_attempt
-- the newest unconfirmed write of a link, held until the decision is stored
select id, entity, request_id, operation, marker, payload, started_at, remote_id,
       (select c.provider from v2_integration_connections c where c.id = connection_id) as provider
from attempts
where link_id = %(link_id)s
  and state in ('sending', 'unknown')
order by started_at desc, id desc
limit 1
for update;

-- name: undecided_ours
-- our record as it stands now
select r.id as platform_entity_id, r.label, r.document_date, r.total as amount, r.currency, r.canonical ->> 'number' as number
from links l
join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
where l.id = %(link_id)s;

-- name: undecided_candidates
-- records of the ledger that could be it, the party by name, and whether one of our records has them already
select m.remote_id as provider_entity_id, m.label, m.document_date, m.total as amount, m.balance as open_amount, m.currency,
       m.canonical ->> 'number' as number, m.state, m.marker, p.label as party,
       t.record_id is not null and t.id <> l.id as is_linked
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = any (%(remote_ids)s::text[])
left join links t on t.builder_id = m.builder_id and t.connection_id = m.connection_id and t.entity = m.entity
    and t.remote_id = m.remote_id
left join mirror p on p.builder_id = m.builder_id and p.connection_id = m.connection_id
    and p.entity in ('customer', 'vendor')
    and p.entity = case when l.entity in ('invoice', 'payment') then 'customer' else 'vendor' end
    and p.remote_id = m.canonical ->> 'party'
where l.id = %(link_id)s
order by m.document_date, m.remote_id;

-- name: undecided_not_these
-- a person said that none of these is it: the next look in the ledger does not count them
update links
set not_remote_ids = (
        select array_agg(distinct each order by each)
        from unnest(not_remote_ids || %(remote_ids)s::text[]) as each)
where id = %(link_id)s;

-- name: undecided_paired
-- a person said that this is it
update links
set linked_by = 'person',
    linked_at = %(now)s,
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
where id = %(link_id)s;

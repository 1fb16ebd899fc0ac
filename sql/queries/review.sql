-- The review queue by cause: what each cause blocks, directly and through what waits for it, and in which order it goes.

-- name: review_causes
-- every cause with what it blocks, by currency; a record that waits for another held record counts under what holds that
with recursive held as (
    select id, connection_id, entity, record_id, cause
    from links
    where state = 'held'
      and cause is not null
      and (%(connection_id)s::uuid is null or connection_id = %(connection_id)s::uuid)
), chain as (
    select id as link_id, connection_id, entity, cause as root, 0 as depth
    from held
    union all
    select c.link_id, c.connection_id, c.entity, h.cause, c.depth + 1
    from chain c
    join held h on h.connection_id = c.connection_id
        and c.root = 'hold.reference_missing:' || h.entity || ':' || h.record_id
    where c.depth < 8
), rooted as (
    select distinct on (link_id) link_id, connection_id, entity, root, depth
    from chain
    order by link_id, depth desc
)
select r.connection_id, r.root as cause, p.currency, count(*) as records, count(*) filter (where r.depth = 0) as direct,
       coalesce(sum(p.total), 0) as amount, array_agg(distinct r.entity) as entities,
       min(p.document_date) as oldest, min(q.created_at) as since,
       (array_agg(q.error_message order by p.document_date, p.label) filter (where r.depth = 0))[1] as message,
       (array_agg(q.code) filter (where r.depth = 0))[1] as code,
       (array_agg(q.remedy) filter (where r.depth = 0))[1] as remedy
from rooted r
join links k on k.connection_id = r.connection_id and k.id = r.link_id
left join records p on p.builder_id = k.builder_id and p.entity = k.entity and p.id = k.record_id
left join v2_sync_records q on q.builder_id = k.builder_id and q.link_id = k.id
    and q.status = 'held' and q.resolved_at is null
group by r.connection_id, r.root, p.currency
order by min(p.document_date), r.root
limit %(rows_max)s;

-- name: review_records
-- all that one cause blocks, in the order in which it goes to the ledger: what others depend on first, then by date
with recursive held as (
    select id, connection_id, entity, record_id, cause
    from links
    where state = 'held'
      and cause is not null
      and connection_id = %(connection_id)s
), blocked as (
    select id as link_id, entity, record_id, 0 as depth
    from held
    where cause = %(cause)s
    union
    select h.id, h.entity, h.record_id, b.depth + 1
    from blocked b
    join held h on h.cause = 'hold.reference_missing:' || b.entity || ':' || b.record_id
    where b.depth < 8
), placed as (
    select distinct on (k.id) k.id as link_id, k.connection_id, k.entity, k.record_id, k.remote_id, k.cause, b.depth,
           p.label,
           p.total as amount, p.currency, p.document_date, q.error_message as message, q.id,
           (lpad(coalesce(array_position(%(entity_order)s::text[], k.entity), 99)::text, 2, '0')
            || coalesce(p.document_date::text, '          ') || coalesce(p.label, '')) collate "C" as place
    from blocked b
    join links k on k.connection_id = %(connection_id)s and k.id = b.link_id
    left join records p on p.builder_id = k.builder_id and p.entity = k.entity and p.id = k.record_id
    left join v2_sync_records q on q.builder_id = k.builder_id and q.link_id = k.id
        and q.status = 'held' and q.resolved_at is null
    order by k.id, b.depth
)
select *
from placed
where %(after_place)s::text is null
   or (place, link_id::text) > ((%(after_place)s::text) collate "C", %(after_id)s::text)
order by place, link_id::text
limit %(rows_max)s;

-- The error, review and conflict queues: what a person does about records that wait.

-- name: queue_link_of
-- which link an open queue row belongs to, to lock the link first as sync does
select link_id
from v2_sync_records
where id = %(id)s
  and status = any(%(statuses)s);

-- name: queue_link_lock
-- the link under the row, held until the decision is stored
select builder_id, id, connection_id, entity, record_id, remote_id, state, ours_checksum, theirs_checksum, decision
from links
where id = %(id)s
for update;

-- name: queue_record_lock
-- the queue row itself
select id, connection_id, link_id, platform_entity_type, platform_entity_id, provider_entity_id, status, label,
       error_message, code, details, conflict_data, resolved_at, resolution, resolved_by
from v2_sync_records
where id = %(id)s
  and status = any(%(statuses)s)
for update;

-- name: queue_link_reopen
-- try again from the beginning; a write that was not confirmed stays one that must be looked up first
update links
set state = case when state = 'unknown' then 'unknown' else 'open' end,
    cause = case when state = 'unknown' then cause end,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
where id = %(id)s;

-- name: queue_record_reopen
-- the row stays until sync settles it, and no longer waits for a time
update v2_sync_records
set retry_count = 0,
    next_retry_at = null
where id = %(id)s;

-- name: queue_reopen_all
-- the same for every open row that a filter names; says how many per connection and entity
with chosen as (
    select r.id, r.link_id, r.connection_id, r.platform_entity_type
    from v2_sync_records r
    where r.resolved_at is null
      and r.status = any(%(statuses)s)
      and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
      and (%(category)s::text is null or r.category = %(category)s::text)
      and (%(cause)s::text is null or r.cause = %(cause)s::text)
), reopened as (
    update links l
    set state = case when l.state = 'unknown' then 'unknown' else 'open' end,
        cause = case when l.state = 'unknown' then l.cause end,
        tries = 0,
        first_failed_at = null,
        next_try_at = null
    from chosen c
    where l.id = c.link_id
), shown as (
    update v2_sync_records r
    set retry_count = 0,
        next_retry_at = null
    from chosen c
    where r.id = c.id
)
select connection_id, platform_entity_type as entity, count(*) as records
from chosen
group by connection_id, platform_entity_type
order by connection_id, platform_entity_type;

-- name: queue_link_ignore
-- leave it until either side changes
update links
set state = 'ignored',
    decision = 'dismissed',
    decided_ours_checksum = ours_checksum,
    decided_theirs_checksum = theirs_checksum,
    cause = null,
    next_try_at = null
where id = %(id)s;

-- name: queue_ignore_all
-- the same for every open row that a filter names; a write that was not confirmed is never left
with chosen as (
    select r.id, r.link_id, r.connection_id, r.platform_entity_type, r.platform_entity_id, r.provider_entity_id,
           r.error_message
    from v2_sync_records r
    left join links l on l.builder_id = r.builder_id and l.id = r.link_id
    where r.resolved_at is null
      and l.state is distinct from 'unknown'
      and r.status = any(%(statuses)s)
      and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
      and (%(category)s::text is null or r.category = %(category)s::text)
      and (%(cause)s::text is null or r.cause = %(cause)s::text)
), ignored as (
    update links l
    set state = 'ignored',
        decision = 'dismissed',
        decided_ours_checksum = ours_checksum,
        decided_theirs_checksum = theirs_checksum,
        cause = null,
        next_try_at = null
    from chosen c
    where l.id = c.link_id
), noted as (
    insert into audit_log (
        builder_id, actor, action, reason, connection_id, link_id, entity, record_id, remote_id, before, after)
    select current_setting('app.builder_id')::uuid, %(actor)s, 'queue.dismissed', %(reason)s, c.connection_id,
           c.link_id, c.platform_entity_type, c.platform_entity_id, c.provider_entity_id,
           jsonb_build_object('message', c.error_message), jsonb_build_object('state', 'ignored')
    from chosen c
), settled as (
    update v2_sync_records r
    set resolved_at = %(now)s,
        resolution = 'dismissed',
        resolved_by = %(actor)s
    from chosen c
    where r.id = c.id
)
select connection_id, platform_entity_type as entity, count(*) as records
from chosen
group by connection_id, platform_entity_type
order by connection_id, platform_entity_type;

-- name: queue_link_decide
-- what a person chose, for exactly the two values that were shown
update links
set state = 'open',
    decision = %(decision)s,
    decided_ours_checksum = ours_checksum,
    decided_theirs_checksum = theirs_checksum,
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
where id = %(id)s;

-- name: queue_record_resolve
-- the row leaves the open queue and keeps what was decided, by whom and when
update v2_sync_records
set resolved_at = %(now)s,
    resolution = %(resolution)s,
    resolved_by = %(actor)s
where id = %(id)s;

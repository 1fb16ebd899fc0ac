-- The error, review and conflict queues: what a person does about records that wait.

-- name: queue_link_of
-- which link an open queue row belongs to, to lock the link first as sync does
select link_id
from v2_sync_records
where id = %(id)s
  and status = any(%(statuses)s);

-- name: queue_link_lock
-- the link under the row, held until the decision is stored
select builder_id, id, connection_id, entity, record_id, remote_id, state, ours_checksum, theirs_checksum, decision,
       decided_ours_checksum, decided_theirs_checksum
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

-- name: queue_link_part
-- ours is a record of its own from now on, to be entered beside the one that it is not
update links
set remote_id = null,
    theirs_checksum = null,
    base_ours_checksum = null,
    base_theirs_checksum = null,
    base_ours = null,
    base_theirs = null,
    line_versions = '{}',
    linked_by = null,
    linked_at = null,
    state = 'open',
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null,
    decision = null,
    decided_ours_checksum = null,
    decided_theirs_checksum = null,
    not_remote_ids = not_remote_ids || array[%(remote_id)s::text]
where id = %(id)s;

-- name: queue_link_half
-- the ledger's waits on a link of its own to be brought in, or left, by setting
insert into links (builder_id, connection_id, entity, remote_id, theirs_checksum)
select l.builder_id, l.connection_id, l.entity, m.remote_id, m.checksum
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = %(remote_id)s
where l.id = %(id)s;

-- name: queue_conflicts_reopen
-- has open conflicts judged again, because another strategy may decide them
update links
set state = 'open',
    cause = null
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = any (%(entities)s::text[])
  and state = 'conflict';

-- name: view_conflict_history
-- what was decided about a record before, and the values that were lost by it, oldest first
select a.at, a.actor, a.action, a.reason, coalesce(a.after ->> 'decision', a.action) as decision,
       coalesce(a.before -> 'fields', '[]') as fields
from v2_sync_records r
join links l on l.builder_id = r.builder_id and l.id = r.link_id
join audit_log a on a.builder_id = r.builder_id and a.entity = l.entity and a.record_id = l.record_id
where r.id = %(id)s
  and r.status = 'conflict'
  and a.action = 'conflict.resolved'
order by a.at, a.id;

-- name: view_conflict_links
-- the links of open conflicts, to see what another strategy would do with them
select l.entity, l.id::text as link_id
from links l
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.state = 'conflict'
order by l.entity, l.id
limit %(rows_max)s;

-- name: queue_record_resolve
-- the row leaves the open queue and keeps what was decided, by whom and when
update v2_sync_records
set resolved_at = %(now)s,
    resolution = %(resolution)s,
    resolved_by = %(actor)s
where id = %(id)s;

-- name: lane_accept
-- A person has accepted the values that were shown; any other value is held again.
update links
set state = 'open',
    cause = null,
    approved_checksum = decided_ours_checksum,
    approved_by = %(actor)s,
    approved_at = %(now)s
where id = %(id)s;

-- name: lane_accept_all
-- The same for every record that waits for approval and that the filter names; what was edited since is left out.
with chosen as (
    select r.id, r.link_id, r.connection_id, r.platform_entity_type, l.record_id, l.remote_id, r.error_message,
           l.ours_checksum
    from v2_sync_records r
    join links l on l.builder_id = r.builder_id and l.id = r.link_id
    where r.resolved_at is null
      and r.status = 'held'
      and r.code = 'hold.approval_missing'
      and l.state = 'held'
      and l.decided_ours_checksum is not distinct from l.ours_checksum
      and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
    for update of l
), accepted as (
    update links l
    set state = 'open',
        cause = null,
        approved_checksum = l.decided_ours_checksum,
        approved_by = %(actor)s,
        approved_at = %(now)s
    from chosen c
    where l.id = c.link_id
), noted as (
    insert into audit_log (
        builder_id, actor, action, reason, connection_id, link_id, entity, record_id, remote_id, before, after)
    select current_setting('app.builder_id')::uuid, %(actor)s, 'approval.accepted', %(reason)s, c.connection_id,
           c.link_id, c.platform_entity_type, c.record_id, c.remote_id,
           jsonb_build_object('message', c.error_message), jsonb_build_object('checksum', c.ours_checksum)
    from chosen c
), settled as (
    update v2_sync_records r
    set resolved_at = %(now)s,
        resolution = 'approved',
        resolved_by = %(actor)s
    from chosen c
    where r.id = c.id
)
select connection_id, platform_entity_type as entity, count(*) as records
from chosen
group by connection_id, platform_entity_type
order by connection_id, platform_entity_type;

-- name: lane_reject_record
-- The row leaves the lane and keeps why it was rejected.
update v2_sync_records
set resolved_at = %(now)s,
    resolution = 'rejected',
    resolved_by = %(actor)s,
    details = details || jsonb_build_object('reject_reason', %(reason)s::text)
where id = %(id)s;

-- name: lane_rejected_link
-- The link of a record that was rejected and has not changed since, held until it is proposed again.
select l.id, l.connection_id, l.entity, l.record_id, l.remote_id, r.label
from v2_sync_records r
join links l on l.builder_id = r.builder_id and l.id = r.link_id
where r.id = %(id)s
  and r.resolution = 'rejected'
  and l.state = 'ignored'
for update of l;

-- name: lane_resend
-- The next sync proposes it again.
update links
set state = 'open',
    decision = null,
    decided_ours_checksum = null,
    decided_theirs_checksum = null
where id = %(id)s;

-- name: period_choose
-- What a person chose for a document of a closed period, for exactly the values that were shown.
update links
set state = case when %(choice)s::text is null then state else 'open' end,
    cause = case when %(choice)s::text is null then cause end,
    period_choice = %(choice)s,
    period_choice_checksum = decided_ours_checksum
where id = %(id)s;

-- name: view_approvals
-- records that wait for approval, or that were rejected and have not changed since
select r.id, r.connection_id, c.provider, r.platform_entity_type, r.platform_entity_id, l.record_id,
       coalesce(r.provider_entity_id, l.remote_id) as provider_entity_id, r.label, r.amount, r.currency, r.error_message,
       r.created_at, r.resolved_at as rejected_at, r.resolved_by as rejected_by,
       r.details ->> 'reject_reason' as reject_reason,
       l.decided_ours_checksum is distinct from l.ours_checksum as is_stale
from v2_sync_records r
join v2_integration_connections c on c.builder_id = r.builder_id and c.id = r.connection_id
join links l on l.builder_id = r.builder_id and l.id = r.link_id
where r.code = 'hold.approval_missing'
  and case
      when %(is_rejected)s then r.resolution = 'rejected' and l.state = 'ignored'
           and l.decided_ours_checksum is not distinct from l.ours_checksum
           and not exists (
               select 1
               from v2_sync_records newer
               where newer.builder_id = r.builder_id
                 and newer.link_id = r.link_id
                 and newer.resolution = 'rejected'
                 and (newer.created_at, newer.id) > (r.created_at, r.id))
      else r.resolved_at is null and r.status = 'held'
  end
  and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
  and (%(after_at)s::timestamptz is null
       or (r.created_at, r.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by r.created_at desc, r.id desc
limit %(rows_max)s;

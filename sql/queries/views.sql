-- What the API and the pages show. Lists are cut by a cursor over (time, id), newest first.

-- name: view_connections
-- the builder's connections, without any secret
select c.id, c.provider, c.status, c.status_reason, c.provider_company_name as company_name, c.currency,
       c.sync_schedule, c.conflict_strategy, c.time_zone, c.last_sync_at, c.next_due_at,
       coalesce(t.token_expires_at, c.token_expires_at) as token_expires_at,
       coalesce(t.refresh_expires_at, c.refresh_expires_at) as refresh_expires_at,
       c.refresh_failures, c.connected_at, c.disconnected_at, c.created_at
from v2_integration_connections c
left join token_sets t on t.id = c.token_set_id
where c.status = any(%(statuses)s)
  and (%(connection_id)s::uuid is null or c.id = %(connection_id)s::uuid)
  and (%(after_at)s::timestamptz is null
       or (c.created_at, c.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by c.created_at desc, c.id desc
limit %(rows_max)s;

-- name: view_accounts
-- the provider's chart of accounts as the mirror last saw it, in the order of its names
select remote_id as id,
       coalesce(canonical ->> 'name', label) as name,
       canonical ->> 'number' as number,
       coalesce(canonical ->> 'type', '') as account_type,
       canonical ->> 'description' as description,
       state,
       balance,
       currency,
       seen_at
from mirror
where connection_id = %(connection_id)s
  and entity = 'account'
  and state = any(%(states)s)
  and (%(account_type)s::text is null or canonical ->> 'type' = %(account_type)s::text)
  and (%(after_name)s::text is null
       or (coalesce(canonical ->> 'name', label), remote_id) > (%(after_name)s::text, %(after_id)s::text))
order by coalesce(canonical ->> 'name', label), remote_id
limit %(rows_max)s;

-- name: view_sync_log
-- the sync history
select l.id, l.connection_id, c.provider, l.sync_run_id, l.sync_type, l.entity_type, l.direction, l.status,
       l.records_processed, l.records_succeeded, l.records_failed, l.started_at, l.completed_at, l.error_summary,
       l.summary
from v2_sync_log l
join v2_integration_connections c on c.builder_id = l.builder_id and c.id = l.connection_id
where (%(connection_id)s::uuid is null or l.connection_id = %(connection_id)s::uuid)
  and (%(sync_run_id)s::uuid is null or l.sync_run_id = %(sync_run_id)s::uuid)
  and (%(entity)s::text is null or l.entity_type = %(entity)s::text)
  and (%(direction)s::text is null or l.direction = %(direction)s::text)
  and (%(status)s::text is null or l.status = %(status)s::text)
  and (%(since)s::timestamptz is null or l.started_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or l.started_at < %(until)s::timestamptz)
  and (%(after_at)s::timestamptz is null
       or (l.started_at, l.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by l.started_at desc, l.id desc
limit %(rows_max)s;

-- name: view_sync_log_exists
-- whether a history row belongs to this builder
select id
from v2_sync_log
where id = %(id)s;

-- name: view_log_records
-- the records of one history row
select id, sync_log_id, connection_id, platform_entity_type, platform_entity_id, provider_entity_id, direction,
       status, action, label, amount, currency, error_message, code, created_at, resolved_at
from v2_sync_records
where sync_log_id = %(sync_log_id)s
  and (%(status)s::text is null or status = %(status)s::text)
  and (%(after_at)s::timestamptz is null
       or (created_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by created_at desc, id desc
limit %(rows_max)s;

-- name: view_log_records_first
-- the newest few records of several history rows at once, for the expanded list
select r.id, r.sync_log_id, r.connection_id, r.platform_entity_type, r.platform_entity_id, r.provider_entity_id,
       r.direction, r.status, r.action, r.label, r.amount, r.currency, r.error_message, r.code, r.created_at,
       r.resolved_at
from unnest(%(sync_log_ids)s::uuid[]) as wanted (id)
cross join lateral (
    select *
    from v2_sync_records
    where sync_log_id = wanted.id
    order by created_at desc, id desc
    limit %(rows_max)s
) as r
order by r.created_at desc, r.id desc;

-- name: view_queue
-- open rows of the queues; each status gives at most a page, in its index's order, each row its link, however many there are
select r.id, r.sync_log_id, r.connection_id, c.provider, r.platform_entity_type, r.platform_entity_id, l.record_id,
       coalesce(r.provider_entity_id, l.remote_id) as provider_entity_id, r.direction, r.status, r.action, r.label, r.amount,
       r.currency, r.error_message, r.category, r.code, r.remedy, r.cause, r.retry_count, r.next_retry_at, r.created_at,
       r.conflict_data,
       r.details, l.state as link_state, l.ours_checksum, l.theirs_checksum
from unnest(%(statuses)s::text[]) as wanted (status)
cross join lateral (
    select *
    from v2_sync_records
    where resolved_at is null
      and status = wanted.status
      and (%(id)s::uuid is null or id = %(id)s::uuid)
      and (%(connection_id)s::uuid is null or connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or platform_entity_type = %(entity)s::text)
      and (%(category)s::text is null or category = %(category)s::text)
      and (%(cause)s::text is null or cause = %(cause)s::text)
      and (%(since)s::timestamptz is null or created_at >= %(since)s::timestamptz)
      and (%(until)s::timestamptz is null or created_at < %(until)s::timestamptz)
      and (%(after_at)s::timestamptz is null
           or (created_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
    order by created_at desc, id desc
    limit %(rows_max)s
) as r
join v2_integration_connections c on c.builder_id = r.builder_id and c.id = r.connection_id
left join lateral (
    select record_id, remote_id, state, ours_checksum, theirs_checksum
    from links
    where builder_id = r.builder_id
      and id = r.link_id
    limit 1
) as l on true
order by r.created_at desc, r.id desc
limit %(rows_max)s;

-- name: view_queue_counts
-- how many rows wait in each queue, by connection and entity
select connection_id, platform_entity_type as entity, status, count(*) as records
from v2_sync_records
where resolved_at is null
  and status in ('error', 'held', 'conflict')
group by connection_id, platform_entity_type, status;

-- name: view_run
-- one sync as somebody asked for it
select id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at, completed_at,
       dagster_run_id, provider_calls, error_summary
from sync_runs
where id = %(id)s;

-- name: view_newest_runs
-- the newest run of each connection, and the newest that ended without giving way to another; each is found at the top of the newest-first index
select 'newest' as place, r.*
from v2_integration_connections c
cross join lateral (
    select id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at, completed_at,
           dagster_run_id, provider_calls, error_summary
    from sync_runs
    where builder_id = c.builder_id
      and connection_id = c.id
    order by requested_at desc, id desc
    limit 1
) as r
union all
select 'ended', r.*
from v2_integration_connections c
cross join lateral (
    select id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at, completed_at,
           dagster_run_id, provider_calls, error_summary
    from sync_runs
    where builder_id = c.builder_id
      and connection_id = c.id
      and status in ('completed', 'partial', 'failed')
      and not gave_way
    order by requested_at desc, id desc
    limit 1
) as r;

-- name: view_run_steps
-- the history rows that one run has written so far
select id, entity_type, direction, status, records_processed, records_succeeded, records_failed, started_at,
       completed_at, error_summary, summary
from v2_sync_log
where sync_run_id = %(sync_run_id)s
order by started_at, id;

-- name: view_newest_entity_logs
-- the newest history row of each of these entities and each direction of a connection
select l.id, l.connection_id, l.entity_type, l.direction, l.status, l.records_processed, l.records_succeeded,
       l.records_failed, l.started_at, l.completed_at, l.error_summary, l.summary
from unnest(%(entities)s::text[]) with ordinality as wanted (entity, place)
cross join unnest(array['pull', 'push']) as way (direction)
cross join lateral (
    select *
    from v2_sync_log
    where connection_id = %(connection_id)s
      and entity_type = wanted.entity
      and direction = way.direction
    order by started_at desc, id desc
    limit 1
) as l
order by wanted.place, l.direction;

-- name: view_newest_tie_outs
-- the newest proof of each connection, and whether something was synced since
select t.connection_id, t.is_tied, t.difference, t.taken_at, t.lines,
       exists (
           select
           from links l
           where l.builder_id = c.builder_id
             and l.connection_id = c.id
             and l.settled_at > t.taken_at) as is_outdated
from v2_integration_connections c
cross join lateral (
    select connection_id, is_tied, difference, taken_at, lines
    from tie_outs
    where builder_id = c.builder_id
      and connection_id = c.id
    order by taken_at desc
    limit 1
) as t;

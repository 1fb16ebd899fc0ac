-- What happened: the sync log, its records, the queues, the audit log, and the runs they belong to.

-- name: open_sync_log
-- Begins the log row of one entity and direction in one run.
insert into v2_sync_log (
    id, builder_id, connection_id, sync_type, entity_type, direction, status, started_at, sync_run_id)
values (
    %(log_id)s, %(builder_id)s, %(connection_id)s, %(sync_type)s, %(entity)s, %(direction)s, 'started', %(now)s,
    %(sync_run_id)s);

-- name: insert_quiet_logs
-- Writes the log rows of entities in which a sync found nothing to do.
insert into v2_sync_log (
    id, builder_id, connection_id, sync_type, entity_type, direction, status, started_at, completed_at, sync_run_id)
select q.log_id, %(builder_id)s, %(connection_id)s, %(sync_type)s, q.entity, q.direction, 'completed', %(now)s, %(now)s,
       %(sync_run_id)s
from jsonb_to_recordset(%(rows)s::jsonb) as q (log_id uuid, entity text, direction text);

-- name: close_sync_log
-- Finishes a log row with its counts, amounts and, where the step ended early, the reason.
update v2_sync_log
set status = case
        when %(error)s::text is not null then 'failed'
        when %(failed)s > 0 then 'partial'
        else 'completed'
    end,
    records_processed = %(succeeded)s + %(failed)s,
    records_succeeded = %(succeeded)s,
    records_failed = %(failed)s,
    summary = %(summary)s::jsonb,
    error_summary = %(error)s,
    completed_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(log_id)s;

-- name: close_open_records
-- Closes the queue entries of links that got through or were decided.
update v2_sync_records
set resolved_at = %(now)s,
    resolution = coalesce(resolution, %(resolution)s)
where builder_id = %(builder_id)s
  and link_id = any (%(link_ids)s::uuid[])
  and status in ('error', 'conflict', 'held')
  and resolved_at is null;

-- name: insert_sync_records
-- Writes the rows of records that got through.
insert into v2_sync_records (
    sync_log_id, builder_id, platform_entity_type, platform_entity_id, provider_entity_id, direction, status,
    created_at, resolved_at, connection_id, link_id, action, amount, currency, label, details)
select %(log_id)s, %(builder_id)s::uuid, %(entity)s, coalesce(r.record_id, r.link_id), r.remote_id, r.direction,
       r.status, %(now)s, %(now)s, %(connection_id)s::uuid, r.link_id, r.action, r.amount, r.currency, r.label,
       coalesce(r.details, '{}')
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    link_id uuid, record_id uuid, remote_id text, direction text, status text, action text, amount numeric,
    currency text, label text, details jsonb);

-- name: upsert_open_records
-- Writes the queue entries of records that did not get through; the same trouble at the next sync updates its row.
insert into v2_sync_records as q (
    sync_log_id, builder_id, platform_entity_type, platform_entity_id, provider_entity_id, direction, status,
    error_message, conflict_data, next_retry_at, created_at, connection_id, link_id, action, amount, currency, label,
    category, code, remedy, cause, details)
select %(log_id)s, %(builder_id)s::uuid, %(entity)s, coalesce(r.record_id, r.link_id), r.remote_id, r.direction,
       r.status, r.message, r.conflict_data, r.next_try_at, %(now)s, %(connection_id)s::uuid, r.link_id, r.action,
       r.amount, r.currency, r.label, r.category, r.code, r.remedy, r.cause, coalesce(r.details, '{}')
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    link_id uuid, record_id uuid, remote_id text, direction text, status text, action text, amount numeric,
    currency text, label text, message text, conflict_data jsonb, next_try_at timestamptz, category text, code text,
    remedy text, cause text, details jsonb)
on conflict (builder_id, link_id) where status in ('error', 'conflict', 'held') and resolved_at is null do update
set status = excluded.status,
    sync_log_id = excluded.sync_log_id,
    provider_entity_id = excluded.provider_entity_id,
    direction = excluded.direction,
    error_message = excluded.error_message,
    conflict_data = excluded.conflict_data,
    next_retry_at = excluded.next_retry_at,
    action = excluded.action,
    amount = excluded.amount,
    currency = excluded.currency,
    label = excluded.label,
    category = excluded.category,
    code = excluded.code,
    remedy = excluded.remedy,
    cause = excluded.cause,
    -- What an open conflict showed before one side changed again is kept with it.
    details = excluded.details || case
        when q.status = 'conflict' and excluded.status = 'conflict'
             and (q.conflict_data ->> 'ours_checksum' is distinct from excluded.conflict_data ->> 'ours_checksum'
                  or q.conflict_data ->> 'theirs_checksum' is distinct from excluded.conflict_data ->> 'theirs_checksum')
            then jsonb_build_object(
                'earlier', coalesce(q.details -> 'earlier', '[]') || jsonb_build_array(jsonb_build_object(
                    'until', %(now)s::timestamptz, 'fields', q.conflict_data -> 'fields',
                    'money_difference', q.conflict_data -> 'money_difference')))
        when q.status = 'conflict' and excluded.status = 'conflict' and q.details ? 'earlier'
            then jsonb_build_object('earlier', q.details -> 'earlier')
        else '{}'
    end,
    retry_count = q.retry_count + 1;

-- name: append_audit
-- Appends to the audit log.
insert into audit_log (
    builder_id, at, actor, action, reason, connection_id, link_id, entity, record_id, remote_id, before, after, strategy,
    mapping_version_id)
select %(builder_id)s::uuid, %(now)s, %(actor)s, a.action, a.reason, %(connection_id)s::uuid, a.link_id, a.entity,
       a.record_id, a.remote_id, a.before, a.after, a.strategy, a.mapping_version_id
from jsonb_to_recordset(%(rows)s::jsonb) as a (
    action text, reason text, link_id uuid, entity text, record_id uuid, remote_id text, before jsonb, after jsonb,
    strategy text, mapping_version_id uuid);

-- name: create_sync_run
-- Notes a sync that was asked for, before it starts.
insert into sync_runs (
    builder_id, id, connection_id, trigger, entities, direction, requested_by, requested_at, dagster_run_id)
values (
    %(builder_id)s, %(sync_run_id)s, %(connection_id)s, %(trigger)s, %(entities)s::text[], %(direction)s,
    %(requested_by)s, %(now)s, %(dagster_run_id)s);

-- name: read_sync_run
-- One sync run.
select id::text, connection_id::text, trigger, entities, direction, status, requested_by, dagster_run_id, started_at,
       gave_way
from sync_runs
where builder_id = %(builder_id)s
  and id = %(sync_run_id)s;

-- name: start_sync_run
-- Notes that a sync run has begun; once begun it stays as it is.
update sync_runs
set status = 'started',
    started_at = coalesce(started_at, %(now)s),
    dagster_run_id = coalesce(%(dagster_run_id)s, dagster_run_id)
where builder_id = %(builder_id)s
  and id = %(sync_run_id)s
  and status in ('queued', 'started');

-- name: begin_sync_run
-- Notes that a sync run has begun; once begun it stays as it is. With it end the syncs of the connection that hold its
-- lock all the time they run and did not end themselves: whoever has the lock now knows that their process died. Runs of
-- Dagster give the lock back between their steps and are watched by it.
update sync_runs
set status = case when id = %(sync_run_id)s then 'started' else 'failed' end,
    started_at = case when id = %(sync_run_id)s then coalesce(started_at, %(now)s) else started_at end,
    error_summary = case
        when id = %(sync_run_id)s then error_summary
        else 'The process that did this sync ended before it could finish; the next one went on where it stopped.'
    end,
    completed_at = case when id = %(sync_run_id)s then completed_at else %(now)s end
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and status in ('queued', 'started')
  and (id = %(sync_run_id)s
       or status = 'started'
       and dagster_run_id is null
       and (trigger in ('real_time', 'initial_import') or started_at < %(before)s));

-- name: count_provider_calls
-- Adds the provider calls of one step to its run.
update sync_runs
set provider_calls = provider_calls + %(calls)s
where builder_id = %(builder_id)s
  and id = %(sync_run_id)s;

-- name: close_started_logs
-- Ends the steps of a run that broke off, so that no history row says for ever that it is under way.
update v2_sync_log
set status = 'failed',
    error_summary = coalesce(%(error)s, 'This step broke off; the next sync goes on where it stopped.'),
    completed_at = %(now)s
where builder_id = %(builder_id)s
  and sync_run_id = %(sync_run_id)s
  and status = 'started';

-- name: finish_sync_run
-- Ends a sync run: failed with its reason, partial where a record did not get through, completed otherwise; one that has
-- ended stays as it is. Provider calls are added to it all the same.
update sync_runs r
set status = case
        when r.status not in ('queued', 'started') then r.status
        when %(error)s::text is not null then 'failed'
        when exists (
            select 1
            from v2_sync_log l
            where l.builder_id = r.builder_id
              and l.sync_run_id = r.id
              and l.status in ('partial', 'failed')) then 'partial'
        else 'completed'
    end,
    error_summary = case when r.status in ('queued', 'started') then %(error)s else r.error_summary end,
    completed_at = case when r.status in ('queued', 'started') then %(now)s else r.completed_at end,
    provider_calls = r.provider_calls + %(calls)s
where r.builder_id = %(builder_id)s
  and r.id = %(sync_run_id)s;

-- name: note_gave_way
-- Notes that a run waited in vain for another sync of its connection to end.
update sync_runs
set gave_way = true
where builder_id = %(builder_id)s
  and id = %(sync_run_id)s
  and status in ('queued', 'started');

-- name: forget_gave_way
-- Forgets a scheduled run that gave way before it did anything: the sync that was under way did its work.
delete from sync_runs r
where r.builder_id = %(builder_id)s
  and r.id = %(sync_run_id)s
  and r.gave_way
  and r.trigger = 'scheduled'
  and not exists (
      select 1
      from v2_sync_log l
      where l.builder_id = r.builder_id
        and l.sync_run_id = r.id);

-- name: failed_in_a_row
-- How many of the newest whole syncs of a connection failed one after another, this one included; one that gave way to
-- another says nothing.
select count(*) as failures
from (
    select bool_and(status = 'failed') over (order by requested_at desc, id desc) as is_in_a_row
    from (
        select id, status, requested_at
        from sync_runs
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and status in ('completed', 'partial', 'failed')
          and trigger <> 'real_time'
          and not gave_way
        order by requested_at desc, id desc
        limit %(rows_max)s) as newest) as judged
where is_in_a_row;

-- name: note_last_sync
-- Remembers when a whole sync last went through, and when the next one is due: by schedule, or earlier where something
-- that failed or was not confirmed is to be tried again, but for that never before `retried_from`. What no sync would send
-- now brings none sooner.
update v2_integration_connections c
set last_sync_at = case
        when exists (
            select 1
            from sync_runs r
            where r.builder_id = c.builder_id
              and r.id = %(sync_run_id)s
              and r.status in ('completed', 'partial')
              and r.entities = '{}') then %(now)s
        else c.last_sync_at
    end,
    next_due_at = least(
        %(next_due_at)s::timestamptz,
        (select min(greatest(l.next_try_at, %(retried_from)s::timestamptz))
         from links l
         left join entity_settings s on s.builder_id = l.builder_id and s.connection_id = l.connection_id
             and s.entity = l.entity
         where l.builder_id = c.builder_id
           and l.connection_id = c.id
           and l.state = 'failed'
           and l.next_try_at is not null
           and coalesce(s.is_enabled, true)
           and s.direction is distinct from 'pull'),
        (select min(greatest(a.started_at + interval '3 minutes', %(retried_from)s::timestamptz))
         from attempts a
         where a.builder_id = c.builder_id
           and a.connection_id = c.id
           and a.state in ('sending', 'unknown')
           and a.started_at > %(now)s::timestamptz - interval '3 minutes')),
    updated_at = %(now)s
where c.builder_id = %(builder_id)s
  and c.id = %(connection_id)s;

-- name: read_connection_facts
-- A connection as a sync sees it.
select c.id::text, c.provider, c.status, coalesce(c.provider_company_name, '') as company_name,
       coalesce(c.conflict_strategy, 'last_write_wins') as strategy, coalesce(c.currency, b.currency) as currency,
       coalesce(c.sync_schedule, 'hourly') as sync_schedule, c.sync_window,
       coalesce(nullif(c.time_zone, 'UTC'), b.time_zone) as time_zone,
       coalesce(c.settings -> 'dimensions', '[]') as dimensions, coalesce(c.settings -> 'tax_codes', '[]') as tax_codes
from v2_integration_connections c
join v2_builders b on b.id = c.builder_id
where c.builder_id = %(builder_id)s
  and c.id = %(connection_id)s;

-- name: lock_connection
-- One sync per connection at a time: true when this session got the lock, which ends with the session.
select pg_try_advisory_lock(hashtextextended('sync:' || %(connection_id)s::text, 0)) as is_locked;

-- name: unlock_connection
-- Gives the connection free for the next sync.
select pg_advisory_unlock(hashtextextended('sync:' || %(connection_id)s::text, 0)) as is_unlocked;

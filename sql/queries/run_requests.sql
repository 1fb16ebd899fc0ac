-- Syncs that somebody asks for through the API.

-- name: run_request_lock
-- two clicks at once become one run
select pg_advisory_xact_lock(hashtextextended('tieout run request ' || %(connection_id)s::text, 0));

-- name: run_request_give_up
-- runs that were queued and never began, because the process that launched them died
update sync_runs
set status = 'failed',
    completed_at = %(now)s,
    error_summary = %(sentence)s
where connection_id = %(connection_id)s
  and status = 'queued'
  and (requested_at < %(before)s
       or (dagster_run_id is null and requested_at < %(unlaunched_before)s));

-- name: run_request_same
-- a run that already does what is asked for
select id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at, completed_at,
       dagster_run_id, provider_calls, error_summary
from sync_runs
where connection_id = %(connection_id)s
  and status in ('queued', 'started')
  and entities = %(entities)s
  and direction = %(direction)s
  and requested_at >= %(since)s
order by requested_at desc, id desc
limit 1;

-- name: run_request_insert
-- a run that waits for Dagster
insert into sync_runs (builder_id, connection_id, trigger, entities, direction, status, requested_by, requested_at)
values (current_setting('app.builder_id')::uuid, %(connection_id)s, 'manual', %(entities)s, %(direction)s, 'queued',
        %(requested_by)s, %(now)s)
returning id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at,
          completed_at, dagster_run_id, provider_calls, error_summary;

-- name: run_request_launched
-- Dagster took the run; it may have begun before this is written
update sync_runs
set dagster_run_id = coalesce(dagster_run_id, %(dagster_run_id)s)
where id = %(id)s;

-- name: run_request_failed
-- Dagster did not take the run
update sync_runs
set status = 'failed',
    completed_at = %(now)s,
    error_summary = %(sentence)s
where id = %(id)s
  and status = 'queued';

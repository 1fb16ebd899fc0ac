-- What Dagster's assets and sensors ask: which connection, which sync run, what is due.

-- name: dagster_connection
-- A builder's connection to one provider, unless it was disconnected.
select id::text, coalesce(provider_company_name, '') as company_name
from v2_integration_connections
where builder_id = %(builder_id)s
  and provider = %(provider)s
  and status <> 'disconnected';

-- name: dagster_sync_run
-- The sync run that a Dagster run stands for.
select id::text
from sync_runs
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and dagster_run_id = %(dagster_run_id)s
order by requested_at desc
limit 1;

-- name: dagster_unfinished_runs
-- Sync runs that a Dagster run left open.
select id::text, connection_id::text
from sync_runs
where builder_id = %(builder_id)s
  and dagster_run_id = %(dagster_run_id)s
  and status in ('queued', 'started');

-- name: dagster_run_unnoted
-- Whether a sync run asked for by its id is still open; its launcher may not have noted the Dagster run yet.
select id::text, connection_id::text
from sync_runs
where builder_id = %(builder_id)s
  and id = %(sync_run_id)s
  and dagster_run_id is null
  and status in ('queued', 'started');

-- name: dagster_postpone
-- Moves a due connection on whose run ended before it could say anything.
update v2_integration_connections
set next_due_at = %(next_due_at)s,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(connection_id)s
  and next_due_at <= %(now)s;

-- name: dagster_begin_due
-- Begins the sync run of a due connection, or goes on with the one that this Dagster run has begun; no row where the
-- connection cannot be synced, or was since it was found due.
with due as (
    select c.id, coalesce(c.provider_company_name, '') as company_name
    from v2_integration_connections c
    where c.builder_id = %(builder_id)s
      and c.id = %(connection_id)s
      and c.provider = %(provider)s
      and c.status in ('connected', 'error')
      and c.next_due_at <= %(due_at)s),
known as (
    select r.id
    from sync_runs r
    join due on due.id = r.connection_id
    where r.builder_id = %(builder_id)s
      and r.dagster_run_id = %(dagster_run_id)s
      and r.status in ('queued', 'started')
    order by r.requested_at desc
    limit 1),
made as (
    insert into sync_runs (
        builder_id, id, connection_id, trigger, entities, direction, status, requested_by, requested_at, started_at,
        dagster_run_id)
    select %(builder_id)s::uuid, %(sync_run_id)s::uuid, due.id, 'scheduled', '{}', 'both', 'started', %(requested_by)s,
           %(now)s, %(now)s, %(dagster_run_id)s
    from due
    where not exists (select from known)
    returning id)
select coalesce((select id from known), (select id from made))::text as sync_run_id, due.company_name
from due;

-- name: dagster_due_connections
-- Connections whose sync is due, the longest waiting first (as the scheduler); those that a person has to see to at the
-- provider are probed, and go on by themselves.
select builder_id::text, id::text as connection_id, provider, next_due_at as due_at
from v2_integration_connections
where status in ('connected', 'error')
  and next_due_at <= %(now)s
order by next_due_at, id
limit %(rows_max)s;

-- name: dagster_builder_ids
-- Every builder (as the scheduler).
select id::text
from v2_builders
order by id;

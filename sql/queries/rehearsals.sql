-- Rehearsals: asking for one, keeping what it would have done, reading that.

-- name: rehearsal_create
-- Notes a rehearsal that was asked for, before it starts.
insert into rehearsals (builder_id, id, connection_id, entities, direction, requested_by, requested_at)
values (
    %(builder_id)s, %(rehearsal_id)s, %(connection_id)s, %(entities)s::text[], %(direction)s, %(requested_by)s,
    %(now)s);

-- name: rehearsal_start
-- Notes that a rehearsal has begun, and where.
update rehearsals
set status = 'started',
    started_at = coalesce(started_at, %(now)s),
    dagster_run_id = coalesce(%(dagster_run_id)s, dagster_run_id)
where builder_id = %(builder_id)s
  and id = %(rehearsal_id)s
  and status in ('queued', 'started')
returning connection_id::text, entities, direction, requested_by;

-- name: rehearsal_launched
-- Remembers the Dagster run that carries a rehearsal out.
update rehearsals
set dagster_run_id = %(dagster_run_id)s
where builder_id = %(builder_id)s
  and id = %(rehearsal_id)s;

-- name: rehearsal_end
-- Ends a rehearsal: completed, or failed with its reason.
update rehearsals
set status = case when %(error)s::text is null then 'completed' else 'failed' end,
    error_summary = %(error)s,
    provider_calls = %(calls)s,
    records_read = %(records_read)s,
    completed_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(rehearsal_id)s
  and status in ('queued', 'started');

-- name: rehearsals_tidy
-- Ends rehearsals whose process is gone, and forgets those that are too old to be believed.
with forgotten as (
    delete from rehearsals
    where builder_id = %(builder_id)s
      and requested_at < %(kept_since)s
)
update rehearsals
set status = 'failed',
    error_summary = %(sentence)s,
    completed_at = %(now)s
where builder_id = %(builder_id)s
  and status in ('queued', 'started')
  and requested_at < %(given_up_before)s
  and requested_at >= %(kept_since)s;

-- name: rehearsal_save_records
-- Keeps what a rehearsal found, in the order in which a sync works.
insert into rehearsal_records (
    builder_id, rehearsal_id, position, entity, outcome, book, is_known, label, amount, currency, record_id, remote_id,
    reason, code, remedy, cause, fields)
select %(builder_id)s::uuid, %(rehearsal_id)s::uuid, position, entity, outcome, book, is_known, label, amount,
       currency, record_id, remote_id, reason, code, remedy, cause, fields
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    position integer, entity text, outcome text, book text, is_known boolean, label text, amount numeric,
    currency text, record_id uuid, remote_id text, reason text, code text, remedy text, cause text,
    fields jsonb);

-- name: rehearsal_waiting
-- What waits already on other links than those the sync has just looked at.
select platform_entity_type as entity, status, label, amount, currency, link_id::text,
       platform_entity_id::text as record_id, provider_entity_id as remote_id, coalesce(error_message, '') as reason,
       code, remedy, cause
from v2_sync_records
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and resolved_at is null
  and status in ('error', 'held', 'conflict')
  and platform_entity_type = any (%(entities)s::text[])
  and link_id <> all (%(link_ids)s::uuid[])
order by created_at, id;

-- name: rehearsal_peek
-- The platform records of one entity that changed since sync last looked; they stay on the list.
select record_id::text as record_id, changed_at
from record_changes
where builder_id = %(builder_id)s
  and entity = %(entity)s;

-- name: rehearsal_patience
-- A rehearsal never makes a person's own work wait for it: it gives up first.
select set_config('lock_timeout', %(milliseconds)s, true);

-- name: view_rehearsals
-- rehearsals, newest first
select id, connection_id, entities, direction, status, requested_by, requested_at, started_at, completed_at,
       dagster_run_id, provider_calls, records_read, error_summary
from rehearsals
where (%(id)s::uuid is null or id = %(id)s::uuid)
  and (%(connection_id)s::uuid is null or connection_id = %(connection_id)s::uuid)
  and (%(after_at)s::timestamptz is null
       or (requested_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by requested_at desc, id desc
limit %(rows_max)s;

-- name: view_rehearsal_totals
-- how many records and how much money per entity, outcome and book
select entity, outcome, book, currency, count(*) as records, coalesce(sum(amount), 0) as amount
from rehearsal_records
where rehearsal_id = %(rehearsal_id)s
group by entity, outcome, book, currency
order by min(position), outcome, book, currency;

-- name: view_rehearsal_records
-- the records of one rehearsal, in the order in which a sync works
select position, entity, outcome, book, is_known, label, amount, currency, record_id, remote_id, reason, code, remedy,
       cause, fields
from rehearsal_records
where rehearsal_id = %(rehearsal_id)s
  and (%(entity)s::text is null or entity = %(entity)s::text)
  and (%(outcome)s::text is null or outcome = %(outcome)s::text)
  and position > %(after)s
order by position
limit %(rows_max)s;

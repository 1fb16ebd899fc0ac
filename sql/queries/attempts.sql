-- Attempts: every write is stored before the call, and settled after it.

-- name: attempt_serials
-- How many attempts of a revision and operation ended: a further one is a new request.
select a.link_id::text, count(*)::int as serial
from jsonb_to_recordset(%(rows)s::jsonb) as w (link_id uuid, revision integer, operation text)
join attempts a on a.builder_id = %(builder_id)s and a.link_id = w.link_id and a.revision = w.revision
    and a.operation = w.operation and a.state in ('done', 'rejected', 'moved')
group by a.link_id;

-- name: stage_attempts
-- Stores attempts as `sending` before the call; the same request id again is the same attempt, sent again.
insert into attempts as a (
    builder_id, connection_id, link_id, entity, record_id, revision, operation, serial, request_id, marker,
    payload_hash, payload, remote_id, remote_version, mapping_version_id, details, sync_run_id, started_at)
select %(builder_id)s::uuid, %(connection_id)s::uuid, w.link_id, %(entity)s, w.record_id, w.revision, w.operation,
       w.serial, w.request_id, w.marker, w.payload_hash, w.payload, w.remote_id, w.remote_version,
       w.mapping_version_id, coalesce(w.details, '{}'), %(sync_run_id)s::uuid, %(now)s
from jsonb_to_recordset(%(rows)s::jsonb) as w (
    link_id uuid, record_id uuid, revision integer, operation text, serial integer, request_id text, marker text,
    payload_hash text, payload jsonb, remote_id text, remote_version text, mapping_version_id uuid, details jsonb)
on conflict (builder_id, connection_id, request_id) do update
set state = 'sending',
    first_started_at = coalesce(a.first_started_at, a.started_at),
    started_at = excluded.started_at,
    sendings = a.sendings + 1,
    settled_at = null,
    payload = excluded.payload,
    payload_hash = excluded.payload_hash,
    details = excluded.details,
    mapping_version_id = excluded.mapping_version_id,
    remote_version = excluded.remote_version;

-- name: settle_attempt
-- Stores how an attempt ended.
update attempts
set state = %(state)s,
    category = %(category)s,
    code = %(code)s,
    message = %(message)s,
    -- what ours said when it was sent is kept for the look in the ledger, and no longer
    details = case when %(state)s = 'unknown' then details else details - 'ours' end,
    remote_id = coalesce(%(remote_id)s, remote_id),
    remote_version = coalesce(%(remote_version)s, remote_version),
    settled_at = case when %(state)s = 'unknown' then null else %(now)s::timestamptz end
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and request_id = %(request_id)s;

-- name: uncount_sending
-- What was stored to be sent again and then was not is no sending.
update attempts
set sendings = sendings - 1
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and request_id = %(request_id)s;

-- name: confirm_attempts
-- Stores that writes were done, as the ledger answered.
update attempts a
set state = 'done',
    category = null,
    code = null,
    message = null,
    details = a.details - 'ours',
    remote_id = coalesce(d.remote_id, a.remote_id),
    remote_version = coalesce(d.remote_version, a.remote_version),
    settled_at = %(now)s
from jsonb_to_recordset(%(rows)s::jsonb) as d (request_id text, remote_id text, remote_version text)
where a.builder_id = %(builder_id)s
  and a.connection_id = %(connection_id)s
  and a.request_id = d.request_id;

-- name: unsettled_attempts
-- Attempts whose outcome nobody knows, with the mirror's record that carries their mark. One that a person chose to leave
-- is not looked at again until ours changes: then the ledger is asked before anything is sent.
select a.id::text, a.link_id::text, a.record_id::text, a.revision, a.operation, a.serial, a.request_id, a.marker,
       a.payload, a.payload_hash, a.remote_id, a.remote_version, a.started_at, a.details, a.sendings,
       l.state = 'failed'
           and l.next_try_at is null
           and l.decided_ours_checksum is not distinct from l.ours_checksum as is_given_up,
       coalesce(a.first_started_at, a.started_at) as first_started_at,
       a.mapping_version_id::text,
       (select case when count(*) = 1 then min(m.remote_id) end
        from mirror m
        where m.builder_id = a.builder_id
          and m.connection_id = a.connection_id
          and m.marker = a.marker
          and m.entity = a.entity
          and m.remote_id <> all (l.not_remote_ids)
          and m.remote_id is distinct from l.remote_id
          and m.state = 'active') as remote_id_with_marker,
       -- deleted since it was sent, and never seen alive or seen with its mark: perhaps what it made
       array(
           select m.remote_id
           from mirror m
           where m.builder_id = a.builder_id
             and m.connection_id = a.connection_id
             and m.entity = a.entity
             and m.state = 'deleted'
             and (m.canonical = '{}' or m.marker = a.marker)
             and coalesce(m.remote_changed_at, m.seen_at) >= coalesce(a.first_started_at, a.started_at) - interval '5 minutes'
           order by m.remote_id) as unseen_deleted,
       (select c.updated_at
        from cursors c
        where c.builder_id = a.builder_id
          and c.connection_id = a.connection_id
          and c.stream = 'changes') as changes_read_at
from attempts a
join links l on l.builder_id = a.builder_id and l.id = a.link_id
where a.builder_id = %(builder_id)s
  and a.connection_id = %(connection_id)s
  and a.entity = %(entity)s
  and a.state in ('sending', 'unknown')
  and not (
      l.state = 'ignored'
      and l.decided_ours_checksum is not distinct from l.ours_checksum)
order by a.started_at, a.id;

-- What the real-time worker asks: what changed for whom, and whether somebody else is at it.

-- name: real_time_changes
-- What changed, on our side or by a provider's hint, for connections that want it on the other side at once, the longest waiting first (as the scheduler).
-- One that does not work is left to the schedule's probes.
select c.builder_id::text, c.id::text as connection_id, c.provider, c.sync_window, c.time_zone,
       changed.entity, changed.is_bulk, changed.changed_at, c.pull_hinted_at
from v2_integration_connections c
left join lateral (
    select r.entity, r.is_bulk, max(r.changed_at) as changed_at, min(r.changed_at) as waiting_since
    from record_changes r
    where r.builder_id = c.builder_id
    group by r.entity, r.is_bulk) as changed on true
where c.status = 'connected'
  and c.settings ->> 'real_time' = 'true'
  and (changed.entity is not null or c.pull_hinted_at is not null)
order by coalesce(changed.waiting_since, c.pull_hinted_at), c.id;

-- name: is_bulk_waiting
-- Whether something that a large import brought has not been sent over this connection yet.
select exists (
        select 1
        from record_changes
        where builder_id = %(builder_id)s
          and is_bulk)
    or exists (
        select 1
        from links
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and bulk_checksum = ours_checksum
          and ours_checksum is distinct from base_ours_checksum
          and state = 'open') as is_waiting;

-- name: note_bulk_again
-- Has what a large import brought, and a broken-off pass did not send, looked at again.
insert into record_changes (builder_id, entity, record_id, is_bulk)
select builder_id, entity, record_id, true
from links
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = any (%(entities)s::text[])
  and bulk_checksum = ours_checksum
  and ours_checksum is distinct from base_ours_checksum
  and state = 'open'
on conflict (builder_id, entity, record_id) do nothing;

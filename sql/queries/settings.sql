-- How and when a connection is synced.

-- name: settings_read
-- A connection's settings.
select id, provider, coalesce(sync_schedule, 'hourly') as sync_schedule, sync_window,
       coalesce(nullif(time_zone, 'UTC'), (select b.time_zone from v2_builders b where b.id = c.builder_id)) as time_zone,
       coalesce(conflict_strategy, 'last_write_wins') as conflict_strategy,
       coalesce(settings ->> 'real_time', 'false') = 'true' as is_real_time, status, next_due_at,
       coalesce(settings, '{}') as settings
from v2_integration_connections c
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: settings_entities
-- How each entity is synced, where it has settings of its own.
select entity, is_enabled, direction, conflict_strategy, ended_here, ended_there, closed_period, approval
from entity_settings
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s;

-- name: settings_other_connections
-- The builder's other connections in use, by the name of their company.
select id, coalesce(provider_company_name, provider) as title
from v2_integration_connections
where builder_id = %(builder_id)s
  and id <> %(connection_id)s
  and status <> 'disconnected'
order by provider, id;

-- name: settings_save
-- Replaces a connection's settings.
update v2_integration_connections
set sync_schedule = %(sync_schedule)s,
    sync_window = %(sync_window)s::jsonb,
    time_zone = %(time_zone)s,
    conflict_strategy = %(conflict_strategy)s,
    settings = (coalesce(settings, '{}') - %(without)s::text[]) || %(preferences)s::jsonb
               || jsonb_build_object('real_time', %(is_real_time)s::boolean),
    next_due_at = case when status = 'disconnected' then null else %(next_due_at)s::timestamptz end,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: settings_account
-- An active account of the connection's ledger, by the ledger's own id.
select remote_id
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = 'account'
  and remote_id = %(account)s
  and state = 'active';

-- name: settings_look_again
-- Has links with one side looked at again: they were left behind by a direction, a switch or a day that is another one now.
-- That they were passed over stays to be seen: what names them may have come in meanwhile.
update links
set base_ours_checksum = null,
    base_theirs_checksum = case when record_id is null then 'to be looked at again' end
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = any (%(entities)s::text[])
  and (record_id is null or remote_id is null)
  and (record_id is null or base_ours_checksum is not null or base_theirs_checksum is not null);

-- name: settings_save_entities
-- Replaces the settings of each entity given; a lane or a policy that is left out stays as it is.
insert into entity_settings (
    builder_id, connection_id, entity, is_enabled, direction, conflict_strategy, ended_here, ended_there, closed_period,
    approval)
select %(builder_id)s::uuid, %(connection_id)s::uuid, e.entity, e.is_enabled, e.direction, e.conflict_strategy,
       case when e.ended_here = 'stays' then o.ended_here else e.ended_here end,
       case when e.ended_there = 'stays' then o.ended_there else e.ended_there end,
       coalesce(e.closed_period, o.closed_period, 'hold'),
       coalesce(e.approval, o.approval, 'direct')
from jsonb_to_recordset(%(rows)s::jsonb) as e (
    entity text, is_enabled boolean, direction text, conflict_strategy text, ended_here text, ended_there text,
    closed_period text, approval text)
left join entity_settings o on o.builder_id = %(builder_id)s::uuid and o.connection_id = %(connection_id)s::uuid
    and o.entity = e.entity
on conflict (builder_id, connection_id, entity) do update
set is_enabled = excluded.is_enabled,
    direction = excluded.direction,
    conflict_strategy = excluded.conflict_strategy,
    ended_here = excluded.ended_here,
    ended_there = excluded.ended_there,
    closed_period = excluded.closed_period,
    approval = excluded.approval;

-- name: settings_ends_again
-- Has pairs looked at again of which one side ended and the other was kept, because what is done about
-- that side's endings changed.
update links l
set base_ours_checksum = case when r.state <> 'active' then 'to be looked at again' else l.base_ours_checksum end,
    base_theirs_checksum = case when r.state = 'active' then 'to be looked at again' else l.base_theirs_checksum end
from records r, mirror m
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = any (case when r.state <> 'active' then %(here)s::text[] else %(there)s::text[] end)
  and l.base_ours_checksum is not null
  and l.base_theirs_checksum is not null
  and r.builder_id = l.builder_id
  and r.entity = l.entity
  and r.id = l.record_id
  and m.builder_id = l.builder_id
  and m.connection_id = l.connection_id
  and m.entity = l.entity
  and m.remote_id = l.remote_id
  and (r.state = 'active') <> (m.state = 'active');

-- The census: what the provider's lists show, page by page, against the mirror.

-- name: census_count
-- Stores what one page of a census listed.
insert into census (builder_id, connection_id, entity, remote_id, number, version, state, total, balance)
select %(builder_id)s::uuid, %(connection_id)s::uuid, c.entity, c.remote_id, %(number)s, c.version, c.state, c.total, c.balance
from jsonb_to_recordset(%(rows)s::jsonb) as c (
    entity text, remote_id text, version text, state text, total numeric, balance numeric)
on conflict (builder_id, connection_id, entity, remote_id) do update
set number = excluded.number,
    version = excluded.version,
    state = excluded.state,
    total = excluded.total,
    balance = excluded.balance;

-- name: census_differences
-- Records that the mirror shows otherwise: not listed, not in the mirror, or in another version, state or amount. One that
-- was looked into in this census, or before and has not changed since, is left out, and so are entities that are not synced
-- or whose list could not be read.
select m.entity, m.remote_id
from mirror m
where m.builder_id = %(builder_id)s
  and m.connection_id = %(connection_id)s
  and m.entity = any (%(synced)s::text[])
  and m.state <> 'deleted'
  and m.seen_at < %(begun_at)s
  and not exists (
      select
      from census c
      where c.builder_id = m.builder_id
        and c.connection_id = m.connection_id
        and c.entity = m.entity
        and c.remote_id = m.remote_id
        and (c.number = %(number)s or c.checked_number = %(number)s))
union all
select c.entity, c.remote_id
from census c
left join mirror m on m.builder_id = c.builder_id and m.connection_id = c.connection_id and m.entity = c.entity
    and m.remote_id = c.remote_id
where c.builder_id = %(builder_id)s
  and c.connection_id = %(connection_id)s
  and c.entity = any (%(synced)s::text[])
  and c.number = %(number)s
  and c.checked_number is distinct from %(number)s
  and (m.seen_at is null or m.seen_at < %(begun_at)s)
  and case
      when m.remote_id is null then c.checked_number is null or c.checked_version is distinct from c.version
      else c.version <> m.version
          or c.state <> m.state
          or (m.state = 'deleted' and c.state is null)
          or (m.state = 'active' and (c.total <> m.total or c.balance <> m.balance))
  end
order by 1, 2
limit %(rows_max)s;

-- name: census_check
-- Notes that a difference was looked into, and at which version.
insert into census (builder_id, connection_id, entity, remote_id, number, version, checked_number, checked_version)
values (
    %(builder_id)s, %(connection_id)s, %(entity)s, %(remote_id)s, 0, %(version)s, %(number)s, %(version)s)
on conflict (builder_id, connection_id, entity, remote_id) do update
set checked_number = excluded.checked_number,
    checked_version = census.version;

-- name: census_pass_over
-- Notes that a difference could not be looked into: an empty version is no record's, so the next census takes it for one that
-- has changed since.
insert into census (builder_id, connection_id, entity, remote_id, number, checked_number, checked_version)
values (%(builder_id)s, %(connection_id)s, %(entity)s, %(remote_id)s, 0, %(number)s, '')
on conflict (builder_id, connection_id, entity, remote_id) do update
set checked_number = excluded.checked_number,
    checked_version = excluded.checked_version;

-- name: census_end
-- Forgets what only earlier censuses listed.
delete from census
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and number < %(number)s;

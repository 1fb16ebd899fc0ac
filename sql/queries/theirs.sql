-- Theirs: the mirror of the provider's records, and the cursors that say how far it was read.

-- name: save_mirror
-- Stores provider records that differ from the copy we had and carries their checksums to the links; a record of a
-- synced entity that nobody knew gets a half link.
with incoming as (
    select *
    from jsonb_to_recordset(%(rows)s::jsonb) as r (
        entity text, remote_id text, version text, state text, canonical jsonb, checksum text, natural_key text,
        label text, document_date date, total numeric, balance numeric, currency text, marker text, raw jsonb,
        merged_into text, changed_at timestamptz)),
saved as (
    insert into mirror as m (
        builder_id, connection_id, entity, remote_id, version, state, canonical, checksum, natural_key, label,
        document_date, total, balance, currency, marker, raw, merged_into, remote_changed_at, seen_at)
    select %(builder_id)s::uuid, %(connection_id)s::uuid, entity, remote_id, version, state, canonical, checksum,
           natural_key, label, document_date, total, balance, currency, marker, raw, merged_into, changed_at, %(now)s
    from incoming
    on conflict (builder_id, connection_id, entity, remote_id) do update
    set version = excluded.version,
        state = excluded.state,
        canonical = excluded.canonical,
        checksum = excluded.checksum,
        natural_key = excluded.natural_key,
        label = excluded.label,
        document_date = excluded.document_date,
        total = excluded.total,
        balance = excluded.balance,
        currency = excluded.currency,
        marker = excluded.marker,
        raw = excluded.raw,
        merged_into = excluded.merged_into,
        remote_changed_at = excluded.remote_changed_at,
        seen_at = excluded.seen_at
    where m.version is distinct from excluded.version
       or m.checksum is distinct from excluded.checksum
       or m.balance is distinct from excluded.balance
    returning m.entity, m.remote_id, m.checksum),
linked as (
    insert into links as l (builder_id, connection_id, entity, remote_id, theirs_checksum)
    select %(builder_id)s::uuid, %(connection_id)s::uuid, s.entity, s.remote_id, s.checksum
    from saved s
    where s.entity = any (%(synced)s::text[])
    on conflict (builder_id, connection_id, entity, remote_id) do update
    set theirs_checksum = excluded.theirs_checksum,
        base_theirs_checksum = case
            when l.record_id is null and l.base_theirs_checksum is not null then 'to be looked at again'
            else l.base_theirs_checksum
        end
    where l.theirs_checksum is distinct from excluded.theirs_checksum
       -- An older document that was left because nothing was open on it: something may be now, though it reads the same.
       or (l.record_id is null
           and l.base_theirs_checksum is not null
           and l.entity in ('invoice', 'bill')
           and (select c.settings ->> 'history_from'
                from v2_integration_connections c
                where c.builder_id = %(builder_id)s
                  and c.id = %(connection_id)s) is not null)
    returning 1)
select count(*) from saved;

-- name: seen_before
-- Which of some records the mirror shows as they were read before a moment: what was written later did not make them.
select remote_id
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(entity)s
  and remote_id = any (%(remote_ids)s::text[])
  and seen_at < %(moment)s;

-- name: mark_mirror_deleted
-- Notes provider records that are gone; the last copy is kept as evidence. A record we never saw is no news, unless a write
-- of its kind is not confirmed yet: it may be what that write made, deleted before anybody looked.
with incoming as (
    select *
    from jsonb_to_recordset(%(rows)s::jsonb) as r (entity text, remote_id text, checksum text, changed_at timestamptz)),
gone as (
    update mirror m
    set state = 'deleted',
        checksum = i.checksum,
        balance = 0,
        remote_changed_at = coalesce(i.changed_at, m.remote_changed_at),
        seen_at = %(now)s
    from incoming i
    where m.builder_id = %(builder_id)s
      and m.connection_id = %(connection_id)s
      and m.entity = i.entity
      and m.remote_id = i.remote_id
      and m.state <> 'deleted'
    returning m.entity, m.remote_id, m.checksum),
unseen as (
    insert into mirror (
        builder_id, connection_id, entity, remote_id, state, canonical, checksum, label, balance, remote_changed_at, seen_at)
    select %(builder_id)s::uuid, %(connection_id)s::uuid, i.entity, i.remote_id, 'deleted', '{}', i.checksum, i.remote_id, 0,
           i.changed_at, %(now)s
    from incoming i
    where exists (
        select
        from attempts a
        where a.builder_id = %(builder_id)s::uuid
          and a.connection_id = %(connection_id)s::uuid
          and a.entity = i.entity
          and a.operation = 'create'
          and a.state in ('sending', 'unknown'))
    on conflict (builder_id, connection_id, entity, remote_id) do nothing
    returning 1),
linked as (
    update links l
    set theirs_checksum = g.checksum
    from gone g
    where l.builder_id = %(builder_id)s
      and l.connection_id = %(connection_id)s
      and l.entity = g.entity
      and l.remote_id = g.remote_id
    returning 1)
select count(*) from gone;

-- name: read_cursors
-- How far each stream of the provider's changes was read.
select stream, position
from cursors
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s;

-- name: read_cursor
-- How far a stream of the provider's changes was read.
select position
from cursors
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and stream = %(stream)s;

-- name: move_cursor
-- Remembers how far a stream was read.
insert into cursors (builder_id, connection_id, stream, position, updated_at)
values (%(builder_id)s, %(connection_id)s, %(stream)s, %(position)s, %(now)s)
on conflict (builder_id, connection_id, stream) do update
set position = excluded.position,
    updated_at = excluded.updated_at;

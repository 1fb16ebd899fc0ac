-- Merges in the ledger: a customer or vendor that another one took the place of.

-- name: merges_news
-- Linked names of one kind that ended in the ledger since both sides last agreed, and into which record, where it is said.
select l.id::text as link_id, l.remote_id, m.merged_into, m.state
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = %(entity)s
  and l.theirs_checksum is distinct from l.base_theirs_checksum
  and l.record_id is not null
  and (m.state = 'deleted' or m.merged_into is not null);

-- name: merges_shown
-- What the documents of names that are gone show: one other name that all of them moved to. A ledger that deletes no names
-- but by merging them does not say into which.
with moved as (
    select gone.remote_id, array_agg(distinct d.canonical ->> 'party') as parties
    from unnest(%(remote_ids)s::text[]) as gone (remote_id)
    join links l on l.builder_id = %(builder_id)s and l.connection_id = %(connection_id)s
        and l.entity = any (%(documents)s) and l.base_theirs ->> 'party' = gone.remote_id
    join mirror d on d.builder_id = l.builder_id and d.connection_id = l.connection_id and d.entity = l.entity
        and d.remote_id = l.remote_id and d.state <> 'deleted'
    group by gone.remote_id)
update mirror m
set merged_into = w.remote_id
from moved, mirror w
where m.builder_id = %(builder_id)s
  and m.connection_id = %(connection_id)s
  and m.entity = %(entity)s
  and m.remote_id = moved.remote_id
  and cardinality(moved.parties) = 1
  and w.builder_id = m.builder_id
  and w.connection_id = m.connection_id
  and w.entity = m.entity
  and w.remote_id = moved.parties[1]
  and w.remote_id <> m.remote_id
  and w.state = 'active';

-- name: merges_to_follow
-- Links that can follow to the record that took the place of theirs: it is in use, no record of ours stands for it, no other
-- of ours wants it, no write of either is unconfirmed, and no setting or person wants to be asked.
with wanted as (
    select l.id, l.remote_id, m.label, m.merged_into, count(*) over (partition by m.merged_into) as wanting
    from unnest(%(link_ids)s::uuid[]) as news (id)
    join links l on l.builder_id = %(builder_id)s and l.id = news.id
    join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
        and m.remote_id = l.remote_id)
select wanted.id::text as link_id, wanted.label as from_label, w.remote_id, w.label, w.checksum
from wanted
join mirror w on w.builder_id = %(builder_id)s and w.connection_id = %(connection_id)s and w.entity = %(entity)s
    and w.remote_id = wanted.merged_into
left join links t on t.builder_id = w.builder_id and t.connection_id = w.connection_id and t.entity = w.entity
    and t.remote_id = w.remote_id
left join entity_settings s on s.builder_id = w.builder_id and s.connection_id = w.connection_id and s.entity = w.entity
where wanted.wanting = 1
  and w.state = 'active'
  and t.record_id is null
  and coalesce(s.ended_there, 'follow') = 'follow'
  and not exists (
      select
      from attempts u
      where u.builder_id = w.builder_id
        and u.link_id in (wanted.id, t.id)
        and u.state in ('sending', 'unknown'));

-- name: merges_follow
-- Puts links on the records that took the place of theirs; what those say otherwise is a change of theirs.
update links l
set remote_id = f.remote_id,
    theirs_checksum = f.checksum,
    state = 'open',
    cause = null,
    decision = null,
    decided_ours_checksum = null,
    decided_theirs_checksum = null
from jsonb_to_recordset(%(rows)s::jsonb) as f (link_id uuid, remote_id text, checksum text)
where l.builder_id = %(builder_id)s
  and l.id = f.link_id;

-- name: merged_names_of
-- The names that took the place of names of ours in the ledger.
select l.record_id::text, w.label
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
join mirror w on w.builder_id = m.builder_id and w.connection_id = m.connection_id and w.entity = m.entity
    and w.remote_id = m.merged_into
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = %(entity)s
  and l.record_id = any (%(record_ids)s::uuid[]);

-- name: shared_names
-- Which names of the ledger are linked to an active record of ours of this entity.
select l.remote_id
from links l
join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = %(entity)s
  and l.remote_id = any (%(remote_ids)s)
  and r.state = 'active';

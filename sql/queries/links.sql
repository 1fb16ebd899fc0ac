-- Links: pairing ours with theirs, the three-way difference, and moving the base.

-- A record whose last write is not confirmed is paired by looking that write up, and by none of these.

-- name: halves_wait
-- Whether there are records of ours without theirs and of theirs without ours, so that some could be paired.
select exists (
        select 1
        from links
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and entity = %(entity)s
          and remote_id is null
          and ours_checksum is distinct from base_ours_checksum)
    and exists (
        select 1
        from links
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and entity = %(entity)s
          and record_id is null) as halves_wait;

-- name: match_by_name
-- Pairs accounts, customers or vendors that carry the same name on both sides, where each name stands alone.
with candidates as (
    select o.id as link_id, t.id as other_id, t.remote_id, t.theirs_checksum,
           count(*) over (partition by o.id) as theirs_count,
           count(*) over (partition by t.id) as ours_count
    from links o
    join records r on r.builder_id = o.builder_id and r.entity = o.entity and r.id = o.record_id
    join mirror m on m.builder_id = o.builder_id and m.connection_id = o.connection_id and m.entity = o.entity
        and m.natural_key = r.natural_key and m.state = 'active'
    join links t on t.builder_id = o.builder_id and t.connection_id = o.connection_id and t.entity = o.entity
        and t.remote_id = m.remote_id and t.record_id is null
    where o.builder_id = %(builder_id)s
      and o.connection_id = %(connection_id)s
      and o.entity = %(entity)s
      and o.remote_id is null
      and not exists (
          select
          from attempts u
          where u.builder_id = o.builder_id
            and u.link_id = o.id
            and u.state in ('sending', 'unknown'))
      and m.remote_id <> all (o.not_remote_ids)
      and o.ours_checksum is distinct from o.base_ours_checksum
      and r.state = 'active'),
chosen as (
    select *
    from candidates
    where theirs_count = 1
      and ours_count = 1)
select link_id::text, remote_id
from chosen;

-- name: match_by_number
-- Pairs documents that carry the same number for the same party on both sides, where each stands alone. A party is
-- the same when the two are linked; an entity without parties (journal entries) goes by number and date.
with candidates as (
    select o.id as link_id, t.id as other_id, t.remote_id,
           count(*) over (partition by o.id) as theirs_count,
           count(*) over (partition by t.id) as ours_count
    from links o
    join records r on r.builder_id = o.builder_id and r.entity = o.entity and r.id = o.record_id
    join mirror m on m.builder_id = o.builder_id and m.connection_id = o.connection_id and m.entity = o.entity
        and m.natural_key = r.natural_key and m.state = 'active'
    join links t on t.builder_id = o.builder_id and t.connection_id = o.connection_id and t.entity = o.entity
        and t.remote_id = m.remote_id and t.record_id is null
    left join links p on p.builder_id = o.builder_id and p.connection_id = o.connection_id
        and p.entity = %(party_entity)s and p.record_id = (r.canonical ->> 'party')::uuid
    where o.builder_id = %(builder_id)s
      and o.connection_id = %(connection_id)s
      and o.entity = %(entity)s
      and o.remote_id is null
      and not exists (
          select
          from attempts u
          where u.builder_id = o.builder_id
            and u.link_id = o.id
            and u.state in ('sending', 'unknown'))
      and m.remote_id <> all (o.not_remote_ids)
      and o.ours_checksum is distinct from o.base_ours_checksum
      and r.state = 'active'
      and case
          when %(party_entity)s::text is null then m.document_date = r.document_date
          else p.remote_id = m.canonical ->> 'party'
      end)
select link_id::text, remote_id
from candidates
where theirs_count = 1
  and ours_count = 1;

-- name: match_by_amount
-- Pairs documents and payments without a number by party, date and amount, where each stands alone on both sides.
with candidates as (
    select o.id as link_id, t.id as other_id, t.remote_id,
           count(*) over (partition by o.id) as theirs_count,
           count(*) over (partition by t.id) as ours_count
    from links o
    join records r on r.builder_id = o.builder_id and r.entity = o.entity and r.id = o.record_id
    join links p on p.builder_id = o.builder_id and p.connection_id = o.connection_id
        and p.entity = %(party_entity)s and p.record_id = (r.canonical ->> 'party')::uuid
    join mirror m on m.builder_id = o.builder_id and m.connection_id = o.connection_id and m.entity = o.entity
        and m.document_date = r.document_date and m.total = r.total and m.state = 'active'
        and m.canonical ->> 'party' = p.remote_id
    join links t on t.builder_id = o.builder_id and t.connection_id = o.connection_id and t.entity = o.entity
        and t.remote_id = m.remote_id and t.record_id is null
    where o.builder_id = %(builder_id)s
      and o.connection_id = %(connection_id)s
      and o.entity = %(entity)s
      and o.remote_id is null
      and not exists (
          select
          from attempts u
          where u.builder_id = o.builder_id
            and u.link_id = o.id
            and u.state in ('sending', 'unknown'))
      and m.remote_id <> all (o.not_remote_ids)
      and o.ours_checksum is distinct from o.base_ours_checksum
      and r.state = 'active'
      and r.natural_key is null
      and m.natural_key is null)
select link_id::text, remote_id
from candidates
where theirs_count = 1
  and ours_count = 1;

-- name: match_by_marker
-- Pairs records with the documents that carry the mark of one of their own attempts.
select distinct on (o.id) o.id::text as link_id, m.remote_id
from links o
join attempts a on a.builder_id = o.builder_id and a.link_id = o.id
join mirror m on m.builder_id = o.builder_id and m.connection_id = o.connection_id and m.entity = o.entity
    and m.marker = a.marker and m.state = 'active'
join links t on t.builder_id = o.builder_id and t.connection_id = o.connection_id and t.entity = o.entity
    and t.remote_id = m.remote_id and t.record_id is null
where o.builder_id = %(builder_id)s
  and o.connection_id = %(connection_id)s
  and o.entity = %(entity)s
  and o.remote_id is null
  and not exists (
      select
      from attempts u
      where u.builder_id = o.builder_id
        and u.link_id = o.id
        and u.state in ('sending', 'unknown'))
  and m.remote_id <> all (o.not_remote_ids)
  and o.ours_checksum is distinct from o.base_ours_checksum
order by o.id, m.remote_id;

-- name: drop_waiting_halves
-- Takes the half links of provider records away, because the records get full ones; what waited for a half waits no more.
with dropped as (
    delete from links t
    using jsonb_to_recordset(%(rows)s::jsonb) as p (link_id uuid, remote_id text), links o
    where o.builder_id = %(builder_id)s
      and o.id = p.link_id
      and t.builder_id = o.builder_id
      and t.connection_id = %(connection_id)s
      and t.entity = o.entity
      and t.remote_id = p.remote_id
      and t.record_id is null
      and t.id <> p.link_id
    returning t.builder_id, t.id)
update v2_sync_records r
set resolved_at = %(now)s,
    resolution = 'linked'
from dropped d
where r.builder_id = d.builder_id
  and r.link_id = d.id
  and r.status in ('error', 'conflict', 'held')
  and r.resolved_at is null;

-- name: pair_links
-- Puts provider records on our halves of links.
update links l
set remote_id = p.remote_id,
    theirs_checksum = (
        select m.checksum
        from mirror m
        where m.builder_id = l.builder_id
          and m.connection_id = l.connection_id
          and m.entity = l.entity
          and m.remote_id = p.remote_id),
    base_theirs_checksum = null,
    state = 'open'
from jsonb_to_recordset(%(rows)s::jsonb) as p (link_id uuid, remote_id text)
where l.builder_id = %(builder_id)s
  and l.id = p.link_id;

-- name: pair_new_records
-- Gives links that had only their side records of ours.
update links l
set record_id = p.record_id
from jsonb_to_recordset(%(rows)s::jsonb) as p (link_id uuid, record_id uuid)
where l.builder_id = %(builder_id)s
  and l.id = p.link_id;

-- name: read_by_index
-- Keeps the planner to index scans (off) or lets it choose again (on), until this transaction ends. It cannot estimate
-- how few links differ, and would read all of them.
select set_config('enable_seqscan', %(is_free)s, true), set_config('enable_bitmapscan', %(is_free)s, true);

-- name: different_links
-- The links on which something has to be decided now. What a person or a setting has decided about these very values,
-- what waits for a choice and what is not due yet is left out; so is, in a more urgent sync, what a large import brought
-- and nobody has sent or touched since.
select l.id
from links l
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = %(entity)s
  and (l.ours_checksum is distinct from l.base_ours_checksum
       or l.theirs_checksum is distinct from l.base_theirs_checksum
       or l.state in ('held', 'conflict', 'failed'))
  and l.state <> 'unknown'
  and (%(takes_bulk)s
       or l.state <> 'open'
       or l.bulk_checksum is null
       or l.bulk_checksum is distinct from l.ours_checksum
       or l.ours_checksum is not distinct from l.base_ours_checksum)
  and not (
      l.state in ('ignored', 'conflict', 'failed')
      and l.decided_ours_checksum is not distinct from l.ours_checksum
      and l.decided_theirs_checksum is not distinct from l.theirs_checksum
      and not (l.state = 'failed' and l.next_try_at is not null and l.next_try_at <= %(now)s));

-- name: quiet_entities
-- How each entity that is synced is synced, while nothing at all is to be done in any: no change is noted, no outcome is open
-- (but what a person chose to leave) and no link differs. No row where something may be.
with synced as materialized (
    select e.entity, e.place, s.direction
    from unnest(%(entities)s::text[]) with ordinality as e (entity, place)
    left join entity_settings s on s.builder_id = %(builder_id)s and s.connection_id = %(connection_id)s
        and s.entity = e.entity
    where coalesce(s.is_enabled, true))
select e.entity, e.direction
from synced e
where not exists (
      select 1
      from record_changes
      where builder_id = %(builder_id)s
        and entity = any (array(select entity from synced)))
  and not exists (
      select 1
      from attempts a
      join links l on l.builder_id = a.builder_id and l.id = a.link_id
      where a.builder_id = %(builder_id)s
        and a.connection_id = %(connection_id)s
        and a.state in ('sending', 'unknown')
        and a.entity = any (array(select entity from synced))
        and not (
            l.state = 'ignored'
            and l.decided_ours_checksum is not distinct from l.ours_checksum))
  and not exists (
      select 1
      from links l
      where l.builder_id = %(builder_id)s
        and l.connection_id = %(connection_id)s
        and l.entity = any (array(select entity from synced))
        and (l.ours_checksum is distinct from l.base_ours_checksum
             or l.theirs_checksum is distinct from l.base_theirs_checksum
             or l.state in ('held', 'conflict', 'failed', 'unknown'))
        and not (
            l.state in ('ignored', 'conflict', 'failed')
            and l.decided_ours_checksum is not distinct from l.ours_checksum
            and l.decided_theirs_checksum is not distinct from l.theirs_checksum
            and not (l.state = 'failed' and l.next_try_at is not null and l.next_try_at <= %(now)s)))
order by e.place;

-- name: links_in_order
-- These links, oldest document first.
select l.id::text
from unnest(%(link_ids)s::uuid[]) as wanted (id)
join links l on l.builder_id = %(builder_id)s and l.id = wanted.id
left join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
left join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
order by coalesce(r.document_date, m.document_date), coalesce(r.label, m.label), l.id;

-- name: load_links
-- Links with both of their sides.
select l.id::text, l.entity, l.record_id::text, l.remote_id, l.ours_checksum, l.theirs_checksum,
       l.base_ours_checksum, l.base_theirs_checksum, l.base_ours, l.base_theirs, l.state, l.tries, l.first_failed_at,
       l.line_versions, l.not_remote_ids, l.approved_checksum, l.approved_by,
       case when l.period_choice_checksum = l.ours_checksum then l.period_choice end as period_choice,
       case
           when l.decision is not null
                and l.decision <> 'dismissed'
                and l.decided_ours_checksum is not distinct from l.ours_checksum
                and l.decided_theirs_checksum is not distinct from l.theirs_checksum then l.decision
       end as decision,
       r.state as our_state, r.canonical as our_canonical, r.checksum as our_checksum, r.revision, r.label as our_label,
       r.changed_at as our_changed_at, r.total as our_total, r.currency as our_currency,
       m.state as their_state, m.canonical as their_canonical, m.checksum as their_checksum, m.version,
       m.label as their_label, m.remote_changed_at, m.total as their_total, m.balance as their_balance, m.currency as their_currency, m.raw,
       (select w.label
        from mirror w
        where w.builder_id = m.builder_id
          and w.connection_id = m.connection_id
          and w.entity = m.entity
          and w.remote_id = m.merged_into) as merged_into
from unnest(%(link_ids)s::uuid[]) with ordinality as wanted (id, position)
join links l on l.builder_id = %(builder_id)s and l.id = wanted.id
left join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
left join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
order by wanted.position;

-- name: settle_links
-- Moves the base of links on which both sides agree.
update links l
set base_ours_checksum = s.ours_checksum,
    base_theirs_checksum = s.theirs_checksum,
    base_ours = s.base_ours,
    base_theirs = s.base_theirs,
    state = 'open',
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null,
    decision = null,
    decided_ours_checksum = null,
    decided_theirs_checksum = null,
    -- A person accepted this push, and not the next one of the same values; who it was stays as evidence. What was edited
    -- and accepted while this was under way is still to be sent.
    approved_checksum = case
        when l.approved_checksum = l.ours_checksum and l.ours_checksum is distinct from s.ours_checksum then l.approved_checksum
    end,
    period_choice_checksum = case
        when l.period_choice_checksum = l.ours_checksum and l.ours_checksum is distinct from s.ours_checksum
            then l.period_choice_checksum
    end,
    mapping_version_id = coalesce(s.mapping_version_id, l.mapping_version_id),
    line_versions = coalesce(s.line_versions, l.line_versions),
    linked_by = coalesce(l.linked_by, s.linked_by),
    linked_at = case when l.linked_at is null and s.linked_by is not null then %(now)s else l.linked_at end,
    settled_at = %(now)s
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    link_id uuid, ours_checksum text, theirs_checksum text, base_ours jsonb, base_theirs jsonb, linked_by text,
    mapping_version_id uuid, line_versions jsonb)
where l.builder_id = %(builder_id)s
  and l.id = s.link_id;

-- name: leave_links
-- Takes note of links about which nothing is done: the values they were judged by become the base, so that they are not
-- looked at again until one changes. What another sync has absorbed since is not among them: nobody has judged it.
update links l
set base_ours_checksum = j.ours_checksum,
    base_theirs_checksum = j.theirs_checksum,
    state = 'open',
    cause = null
from jsonb_to_recordset(%(rows)s::jsonb) as j (link_id uuid, ours_checksum text, theirs_checksum text)
where l.builder_id = %(builder_id)s
  and l.id = j.link_id;

-- name: block_links
-- Takes note of why links cannot go on, with the checksums they were judged by.
update links l
set state = b.state,
    cause = b.cause,
    tries = b.tries,
    first_failed_at = b.first_failed_at,
    next_try_at = b.next_try_at,
    -- a person's choice about these values stands until it is carried out; only a new conflict asks again
    decision = case
        when b.state <> 'conflict'
             and l.decided_ours_checksum is not distinct from b.ours_checksum
             and l.decided_theirs_checksum is not distinct from b.theirs_checksum then l.decision
    end,
    -- another sync may have absorbed an edit since
    decided_ours_checksum = b.ours_checksum,
    decided_theirs_checksum = b.theirs_checksum
from jsonb_to_recordset(%(rows)s::jsonb) as b (
    link_id uuid, ours_checksum text, theirs_checksum text, state text, cause text, tries integer,
    first_failed_at timestamptz, next_try_at timestamptz)
where l.builder_id = %(builder_id)s
  and l.id = b.link_id;

-- name: open_link
-- Lets a link be looked at again.
update links
set state = 'open',
    cause = null
where builder_id = %(builder_id)s
  and id = %(link_id)s;

-- name: reopen_after_consent
-- A fresh consent, or access that works again, releases what was refused without it: it is tried again from the beginning.
update links l
set state = 'open',
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
from v2_sync_records r
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.state = 'failed'
  and r.builder_id = l.builder_id
  and r.link_id = l.id
  and r.resolved_at is null
  and r.status = 'error'
  and r.category = 'auth';

-- name: remote_ids_of
-- The provider's ids of records of ours that are linked.
select l.record_id::text, l.remote_id
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = %(entity)s
  and l.record_id = any (%(record_ids)s::uuid[])
  and m.state in ('active', 'inactive')
  and m.merged_into is null;

-- name: record_ids_of
-- Our ids of provider records that are linked.
select record_id::text, remote_id
from links
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(entity)s
  and remote_id = any (%(remote_ids)s::text[])
  and record_id is not null;

-- name: our_labels
-- The labels of records of ours, for sentences.
select id::text, label
from records
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and id = any (%(record_ids)s::uuid[]);

-- name: their_labels
-- The labels of provider records, for sentences.
select remote_id, label
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(entity)s
  and remote_id = any (%(remote_ids)s::text[]);

-- name: code_names
-- Every cost code with its name, for sentences.
select id::text, code || ' ' || name as name
from v2_cost_codes
where builder_id = %(builder_id)s;

-- name: reopen_naming
-- Looks again at payments that pay a document, and at deposits of a payment, which has just been linked: what was left
-- without it comes in, and what came in without it is told of it. One look at each table, whatever the planner knows of them.
with naming as materialized (
    select m.remote_id
    from mirror m
    cross join lateral jsonb_array_elements(m.canonical -> %(list)s) as a (item)
    where m.builder_id = %(builder_id)s
      and m.connection_id = %(connection_id)s
      and m.entity = %(naming_entity)s
      and a.item ->> %(key)s = any (%(remote_ids)s::text[]))
update links
set base_theirs_checksum = 'to be looked at again'
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(naming_entity)s
  and remote_id = any (array(select remote_id from naming))
  and base_theirs_checksum is not null;

-- name: reopen_left
-- Looks again at documents that were left in the ledger, because money that pays them is here now.
update links
set base_theirs_checksum = 'to be looked at again'
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(entity)s
  and remote_id = any (%(remote_ids)s::text[])
  and record_id is null
  and base_theirs_checksum is not null;

-- name: paid_since
-- Which of these documents are paid by money that is here, or that comes in because it is of that day or later. One look at
-- each table, whatever the planner knows of them.
with money as materialized (
    select m.remote_id, m.document_date, a.item ->> %(key)s as document
    from mirror m
    cross join lateral jsonb_array_elements(m.canonical -> %(list)s) as a (item)
    where m.builder_id = %(builder_id)s
      and m.connection_id = %(connection_id)s
      and m.entity = %(naming_entity)s
      and m.state = 'active'
      and a.item ->> %(key)s = any (%(remote_ids)s::text[])),
here as materialized (
    select remote_id
    from links
    where builder_id = %(builder_id)s
      and connection_id = %(connection_id)s
      and entity = %(naming_entity)s
      and remote_id = any (array(select remote_id from money where document_date < %(since)s))
      and record_id is not null)
select distinct document
from money
where document_date >= %(since)s
   or remote_id in (select remote_id from here);

-- name: read_entity_setting
-- How one entity is synced on one connection; without a direction, by the defaults.
select e.is_enabled, e.direction, e.conflict_strategy, e.ended_here, e.ended_there, e.closed_period, e.approval,
       (c.settings ->> 'history_from')::date as history_from
from v2_integration_connections c
left join entity_settings e on e.builder_id = c.builder_id and e.connection_id = c.id and e.entity = %(entity)s
where c.builder_id = %(builder_id)s
  and c.id = %(connection_id)s;

-- name: read_closed_until
-- Until when the provider's books are closed, as it reports it or lately said when it refused something.
select greatest(
           books_closed_until,
           case when books_refused_exactly and books_refused_at > %(since)s then books_refused_until end)
           as until,
       case when books_refused_at > %(since)s then books_refused_until end as refused_until,
       books_closed_until as reported
from v2_integration_connections
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: note_closed_until
-- Remembers until when the provider's books are closed; the same answer again changes nothing.
update v2_integration_connections
set books_closed_until = %(day)s,
    books_closed_read_at = %(now)s,
    -- somebody moved the closing date: what was learnt before says nothing any more
    books_refused_at = case when books_closed_until is distinct from %(day)s then null else books_refused_at end
where builder_id = %(builder_id)s
  and id = %(connection_id)s
  and (books_closed_until is distinct from %(day)s or books_closed_read_at is null);

-- name: note_refused_period
-- Remembers what a refusal taught: the last closed day, or a day that is closed at least.
update v2_integration_connections
set books_refused_until = greatest(case when books_refused_at > %(since)s then books_refused_until end, %(day)s),
    books_refused_exactly = %(is_exact)s
        and (books_refused_at is null or books_refused_at <= %(since)s or books_refused_until <= %(day)s),
    books_refused_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- Dimensions: what a connection uses, the options of jobs, cost codes and cost types, and the subjects themselves.

-- name: dimension_settings
-- What a connection says about dimensions and tax codes.
select id, provider, coalesce(settings -> 'dimensions', '[]') as dimensions,
       coalesce(settings -> 'tax_codes', '[]') as tax_codes
from v2_integration_connections
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: dimension_settings_save
-- Replaces what a connection says about dimensions and tax codes.
update v2_integration_connections
set settings = coalesce(settings, '{}') || jsonb_build_object(
        'dimensions', %(dimensions)s::jsonb, 'tax_codes', %(tax_codes)s::jsonb),
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: dimension_options
-- The options of a connection, with the subject as it is called now.
select o.list, o.category, o.subject, o.subject_id, o.label, o.name, o.named, o.state, o.remote_id, o.list_id,
       o.parent_id, o.message, o.is_made
from dimension_options o
where o.builder_id = %(builder_id)s
  and o.connection_id = %(connection_id)s
order by o.list, o.category, o.subject, o.label, o.subject_id;

-- name: dimension_option_save
-- Keeps how one option stands.
insert into dimension_options as o (
    builder_id, connection_id, list, category, subject, subject_id, label, name, named, state, remote_id, list_id,
    parent_id, message, is_made, updated_at)
values (
    %(builder_id)s, %(connection_id)s, %(list)s, %(category)s, %(subject)s, %(subject_id)s, %(label)s, %(name)s,
    %(named)s, %(state)s, %(remote_id)s, %(list_id)s, %(parent_id)s, %(message)s, %(is_made)s, %(now)s)
on conflict (builder_id, connection_id, list, category, subject, subject_id) do update
set label = excluded.label,
    name = excluded.name,
    named = excluded.named,
    state = excluded.state,
    remote_id = excluded.remote_id,
    list_id = excluded.list_id,
    parent_id = excluded.parent_id,
    message = excluded.message,
    is_made = excluded.is_made,
    updated_at = excluded.updated_at;

-- name: dimension_subjects
-- The jobs, cost codes or cost types that lines wait for, and those whose option differs from how they stand: another
-- name, another client, closed. Lines wait while their document differs from what was last agreed on.
with waiting as (
    select distinct case %(subject)s::text
               when 'job' then line ->> 'job'
               when 'cost_code' then line ->> 'code'
               else (select c.cost_type
                     from v2_cost_codes c
                     where c.builder_id = l.builder_id and c.id = (line ->> 'code')::uuid)
           end as id
    from links l
    join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id and r.state = 'active'
    cross join lateral jsonb_array_elements(r.canonical -> 'lines') as line
    where l.builder_id = %(builder_id)s
      and l.connection_id = %(connection_id)s
      and l.entity in ('invoice', 'bill', 'journal_entry')
      and l.state <> 'ignored'
      and (l.ours_checksum is distinct from l.base_ours_checksum
           or l.theirs_checksum is distinct from l.base_theirs_checksum)),
subjects as (
    select j.id::text as id, j.number || ' ' || j.name as label, j.status <> 'closed' as is_open,
           (select p.remote_id
            from links p
            where p.builder_id = j.builder_id and p.connection_id = %(connection_id)s and p.entity = 'customer'
              and p.record_id = j.client_id) as parent_id
    from v2_jobs j
    where j.builder_id = %(builder_id)s
      and %(subject)s = 'job'
    union all
    select c.id::text, c.code || ' ' || c.name, c.is_active, null
    from v2_cost_codes c
    where c.builder_id = %(builder_id)s
      and %(subject)s = 'cost_code'
    union all
    select distinct c.cost_type, c.cost_type, true, null
    from v2_cost_codes c
    where c.builder_id = %(builder_id)s
      and %(subject)s = 'cost_type'
      and c.cost_type <> '')
select s.id, s.label, s.is_open, s.parent_id, w.id is not null as is_pending
from subjects s
left join waiting w on w.id = s.id
left join dimension_options o on o.builder_id = %(builder_id)s and o.connection_id = %(connection_id)s
    and o.list = %(list)s and o.category = %(category)s and o.subject = %(subject)s and o.subject_id = s.id
where w.id is not null
   or (o.state = 'ready'
       and (o.label <> s.label or not s.is_open
            or (o.list = 'sub_customer' and s.parent_id is not null and o.parent_id <> s.parent_id))
       -- what the ledger refused and no line needs is tried again a day later
       and (o.message is null or o.updated_at < %(now)s::timestamptz - interval '1 day'))
order by s.label, s.id;

-- name: dimension_cost_types
-- The cost type of each cost code that has one.
select id::text, cost_type
from v2_cost_codes
where builder_id = %(builder_id)s
  and cost_type <> '';

-- name: dimension_subject_exists
-- Whether a builder has this job, cost code or cost type; its name if so.
select j.number || ' ' || j.name as label
from v2_jobs j
where j.builder_id = %(builder_id)s and %(subject)s = 'job' and j.id::text = %(subject_id)s
union all
select c.code || ' ' || c.name
from v2_cost_codes c
where c.builder_id = %(builder_id)s and %(subject)s = 'cost_code' and c.id::text = %(subject_id)s
union all
(select c.cost_type
 from v2_cost_codes c
 where c.builder_id = %(builder_id)s and %(subject)s = 'cost_type' and c.cost_type = %(subject_id)s
 limit 1);

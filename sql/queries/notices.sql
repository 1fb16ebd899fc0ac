-- What people are told: raised from the state of things, never from single events.

-- name: notices_raise
-- compare what is the matter now with the open notices: begin, follow and end them; returns those that began
with newest_tie_outs as (
    select c.id as connection_id, t.is_tied, t.difference, t.taken_at
    from v2_integration_connections c
    cross join lateral (
        select is_tied, difference, taken_at
        from tie_outs
        where builder_id = c.builder_id
          and connection_id = c.id
        order by taken_at desc
        limit 1
    ) as t
), ended_runs as (
    select c.id as connection_id, count(*) as runs, bool_and(r.status = 'failed') as all_failed,
           (array_agg(r.error_summary order by r.requested_at desc))[1] as error
    from v2_integration_connections c
    cross join lateral (
        select status, error_summary, requested_at
        from sync_runs
        where builder_id = c.builder_id
          and connection_id = c.id
          and status in ('completed', 'partial', 'failed')
          and not gave_way
        order by requested_at desc, id desc
        limit 2
    ) as r
    where c.status = 'connected'
    group by c.id
), stuck as (
    -- writes that no look in the ledger has explained for a day
    select distinct link_id
    from attempts
    where state in ('sending', 'unknown')
      and coalesce(first_started_at, started_at) <= %(now)s::timestamptz - interval '1 day'
), waiting as (
    select r.connection_id,
           case r.status when 'conflict' then 'conflicts' when 'held' then 'held' else 'dead_letters' end as kind,
           count(*) as records,
           count(distinct coalesce(r.cause, r.id::text)) as causes
    from v2_sync_records r
    left join links l on l.builder_id = r.builder_id and l.id = r.link_id
    where r.resolved_at is null
      and (r.status = 'conflict'
           -- what was released meanwhile waits for nothing but the next sync (as in notices_records)
           or r.status = 'held' and l.state = 'held'
           -- what is tried again or looked up by itself needs nobody (as in notices_records)
           or r.status = 'error'
              and (l.state = 'failed' and l.next_try_at is null
                   or l.state = 'unknown' and r.code = 'push.outcome_undecided'
                   or l.state = 'unknown' and r.link_id in (select link_id from stuck)))
    group by 1, 2
), present as (
    select id as connection_id, 'connection_lost' as kind, 0 as records,
           jsonb_build_object('reason', coalesce(status_reason, ''))
               || case when status = 'error' then jsonb_build_object('is_probed', true) else '{}' end as facts
    from v2_integration_connections
    where status in ('expired', 'error')
    union all
    select id, 'refresh_failing', 0, jsonb_build_object('times', refresh_failures)
    from v2_integration_connections
    where status = 'connected'
      and refresh_failures > 0
    union all
    select c.id, 'access_ending', 0, jsonb_build_object('ends_at', coalesce(t.refresh_expires_at, c.refresh_expires_at))
    from v2_integration_connections c
    left join token_sets t on t.id = c.token_set_id
    where c.status = 'connected'
      and coalesce(t.refresh_expires_at, c.refresh_expires_at) <= %(now)s::timestamptz + %(expiry_warning)s::interval
    union all
    select w.connection_id, w.kind, w.records,
           case w.kind when 'held' then jsonb_build_object('causes', w.causes) else '{}' end
    from waiting w
    join v2_integration_connections c on c.id = w.connection_id
    where c.status <> 'disconnected'
    union all
    select t.connection_id, 'tie_out_difference', 0, jsonb_build_object('difference', t.difference::text)
    from newest_tie_outs t
    join v2_integration_connections c on c.id = t.connection_id
    where not t.is_tied
      and c.status <> 'disconnected'
      -- A write that is being looked up, or that was found since, may be all of the difference: the tie-out after it says.
      -- What was told before goes on being told.
      and (not exists (
               select
               from attempts a
               where a.builder_id = c.builder_id
                 and a.connection_id = c.id
                 and a.state in ('sending', 'unknown')
                 and coalesce(a.first_started_at, a.started_at) > %(now)s::timestamptz - interval '1 day')
           and not exists (
               select
               from links l
               where l.builder_id = c.builder_id
                 and l.connection_id = c.id
                 and l.settled_at > t.taken_at)
           or exists (
               select
               from notifications n
               where n.connection_id = c.id
                 and n.kind = 'tie_out_difference'
                 and n.resolved_at is null))
    union all
    -- what the newest finished census could not read
    select c.id, 'lists_unread', 0, jsonb_build_object('entities', p.position::jsonb -> 'told')
    from v2_integration_connections c
    join cursors p on p.builder_id = c.builder_id and p.connection_id = c.id
    where c.status <> 'disconnected'
      -- only a census keeps its place as JSON
      and case p.stream when 'census' then p.position::jsonb -> 'told' <> '[]' else false end
    union all
    select connection_id, 'outage_began', 0, jsonb_build_object('reason', coalesce(error, ''))
    from ended_runs
    where runs = 2
      and all_failed
    union all
    -- the end of an outage is news for a day
    select n.connection_id, 'outage_ended', 0, '{}'
    from notifications n
    join ended_runs r on r.connection_id = n.connection_id
    where n.kind = 'outage_began'
      and not r.all_failed
      and coalesce(n.resolved_at, %(now)s::timestamptz) > %(now)s::timestamptz - interval '1 day'
    group by n.connection_id
    union all
    select null, 'webhook_disabled', count(*), '{}'
    from webhook_endpoints
    where status = 'disabled'
      and disabled_reason <> 'a person disabled it'
    having count(*) > 0
), ended as (
    update notifications n
    set resolved_at = %(now)s
    where n.resolved_at is null
      and not exists (
          select from present p
          where p.connection_id is not distinct from n.connection_id
            and p.kind = n.kind)
), told as (
    insert into notifications (builder_id, kind, connection_id, records, facts, raised_at, created_at)
    select current_setting('app.builder_id')::uuid, kind, connection_id, records, facts, %(now)s, %(now)s
    from present
    on conflict (builder_id, connection_id, kind) where resolved_at is null do update
    set raised_at = case when excluded.records > notifications.records then excluded.raised_at
                         else notifications.raised_at end,
        records = excluded.records,
        facts = excluded.facts
    returning id, kind, connection_id, records, facts, created_at, (xmax = 0) as is_new
), mailed as (
    insert into notification_mails (builder_id, notification_id, person, next_try_at)
    select p.builder_id, t.id, p.person,
           -- a hold that passes by itself, or that somebody ends at once, is no mail
           %(now)s::timestamptz + case t.kind when 'held' then %(held_quiet)s::interval else interval '0' end
    from told t
    cross join notification_preferences p
    where t.is_new
      and p.email is not null
      and t.kind <> all (p.muted)
    on conflict do nothing
)
select id, kind, connection_id, records, facts
from told
where is_new
order by kind, connection_id;

-- name: notices_list
-- what one person is told, newest first; a notice that grew after it was read is unread again
select n.id, n.kind, n.connection_id, c.provider, c.provider_company_name as company_name, n.records, n.facts,
       n.raised_at, n.created_at, n.resolved_at, r.read_at
from notifications n
left join v2_integration_connections c on c.builder_id = n.builder_id and c.id = n.connection_id
left join notification_preferences p on p.builder_id = n.builder_id and p.person = %(person)s
left join notification_reads r
    on r.builder_id = n.builder_id and r.notification_id = n.id and r.person = %(person)s and r.read_at >= n.raised_at
where n.kind <> all (coalesce(p.muted, '{}'))
  and (not %(unread_only)s::boolean or r.read_at is null)
  and (not %(open_only)s::boolean or n.resolved_at is null)
  and (%(after_at)s::timestamptz is null
       or (n.raised_at, n.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by n.raised_at desc, n.id desc
limit %(rows_max)s;

-- name: notices_unread
-- how many notices one person has not read
select count(*)
from notifications n
left join notification_preferences p on p.builder_id = n.builder_id and p.person = %(person)s
where n.kind <> all (coalesce(p.muted, '{}'))
  and not exists (
      select from notification_reads r
      where r.builder_id = n.builder_id
        and r.notification_id = n.id
        and r.person = %(person)s
        and r.read_at >= n.raised_at);

-- name: notices_mark_read
-- a person has read these, or all of them
insert into notification_reads (builder_id, person, notification_id, read_at)
select builder_id, %(person)s, id, %(now)s
from notifications
where %(ids)s::uuid[] is null
   or id = any(%(ids)s::uuid[])
on conflict (builder_id, person, notification_id) do update
set read_at = excluded.read_at;

-- name: notices_preferences
-- what a person wants to be told, and where
select email, muted
from notification_preferences
where person = %(person)s;

-- name: notices_prefer
-- what a person wants to be told from now on
insert into notification_preferences (builder_id, person, email, muted, updated_at)
values (current_setting('app.builder_id')::uuid, %(person)s, %(email)s, %(muted)s, %(now)s)
on conflict (builder_id, person) do update
set email = excluded.email,
    muted = excluded.muted,
    updated_at = excluded.updated_at;

-- name: mail_builders_due
-- whose mails are due; runs as the scheduler
select distinct builder_id
from notification_mails
where state = 'pending'
  and next_try_at <= %(now)s;

-- name: builders_all
-- every builder, for the sweep; runs as the scheduler
select id
from v2_builders
order by id;

-- name: mail_claim
-- take one person's due mails to be sent as one; what is no longer the matter is dropped instead
with person as (
    select m.person
    from notification_mails m
    where m.state = 'pending'
      and m.next_try_at <= %(now)s
    order by m.next_try_at
    limit 1
), due as (
    select m.notification_id, m.person
    from notification_mails m
    join person using (person)
    where m.state = 'pending'
      and m.next_try_at <= %(now)s
    for update of m skip locked
), claimed as (
    update notification_mails m
    set state = case when n.resolved_at is null and p.email is not null then 'sending' else 'dropped' end,
        tries = m.tries + 1,
        settled_at = %(now)s
    from due d
    join notifications n on n.id = d.notification_id
    join notification_preferences p on p.person = d.person
    where m.notification_id = d.notification_id
      and m.person = d.person
    returning m.notification_id, m.person, m.state, m.tries, p.email
)
select k.notification_id, k.person, k.state, k.tries, k.email, n.kind, n.connection_id, n.records, n.facts, n.raised_at,
       c.provider, c.provider_company_name as company_name, b.name as builder_name
from claimed k
join notifications n on n.id = k.notification_id
left join v2_integration_connections c on c.id = n.connection_id
join v2_builders b on b.id = n.builder_id
order by n.raised_at, n.kind;

-- name: notices_records
-- the newest records behind a notice of records that wait, to name them in its mail
select r.id, r.platform_entity_type, r.label, r.error_message, l.record_id, c.provider,
       coalesce(r.provider_entity_id, l.remote_id) as provider_entity_id
from v2_sync_records r
join v2_integration_connections c on c.builder_id = r.builder_id and c.id = r.connection_id
left join links l on l.builder_id = r.builder_id and l.id = r.link_id
where r.connection_id = %(connection_id)s
  and r.resolved_at is null
  and case %(kind)s::text
      when 'conflicts' then r.status = 'conflict'
      when 'held' then r.status = 'held' and l.state = 'held'
      else r.status = 'error'
           and (l.state = 'failed' and l.next_try_at is null
                or l.state = 'unknown' and r.code = 'push.outcome_undecided'
                or l.state = 'unknown'
                   and exists (
                       select
                       from attempts a
                       where a.builder_id = l.builder_id
                         and a.link_id = l.id
                         and a.state in ('sending', 'unknown')
                         and coalesce(a.first_started_at, a.started_at) <= %(now)s::timestamptz - interval '1 day'))
  end
order by r.created_at desc, r.id desc
limit %(rows_max)s;

-- name: mail_settle
-- how sending went
update notification_mails
set state = %(state)s,
    next_try_at = %(next_try_at)s,
    settled_at = %(now)s
where person = %(person)s
  and notification_id = any(%(ids)s::uuid[])
  and state = 'sending';

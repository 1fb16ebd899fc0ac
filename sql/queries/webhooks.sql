-- Webhooks out: events are written from what syncs left behind, each once; deliveries are tried until they arrive.

-- name: events_looked_at
-- when this builder's events were last written
select looked_at
from webhook_event_marks;

-- name: events_write
-- what happened since the last look, as events, and a delivery for each endpoint that wants it; planned once for any time,
-- which the planner takes for a third of all history: so the log's rows are walked one by one, by the index of their time
with touched as (
    select r.*, l.sync_type
    from v2_sync_log l
    cross join lateral (
        select *
        from v2_sync_records
        where builder_id = l.builder_id
          and sync_log_id = l.id
          and created_at >= %(since)s::timestamptz
        offset 0) r
    where l.started_at >= %(since)s::timestamptz - interval '2 hours'
), settled as (
    select r.*
    from v2_sync_records r
    where r.resolved_at >= %(since)s::timestamptz
      and r.status in ('error', 'held', 'conflict')
), happened as (
    select case status when 'synced' then 'document.synced'
                       when 'error' then 'document.failed'
                       when 'held' then 'document.held'
                       else 'conflict.opened' end as type,
           case status when 'synced' then 'synced' when 'error' then 'failed' when 'held' then 'held'
                       else 'conflict' end || ':' || id as key,
           id as sync_record_id, connection_id, platform_entity_type, platform_entity_id, provider_entity_id,
           direction, action, label, amount, currency, error_message, code, created_at as at
    from touched
    where status in ('synced', 'error', 'held', 'conflict')
      -- bringing in the books that were there before is no news, document by document
      and not (status = 'synced' and sync_type = 'initial_import')
    union all
    select case platform_entity_type when 'payment' then 'payment.received'
                                     when 'bill_payment' then 'bill.paid'
                                     else 'deposit.recorded' end,
           'money:' || id,
           id, connection_id, platform_entity_type, platform_entity_id, provider_entity_id,
           direction, action, label, amount, currency, null, null, created_at
    from touched
    where status = 'synced'
      and direction = 'pull'
      and platform_entity_type in ('payment', 'bill_payment', 'deposit')
      and sync_type <> 'initial_import'
    union all
    select 'document.resolved', 'resolved:' || id,
           id, connection_id, platform_entity_type, platform_entity_id, provider_entity_id,
           direction, coalesce(resolution, action), label, amount, currency, null, null, resolved_at
    from settled
), documents as (
    select h.type, h.key, h.connection_id, h.at,
           jsonb_build_object(
               'sync_record_id', h.sync_record_id, 'connection_id', h.connection_id, 'provider', c.provider,
               'entity_type', h.platform_entity_type, 'record_id', h.platform_entity_id,
               'provider_id', h.provider_entity_id, 'direction', h.direction, 'action', h.action, 'label', h.label,
               'amount', h.amount::text, 'currency', h.currency, 'message', h.error_message, 'code', h.code,
               -- what only the ledger has stands here under the id of its link, which has no page
               'is_here', exists (
                   select
                   from records x
                   where x.builder_id = c.builder_id
                     and x.entity = h.platform_entity_type
                     and x.id = h.platform_entity_id)) as data
    from happened h
    join v2_integration_connections c on c.id = h.connection_id
), unknown as (
    select 'document.outcome_unknown' as type, 'unknown:' || a.id as key, a.connection_id, a.started_at as at,
           jsonb_build_object(
               'connection_id', a.connection_id, 'provider', c.provider, 'entity_type', a.entity,
               'record_id', a.record_id, 'action', a.operation, 'message', a.message) as data
    from attempts a
    join v2_integration_connections c on c.id = a.connection_id
    where a.state = 'unknown'
      and a.started_at >= %(since)s::timestamptz - interval '2 hours'
), states as (
    select case n.kind when 'connection_lost' then 'connection.lost' else 'tie_out.difference' end as type,
           'notice:' || n.id as key, n.connection_id, n.created_at as at,
           jsonb_build_object('connection_id', n.connection_id, 'provider', c.provider) || n.facts as data
    from notifications n
    join v2_integration_connections c on c.id = n.connection_id
    where n.created_at >= %(since)s::timestamptz
      and n.kind in ('connection_lost', 'tie_out_difference')
    union all
    select 'connection.restored', 'restored:' || n.id, n.connection_id, n.resolved_at,
           jsonb_build_object('connection_id', n.connection_id, 'provider', c.provider)
    from notifications n
    join v2_integration_connections c on c.id = n.connection_id and c.status = 'connected'
    where n.resolved_at >= %(since)s::timestamptz
      and n.kind = 'connection_lost'
), runs as (
    select 'sync.' || r.status as type, 'run:' || r.id as key, r.connection_id, r.completed_at as at,
           jsonb_build_object('connection_id', r.connection_id, 'provider', c.provider, 'run_id', r.id,
                              'trigger', r.trigger, 'message', r.error_summary) as data
    from sync_runs r
    join v2_integration_connections c on c.id = r.connection_id
    where r.requested_at >= %(since)s::timestamptz - interval '2 hours'
      and r.completed_at >= %(since)s::timestamptz
      and r.status in ('completed', 'partial', 'failed')
), written as (
    insert into webhook_events (builder_id, type, key, connection_id, data, at)
    select current_setting('app.builder_id')::uuid, type, key, connection_id, data, at
    from (select * from documents union all select type, key, connection_id, at, data from unknown
          union all select type, key, connection_id, at, data from states
          union all select type, key, connection_id, at, data from runs)
         as found (type, key, connection_id, at, data)
    on conflict (builder_id, key) do nothing
    returning builder_id, id, type
), queued as (
    insert into webhook_deliveries (builder_id, endpoint_id, event_id, next_try_at, created_at)
    select w.builder_id, e.id, w.id, %(now)s, %(now)s
    from written w
    join webhook_endpoints e on e.status = 'active' and (e.events = '{}' or w.type = any(e.events))
), marked as (
    insert into webhook_event_marks (builder_id, looked_at)
    values (current_setting('app.builder_id')::uuid, %(now)s)
    on conflict (builder_id) do update
    set looked_at = excluded.looked_at
)
select count(*)
from written;

-- name: events_list
-- what happened, newest first: the polling list
select id, type, connection_id, data, at
from webhook_events
where (%(type)s::text is null or type = %(type)s::text)
  and (%(since)s::timestamptz is null or at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or at < %(until)s::timestamptz)
  and (%(after_at)s::timestamptz is null
       or (at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by at desc, id desc
limit %(rows_max)s;

-- name: events_forget
-- what is older than events are kept
delete from webhook_events
where at < %(before)s;

-- name: endpoint_insert
-- somebody who wants to hear
insert into webhook_endpoints (builder_id, id, url, description, events, secret_encrypted, created_by, created_at)
values (current_setting('app.builder_id')::uuid, %(id)s, %(url)s, %(description)s, %(events)s, %(secret)s,
        %(created_by)s, %(now)s);

-- name: endpoints_list
-- who wants to hear, newest first
select id, url, description, events, status, disabled_reason, old_secret_until, created_by, created_at
from webhook_endpoints
where %(id)s::uuid is null
   or id = %(id)s::uuid
order by created_at desc, id desc;

-- name: endpoint_change
-- another address, other events, or on and off
update webhook_endpoints
set url = %(url)s,
    description = %(description)s,
    events = %(events)s,
    status = %(status)s,
    disabled_reason = case when %(status)s = 'disabled' then coalesce(disabled_reason, 'a person disabled it') end
where id = %(id)s;

-- name: endpoint_delete
-- somebody who no longer wants to hear
delete from webhook_endpoints
where id = %(id)s;

-- name: endpoint_secret
-- the sealed secret, held while it is replaced
select secret_encrypted, old_secret_encrypted
from webhook_endpoints
where id = %(id)s
for update;

-- name: endpoint_rotate
-- a new secret; the old one signs too for a while
update webhook_endpoints
set old_secret_encrypted = secret_encrypted,
    old_secret_until = %(old_until)s,
    secret_encrypted = %(secret)s
where id = %(id)s;

-- name: endpoints_sealed
-- every sealed secret of this builder, to be wrapped by another key
select id, secret_encrypted, old_secret_encrypted
from webhook_endpoints
for update;

-- name: endpoint_rewrap
-- the same secrets, wrapped by the newest key
update webhook_endpoints
set secret_encrypted = %(secret)s,
    old_secret_encrypted = %(old_secret)s
where id = %(id)s;

-- name: endpoint_disable
-- nobody listens there any more; where something else arrived meanwhile, it was that one event's trouble
update webhook_endpoints
set status = 'disabled',
    disabled_reason = %(reason)s
where id = %(id)s
  and status = 'active'
  and (%(is_gone)s
       or not exists (
           select
           from webhook_deliveries failed
           join webhook_deliveries other
               on other.endpoint_id = failed.endpoint_id
              and other.state = 'delivered'
              and other.settled_at >= failed.created_at
           where failed.id = %(delivery_id)s));

-- name: deliveries_builders_due
-- whose deliveries are due; runs as the scheduler
select distinct builder_id
from webhook_deliveries
where (state = 'pending' and next_try_at <= %(now)s)
   or (state = 'sending' and leased_until <= %(now)s);

-- name: deliveries_claim
-- take some that are due; what a process died over is due again when its lease ends
with due as (
    select d.id
    from webhook_deliveries d
    join webhook_endpoints e on e.id = d.endpoint_id and e.status = 'active'
    where (d.state = 'pending' and d.next_try_at <= %(now)s)
       or (d.state = 'sending' and d.leased_until <= %(now)s)
    order by d.next_try_at
    limit %(rows_max)s
    for update of d skip locked
), claimed as (
    update webhook_deliveries d
    set state = 'sending',
        tries = d.tries + 1,
        leased_until = %(leased_until)s
    from due
    where d.id = due.id
    returning d.id, d.endpoint_id, d.event_id, d.tries
)
select c.id, c.endpoint_id, c.event_id, c.tries, e.url, e.secret_encrypted,
       case when e.old_secret_until > %(now)s then e.old_secret_encrypted end as old_secret_encrypted,
       v.type, v.data, v.at
from claimed c
join webhook_endpoints e on e.id = c.endpoint_id
join webhook_events v on v.id = c.event_id;

-- name: delivery_settle
-- how a try went
update webhook_deliveries
set state = %(state)s,
    next_try_at = coalesce(%(next_try_at)s::timestamptz, next_try_at),
    leased_until = null,
    last_status = %(status)s,
    last_error = %(error)s,
    last_milliseconds = %(milliseconds)s,
    settled_at = case when %(state)s = 'pending' then null else %(now)s::timestamptz end
where id = %(id)s
  and state = 'sending';

-- name: deliveries_list
-- the delivery log of one endpoint, newest first
select d.id, d.event_id, v.type, d.state, d.tries, d.next_try_at, d.last_status, d.last_error, d.last_milliseconds,
       d.created_at, d.settled_at
from webhook_deliveries d
join webhook_events v on v.builder_id = d.builder_id and v.id = d.event_id
where d.endpoint_id = %(endpoint_id)s
  and (%(state)s::text is null or d.state = %(state)s::text)
  and (%(after_at)s::timestamptz is null
       or (d.created_at, d.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid))
order by d.created_at desc, d.id desc
limit %(rows_max)s;

-- name: delivery_resend
-- the same event again to the same endpoint, with all its tries
insert into webhook_deliveries (builder_id, endpoint_id, event_id, next_try_at, created_at)
select builder_id, endpoint_id, event_id, %(now)s, %(now)s
from webhook_deliveries
where id = %(id)s
returning id;

-- name: deliveries_replay
-- every event of a time again to one endpoint, oldest first
insert into webhook_deliveries (builder_id, endpoint_id, event_id, next_try_at, created_at)
select v.builder_id, e.id, v.id, %(now)s::timestamptz + row_number() over (order by v.at, v.id) * interval '1 millisecond',
       %(now)s
from webhook_endpoints e
join webhook_events v on v.at >= %(since)s and v.at < %(until)s and (e.events = '{}' or v.type = any(e.events))
where e.id = %(endpoint_id)s
order by v.at, v.id
limit %(rows_max)s;

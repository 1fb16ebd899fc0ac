-- Hints of providers that something changed.

-- name: hints_known
-- Which of these deliveries were acted upon before.
select digest
from inbound_events
where digest = any (%(digests)s::text[]);

-- name: hints_remember
-- Notes deliveries that were acted upon.
insert into inbound_events (digest, seen_at)
select digest, %(now)s::timestamptz
from unnest(%(digests)s::text[]) as digest
on conflict (digest) do nothing;

-- name: hints_forget
-- Forgets deliveries that no provider repeats any more.
delete from inbound_events
where seen_at < %(before)s;

-- name: hint_connections
-- The connections of these companies (as the scheduler, because a delivery names no builder).
select builder_id, id, sync_window, time_zone
from v2_integration_connections
where provider = %(provider)s
  and provider_tenant_id = any (%(company_ids)s::text[])
  and status = 'connected';

-- name: hint_connection
-- Makes a connection due for a look: at once where it is in real time, by its schedule where it has one.
update v2_integration_connections
set pull_hinted_at = case when settings ->> 'real_time' = 'true' then %(now)s::timestamptz end,
    next_due_at = case
        when settings ->> 'real_time' = 'true' then next_due_at
        else least(next_due_at, case when next_due_at is not null then %(opens_at)s::timestamptz end)
    end
where builder_id = %(builder_id)s
  and id = %(connection_id)s;

-- name: hint_ring
-- Wakes the real-time workers when this transaction commits.
select pg_notify('tieout_changes', '');

-- name: hint_done
-- Takes a hint off that was followed; one that came meanwhile stays.
update v2_integration_connections
set pull_hinted_at = null
where builder_id = %(builder_id)s
  and id = %(connection_id)s
  and pull_hinted_at <= %(hinted_at)s;

-- One builder's history: a connection, its chart of accounts, runs, history rows, and records of which a few are open.
insert into v2_builders (id, name) values (%(builder)s, 'Bench Homes');

insert into v2_integration_connections (builder_id, provider, status, provider_tenant_id, provider_company_name, currency,
    connected_at, last_sync_at, next_due_at, token_expires_at, refresh_expires_at)
values (%(builder)s, 'quickbooks_online', 'connected', gen_random_uuid()::text, 'Bench Homes LLC', 'USD',
    now() - interval '1 year', now() - interval '10 minutes', now() + interval '50 minutes', now() + interval '40 minutes',
    now() + interval '90 days');

insert into mirror (builder_id, connection_id, entity, remote_id, state, canonical, checksum, label, balance, currency)
select %(builder)s, c.id, 'account', n::text, 'active',
       jsonb_build_object('name', 'Account ' || n, 'number', n::text, 'type', 'cost_of_goods_sold', 'description', null),
       'c', 'Account ' || n, 12.5, 'USD'
from v2_integration_connections c, generate_series(1, 150) as n
where c.builder_id = %(builder)s;

insert into v2_cost_codes (builder_id, code, name, division, is_active)
select %(builder)s, lpad((n / 100)::text, 2, '0') || '-' || lpad((n %% 100)::text, 3, '0'), 'Code ' || n, 'Division', true
from generate_series(1, 150) as n;

insert into sync_runs (builder_id, connection_id, trigger, status, requested_by, requested_at, started_at, completed_at)
select %(builder)s, c.id, 'scheduled', 'completed', 'bench', now() - n * interval '1 hour', now() - n * interval '1 hour',
       now() - n * interval '1 hour' + interval '20 seconds'
from v2_integration_connections c, generate_series(1, greatest(%(logs)s / 10, 1)) as n
where c.builder_id = %(builder)s;

insert into v2_sync_log (builder_id, connection_id, sync_run_id, sync_type, entity_type, direction, status, records_processed,
    records_succeeded, records_failed, started_at, completed_at, summary)
select %(builder)s, r.connection_id, r.id, 'scheduled',
       (array['customer','vendor','invoice','bill','journal_entry','payment','bill_payment','deposit','account','bill'])[n],
       case when n > 5 then 'pull' else 'push' end, case when n = 4 then 'partial' else 'completed' end,
       %(each)s, %(each)s, 0, r.started_at + n * interval '1 second', r.started_at + (n + 1) * interval '1 second',
       '{"pushed": {"count": 50, "amount": "62500.00"}}'
from sync_runs r, generate_series(1, 10) as n
where r.builder_id = %(builder)s;

insert into v2_sync_records (builder_id, connection_id, sync_log_id, platform_entity_type, platform_entity_id,
    provider_entity_id, direction, status, action, label, amount, currency, link_id, created_at, resolved_at, error_message)
select %(builder)s, l.connection_id, l.id, l.entity_type, gen_random_uuid(), n::text, l.direction, 'synced', 'updated',
       'Bill ' || n || ' of Summit Electric', 1250.00, 'USD', gen_random_uuid(), l.started_at + n * interval '1 millisecond',
       l.started_at + n * interval '1 millisecond', null
from v2_sync_log l, generate_series(1, %(each)s) as n
where l.builder_id = %(builder)s;

with newest as (
    select id, row_number() over (order by created_at desc) as n
    from v2_sync_records
    where builder_id = %(builder)s
    order by created_at desc
    limit 6000
)
update v2_sync_records r
set status = (array['error', 'held', 'conflict'])[1 + newest.n %% 3],
    error_message = 'Cost code 03-300 has no account. Map it, then this is sent by itself.',
    cause = 'mapping_missing',
    resolved_at = null,
    conflict_data = case when newest.n %% 3 = 2 then
        '{"fields": [{"field": "memo", "ours": "a", "base": "", "theirs": "b"}], "ours_checksum": "a", "theirs_checksum": "b", "money_difference": "250.00"}'::jsonb end
from newest
where r.id = newest.id and newest.n %% 4 = 0

-- Webhooks out: what happened (events), who wants to hear of it (endpoints), and how each telling went (deliveries).
create table webhook_endpoints (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    url text not null,
    description text not null default '',
    -- empty: every event
    events text[] not null default '{}',
    -- disabled: by a person, by 410, or after a delivery failed for good
    status text not null default 'active' check (status in ('active', 'disabled')),
    disabled_reason text,
    secret_encrypted text not null,
    -- signs too until then, so that a receiver can change over without losing anything
    old_secret_encrypted text,
    old_secret_until timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    primary key (builder_id, id)
);

create table webhook_events (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    type text not null,
    -- what happened, so that it is an event once however often it is looked at
    key text not null,
    connection_id uuid,
    data jsonb not null,
    at timestamptz not null,
    primary key (builder_id, id),
    unique (builder_id, key)
);
-- serves: the polling list, replay of a time, and forgetting what is old
create index webhook_events_newest on webhook_events (builder_id, at desc, id desc);

-- How far events have been written.
create table webhook_event_marks (
    builder_id uuid primary key references v2_builders (id) on delete cascade,
    looked_at timestamptz not null
);

create table webhook_deliveries (
    builder_id uuid not null,
    id uuid not null default gen_random_uuid(),
    endpoint_id uuid not null,
    event_id uuid not null,
    -- sending: until leased_until; a process that died there lets another one send it again
    state text not null default 'pending' check (state in ('pending', 'sending', 'delivered', 'failed')),
    tries integer not null default 0,
    next_try_at timestamptz not null,
    leased_until timestamptz,
    last_status integer,
    last_error text,
    last_milliseconds integer,
    created_at timestamptz not null,
    settled_at timestamptz,
    primary key (builder_id, id),
    foreign key (builder_id, endpoint_id) references webhook_endpoints (builder_id, id) on delete cascade,
    foreign key (builder_id, event_id) references webhook_events (builder_id, id) on delete cascade
);
-- serves: what is to be sent now
create index webhook_deliveries_due on webhook_deliveries (builder_id, next_try_at) where state in ('pending', 'sending');
-- serves: the delivery log of one endpoint
create index webhook_deliveries_log on webhook_deliveries (builder_id, endpoint_id, created_at desc, id desc);
-- serves: removing an old event's deliveries
create index webhook_deliveries_event on webhook_deliveries (builder_id, event_id);

do $$
declare
    tenant text;
begin
    foreach tenant in array array['webhook_endpoints', 'webhook_events', 'webhook_event_marks', 'webhook_deliveries']
    loop
        execute format('alter table %I enable row level security', tenant);
        execute format('alter table %I force row level security', tenant);
        execute format(
            'create policy one_builder on %I
                 using (builder_id = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))
                 with check (builder_id = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))',
            tenant);
        execute format('grant select, insert, update, delete on %I to tieout_app', tenant);
    end loop;
end
$$;
grant select (builder_id, state, next_try_at, leased_until) on webhook_deliveries to tieout_scheduler;
create policy scheduler_reads on webhook_deliveries for select to tieout_scheduler using (true);

-- serves: events of what was settled lately
-- squawk-ignore require-concurrent-index-creation
create index v2_sync_records_resolved on v2_sync_records (builder_id, resolved_at) where resolved_at is not null;

-- An endpoint that was disabled is told too, and belongs to no connection.
-- squawk-ignore ban-drop-not-null
alter table notifications alter column connection_id drop not null;
-- squawk-ignore require-concurrent-index-deletion
drop index notifications_open;
-- squawk-ignore require-concurrent-index-creation
create unique index notifications_open on notifications (builder_id, connection_id, kind) nulls not distinct
    where resolved_at is null;
-- squawk-ignore ban-drop-constraint
alter table notifications drop constraint notifications_kind_check;
-- squawk-ignore constraint-missing-not-valid
alter table notifications add constraint notifications_kind_check check (kind in (
    'connection_lost', 'refresh_failing', 'access_ending', 'dead_letters', 'conflicts', 'tie_out_difference',
    'outage_began', 'outage_ended', 'webhook_disabled'));

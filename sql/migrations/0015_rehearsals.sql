-- Rehearsals: a sync carried out inside a transaction that is rolled back, and what it would have done.

create table rehearsals (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    entities text[] not null default '{}',
    direction text not null default 'both' check (direction in ('push', 'pull', 'both')),
    -- queued: asked for · started: at work · completed: the diff can be read · failed: error_summary says why
    status text not null default 'queued' check (status in ('queued', 'started', 'completed', 'failed')),
    requested_by text not null,
    requested_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    dagster_run_id text,
    provider_calls integer not null default 0,
    records_read integer not null default 0,
    error_summary text,
    primary key (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- serves: the rehearsals of a builder, newest first
create index rehearsals_newest on rehearsals (builder_id, requested_at desc, id desc);

create table rehearsal_records (
    builder_id uuid not null,
    rehearsal_id uuid not null,
    -- the place in the order in which a sync works
    position integer not null,
    entity text not null,
    outcome text not null
        check (outcome in ('created', 'changed', 'voided', 'linked', 'held', 'conflict', 'failed')),
    -- whose book it would be written to; null where nothing would be written
    book text check (book in ('ledger', 'platform')),
    -- true where it waits today already, and a sync would not change that
    is_known boolean not null default false,
    label text not null,
    amount numeric(19, 4),
    currency text,
    record_id uuid,
    remote_id text,
    reason text not null default '',
    code text,
    remedy text,
    cause text,
    -- [{"field", "before", "after"}]
    fields jsonb not null default '[]',
    primary key (builder_id, rehearsal_id, position),
    foreign key (builder_id, rehearsal_id) references rehearsals (builder_id, id) on delete cascade
);

do $$
declare
    tenant text;
begin
    foreach tenant in array array['rehearsals', 'rehearsal_records']
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

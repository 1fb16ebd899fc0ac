-- Mappings are drafted before they are published, and each line remembers the version it was sent under.

-- The rows are kept as they were sent in: only publishing makes them rows of a version, after they are checked again.
create table mapping_drafts (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    -- the published version that the draft was begun from; 0 before the first
    base_number integer not null,
    -- moves with each save of the draft
    revision integer not null default 1,
    note text not null default '',
    rows jsonb not null default '[]',
    created_by text not null,
    created_at timestamptz not null,
    updated_by text not null,
    updated_at timestamptz not null,
    primary key (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id) on delete cascade
);
-- serves: the drafts of a connection, newest first
create index mapping_drafts_newest on mapping_drafts (builder_id, connection_id, updated_at desc, id desc);

alter table mapping_drafts enable row level security;
alter table mapping_drafts force row level security;
create policy one_builder on mapping_drafts
    using (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid))
    with check (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid));
grant select, insert, update, delete on mapping_drafts to tieout_app;

alter table mapping_versions
    -- who wrote the draft that was published; null: saved without one
    add column drafted_by text,
    -- the older version that this one brought back
    add column restores_number integer;

-- our line key -> the mapping version that gave the line its account, for every line that was pushed
alter table links add column line_versions jsonb not null default '{}';

-- An import is more than a file that was read: it is checked, shown, confirmed, written in chunks, and may be undone.

-- The same file read in another way is another import.
-- squawk-ignore ban-drop-constraint
alter table import_files drop constraint import_files_builder_id_entity_sha256_key;
alter table import_files
    -- received: on disk, nobody has looked yet · checking · ready: shown, waits for a yes · writing ·
    -- done · refused: nothing of it can go in · cancelled: by a person, what was written stays ·
    -- failed: broke off, may be resumed · undone: taken back
    add column status text not null default 'done'
        check (status in ('received', 'checking', 'ready', 'writing', 'done', 'refused', 'cancelled', 'failed', 'undone')),
    -- which column was read as what, so that the same file read otherwise is another import
    add column mapping_key text not null default '',
    add column options jsonb not null default '{}',
    add column size_bytes bigint not null default 0,
    add column rows_to_write integer not null default 0,
    add column documents_written integer not null default 0,
    add column skipped integer not null default 0,
    add column problem_count integer not null default 0,
    add column columns jsonb not null default '{}',
    add column headings jsonb not null default '[]',
    add column layout text,
    add column notes jsonb not null default '[]',
    add column preview jsonb not null default '[]',
    -- the sentence of what broke it off
    add column error text,
    add column is_confirmed boolean not null default false,
    add column is_cancel_asked boolean not null default false,
    -- the process at work says now and then that it lives
    add column worked_at timestamptz,
    add column finished_at timestamptz,
    -- the import of the same file and mapping that was there before
    add column repeats uuid;
-- serves: whether this file was imported before
-- squawk-ignore require-concurrent-index-creation
create index import_files_known on import_files (builder_id, entity, sha256);
-- serves: the list of imports, newest first
-- squawk-ignore require-concurrent-index-creation
create index import_files_newest on import_files (builder_id, imported_at desc, id desc);

-- What one transaction of an import wrote: there whole, or not at all. The added records are one array and not rows of
-- their own: a quarter of a million rows more would cost as much as the documents they stand for.
create table import_chunks (
    builder_id uuid not null,
    import_id uuid not null,
    number integer not null,
    documents integer not null,
    rows_written integer not null,
    added uuid[] not null,
    written_at timestamptz not null,
    primary key (builder_id, import_id, number),
    foreign key (builder_id, import_id) references import_files (builder_id, id) on delete cascade
);

-- What a record that an import changed was before, and how it was left: enough to take the change back.
create table import_changes (
    builder_id uuid not null,
    import_id uuid not null,
    record_id uuid not null,
    before jsonb not null,
    changed_at timestamptz not null,
    primary key (builder_id, import_id, record_id),
    foreign key (builder_id, import_id) references import_files (builder_id, id) on delete cascade
);

-- Columns as somebody put them right once, for the next file with the same headings.
create table import_templates (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    entity text not null,
    name text not null,
    -- field -> heading, and field -> value where the file has no column for it
    columns jsonb not null,
    fixed jsonb not null default '{}',
    created_by text not null,
    created_at timestamptz not null,
    primary key (builder_id, id),
    unique (builder_id, entity, name)
);

do $$
declare
    tenant text;
begin
    foreach tenant in array array['import_chunks', 'import_changes', 'import_templates']
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

-- Where one token set opens every company that a person gave us, it is a row of its own, and connections refer to it.

create table token_sets (
    id uuid primary key,
    provider text not null,
    -- our app there, by its public id
    app text not null,
    -- whose consent it is, as a hash: told from others, not known
    person text not null,
    -- when that person last consented; a consent that waited for a choice replaces no later one
    consented_at timestamptz not null,
    access_token_encrypted text not null,
    refresh_token_encrypted text not null,
    token_expires_at timestamptz not null,
    refresh_expires_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (provider, app, person)
);

-- Checked at the end of a transaction: a connection has to refer to a token set before it may see it.
alter table v2_integration_connections
    add column token_set_id uuid,
    add constraint v2_integration_connections_token_set_exists foreign key (token_set_id)
        references token_sets (id) deferrable initially deferred not valid;
alter table token_sets enable row level security;
alter table token_sets force row level security;
-- It belongs to no builder; the builders whose connections live from it see it, and nobody else.
create policy through_a_connection on token_sets
    using (exists (
        select 1 from v2_integration_connections c
        where c.token_set_id = token_sets.id
          and c.builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid)))
    with check (exists (
        select 1 from v2_integration_connections c
        where c.token_set_id = token_sets.id
          and c.builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid)));
grant select, insert, update, delete on token_sets to tieout_app;

-- Which token set is a person's, and who else lives from it: ids and that hash, never a token.
grant select (id, provider, app, person) on token_sets to tieout_scheduler;
grant select (token_set_id) on v2_integration_connections to tieout_scheduler;
create policy scheduler_reads on token_sets for select to tieout_scheduler using (true);

-- Browser sessions of the builders' pages, and the two ways into one: the platform's signed token, and a link of the
-- operator. Both are good once.
create table browser_sessions (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    -- of the cookie's value, which is stored nowhere
    token_hash text not null unique,
    person text not null,
    role text not null check (role in ('owner', 'bookkeeper', 'viewer')),
    -- null: everything that the role may
    scopes text[],
    came_by text not null check (came_by in ('platform', 'link')),
    created_at timestamptz not null,
    -- moves at most once a minute, so that reading a page is not always a write
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (builder_id, id)
);
-- serves: the list of open sessions, and forgetting the old ones
create index browser_sessions_newest on browser_sessions (builder_id, created_at desc);

create table sign_in_links (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    token_hash text not null unique,
    person text not null,
    role text not null check (role in ('owner', 'bookkeeper', 'viewer')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (builder_id, id)
);

-- The platform's tokens that have opened a session; kept until they would open nothing anyhow.
create table used_sign_in_tokens (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    token_hash text not null,
    expires_at timestamptz not null,
    primary key (builder_id, token_hash)
);

do $$
declare
    tenant text;
begin
    foreach tenant in array array['browser_sessions', 'sign_in_links', 'used_sign_in_tokens']
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
-- Whose session or link it is: the builder is not known before.
grant select (builder_id, id, token_hash, person, role, scopes, seen_at, expires_at, ended_at)
    on browser_sessions to tieout_scheduler;
create policy scheduler_reads on browser_sessions for select to tieout_scheduler using (true);
grant select (builder_id, id, token_hash) on sign_in_links to tieout_scheduler;
create policy scheduler_reads on sign_in_links for select to tieout_scheduler using (true);

-- Third-party apps: who may ask for access, what people gave them, and the codes and tokens of it. Hashes only.
create table oauth_apps (
    -- null: registered by the operator, for the people of every builder
    builder_id uuid references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid() primary key,
    name text not null,
    -- null: a public app, which cannot keep a secret
    secret_hash text,
    redirect_uris text[] not null check (cardinality(redirect_uris) > 0),
    scopes text[] not null check (cardinality(scopes) > 0),
    created_by text not null,
    created_at timestamptz not null,
    revoked_at timestamptz
);
-- serves: the list of a builder's apps
create index oauth_apps_builder on oauth_apps (builder_id, created_at);

-- What one person gave one app; ends with all its tokens.
create table oauth_grants (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    app_id uuid not null references oauth_apps (id) on delete cascade,
    person text not null,
    -- the person's at that time: the app may never more
    role text not null check (role in ('owner', 'bookkeeper', 'viewer')),
    scopes text[] not null check (cardinality(scopes) > 0),
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (builder_id, id)
);
-- serves: the list of who gave what, and ending all of an app
create index oauth_grants_open on oauth_grants (builder_id, app_id) where revoked_at is null;

create table oauth_codes (
    builder_id uuid not null,
    code_hash text not null unique,
    grant_id uuid not null,
    redirect_uri text not null,
    -- S256 of what the app keeps until it asks for tokens
    code_challenge text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (builder_id, code_hash),
    foreign key (builder_id, grant_id) references oauth_grants (builder_id, id) on delete cascade
);

create table oauth_tokens (
    builder_id uuid not null,
    id uuid not null default gen_random_uuid(),
    grant_id uuid not null,
    kind text not null check (kind in ('access', 'refresh')),
    token_hash text not null unique,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- a refresh token is good once; used again, it ends the whole grant
    used_at timestamptz,
    revoked_at timestamptz,
    primary key (builder_id, id),
    foreign key (builder_id, grant_id) references oauth_grants (builder_id, id) on delete cascade
);
-- serves: ending a grant's tokens
create index oauth_tokens_grant on oauth_tokens (builder_id, grant_id);
-- serves: forgetting those that open nothing any more
create index oauth_tokens_expired on oauth_tokens (builder_id, expires_at);

alter table oauth_apps enable row level security;
alter table oauth_apps force row level security;
-- Everybody's apps are seen by everybody and written without a builder, which no request ever is.
create policy one_builder on oauth_apps
    using (builder_id is null or builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid))
    with check (builder_id is not distinct from (select nullif(current_setting('app.builder_id', true), '')::uuid));
grant select, insert, update on oauth_apps to tieout_app;

do $$
declare
    tenant text;
begin
    foreach tenant in array array['oauth_grants', 'oauth_codes', 'oauth_tokens']
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
-- Whose app, grant, code or token it is: the builder is not known before.
grant select on oauth_apps to tieout_scheduler;
grant select (builder_id, id, app_id, person, role, revoked_at) on oauth_grants to tieout_scheduler;
grant select (builder_id, code_hash) on oauth_codes to tieout_scheduler;
grant select (builder_id, id, grant_id, kind, token_hash, scopes, created_at, expires_at, used_at, revoked_at)
    on oauth_tokens to tieout_scheduler;
create policy scheduler_reads on oauth_apps for select to tieout_scheduler using (true);
create policy scheduler_reads on oauth_grants for select to tieout_scheduler using (true);
create policy scheduler_reads on oauth_codes for select to tieout_scheduler using (true);
create policy scheduler_reads on oauth_tokens for select to tieout_scheduler using (true);

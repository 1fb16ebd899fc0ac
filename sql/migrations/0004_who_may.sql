-- API keys that are narrower than their role and that end; answers kept for requests that are sent twice.
alter table api_keys
    add column scopes text[],
    add column expires_at timestamptz,
    add column created_by text;
grant select (scopes, expires_at) on api_keys to tieout_scheduler;

-- The answer to a request that carried an Idempotency-Key, sealed: an answer may hold a key that is shown once.
create table idempotent_requests (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    -- of the caller and the key it sent: one caller's key never answers another caller
    key_hash text not null,
    -- of method, path and body
    request_hash text not null,
    -- null while the request is being carried out
    status integer,
    answer_encrypted text,
    started_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (builder_id, key_hash)
);
-- serves: forgetting what is no longer kept
create index idempotent_requests_expired on idempotent_requests (builder_id, expires_at);
alter table idempotent_requests enable row level security;
alter table idempotent_requests force row level security;
create policy one_builder on idempotent_requests
    using (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid))
    with check (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid));
grant select, insert, update, delete on idempotent_requests to tieout_app;

-- serves: the pages of one history row's records, newest first
-- squawk-ignore require-concurrent-index-creation
create index v2_sync_records_log_newest on v2_sync_records (builder_id, sync_log_id, created_at desc, id desc);
-- The index above begins with the same columns.
-- squawk-ignore require-concurrent-index-deletion
drop index v2_sync_records_log;

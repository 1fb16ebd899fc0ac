-- API keys: only their hash is stored.

-- name: api_key_by_hash
-- whose key this is; runs as the scheduler, because the builder is not known yet
select builder_id, id, name, role, scopes, expires_at
from api_keys
where key_hash = %(key_hash)s
  and revoked_at is null;

-- name: api_key_insert
-- a new key of this builder
insert into api_keys (builder_id, name, key_hash, last_four, role, scopes, expires_at, created_by)
values (current_setting('app.builder_id')::uuid, %(name)s, %(key_hash)s, %(last_four)s, %(role)s, %(scopes)s,
        %(expires_at)s, %(created_by)s)
returning id;

-- name: api_keys_open
-- the builder's keys that are not revoked
select id, name, role, last_four, scopes, expires_at, created_by, created_at
from api_keys
where revoked_at is null
order by created_at, id;

-- name: api_key_revoke
-- a key that opens nothing any more
update api_keys
set revoked_at = now()
where id = %(id)s
  and revoked_at is null;

-- name: builder_exists
-- whether a platform's token names a builder that is here
select id
from v2_builders
where id = %(id)s;

-- name: api_ready
-- whether the schema is there; runs as the scheduler
select count(*)
from (select from api_keys limit 1) as any_key;

-- Third-party apps, what people gave them, and the codes and tokens of it. Only hashes are stored.

-- name: app_insert
-- a new app, of the builder that is set, or of everybody where none is
insert into oauth_apps (builder_id, name, secret_hash, redirect_uris, scopes, created_by, created_at)
values (nullif(current_setting('app.builder_id', true), '')::uuid, %(name)s, %(secret_hash)s, %(redirect_uris)s,
        %(scopes)s, %(created_by)s, %(now)s)
returning id;

-- name: app_by_id
-- an app that asks for something; runs as the scheduler, because the builder is not known yet
select builder_id, id, name, secret_hash, redirect_uris, scopes
from oauth_apps
where id = %(id)s
  and revoked_at is null;

-- name: apps_open
-- the apps that this builder's people may let in: its own and everybody's
select id, builder_id is null as is_everybodys, name, secret_hash is null as is_public, redirect_uris, scopes, created_by,
       created_at
from oauth_apps
where revoked_at is null
order by created_at, id;

-- name: app_revoke
-- an app that is let in no more, of the builder that is set, or of everybody where none is
update oauth_apps
set revoked_at = %(now)s
where id = %(id)s
  and revoked_at is null
  and builder_id is not distinct from nullif(current_setting('app.builder_id', true), '')::uuid;

-- name: app_grants_revoke
-- everything that this builder's people gave an app
update oauth_grants
set revoked_at = %(now)s
where app_id = %(app_id)s
  and revoked_at is null;

-- name: grant_insert
-- what a person gives an app
insert into oauth_grants (builder_id, app_id, person, role, scopes, created_at)
values (current_setting('app.builder_id')::uuid, %(app_id)s, %(person)s, %(role)s, %(scopes)s, %(now)s)
returning id;

-- name: grants_open
-- what apps were given and still have
select g.id, g.app_id, a.name as app_name, g.person, g.role, g.scopes, g.created_at,
       (select max(t.created_at) from oauth_tokens t
        where t.builder_id = g.builder_id and t.grant_id = g.id and t.kind = 'access') as renewed_at
from oauth_grants g
join oauth_apps a on a.id = g.app_id
where g.revoked_at is null
  and exists (select from oauth_tokens t where t.builder_id = g.builder_id and t.grant_id = g.id)
order by g.created_at, g.id;

-- name: grant_revoke
-- what an app was given, and has no more
update oauth_grants
set revoked_at = %(now)s
where id = %(id)s
  and revoked_at is null;

-- name: code_insert
-- an app fetches its tokens with this, once
insert into oauth_codes (builder_id, code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
values (current_setting('app.builder_id')::uuid, %(code_hash)s, %(grant_id)s, %(redirect_uri)s, %(code_challenge)s,
        %(now)s, %(expires_at)s);

-- name: codes_forget_old
-- codes that have ended; a little longer than they live, so that one that is used again is recognised
delete from oauth_codes
where expires_at <= %(before)s;

-- name: code_by_hash
-- whose code this is; runs as the scheduler, because the builder is not known yet
select builder_id
from oauth_codes
where code_hash = %(code_hash)s;

-- name: code_read
-- a code with what it stands for
select c.grant_id, c.redirect_uri, c.code_challenge, c.expires_at, c.used_at, g.app_id, g.person, g.role, g.scopes,
       g.revoked_at
from oauth_codes c
join oauth_grants g on g.builder_id = c.builder_id and g.id = c.grant_id
where c.code_hash = %(code_hash)s;

-- name: code_use
-- a code that is exchanged; touches no row when it was before
update oauth_codes
set used_at = %(now)s
where code_hash = %(code_hash)s
  and used_at is null;

-- name: token_insert
-- a token of a grant
insert into oauth_tokens (builder_id, grant_id, kind, token_hash, scopes, created_at, expires_at)
values (current_setting('app.builder_id')::uuid, %(grant_id)s, %(kind)s, %(token_hash)s, %(scopes)s, %(now)s,
        %(expires_at)s);

-- name: token_by_hash
-- whose token this is and what it opens; runs as the scheduler, because the builder is not known yet
select t.builder_id, t.id, t.grant_id, t.kind, t.scopes, t.created_at, t.expires_at, t.used_at,
       coalesce(t.revoked_at, g.revoked_at, a.revoked_at) as revoked_at, g.app_id, a.name as app_name, g.person, g.role
from oauth_tokens t
join oauth_grants g on g.builder_id = t.builder_id and g.id = t.grant_id
join oauth_apps a on a.id = g.app_id
where t.token_hash = %(token_hash)s;

-- name: token_use
-- a refresh token that is exchanged; touches no row when it was before
update oauth_tokens
set used_at = %(now)s
where id = %(id)s
  and used_at is null
  and revoked_at is null;

-- name: token_revoke
-- one token that opens nothing any more
update oauth_tokens
set revoked_at = %(now)s
where id = %(id)s
  and revoked_at is null;

-- name: tokens_forget_old
-- tokens that ended long ago
delete from oauth_tokens
where expires_at <= %(before)s;

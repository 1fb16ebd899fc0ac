-- Browser sessions: only the hash of the cookie is stored.

-- name: session_by_hash
-- whose session this is; runs as the scheduler, because the builder is not known yet
select s.builder_id, s.id, s.person, s.role, s.scopes, s.seen_at, s.expires_at, b.name as builder_name
from browser_sessions s
join v2_builders b on b.id = s.builder_id
where s.token_hash = %(token_hash)s
  and s.ended_at is null;

-- name: session_insert
-- a person who signed in
insert into browser_sessions (builder_id, token_hash, person, role, scopes, came_by, created_at, seen_at, expires_at)
values (current_setting('app.builder_id')::uuid, %(token_hash)s, %(person)s, %(role)s, %(scopes)s, %(came_by)s, %(now)s,
        %(now)s, %(expires_at)s)
returning id;

-- name: session_seen
-- a session that is in use
update browser_sessions
set seen_at = %(now)s
where id = %(id)s
  and ended_at is null;

-- name: session_end
-- one session that opens nothing any more
update browser_sessions
set ended_at = %(now)s
where id = %(id)s
  and ended_at is null;

-- name: sessions_end
-- the sessions of one person, or of everybody of this builder
update browser_sessions
set ended_at = %(now)s
where ended_at is null
  and (%(person)s::text is null or person = %(person)s);

-- name: sessions_open
-- who is signed in
select id, person, role, scopes, came_by, created_at, seen_at, expires_at
from browser_sessions
where ended_at is null
  and expires_at > %(now)s
  and seen_at > %(seen_after)s
order by created_at desc, id;

-- name: sessions_forget_old
-- sessions that ended long ago
delete from browser_sessions
where created_at <= %(before)s;

-- name: sign_in_token_use
-- a token of the platform that opens a session; no row when it did before
insert into used_sign_in_tokens (builder_id, token_hash, expires_at)
values (current_setting('app.builder_id')::uuid, %(token_hash)s, %(expires_at)s)
on conflict (builder_id, token_hash) do nothing
returning token_hash;

-- name: sign_in_tokens_forget_old
-- tokens that have ended by themselves
delete from used_sign_in_tokens
where expires_at <= %(now)s;

-- name: sign_in_link_insert
-- a link that the operator hands to a person
insert into sign_in_links (builder_id, token_hash, person, role, created_at, expires_at)
values (current_setting('app.builder_id')::uuid, %(token_hash)s, %(person)s, %(role)s, %(now)s, %(expires_at)s)
returning id;

-- name: sign_in_link_by_hash
-- whose link this is; runs as the scheduler, because the builder is not known yet
select builder_id
from sign_in_links
where token_hash = %(token_hash)s;

-- name: sign_in_link_use
-- a link that opens a session; no row when it did before, or is too old
update sign_in_links
set used_at = %(now)s
where token_hash = %(token_hash)s
  and used_at is null
  and expires_at > %(now)s
returning person, role;

-- name: sign_in_links_forget_old
-- links that open nothing any more
delete from sign_in_links
where expires_at <= %(now)s;

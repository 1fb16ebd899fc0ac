-- Requests that carry an Idempotency-Key: carried out once, answered the same again.

-- name: request_forget_old
-- what is no longer kept, and what a process that died left behind
delete from idempotent_requests
where expires_at <= %(now)s
   or (key_hash = %(key_hash)s and status is null and started_at <= %(abandoned_before)s);

-- name: request_begin
-- a key that comes for the first time; no row when it came before
insert into idempotent_requests (builder_id, key_hash, request_hash, started_at, expires_at)
values (current_setting('app.builder_id')::uuid, %(key_hash)s, %(request_hash)s, %(now)s, %(expires_at)s)
on conflict (builder_id, key_hash) do nothing
returning key_hash;

-- name: request_read
-- what is known of a key that came before
select request_hash, status, answer_encrypted
from idempotent_requests
where key_hash = %(key_hash)s;

-- name: request_answered
-- the answer, for whoever asks again
update idempotent_requests
set status = %(status)s,
    answer_encrypted = %(answer_encrypted)s
where key_hash = %(key_hash)s
  and started_at = %(started_at)s;

-- name: request_give_back
-- a request that did nothing may come again under the same key
delete from idempotent_requests
where key_hash = %(key_hash)s
  and started_at = %(started_at)s
  and status is null;

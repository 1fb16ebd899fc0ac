-- Connections to providers: consent, tokens, status and disconnection. Every query runs inside builder_tx, except
-- the one that says otherwise.

-- name: oauth_attempt_add
-- Begin one authorisation: its state is known by hash only.
insert into oauth_attempts
    (builder_id, id, provider, state_hash, browser_hash, code_verifier_encrypted, redirect_uri, requested_by,
     created_at, expires_at)
values
    (%(builder_id)s, %(id)s, %(provider)s, %(state_hash)s, %(browser_hash)s, %(verifier)s, %(redirect_uri)s,
     %(requested_by)s, %(now)s, %(expires_at)s);

-- name: oauth_attempts_forget
-- Remove attempts that ended long ago, their sealed verifiers with them.
delete from oauth_attempts
where builder_id = %(builder_id)s
  and expires_at < %(before)s;

-- name: oauth_attempt_builder
-- Whose attempt a state belongs to; runs as the scheduler, because a callback names no builder.
select builder_id, id
from oauth_attempts
where state_hash = %(state_hash)s;

-- name: oauth_attempt_use
-- Use up a state: of two callbacks with the same one, only one gets the row.
update oauth_attempts
set used_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s
  and used_at is null
returning provider, browser_hash, code_verifier_encrypted, redirect_uri, requested_by, expires_at;

-- name: oauth_choice_add
-- Keep a consent that opens several companies until a person has chosen one.
update oauth_attempts
set choices = %(choices)s,
    choice_tokens_encrypted = %(tokens)s,
    choice_expires_at = %(expires_at)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: oauth_choice_read
-- A consent that waits for a choice, held until the transaction ends: of two answers only one takes it.
select provider, browser_hash, redirect_uri, requested_by, used_at, choices, choice_tokens_encrypted,
       choice_expires_at
from oauth_attempts
where builder_id = %(builder_id)s
  and id = %(id)s
  and choice_tokens_encrypted is not null
for update;

-- name: oauth_choice_use
-- Take a consent's tokens out, once somebody has chosen.
update oauth_attempts
set choice_tokens_encrypted = null
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: company_of_builder
-- The company a builder was last connected to at a provider.
select provider_tenant_id
from v2_integration_connections
where builder_id = %(builder_id)s
  and provider = %(provider)s;

-- name: connection_of_provider
-- The builder's connection to one provider, held until the transaction ends, so that two consents take turns.
select id, status, provider_tenant_id, provider_company_name
from v2_integration_connections
where builder_id = %(builder_id)s
  and provider = %(provider)s
for update;

-- name: connection_has_history
-- Whether anything was ever linked or sent over this connection.
select exists (
           select 1 from links
           where builder_id = %(builder_id)s and connection_id = %(id)s and record_id is not null
             and remote_id is not null)
    or exists (
           select 1 from attempts
           where builder_id = %(builder_id)s and connection_id = %(id)s) as has_history;

-- name: connection_forget_links
-- Forget what was only seen, never linked, of a company that another one replaces.
delete from links
where builder_id = %(builder_id)s
  and connection_id = %(id)s
  and record_id is null;

-- name: connection_forget_mirror
-- Forget the copy of a company that another one replaces.
delete from mirror
where builder_id = %(builder_id)s
  and connection_id = %(id)s;

-- name: connection_forget_cursors
-- Forget how far a company was read that another one replaces.
delete from cursors
where builder_id = %(builder_id)s
  and connection_id = %(id)s;

-- name: connection_forget_census
-- Forget what the lists of a company showed that another one replaces.
delete from census
where builder_id = %(builder_id)s
  and connection_id = %(id)s;

-- name: connection_forget_options
-- Forget what jobs and codes were in the lists of a company that another one replaces.
delete from dimension_options
where builder_id = %(builder_id)s
  and connection_id = %(id)s;

-- name: connection_add
-- Make the row of a first connection; tokens follow in the same transaction, sealed for its id.
insert into v2_integration_connections (id, builder_id, provider, status, time_zone, created_at, updated_at)
select %(id)s, b.id, %(provider)s, 'disconnected', b.time_zone, %(now)s, %(now)s
from v2_builders b
where b.id = %(builder_id)s;

-- name: connection_connect
-- Store a consent: company and status; its tokens follow. Refused by a unique index when another builder holds the company.
update v2_integration_connections
set status = 'connected',
    status_reason = null,
    provider_tenant_id = %(company_id)s,
    provider_company_name = %(company_name)s,
    currency = %(currency)s,
    settings = coalesce(settings, '{}') || %(settings)s,
    refresh_failures = 0,
    connected_at = %(now)s,
    disconnected_at = null,
    next_due_at = coalesce(next_due_at, %(next_due_at)s),
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_default_settings
-- Give a connection the default direction of every entity it has no setting for yet.
insert into entity_settings (builder_id, connection_id, entity, direction)
values (%(builder_id)s, %(id)s, %(entity)s, %(direction)s)
on conflict (builder_id, connection_id, entity) do nothing;

-- name: accounts_of_several_ledgers
-- Where a builder keeps books in two ledgers, stop copying new accounts from one into the other.
update entity_settings s
set direction = 'pull'
where s.builder_id = %(builder_id)s
  and s.entity = 'account'
  and s.direction = 'both'
  and (
      select count(*)
      from v2_integration_connections c
      where c.builder_id = s.builder_id
        and c.status <> 'disconnected') > 1;

-- name: connection_read
-- One connection as it stands.
select id, provider, status, status_reason, provider_tenant_id, provider_company_name, currency,
       access_token_encrypted, refresh_token_encrypted, token_expires_at, refresh_expires_at, refresh_failures,
       token_set_id, connected_at, settings
from v2_integration_connections
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_lock_patience
-- Give up waiting for another process's refresh after a while, with an error instead of a hanging request.
select set_config('lock_timeout', '45s', true);

-- name: connection_hold
-- The same, held until the transaction ends: token refresh and disconnection take turns.
select id, provider, status, status_reason, provider_tenant_id, provider_company_name, currency,
       access_token_encrypted, refresh_token_encrypted, token_expires_at, refresh_expires_at, refresh_failures,
       token_set_id, connected_at, settings
from v2_integration_connections
where builder_id = %(builder_id)s
  and id = %(id)s
for update;

-- name: connection_store_tokens
-- Keep what a refresh gave, before anybody uses it.
update v2_integration_connections
set access_token_encrypted = %(access)s,
    refresh_token_encrypted = %(refresh)s,
    token_expires_at = %(expires_at)s,
    refresh_expires_at = coalesce(%(refresh_expires_at)s, refresh_expires_at),
    token_set_id = null,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_live_from
-- Have a connection live from a token set instead of tokens of its own.
update v2_integration_connections
set token_set_id = %(token_set)s,
    access_token_encrypted = null,
    refresh_token_encrypted = null,
    token_expires_at = null,
    refresh_expires_at = null,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_refresh_worked
-- The access is good (again): what had been said of failed refreshes is over. What is wrong at the provider itself (a
-- subscription that ended) is not mended by new tokens: the first answer of the company takes that back.
update v2_integration_connections
set refresh_failures = 0,
    status = case when status = 'error' then status else 'connected' end,
    status_reason = case when status = 'error' then status_reason end,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: token_set_of_person
-- Which token set is a person's, whoever's connections live from it; runs as the scheduler.
select id
from token_sets
where provider = %(provider)s
  and app = %(app)s
  and person = %(person)s;

-- name: token_set_others
-- Other connections that live from a token set; runs as the scheduler.
select builder_id, id, status
from v2_integration_connections
where token_set_id = %(token_set)s
  and id <> %(id)s
order by builder_id, id;

-- name: token_set_read
-- The tokens a connection shares with others.
select consented_at, access_token_encrypted, refresh_token_encrypted, token_expires_at, refresh_expires_at
from token_sets
where id = %(token_set)s;

-- name: token_set_hold
-- The same, held until the transaction ends: all who live from it take turns.
select consented_at, access_token_encrypted, refresh_token_encrypted, token_expires_at, refresh_expires_at
from token_sets
where id = %(token_set)s
for update;

-- name: token_set_add
-- Store a person's first token set. Nothing is added when another consent of the same person was faster.
insert into token_sets
    (id, provider, app, person, consented_at, access_token_encrypted, refresh_token_encrypted, token_expires_at,
     refresh_expires_at, created_at, updated_at)
values
    (%(token_set)s, %(provider)s, %(app)s, %(person)s, %(consented_at)s, %(access)s, %(refresh)s, %(expires_at)s,
     %(refresh_expires_at)s, %(now)s, %(now)s)
on conflict do nothing;

-- name: token_set_store
-- Keep what a refresh or a newer consent gave, before anybody uses it.
update token_sets
set access_token_encrypted = %(access)s,
    refresh_token_encrypted = %(refresh)s,
    token_expires_at = %(expires_at)s,
    refresh_expires_at = coalesce(%(refresh_expires_at)s, refresh_expires_at),
    consented_at = %(consented_at)s,
    updated_at = %(now)s
where id = %(token_set)s;

-- name: token_set_rewrap
-- Store the same tokens under the newest key.
update token_sets
set access_token_encrypted = %(access)s,
    refresh_token_encrypted = %(refresh)s,
    updated_at = %(now)s
where id = %(token_set)s;

-- name: token_set_remove
-- Remove a token set that nobody else lives from, while the last connection still does.
delete from token_sets
where id = %(token_set)s;

-- name: connection_rewrap_tokens
-- Store the same tokens under the newest key, unless a refresh was faster.
update v2_integration_connections
set access_token_encrypted = %(access)s,
    refresh_token_encrypted = %(refresh)s,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_refresh_failed
-- Count a refresh that got no answer; the connection is not given up for it.
update v2_integration_connections
set refresh_failures = refresh_failures + 1,
    status_reason = case when status = 'error' then status_reason else %(reason)s end,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_set_status
-- Say that a connection stopped working (or works again) and why; a disconnected one stays disconnected. One that goes on
-- by itself once somebody has acted at the provider is probed before a rare schedule's turn.
update v2_integration_connections
set status = %(status)s,
    status_reason = %(reason)s,
    next_due_at = case
        when %(status)s::text = 'error' and next_due_at is not null and sync_window is null
            then least(next_due_at, %(probe_at)s::timestamptz)
        else next_due_at
    end,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s
  and status <> 'disconnected'
  and status is distinct from %(status)s;

-- name: connection_disconnect
-- End a connection on our side: no token stays, nothing is due any more.
update v2_integration_connections
set status = 'disconnected',
    status_reason = null,
    access_token_encrypted = null,
    refresh_token_encrypted = null,
    token_expires_at = null,
    refresh_expires_at = null,
    token_set_id = null,
    refresh_failures = 0,
    next_due_at = null,
    disconnected_at = %(now)s,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(id)s;

-- name: connection_clear_mappings
-- Take the account mapping out of use; its versions stay, because history names them.
update v2_account_mappings
set is_active = false,
    updated_at = %(now)s
where builder_id = %(builder_id)s
  and connection_id = %(id)s
  and is_active;

-- name: connection_audit
-- Note who connected or disconnected what, and when.
insert into audit_log (builder_id, at, actor, action, reason, connection_id, after)
values (%(builder_id)s, %(now)s, %(actor)s, %(action)s, %(reason)s, %(connection_id)s, %(after)s);

-- name: connections_with_tokens
-- Every connection that holds tokens, for re-wrapping; runs as the scheduler.
select builder_id, id
from v2_integration_connections
where status <> 'disconnected'
order by builder_id, id;

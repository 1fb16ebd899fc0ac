-- Mapping versions, their rows, and what a page about them needs to know.

-- name: mapping_version_newest
-- the version that is valid now
select id, number, note, created_by, created_at, drafted_by, restores_number
from mapping_versions
where connection_id = %(connection_id)s
order by number desc
limit 1;

-- name: mapping_version_by_id
-- one version, for a record that was sent under it
select id, number, note, created_by, created_at, drafted_by, restores_number
from mapping_versions
where connection_id = %(connection_id)s
  and id = %(version_id)s;

-- name: mapping_rows
-- the rows of one version, with what the mirror knows of their accounts (account_state null: gone)
select m.platform_entity_type as profile,
       m.platform_cost_code_id as cost_code_id,
       m.platform_job_id as job_id,
       m.provider_account_id as account_id,
       coalesce(a.canonical ->> 'name', m.provider_account_name) as account_name,
       a.canonical ->> 'number' as account_number,
       coalesce(a.canonical ->> 'type', m.provider_account_type) as account_type,
       a.state as account_state,
       coalesce(m.mapping_direction, 'both') as direction
from v2_account_mappings m
left join mirror a
  on a.builder_id = m.builder_id
 and a.connection_id = m.connection_id
 and a.entity = 'account'
 and a.remote_id = m.provider_account_id
where m.version_id = %(version_id)s
  and (m.is_active or not %(only_active)s)
order by m.platform_entity_type, m.platform_job_id, m.platform_cost_code_id;

-- name: mapping_save_lock
-- one save of a connection's mapping at a time; the connection's row is left to the token refresh
select pg_advisory_xact_lock(hashtextextended('tieout mapping ' || %(connection_id)s::text, 0));

-- name: mapping_connection
-- the connection a mapping belongs to
select id, provider, status
from v2_integration_connections
where id = %(connection_id)s;

-- name: mapping_cost_codes
-- every cost code of the builder, for checks, suggestions and the page
select id, code, name, division, cost_type, is_active
from v2_cost_codes
order by code, id;

-- name: mapping_choices
-- the account that was chosen last for each cost code on this connection, in any of the latest versions
select distinct on (m.platform_entity_type, m.platform_cost_code_id)
       m.platform_entity_type as profile, m.platform_cost_code_id as cost_code_id, m.provider_account_id as account_id
from v2_account_mappings m
join mapping_versions v on v.builder_id = m.builder_id and v.id = m.version_id
where m.connection_id = %(connection_id)s
  and m.platform_cost_code_id is not null
  and v.number > (select max(number) - 20 from mapping_versions where connection_id = %(connection_id)s)
order by m.platform_entity_type, m.platform_cost_code_id, v.number desc;

-- name: mapping_jobs
-- every job of the builder, whose defaults a mapping may hold
select id, number, name, status
from v2_jobs
order by number, id;

-- name: mapping_accounts
-- the provider's chart of accounts as the mirror last saw it
select remote_id as id,
       coalesce(canonical ->> 'name', label) as name,
       canonical ->> 'type' as type,
       canonical ->> 'number' as number,
       state
from mirror
where connection_id = %(connection_id)s
  and entity = 'account'
  and state <> 'deleted'
order by canonical ->> 'number', label, remote_id;

-- name: mapping_version_insert
-- a new version; its number follows the one that was locked
insert into mapping_versions (builder_id, connection_id, number, note, created_by, drafted_by, restores_number)
values (
    current_setting('app.builder_id')::uuid, %(connection_id)s, %(number)s, %(note)s, %(created_by)s, %(drafted_by)s,
    %(restores_number)s)
returning id;

-- name: mapping_rows_retire
-- rows of older versions stay as history, no longer active
update v2_account_mappings
set is_active = false,
    updated_at = now()
where connection_id = %(connection_id)s
  and is_active;

-- name: mapping_row_insert
-- one row of a new version
insert into v2_account_mappings (
    builder_id, connection_id, version_id, platform_entity_type, platform_cost_code_id, platform_job_id,
    provider_account_id, provider_account_name, provider_account_type, mapping_direction)
values (
    current_setting('app.builder_id')::uuid, %(connection_id)s, %(version_id)s, %(profile)s, %(cost_code_id)s,
    %(job_id)s, %(account_id)s, %(account_name)s, %(account_type)s, %(direction)s);

-- name: mapping_held_causes
-- how many records each missing mapping holds
select cause, count(*) as records
from links
where connection_id = %(connection_id)s
  and state = 'held'
  and cause like 'hold.mapping_missing:%%'
group by cause;

-- name: mapping_release
-- let the next sync look again at everything that these causes hold
update links
set state = 'open',
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
where connection_id = %(connection_id)s
  and state = 'held'
  and cause = any(%(causes)s);

-- name: mapping_release_refused
-- have tried again from the beginning what the ledger, or a check before it, refused for an account; only its refusal can
-- tell whether the new account is a better one
update links l
set state = 'open',
    cause = null,
    tries = 0,
    first_failed_at = null,
    next_try_at = null
from v2_sync_records r
where l.connection_id = %(connection_id)s
  and l.state = 'failed'
  and r.builder_id = l.builder_id
  and r.link_id = l.id
  and r.resolved_at is null
  and r.status = 'error'
  and (r.remedy = %(remedy)s
       or r.code = %(code)s and r.platform_entity_type = any(%(entities)s::text[]));

-- name: mapping_usage
-- which cost codes (and roles without one) the builder's documents use, by profile
select 'revenue' as profile, cost_code_id, count(*) as lines
from v2_invoice_lines
where role = 'work' and cost_code_id is not null
group by cost_code_id
union all
select 'cost_code', cost_code_id, count(*)
from (
    select cost_code_id from v2_bill_lines where role = 'work' and cost_code_id is not null
    union all
    select cost_code_id from v2_journal_entry_lines where account_id is null and cost_code_id is not null
) as costs
group by cost_code_id
union all
select 'asset', case when role = 'stored_materials' then cost_code_id end as code, count(*)
from (
    select role, cost_code_id from v2_invoice_lines where role in ('retainage', 'stored_materials')
    union all
    select role, cost_code_id from v2_bill_lines where role = 'stored_materials'
) as assets
group by code
union all
select 'liability', null, count(*)
from v2_bill_lines
where role = 'retainage'
having count(*) > 0;

-- Drafts and the history of a mapping, and what publishing one would do.

-- name: mapping_versions_listed
-- the history of a connection's mapping, newest first, from below a number
select v.id, v.number, v.note, v.created_by, v.created_at, v.drafted_by, v.restores_number,
       (select count(*)
        from v2_account_mappings m
        where m.builder_id = v.builder_id
          and m.version_id = v.id) as row_count
from mapping_versions v
where v.connection_id = %(connection_id)s
  and v.number < %(below)s
order by v.number desc
limit %(rows_max)s;

-- name: mapping_version_by_number
-- one version of a connection, as people name it
select id, number, note, created_by, created_at, drafted_by, restores_number
from mapping_versions
where connection_id = %(connection_id)s
  and number = %(number)s;

-- name: mapping_drafts_listed
-- the drafts of a connection, the one edited last first
select id, connection_id, base_number, revision, note, created_by, created_at, updated_by, updated_at, rows
from mapping_drafts
where connection_id = %(connection_id)s
order by updated_at desc, id desc
limit %(rows_max)s;

-- name: mapping_drafts_count
-- how many drafts a connection has, to keep them few
select count(*)
from mapping_drafts
where connection_id = %(connection_id)s;

-- name: mapping_draft
-- one draft
select id, connection_id, base_number, revision, note, created_by, created_at, updated_by, updated_at, rows
from mapping_drafts
where id = %(draft_id)s;

-- name: mapping_draft_lock
-- one draft, held until what is done with it is stored
select id, connection_id, base_number, revision, note, created_by, created_at, updated_by, updated_at, rows
from mapping_drafts
where id = %(draft_id)s
for update;

-- name: mapping_draft_insert
-- a new draft
insert into mapping_drafts (
    builder_id, connection_id, base_number, note, rows, created_by, created_at, updated_by, updated_at)
values (
    current_setting('app.builder_id')::uuid, %(connection_id)s, %(base_number)s, %(note)s, %(rows)s::jsonb, %(actor)s,
    %(now)s, %(actor)s, %(now)s)
returning id;

-- name: mapping_draft_update
-- the draft as somebody saved it
update mapping_drafts
set rows = %(rows)s::jsonb,
    note = %(note)s,
    base_number = %(base_number)s,
    revision = revision + 1,
    updated_by = %(actor)s,
    updated_at = %(now)s
where id = %(draft_id)s;

-- name: mapping_draft_delete
-- a draft that was published or thrown away
delete from mapping_drafts
where id = %(draft_id)s;

-- name: mapping_impact_lines
-- the lines of these codes, or all (codes null), by how they are coded and how far they are on their way to the ledger; a
-- line is sent when its document is in the ledger and the line was coded like this when both sides last agreed
with coded as (
    select 'invoice' as entity, i.id as document_id, l.role, l.cost_code_id, i.job_id, l.amount, i.currency,
           i.status = 'approved' as is_ready,
           jsonb_build_object('key', l.id, 'code', l.cost_code_id, 'role', l.role) as coding
    from v2_invoice_lines l
    join v2_invoices i on i.builder_id = l.builder_id and i.id = l.invoice_id
    where i.status <> 'void'
      and (%(codes)s::uuid[] is null or l.cost_code_id = any(%(codes)s::uuid[]))
    union all
    select 'bill', b.id, l.role, l.cost_code_id, coalesce(l.job_id, b.job_id), l.amount, b.currency, b.status = 'approved',
           jsonb_build_object('key', l.id, 'code', l.cost_code_id, 'role', l.role)
    from v2_bill_lines l
    join v2_bills b on b.builder_id = l.builder_id and b.id = l.bill_id
    where b.status <> 'void'
      and (%(codes)s::uuid[] is null or l.cost_code_id = any(%(codes)s::uuid[]))
    union all
    select 'journal_entry', j.id, 'work', l.cost_code_id, l.job_id, greatest(l.debit, l.credit), j.currency,
           j.status = 'posted',
           jsonb_build_object('key', l.id, 'code', l.cost_code_id)
    from v2_journal_entry_lines l
    join v2_journal_entries j on j.builder_id = l.builder_id and j.id = l.journal_entry_id
    where j.status <> 'void'
      and l.account_id is null
      and (%(codes)s::uuid[] is null or l.cost_code_id = any(%(codes)s::uuid[]))
), placed as (
    select c.*,
           (k.remote_id is not null
            and k.base_ours is not null
            and (k.ours_checksum is not distinct from k.base_ours_checksum
                 or k.base_ours -> 'lines' @> jsonb_build_array(c.coding))) is true as is_sent
    from coded c
    left join links k on k.connection_id = %(connection_id)s
        and k.entity = c.entity
        and k.record_id = c.document_id
)
select entity, role, cost_code_id, job_id, currency, is_ready, is_sent, count(*) as lines,
       count(distinct document_id) as documents, sum(amount) as amount
from placed
group by entity, role, cost_code_id, job_id, currency, is_ready, is_sent
order by entity, role, cost_code_id, job_id, currency, is_ready, is_sent;

-- Ours: reading the platform's tables into canonical form, and keeping `records` and the links in step with them.

-- name: noted_changes
-- The platform records of one entity that changed since sync last looked; taken off the list in the same transaction.
-- What a large import brought stays on it where this sync is a more urgent one.
delete from record_changes
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and (%(takes_bulk)s or not is_bulk)
returning record_id::text as record_id, changed_at, is_bulk;

-- name: changes_among
-- Which of these records have a noted change that sync has not absorbed yet.
select record_id::text
from record_changes
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and record_id = any (%(record_ids)s::uuid[]);

-- name: forget_changes
-- Takes given records off the list of changes, because this transaction has just absorbed them.
delete from record_changes
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and record_id = any (%(record_ids)s::uuid[]);

-- name: load_accounts
-- The chart of accounts rows to bring into canonical form.
select id::text, number, name, account_type, description, is_active, updated_at
from v2_accounts
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[]);

-- name: load_customers
-- The clients to bring into canonical form.
select id::text, name, email, phone, address_line, city, region, postal_code, is_active, updated_at
from v2_clients
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[]);

-- name: load_vendors
-- The vendors to bring into canonical form.
select id::text, name, email, phone, address_line, city, region, postal_code, is_active, updated_at
from v2_vendors
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[]);

-- name: load_invoices
-- The invoices and draws to bring into canonical form, each with its lines.
select i.id::text, i.number, i.kind, i.client_id::text as party_id, i.invoice_date as document_date, i.due_date,
       i.currency, i.memo, i.status, i.total, i.updated_at, c.name as party_name,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'key', l.id, 'description', l.description, 'amount', l.amount::text, 'quantity', l.quantity::text,
               'unit_price', l.unit_price::text, 'code', l.cost_code_id, 'role', l.role, 'job', i.job_id) order by l.position)
           from v2_invoice_lines l
           where l.builder_id = i.builder_id
             and l.invoice_id = i.id), '[]') as lines
from v2_invoices i
join v2_clients c on c.builder_id = i.builder_id and c.id = i.client_id
where i.builder_id = %(builder_id)s
  and i.id = any (%(record_ids)s::uuid[]);

-- name: load_bills
-- The bills to bring into canonical form, each with its lines.
select b.id::text, b.number, b.vendor_id::text as party_id, b.bill_date as document_date, b.due_date,
       b.currency, b.memo, b.status, b.total, b.updated_at, v.name as party_name,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'key', l.id, 'description', l.description, 'amount', l.amount::text, 'quantity', l.quantity::text,
               'unit_price', l.unit_price::text, 'code', l.cost_code_id, 'role', l.role,
               'job', coalesce(l.job_id, b.job_id)) order by l.position)
           from v2_bill_lines l
           where l.builder_id = b.builder_id
             and l.bill_id = b.id), '[]') as lines
from v2_bills b
join v2_vendors v on v.builder_id = b.builder_id and v.id = b.vendor_id
where b.builder_id = %(builder_id)s
  and b.id = any (%(record_ids)s::uuid[]);

-- name: load_journal_entries
-- The journal entries to bring into canonical form, each with its lines.
select j.id::text, j.number, j.kind, j.entry_date as document_date, j.currency, j.memo, j.status, j.updated_at,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'key', l.id, 'description', l.description, 'debit', l.debit::text, 'credit', l.credit::text,
               'account', l.account_id, 'code', l.cost_code_id, 'client', l.client_id, 'vendor', l.vendor_id,
               'job', l.job_id)
               order by l.position)
           from v2_journal_entry_lines l
           where l.builder_id = j.builder_id
             and l.journal_entry_id = j.id), '[]') as lines
from v2_journal_entries j
where j.builder_id = %(builder_id)s
  and j.id = any (%(record_ids)s::uuid[]);

-- name: load_payments
-- The payments received to bring into canonical form, each with what it pays.
select p.id::text, p.client_id::text as party_id, p.payment_date as document_date, p.currency, p.amount,
       p.unapplied_amount, p.reference, p.method, p.memo, p.status, p.updated_at, c.name as party_name,
       coalesce((
           select jsonb_agg(jsonb_build_object('invoice', a.invoice_id, 'amount', a.amount::text) order by a.invoice_id)
           from v2_payment_applications a
           where a.builder_id = p.builder_id
             and a.payment_id = p.id), '[]') as applications
from v2_payments p
left join v2_clients c on c.builder_id = p.builder_id and c.id = p.client_id
where p.builder_id = %(builder_id)s
  and p.id = any (%(record_ids)s::uuid[]);

-- name: load_bill_payments
-- The bill payments to bring into canonical form, each with what it pays.
select p.id::text, p.vendor_id::text as party_id, p.payment_date as document_date, p.currency, p.amount,
       p.unapplied_amount, p.reference, p.method, p.memo, p.status, p.updated_at, v.name as party_name,
       coalesce((
           select jsonb_agg(jsonb_build_object('bill', a.bill_id, 'amount', a.amount::text) order by a.bill_id)
           from v2_bill_payment_applications a
           where a.builder_id = p.builder_id
             and a.bill_payment_id = p.id), '[]') as applications
from v2_bill_payments p
left join v2_vendors v on v.builder_id = p.builder_id and v.id = p.vendor_id
where p.builder_id = %(builder_id)s
  and p.id = any (%(record_ids)s::uuid[]);

-- name: load_deposits
-- The bank deposits to bring into canonical form, each with its lines.
select d.id::text, d.deposit_date as document_date, d.currency, d.amount, d.account_id::text, d.reference, d.memo,
       d.status, d.updated_at,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'payment', l.payment_id, 'amount', l.amount::text, 'description', l.description,
               'reference', l.reference) order by l.position)
           from v2_deposit_lines l
           where l.builder_id = d.builder_id
             and l.deposit_id = d.id), '[]') as lines
from v2_deposits d
where d.builder_id = %(builder_id)s
  and d.id = any (%(record_ids)s::uuid[]);

-- name: mark_records_deleted
-- Notes platform rows that are gone; the last canonical form is kept as evidence.
with gone as (
    update records r
    set state = 'deleted',
        checksum = %(checksum)s,
        revision = r.revision + 1,
        changed_at = %(now)s,
        absorbed_at = %(now)s
    where r.builder_id = %(builder_id)s
      and r.entity = %(entity)s
      and r.id = any (%(record_ids)s::uuid[])
      and r.state <> 'deleted'
    returning r.id)
update links l
set ours_checksum = %(checksum)s
from gone
where l.builder_id = %(builder_id)s
  and l.entity = %(entity)s
  and l.record_id = gone.id;

-- name: save_records
-- Stores canonical records that differ from the copy we had, and carries their checksums to the links of every
-- connection; an active record without a link gets a half link to be matched or created.
with incoming as (
    select *
    from jsonb_to_recordset(%(rows)s::jsonb) as r (
        id uuid, state text, canonical jsonb, checksum text, natural_key text, label text, document_date date,
        total numeric, currency text, changed_at timestamptz, is_bulk boolean)),
saved as (
    insert into records as r (
        builder_id, entity, id, state, canonical, checksum, natural_key, label, document_date, total, currency,
        changed_at, absorbed_at)
    select %(builder_id)s::uuid, %(entity)s, id, state, canonical, checksum, natural_key, label, document_date, total,
           currency, changed_at, %(now)s
    from incoming
    on conflict (builder_id, entity, id) do update
    set state = excluded.state,
        canonical = excluded.canonical,
        checksum = excluded.checksum,
        natural_key = excluded.natural_key,
        label = excluded.label,
        document_date = excluded.document_date,
        total = excluded.total,
        currency = excluded.currency,
        changed_at = excluded.changed_at,
        absorbed_at = excluded.absorbed_at,
        revision = r.revision + 1
    where r.checksum is distinct from excluded.checksum
    returning r.id, r.checksum, r.state),
linked as (
    insert into links as l (builder_id, connection_id, entity, record_id, ours_checksum, bulk_checksum)
    select %(builder_id)s::uuid, c.id, %(entity)s, s.id, s.checksum, case when i.is_bulk then s.checksum end
    from saved s
    join incoming i on i.id = s.id
    join v2_integration_connections c on c.builder_id = %(builder_id)s::uuid and c.connected_at is not null
    where s.state = 'active'
    on conflict (builder_id, connection_id, entity, record_id) do update
    set ours_checksum = excluded.ours_checksum,
        bulk_checksum = excluded.bulk_checksum
    returning 1),
ended as (
    update links l
    set ours_checksum = s.checksum
    from saved s
    where s.state <> 'active'
      and l.builder_id = %(builder_id)s::uuid
      and l.entity = %(entity)s
      and l.record_id = s.id
    returning 1)
select count(*) from saved;

-- name: link_existing_records
-- Gives a connection that is new its half links for every active record there already is.
insert into links (builder_id, connection_id, entity, record_id, ours_checksum)
select r.builder_id, %(connection_id)s::uuid, r.entity, r.id, r.checksum
from records r
where r.builder_id = %(builder_id)s
  and r.state = 'active'
on conflict (builder_id, connection_id, entity, record_id) do nothing;

-- name: note_all_records
-- The slow sweep: has every platform record of one entity looked at again, whatever the change notes say.
insert into record_changes (builder_id, entity, record_id)
select r.builder_id, r.entity, r.id
from records r
where r.builder_id = %(builder_id)s
  and r.entity = %(entity)s
on conflict (builder_id, entity, record_id) do nothing;

-- name: lock_account
-- Holds rows of v2_accounts that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_accounts
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_customer
-- Holds rows of v2_clients that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_clients
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_vendor
-- Holds rows of v2_vendors that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_vendors
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_invoice
-- Holds rows of v2_invoices that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_invoices
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_bill
-- Holds rows of v2_bills that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_bills
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_journal_entry
-- Holds rows of v2_journal_entries that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_journal_entries
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_payment
-- Holds rows of v2_payments that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_payments
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_bill_payment
-- Holds rows of v2_bill_payments that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_bill_payments
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- name: lock_deposit
-- Holds rows of v2_deposits that are about to be written, so that an edit is either seen before or comes after.
select id
from v2_deposits
where builder_id = %(builder_id)s
  and id = any (%(record_ids)s::uuid[])
order by id
for update;

-- Taking the ledger's values into the platform's tables. Each statement takes a list of records as JSON and writes
-- them as a set; documents bring their lines along.

-- name: apply_accounts
-- Writes accounts of the chart.
insert into v2_accounts as t (id, builder_id, number, name, account_type, description, is_active)
select s.id, %(builder_id)s::uuid, s.number, s.name, s.type, s.description, s.state = 'active'
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, number text, name text, type text, description text)
on conflict (id) do update
set number = excluded.number,
    name = excluded.name,
    account_type = excluded.account_type,
    description = excluded.description,
    is_active = excluded.is_active,
    updated_at = %(now)s;

-- name: apply_customers
-- Writes clients; what the ledger does not say stays as it was.
insert into v2_clients as t (id, builder_id, name, email, phone, address_line, city, region, postal_code, is_active)
select s.id, %(builder_id)s::uuid, s.name, s.email, s.phone, s.address ->> 'line', s.address ->> 'city',
       s.address ->> 'region', s.address ->> 'postal_code', s.state = 'active'
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, name text, email text, phone text, address jsonb)
on conflict (id) do update
set name = excluded.name,
    email = excluded.email,
    phone = excluded.phone,
    address_line = excluded.address_line,
    city = excluded.city,
    region = excluded.region,
    postal_code = excluded.postal_code,
    is_active = excluded.is_active,
    updated_at = %(now)s;

-- name: apply_vendors
-- Writes vendors; what the ledger does not say stays as it was.
insert into v2_vendors as t (id, builder_id, name, email, phone, address_line, city, region, postal_code, is_active)
select s.id, %(builder_id)s::uuid, s.name, s.email, s.phone, s.address ->> 'line', s.address ->> 'city',
       s.address ->> 'region', s.address ->> 'postal_code', s.state = 'active'
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, name text, email text, phone text, address jsonb)
on conflict (id) do update
set name = excluded.name,
    email = excluded.email,
    phone = excluded.phone,
    address_line = excluded.address_line,
    city = excluded.city,
    region = excluded.region,
    postal_code = excluded.postal_code,
    is_active = excluded.is_active,
    updated_at = %(now)s;

-- name: apply_invoices
-- Writes invoice headers; a void keeps its amounts here, as evidence of what was voided.
insert into v2_invoices as t (
    id, builder_id, number, client_id, invoice_date, due_date, currency, memo, status, total)
select s.id, %(builder_id)s::uuid, coalesce(s.number, ''), s.party, s.date, s.due_date, s.currency,
       coalesce(s.memo, ''), case s.state when 'active' then 'approved' else 'void' end, s.total
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, number text, party uuid, date date, due_date date, currency text, memo text, total numeric)
on conflict (id) do update
set number = excluded.number,
    client_id = excluded.client_id,
    invoice_date = excluded.invoice_date,
    due_date = excluded.due_date,
    currency = excluded.currency,
    memo = excluded.memo,
    status = excluded.status,
    total = excluded.total,
    updated_at = %(now)s;

-- name: drop_invoice_lines
-- Takes away the lines of invoices that are about to be written anew.
delete from v2_invoice_lines
where builder_id = %(builder_id)s
  and invoice_id = any (%(record_ids)s::uuid[]);

-- name: apply_invoice_lines
-- Writes invoice lines under the ids they had.
insert into v2_invoice_lines (
    id, builder_id, invoice_id, position, description, cost_code_id, role, quantity, unit_price, amount)
select l.key, %(builder_id)s::uuid, l.record_id, l.position, coalesce(l.description, ''), l.code, l.role, l.quantity,
       l.unit_price, l.amount
from jsonb_to_recordset(%(rows)s::jsonb) as l (
    record_id uuid, position integer, key uuid, description text, code uuid, role text, quantity numeric,
    unit_price numeric, amount numeric);

-- name: apply_bills
-- Writes bill headers; a void keeps its amounts here, as evidence of what was voided.
insert into v2_bills as t (
    id, builder_id, number, vendor_id, bill_date, due_date, currency, memo, status, total)
select s.id, %(builder_id)s::uuid, s.number, s.party, s.date, s.due_date, s.currency, coalesce(s.memo, ''),
       case s.state when 'active' then 'approved' else 'void' end, s.total
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, number text, party uuid, date date, due_date date, currency text, memo text, total numeric)
on conflict (id) do update
set number = excluded.number,
    vendor_id = excluded.vendor_id,
    bill_date = excluded.bill_date,
    due_date = excluded.due_date,
    currency = excluded.currency,
    memo = excluded.memo,
    status = excluded.status,
    total = excluded.total,
    updated_at = %(now)s;

-- name: lines_jobs
-- The job of each line that is about to be written anew; the ledger does not know it, so it must not be lost.
select id::text, job_id::text
from v2_bill_lines
where builder_id = %(builder_id)s
  and bill_id = any (%(record_ids)s::uuid[])
  and job_id is not null;

-- name: drop_bill_lines
-- Takes away the lines of bills that are about to be written anew.
delete from v2_bill_lines
where builder_id = %(builder_id)s
  and bill_id = any (%(record_ids)s::uuid[]);

-- name: apply_bill_lines
-- Writes bill lines under the ids they had.
insert into v2_bill_lines (
    id, builder_id, bill_id, position, description, cost_code_id, job_id, role, quantity, unit_price, amount)
select l.key, %(builder_id)s::uuid, l.record_id, l.position, coalesce(l.description, ''), l.code, l.job, l.role,
       l.quantity, l.unit_price, l.amount
from jsonb_to_recordset(%(rows)s::jsonb) as l (
    record_id uuid, position integer, key uuid, description text, code uuid, job uuid, role text, quantity numeric,
    unit_price numeric, amount numeric);

-- name: apply_journal_entries
-- Writes journal entry headers.
insert into v2_journal_entries as t (id, builder_id, number, entry_date, currency, memo, status)
select s.id, %(builder_id)s::uuid, s.number, s.date, s.currency, coalesce(s.memo, ''),
       case s.state when 'active' then 'posted' else 'void' end
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, number text, date date, currency text, memo text)
on conflict (id) do update
set number = excluded.number,
    entry_date = excluded.entry_date,
    currency = excluded.currency,
    memo = excluded.memo,
    status = excluded.status,
    updated_at = %(now)s;

-- name: journal_lines_jobs
-- The job of each journal line that is about to be written anew.
select id::text, job_id::text
from v2_journal_entry_lines
where builder_id = %(builder_id)s
  and journal_entry_id = any (%(record_ids)s::uuid[])
  and job_id is not null;

-- name: drop_journal_entry_lines
-- Takes away the lines of journal entries that are about to be written anew.
delete from v2_journal_entry_lines
where builder_id = %(builder_id)s
  and journal_entry_id = any (%(record_ids)s::uuid[]);

-- name: apply_journal_entry_lines
-- Writes journal entry lines under the ids they had.
insert into v2_journal_entry_lines (
    id, builder_id, journal_entry_id, position, description, account_id, cost_code_id, client_id, vendor_id, job_id,
    debit, credit)
select l.key, %(builder_id)s::uuid, l.record_id, l.position, coalesce(l.description, ''), l.account, l.code, l.client,
       l.vendor, l.job, l.debit, l.credit
from jsonb_to_recordset(%(rows)s::jsonb) as l (
    record_id uuid, position integer, key uuid, description text, account uuid, code uuid, client uuid, vendor uuid,
    job uuid, debit numeric, credit numeric);

-- name: apply_payments
-- Writes payments received.
insert into v2_payments as t (
    id, builder_id, client_id, payment_date, currency, amount, unapplied_amount, reference, method, memo, status)
select s.id, %(builder_id)s::uuid, s.party, s.date, s.currency, s.amount, s.unapplied, s.reference, s.method,
       coalesce(s.memo, ''), case s.state when 'active' then 'posted' else 'void' end
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, party uuid, date date, currency text, amount numeric, unapplied numeric, reference text,
    method text, memo text)
on conflict (id) do update
set client_id = excluded.client_id,
    payment_date = excluded.payment_date,
    currency = excluded.currency,
    amount = excluded.amount,
    unapplied_amount = excluded.unapplied_amount,
    reference = excluded.reference,
    method = excluded.method,
    memo = excluded.memo,
    status = excluded.status,
    updated_at = %(now)s;

-- name: drop_payment_applications
-- Takes away what payments pay, before it is written anew; returns the invoices that may be less paid now.
delete from v2_payment_applications
where builder_id = %(builder_id)s
  and payment_id = any (%(record_ids)s::uuid[])
returning invoice_id::text as document_id;

-- name: apply_payment_applications
-- Writes what payments pay; several lines on one invoice are one.
insert into v2_payment_applications (builder_id, payment_id, invoice_id, amount)
select %(builder_id)s::uuid, a.record_id, a.document_id, sum(a.amount)
from jsonb_to_recordset(%(rows)s::jsonb) as a (record_id uuid, document_id uuid, amount numeric)
group by a.record_id, a.document_id;

-- name: refresh_invoices_paid
-- Recomputes what was paid on invoices from the payments that are valid; only rows that differ are written.
with paid as (
    select i.id, i.total, coalesce(sum(a.amount) filter (where p.status = 'posted'), 0) as amount
    from v2_invoices i
    left join v2_payment_applications a on a.builder_id = i.builder_id and a.invoice_id = i.id
    left join v2_payments p on p.builder_id = a.builder_id and p.id = a.payment_id
    where i.builder_id = %(builder_id)s
      and i.id = any (%(document_ids)s::uuid[])
    group by i.id, i.total)
update v2_invoices i
set amount_paid = paid.amount,
    payment_status = case
        when paid.amount = 0 then 'unpaid'
        when paid.amount >= paid.total then 'paid'
        else 'partially_paid'
    end
from paid
where i.builder_id = %(builder_id)s
  and i.id = paid.id
  and (i.amount_paid is distinct from paid.amount
       or i.payment_status is distinct from case
           when paid.amount = 0 then 'unpaid'
           when paid.amount >= paid.total then 'paid'
           else 'partially_paid'
       end);

-- name: apply_bill_payments
-- Writes bill payments.
insert into v2_bill_payments as t (
    id, builder_id, vendor_id, payment_date, currency, amount, unapplied_amount, reference, method, memo, status)
select s.id, %(builder_id)s::uuid, s.party, s.date, s.currency, s.amount, s.unapplied, s.reference, s.method,
       coalesce(s.memo, ''), case s.state when 'active' then 'posted' else 'void' end
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, party uuid, date date, currency text, amount numeric, unapplied numeric, reference text,
    method text, memo text)
on conflict (id) do update
set vendor_id = excluded.vendor_id,
    payment_date = excluded.payment_date,
    currency = excluded.currency,
    amount = excluded.amount,
    unapplied_amount = excluded.unapplied_amount,
    reference = excluded.reference,
    method = excluded.method,
    memo = excluded.memo,
    status = excluded.status,
    updated_at = %(now)s;

-- name: drop_bill_payment_applications
-- Takes away what bill payments pay, before it is written anew; returns the bills that may be less paid now.
delete from v2_bill_payment_applications
where builder_id = %(builder_id)s
  and bill_payment_id = any (%(record_ids)s::uuid[])
returning bill_id::text as document_id;

-- name: apply_bill_payment_applications
-- Writes what bill payments pay; several lines on one bill are one.
insert into v2_bill_payment_applications (builder_id, bill_payment_id, bill_id, amount)
select %(builder_id)s::uuid, a.record_id, a.document_id, sum(a.amount)
from jsonb_to_recordset(%(rows)s::jsonb) as a (record_id uuid, document_id uuid, amount numeric)
group by a.record_id, a.document_id;

-- name: refresh_bills_paid
-- Recomputes what was paid on bills from the payments that are valid; only rows that differ are written.
with paid as (
    select b.id, b.total, coalesce(sum(a.amount) filter (where p.status = 'posted'), 0) as amount
    from v2_bills b
    left join v2_bill_payment_applications a on a.builder_id = b.builder_id and a.bill_id = b.id
    left join v2_bill_payments p on p.builder_id = a.builder_id and p.id = a.bill_payment_id
    where b.builder_id = %(builder_id)s
      and b.id = any (%(document_ids)s::uuid[])
    group by b.id, b.total)
update v2_bills b
set amount_paid = paid.amount,
    payment_status = case
        when paid.amount = 0 then 'unpaid'
        when paid.amount >= paid.total then 'paid'
        else 'partially_paid'
    end
from paid
where b.builder_id = %(builder_id)s
  and b.id = paid.id
  and (b.amount_paid is distinct from paid.amount
       or b.payment_status is distinct from case
           when paid.amount = 0 then 'unpaid'
           when paid.amount >= paid.total then 'paid'
           else 'partially_paid'
       end);

-- name: apply_deposits
-- Writes bank deposits.
insert into v2_deposits as t (
    id, builder_id, deposit_date, currency, amount, account_id, reference, memo, status)
select s.id, %(builder_id)s::uuid, s.date, s.currency, s.amount, s.account, s.reference, coalesce(s.memo, ''),
       case s.state when 'active' then 'posted' else 'void' end
from jsonb_to_recordset(%(rows)s::jsonb) as s (
    id uuid, state text, date date, currency text, amount numeric, account uuid, reference text, memo text)
on conflict (id) do update
set deposit_date = excluded.deposit_date,
    currency = excluded.currency,
    amount = excluded.amount,
    account_id = excluded.account_id,
    reference = excluded.reference,
    memo = excluded.memo,
    status = excluded.status,
    updated_at = %(now)s;

-- name: drop_deposit_lines
-- Takes away the lines of deposits that are about to be written anew; returns the payments they had brought in.
delete from v2_deposit_lines
where builder_id = %(builder_id)s
  and deposit_id = any (%(record_ids)s::uuid[])
returning payment_id::text as document_id;

-- name: apply_deposit_lines
-- Writes deposit lines.
insert into v2_deposit_lines (builder_id, deposit_id, position, payment_id, amount, description, reference)
select %(builder_id)s::uuid, l.record_id, l.position, l.payment, l.amount, coalesce(l.description, ''), l.reference
from jsonb_to_recordset(%(rows)s::jsonb) as l (
    record_id uuid, position integer, payment uuid, amount numeric, description text, reference text);

-- name: refresh_payments_deposited
-- Notes on payments the date on which they reached the bank.
update v2_payments p
set deposited_on = banked.on_date
from (
    select w.id, max(d.deposit_date) filter (where d.status = 'posted') as on_date
    from unnest(%(document_ids)s::uuid[]) as w (id)
    left join v2_deposit_lines l on l.builder_id = %(builder_id)s and l.payment_id = w.id
    left join v2_deposits d on d.builder_id = l.builder_id and d.id = l.deposit_id
    group by w.id) as banked
where p.builder_id = %(builder_id)s
  and p.id = banked.id;

-- Exports: one row per line of a document, oldest first; the columns are those of sync/exports/datasets.py, in order.
-- `line_number` counts the lines of a document from 1; `has_key` says whether its own values tell it from its neighbours.

-- name: export_cost_codes
-- Exports cost codes.
select d.code, d.name, d.division, d.cost_type, d.external_id, d.is_active, d.id::text as id
from v2_cost_codes d
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or %(status)s::text = case when d.is_active then 'active' else 'inactive' end)
order by d.code;

-- name: export_clients
-- Exports clients.
select d.name, d.email, d.phone, d.address_line, d.city, d.region, d.postal_code, d.external_id, d.is_active,
       d.id::text as id
from v2_clients d
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or %(status)s::text = case when d.is_active then 'active' else 'inactive' end)
order by d.name;

-- name: export_vendors
-- Exports vendors.
select d.name, d.email, d.phone, d.address_line, d.city, d.region, d.postal_code, d.license_number, d.external_id,
       d.is_active, d.id::text as id
from v2_vendors d
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or %(status)s::text = case when d.is_active then 'active' else 'inactive' end)
order by d.name;

-- name: export_jobs
-- Exports jobs.
select d.number, d.name, c.name as client, d.status, d.contract_amount, d.external_id, d.id::text as id
from v2_jobs d
left join v2_clients c on c.builder_id = d.builder_id and c.id = d.client_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or %(status)s::text = d.status)
order by d.number;

-- name: export_accounts
-- Exports accounts.
select d.number, d.name, d.account_type, d.description, d.external_id, d.is_active, d.id::text as id
from v2_accounts d
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or %(status)s::text = case when d.is_active then 'active' else 'inactive' end)
order by d.number nulls last, d.name, d.id;

-- name: export_purchase_orders
-- Exports purchase orders with their lines.
select d.number, p.name as party, j.number as job, d.order_date as date, d.currency, d.total, d.status, d.delivery_status,
       d.external_id,
       d.id::text as id,
       l.description, cc.code as cost_code, l.quantity, l.unit_price, l.amount,
       row_number() over (partition by d.id order by l.position) as line_number,
       true as has_key
from v2_purchase_orders d
join v2_vendors p on p.builder_id = d.builder_id and p.id = d.vendor_id
left join v2_jobs j on j.builder_id = d.builder_id and j.id = d.job_id
left join v2_purchase_order_lines l on l.builder_id = d.builder_id and l.purchase_order_id = d.id
left join v2_cost_codes cc on cc.builder_id = l.builder_id and cc.id = l.cost_code_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.order_date >= %(since)s::date)
  and (%(until)s::date is null or d.order_date < %(until)s::date)
order by d.order_date, d.number, d.id, l.position;

-- name: export_invoices
-- Exports invoices with their lines.
select d.number, p.name as party, j.number as job, d.invoice_date as date, d.due_date, d.currency, d.memo, d.total, d.kind,
       d.status, d.external_id,
       d.id::text as id,
       l.description, cc.code as cost_code, l.role, l.quantity, l.unit_price, l.amount,
       row_number() over (partition by d.id order by l.position) as line_number,
       true as has_key
from v2_invoices d
join v2_clients p on p.builder_id = d.builder_id and p.id = d.client_id
left join v2_jobs j on j.builder_id = d.builder_id and j.id = d.job_id
left join v2_invoice_lines l on l.builder_id = d.builder_id and l.invoice_id = d.id
left join v2_cost_codes cc on cc.builder_id = l.builder_id and cc.id = l.cost_code_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.invoice_date >= %(since)s::date)
  and (%(until)s::date is null or d.invoice_date < %(until)s::date)
order by d.invoice_date, d.number, d.id, l.position;

-- name: export_bills
-- Exports bills with their lines.
select d.number, p.name as party, o.number as purchase_order, d.bill_date as date, d.due_date, d.currency, d.memo, d.total,
       d.status, d.external_id,
       d.id::text as id,
       l.description, cc.code as cost_code, j.number as job, l.role, l.quantity, l.unit_price, l.amount,
       row_number() over (partition by d.id order by l.position) as line_number,
       d.number is not null as has_key
from v2_bills d
join v2_vendors p on p.builder_id = d.builder_id and p.id = d.vendor_id
left join v2_purchase_orders o on o.builder_id = d.builder_id and o.id = d.purchase_order_id
left join v2_bill_lines l on l.builder_id = d.builder_id and l.bill_id = d.id
left join v2_cost_codes cc on cc.builder_id = l.builder_id and cc.id = l.cost_code_id
left join v2_jobs j on j.builder_id = d.builder_id and j.id = coalesce(l.job_id, d.job_id)
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.bill_date >= %(since)s::date)
  and (%(until)s::date is null or d.bill_date < %(until)s::date)
order by d.bill_date, d.number, d.id, l.position;

-- name: export_journal_entries
-- Exports journal entries with their lines.
select d.number, d.entry_date as date, d.kind, d.currency, d.memo, d.status, d.external_id,
       d.id::text as id,
       l.description, a.name as account, cc.code as cost_code, c.name as client, v.name as vendor, j.number as job,
       nullif(l.debit, 0) as debit, nullif(l.credit, 0) as credit,
       row_number() over (partition by d.id order by l.position) as line_number,
       d.number is not null as has_key
from v2_journal_entries d
left join v2_journal_entry_lines l on l.builder_id = d.builder_id and l.journal_entry_id = d.id
left join v2_accounts a on a.builder_id = l.builder_id and a.id = l.account_id
left join v2_cost_codes cc on cc.builder_id = l.builder_id and cc.id = l.cost_code_id
left join v2_clients c on c.builder_id = l.builder_id and c.id = l.client_id
left join v2_vendors v on v.builder_id = l.builder_id and v.id = l.vendor_id
left join v2_jobs j on j.builder_id = l.builder_id and j.id = l.job_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.entry_date >= %(since)s::date)
  and (%(until)s::date is null or d.entry_date < %(until)s::date)
order by d.entry_date, d.number, d.id, l.position;

-- name: export_payments
-- Exports payments with their lines.
select d.reference as number, p.name as party, d.payment_date as date, d.currency, d.amount as paid, d.method, d.memo,
       d.status, d.external_id,
       d.id::text as id,
       i.number as invoice, l.amount as applied,
       row_number() over (partition by d.id order by i.number, l.id) as line_number,
       d.reference is not null as has_key
from v2_payments d
left join v2_clients p on p.builder_id = d.builder_id and p.id = d.client_id
left join v2_payment_applications l on l.builder_id = d.builder_id and l.payment_id = d.id
left join v2_invoices i on i.builder_id = l.builder_id and i.id = l.invoice_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.payment_date >= %(since)s::date)
  and (%(until)s::date is null or d.payment_date < %(until)s::date)
order by d.payment_date, d.reference, d.id, i.number, l.id;

-- name: export_bill_payments
-- Exports bill payments with their lines.
select d.reference as number, p.name as party, d.payment_date as date, d.currency, d.amount as paid,
       d.unapplied_amount as unapplied, d.method, d.memo, d.status, d.external_id,
       d.id::text as id,
       b.number as bill, l.amount as applied,
       row_number() over (partition by d.id order by b.number, l.id) as line_number,
       true as has_key
from v2_bill_payments d
left join v2_vendors p on p.builder_id = d.builder_id and p.id = d.vendor_id
left join v2_bill_payment_applications l on l.builder_id = d.builder_id and l.bill_payment_id = d.id
left join v2_bills b on b.builder_id = l.builder_id and b.id = l.bill_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.payment_date >= %(since)s::date)
  and (%(until)s::date is null or d.payment_date < %(until)s::date)
order by d.payment_date, d.reference, d.id, b.number, l.id;

-- name: export_deposits
-- Exports deposits with their lines.
select d.reference as number, d.deposit_date as date, a.name as account, d.currency, d.amount as total, d.memo, d.status,
       d.external_id,
       d.id::text as id,
       coalesce(p.reference, l.payment_id::text) as payment, l.description, l.amount,
       row_number() over (partition by d.id order by l.position) as line_number,
       true as has_key
from v2_deposits d
left join v2_accounts a on a.builder_id = d.builder_id and a.id = d.account_id
left join v2_deposit_lines l on l.builder_id = d.builder_id and l.deposit_id = d.id
left join v2_payments p on p.builder_id = l.builder_id and p.id = l.payment_id
where d.builder_id = %(builder_id)s
  and (%(status)s::text is null or d.status = %(status)s::text)
  and (%(since)s::date is null or d.deposit_date >= %(since)s::date)
  and (%(until)s::date is null or d.deposit_date < %(until)s::date)
order by d.deposit_date, d.reference, d.id, l.position;

-- name: export_mappings
-- Exports the mapping in force, by provider, profile and cost code.
select n.provider, v.number as version, m.platform_entity_type as profile, cc.code as cost_code, cc.name as cost_code_name,
       m.provider_account_id as account_id, m.provider_account_name as account_name,
       m.provider_account_type as account_type, m.mapping_direction as direction, m.id::text as id
from v2_account_mappings m
join v2_integration_connections n on n.builder_id = m.builder_id and n.id = m.connection_id
join mapping_versions v on v.builder_id = m.builder_id and v.id = m.version_id
left join v2_cost_codes cc on cc.builder_id = m.builder_id and cc.id = m.platform_cost_code_id
where m.builder_id = %(builder_id)s
  and m.is_active
  and (%(connection_id)s::uuid is null or m.connection_id = %(connection_id)s::uuid)
order by n.provider, m.platform_entity_type, cc.code nulls first, m.id;

-- name: export_errors
-- Exports the open rows of the error and review queues, newest first.
select r.created_at, n.provider, r.platform_entity_type as entity, r.label, r.amount, r.currency, r.status, r.direction,
       r.error_message as message, r.category, r.code, r.remedy, r.cause, r.retry_count as retries, r.next_retry_at,
       r.platform_entity_id::text as record_id, r.provider_entity_id as remote_id, r.id::text as id
from v2_sync_records r
join v2_integration_connections n on n.builder_id = r.builder_id and n.id = r.connection_id
where r.builder_id = %(builder_id)s
  and r.resolved_at is null
  and r.status in ('error', 'held')
  and (%(status)s::text is null or r.status = %(status)s::text)
  and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
  and (%(category)s::text is null or r.category = %(category)s::text)
  and (%(cause)s::text is null or r.cause = %(cause)s::text)
  and (%(since)s::timestamptz is null or r.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or r.created_at < %(until)s::timestamptz)
order by r.created_at desc, r.id desc;

-- name: export_conflicts
-- Exports the open conflicts, one row per field that differs.
select r.created_at, n.provider, r.platform_entity_type as entity, r.label, r.error_message as message,
       (r.conflict_data ->> 'money_difference')::numeric as money_difference, f.item ->> 'field' as field,
       f.item ->> 'ours' as ours, f.item ->> 'base' as base, f.item ->> 'theirs' as theirs,
       r.platform_entity_id::text as record_id, r.provider_entity_id as remote_id, r.id::text as id
from v2_sync_records r
join v2_integration_connections n on n.builder_id = r.builder_id and n.id = r.connection_id
left join lateral jsonb_array_elements(r.conflict_data -> 'fields') as f (item) on true
where r.builder_id = %(builder_id)s
  and r.resolved_at is null
  and r.status = 'conflict'
  and (%(connection_id)s::uuid is null or r.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or r.platform_entity_type = %(entity)s::text)
  and (%(since)s::timestamptz is null or r.created_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or r.created_at < %(until)s::timestamptz)
order by r.created_at desc, r.id desc, f.item ->> 'field';

-- name: export_history
-- Exports the sync history, newest first.
select l.started_at, l.completed_at, n.provider, l.sync_type, l.entity_type as entity, l.direction, l.status,
       l.records_processed as processed, l.records_succeeded as succeeded, l.records_failed as failed, l.summary,
       l.error_summary, l.sync_run_id::text as sync_run_id, l.id::text as id
from v2_sync_log l
join v2_integration_connections n on n.builder_id = l.builder_id and n.id = l.connection_id
where l.builder_id = %(builder_id)s
  and (%(connection_id)s::uuid is null or l.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or l.entity_type = %(entity)s::text)
  and (%(direction)s::text is null or l.direction = %(direction)s::text)
  and (%(status)s::text is null or l.status = %(status)s::text)
  and (%(since)s::timestamptz is null or l.started_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or l.started_at < %(until)s::timestamptz)
order by l.started_at desc, l.id desc;

-- name: export_records
-- Exports the records of past syncs, newest sync first.
select r.created_at, n.provider, r.platform_entity_type as entity, r.label, r.direction, r.status, r.action, r.amount,
       r.currency, r.error_message as message, r.resolved_at, r.resolution, r.resolved_by,
       r.platform_entity_id::text as record_id, r.provider_entity_id as remote_id, r.id::text as id
from v2_sync_log l
join v2_sync_records r on r.builder_id = l.builder_id and r.sync_log_id = l.id
join v2_integration_connections n on n.builder_id = l.builder_id and n.id = l.connection_id
where l.builder_id = %(builder_id)s
  and (%(connection_id)s::uuid is null or l.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or l.entity_type = %(entity)s::text)
  and (%(direction)s::text is null or r.direction = %(direction)s::text)
  and (%(status)s::text is null or r.status = %(status)s::text)
  and (%(since)s::timestamptz is null or l.started_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or l.started_at < %(until)s::timestamptz)
order by l.started_at desc, l.id desc, r.created_at, r.id;

-- name: export_audit
-- Exports the audit log, oldest first.
select a.at, a.actor, a.action, a.reason, a.entity, a.record_id::text as record_id, a.remote_id, a.before, a.after,
       a.id::text as id
from audit_log a
where a.builder_id = %(builder_id)s
  and (%(connection_id)s::uuid is null or a.connection_id = %(connection_id)s::uuid)
  and (%(entity)s::text is null or a.entity = %(entity)s::text)
  and (%(record_id)s::uuid is null or a.record_id = %(record_id)s::uuid)
  and (%(action)s::text is null or a.action = %(action)s::text)
  and (%(since)s::timestamptz is null or a.at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or a.at < %(until)s::timestamptz)
order by a.at, a.id;

-- name: export_evidence
-- Exports what is known about records, oldest first: each write to a ledger with its payload and hash, and each change.
select e.at, e.kind, e.entity, e.record_id, e.actor, e.action, e.reason, e.state, e.request_id, e.payload_hash,
       e.mapping_version, e.remote_id, e.before, e.after, e.id
from (
    select a.started_at as at, 'write' as kind, a.entity, a.record_id::text as record_id, null as actor,
           a.operation as action, null as reason, a.state, a.request_id, a.payload_hash, v.number as mapping_version,
           a.remote_id, null::jsonb as before, a.payload as after, a.id::text as id
    from attempts a
    left join mapping_versions v on v.builder_id = a.builder_id and v.id = a.mapping_version_id
    where a.builder_id = %(builder_id)s
      and (%(connection_id)s::uuid is null or a.connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or a.entity = %(entity)s::text)
      and (%(record_id)s::uuid is null or a.record_id = %(record_id)s::uuid)
      and (%(since)s::timestamptz is null or a.started_at >= %(since)s::timestamptz)
      and (%(until)s::timestamptz is null or a.started_at < %(until)s::timestamptz)
    union all
    select l.at, 'change', l.entity, l.record_id::text, l.actor, l.action, l.reason, null, null, null, null, l.remote_id,
           l.before, l.after, l.id::text
    from audit_log l
    where l.builder_id = %(builder_id)s
      and l.record_id is not null
      and (%(connection_id)s::uuid is null or l.connection_id = %(connection_id)s::uuid)
      and (%(entity)s::text is null or l.entity = %(entity)s::text)
      and (%(record_id)s::uuid is null or l.record_id = %(record_id)s::uuid)
      and (%(since)s::timestamptz is null or l.at >= %(since)s::timestamptz)
      and (%(until)s::timestamptz is null or l.at < %(until)s::timestamptz)) e
order by e.record_id, e.at, e.id;

-- name: export_as_csv
-- Writes an export's query as CSV; `columns` are its columns as the text that stands in the file.
copy (select {columns} from ({query}) q) to stdout (format csv);

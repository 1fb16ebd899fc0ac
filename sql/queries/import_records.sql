-- What an import writes and takes back, entity by entity. Inserts and updates are of one chunk: rows or documents
-- whose first row lies in (after, until]. Names are written from import_rows, documents from import_documents.

-- name: import_before_cost_codes
-- Keep what the cost codes of this chunk that the file changes were before.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id, jsonb_build_object('record', to_jsonb(here)), %(now)s
from import_rows as staged
join v2_cost_codes as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
where staged.existing_id is not null
  and staged.place > %(after)s
  and staged.place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_cost_codes
-- Add the cost codes of this chunk that are new.
insert into v2_cost_codes
    (builder_id, id, code, name, division, cost_type, external_id, is_active)
select %(builder_id)s, id, code, name, division, cost_type, external_id, is_active
from import_rows
where existing_id is null
  and place > %(after)s
  and place <= %(until)s;

-- name: import_update_cost_codes
-- Give the cost codes of this chunk that are here the values of the file, where it has any.
update v2_cost_codes as here
set code = case when 'code' = any (%(stated)s::text[]) then coalesce(staged.code, here.code) else here.code end,
    name = case when 'name' = any (%(stated)s::text[]) then coalesce(staged.name, here.name) else here.name end,
    division = case when 'division' = any (%(stated)s::text[]) then coalesce(staged.division, here.division) else here.division end,
    cost_type = case when 'cost_type' = any (%(stated)s::text[]) then coalesce(staged.cost_type, here.cost_type) else here.cost_type end,
    external_id = case when 'external_id' = any (%(stated)s::text[]) then coalesce(staged.external_id, here.external_id) else here.external_id end,
    is_active = case when 'is_active' = any (%(stated)s::text[]) then coalesce(staged.is_active, here.is_active) else here.is_active end,
    updated_at = %(now)s
from import_rows as staged
where here.builder_id = %(builder_id)s
  and here.id = staged.existing_id
  and staged.place > %(after)s
  and staged.place <= %(until)s;

-- name: import_before_clients
-- Keep what the clients of this chunk that the file changes were before.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id, jsonb_build_object('record', to_jsonb(here)), %(now)s
from import_rows as staged
join v2_clients as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
where staged.existing_id is not null
  and staged.place > %(after)s
  and staged.place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_clients
-- Add the clients of this chunk that are new.
insert into v2_clients
    (builder_id, id, name, email, phone, address_line, city, region, postal_code, external_id, is_active)
select %(builder_id)s, id, name, email, phone, address_line, city, region, postal_code, external_id, is_active
from import_rows
where existing_id is null
  and place > %(after)s
  and place <= %(until)s;

-- name: import_update_clients
-- Give the clients of this chunk that are here the values of the file, where it has any.
update v2_clients as here
set name = case when 'name' = any (%(stated)s::text[]) then coalesce(staged.name, here.name) else here.name end,
    email = case when 'email' = any (%(stated)s::text[]) then coalesce(staged.email, here.email) else here.email end,
    phone = case when 'phone' = any (%(stated)s::text[]) then coalesce(staged.phone, here.phone) else here.phone end,
    address_line = case when 'address_line' = any (%(stated)s::text[]) then coalesce(staged.address_line, here.address_line) else here.address_line end,
    city = case when 'city' = any (%(stated)s::text[]) then coalesce(staged.city, here.city) else here.city end,
    region = case when 'region' = any (%(stated)s::text[]) then coalesce(staged.region, here.region) else here.region end,
    postal_code = case when 'postal_code' = any (%(stated)s::text[]) then coalesce(staged.postal_code, here.postal_code) else here.postal_code end,
    external_id = case when 'external_id' = any (%(stated)s::text[]) then coalesce(staged.external_id, here.external_id) else here.external_id end,
    is_active = case when 'is_active' = any (%(stated)s::text[]) then coalesce(staged.is_active, here.is_active) else here.is_active end,
    updated_at = %(now)s
from import_rows as staged
where here.builder_id = %(builder_id)s
  and here.id = staged.existing_id
  and staged.place > %(after)s
  and staged.place <= %(until)s;

-- name: import_before_vendors
-- Keep what the vendors of this chunk that the file changes were before.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id, jsonb_build_object('record', to_jsonb(here)), %(now)s
from import_rows as staged
join v2_vendors as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
where staged.existing_id is not null
  and staged.place > %(after)s
  and staged.place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_vendors
-- Add the vendors of this chunk that are new.
insert into v2_vendors
    (builder_id, id, name, email, phone, address_line, city, region, postal_code, license_number, external_id,
    is_active)
select %(builder_id)s, id, name, email, phone, address_line, city, region, postal_code, license_number, external_id,
       is_active
from import_rows
where existing_id is null
  and place > %(after)s
  and place <= %(until)s;

-- name: import_update_vendors
-- Give the vendors of this chunk that are here the values of the file, where it has any.
update v2_vendors as here
set name = case when 'name' = any (%(stated)s::text[]) then coalesce(staged.name, here.name) else here.name end,
    email = case when 'email' = any (%(stated)s::text[]) then coalesce(staged.email, here.email) else here.email end,
    phone = case when 'phone' = any (%(stated)s::text[]) then coalesce(staged.phone, here.phone) else here.phone end,
    address_line = case when 'address_line' = any (%(stated)s::text[]) then coalesce(staged.address_line, here.address_line) else here.address_line end,
    city = case when 'city' = any (%(stated)s::text[]) then coalesce(staged.city, here.city) else here.city end,
    region = case when 'region' = any (%(stated)s::text[]) then coalesce(staged.region, here.region) else here.region end,
    postal_code = case when 'postal_code' = any (%(stated)s::text[]) then coalesce(staged.postal_code, here.postal_code) else here.postal_code end,
    license_number = case when 'license_number' = any (%(stated)s::text[]) then coalesce(staged.license_number, here.license_number) else here.license_number end,
    external_id = case when 'external_id' = any (%(stated)s::text[]) then coalesce(staged.external_id, here.external_id) else here.external_id end,
    is_active = case when 'is_active' = any (%(stated)s::text[]) then coalesce(staged.is_active, here.is_active) else here.is_active end,
    updated_at = %(now)s
from import_rows as staged
where here.builder_id = %(builder_id)s
  and here.id = staged.existing_id
  and staged.place > %(after)s
  and staged.place <= %(until)s;

-- name: import_before_jobs
-- Keep what the jobs of this chunk that the file changes were before.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id, jsonb_build_object('record', to_jsonb(here)), %(now)s
from import_rows as staged
join v2_jobs as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
where staged.existing_id is not null
  and staged.place > %(after)s
  and staged.place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_jobs
-- Add the jobs of this chunk that are new.
insert into v2_jobs
    (builder_id, id, number, name, client_id, status, contract_amount, external_id)
select %(builder_id)s, id, number, name, client_id, status, contract_amount, external_id
from import_rows
where existing_id is null
  and place > %(after)s
  and place <= %(until)s;

-- name: import_update_jobs
-- Give the jobs of this chunk that are here the values of the file, where it has any.
update v2_jobs as here
set number = case when 'number' = any (%(stated)s::text[]) then coalesce(staged.number, here.number) else here.number end,
    name = case when 'name' = any (%(stated)s::text[]) then coalesce(staged.name, here.name) else here.name end,
    client_id = case when 'client_id' = any (%(stated)s::text[]) then coalesce(staged.client_id, here.client_id) else here.client_id end,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(staged.status, here.status) else here.status end,
    contract_amount = case when 'contract_amount' = any (%(stated)s::text[]) then coalesce(staged.contract_amount, here.contract_amount) else here.contract_amount end,
    external_id = case when 'external_id' = any (%(stated)s::text[]) then coalesce(staged.external_id, here.external_id) else here.external_id end,
    updated_at = %(now)s
from import_rows as staged
where here.builder_id = %(builder_id)s
  and here.id = staged.existing_id
  and staged.place > %(after)s
  and staged.place <= %(until)s;

-- name: import_before_accounts
-- Keep what the accounts of this chunk that the file changes were before.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id, jsonb_build_object('record', to_jsonb(here)), %(now)s
from import_rows as staged
join v2_accounts as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
where staged.existing_id is not null
  and staged.place > %(after)s
  and staged.place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_accounts
-- Add the accounts of this chunk that are new.
insert into v2_accounts
    (builder_id, id, number, name, account_type, description, external_id, is_active)
select %(builder_id)s, id, number, name, account_type, description, external_id, is_active
from import_rows
where existing_id is null
  and place > %(after)s
  and place <= %(until)s;

-- name: import_update_accounts
-- Give the accounts of this chunk that are here the values of the file, where it has any.
update v2_accounts as here
set number = case when 'number' = any (%(stated)s::text[]) then coalesce(staged.number, here.number) else here.number end,
    name = case when 'name' = any (%(stated)s::text[]) then coalesce(staged.name, here.name) else here.name end,
    account_type = case when 'account_type' = any (%(stated)s::text[]) then coalesce(staged.account_type, here.account_type) else here.account_type end,
    description = case when 'description' = any (%(stated)s::text[]) then coalesce(staged.description, here.description) else here.description end,
    external_id = case when 'external_id' = any (%(stated)s::text[]) then coalesce(staged.external_id, here.external_id) else here.external_id end,
    is_active = case when 'is_active' = any (%(stated)s::text[]) then coalesce(staged.is_active, here.is_active) else here.is_active end,
    updated_at = %(now)s
from import_rows as staged
where here.builder_id = %(builder_id)s
  and here.id = staged.existing_id
  and staged.place > %(after)s
  and staged.place <= %(until)s;

-- name: import_before_invoices
-- Keep what the invoices of this chunk that the file changes were before, lines and all.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id,
       jsonb_build_object('record', to_jsonb(here), 'lines', coalesce((
           select jsonb_agg(to_jsonb(its))
           from v2_invoice_lines as its
           where its.builder_id = here.builder_id and its.invoice_id = here.id), '[]')),
       %(now)s
from import_documents as one
join v2_invoices as here on here.builder_id = %(builder_id)s and here.id = one.id
where one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_invoices
-- Add the invoices of this chunk that are new.
insert into v2_invoices
    (builder_id, id, number, kind, client_id, job_id, invoice_date, due_date, currency, memo, status, total,
    external_id)
select %(builder_id)s, id, number, kind, party_id, job_id, on_date, due_date, currency, memo, status, total,
       external_id
from import_documents
where not is_update
  and first_place > %(after)s
  and first_place <= %(until)s;

-- name: import_update_invoices
-- Give the invoices of this chunk that are here the values of the file.
update v2_invoices as here
set number = coalesce(one.number, here.number),
    kind = case when 'kind' = any (%(stated)s::text[]) then coalesce(one.kind, here.kind) else here.kind end,
    client_id = one.party_id,
    job_id = coalesce(one.job_id, here.job_id),
    invoice_date = one.on_date,
    due_date = coalesce(one.due_date, here.due_date),
    currency = case when 'currency' = any (%(stated)s::text[]) then coalesce(one.currency, here.currency) else here.currency end,
    memo = case when 'memo' = any (%(stated)s::text[]) then coalesce(one.memo, here.memo) else here.memo end,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(one.status, here.status) else here.status end,
    total = one.total,
    external_id = coalesce(one.external_id, here.external_id),
    updated_at = %(now)s
from import_documents as one
where here.builder_id = %(builder_id)s
  and here.id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_drop_invoices_lines
-- Take off the lines of the invoices of this chunk that get those of the file.
delete from v2_invoice_lines as line
using import_documents as one
where line.builder_id = %(builder_id)s
  and line.invoice_id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_insert_invoices_lines
-- Add the lines of the invoices of this chunk.
insert into v2_invoice_lines
    (builder_id, id, invoice_id, position, description, cost_code_id, role, quantity, unit_price, amount)
select %(builder_id)s,
       (fresh.id_begins || lpad(to_hex(staged.place), 8, '0'))::uuid,
       one.id, row_number() over (partition by one.id order by staged.place),
       staged.description, staged.cost_code_id, staged.role, staged.quantity, staged.unit_price, staged.amount
from import_documents as one
join import_rows as staged on staged.document = one.document
cross join import_fresh_ids as fresh
where one.first_place > %(after)s
  and one.first_place <= %(until)s
  and staged.place > %(after)s
  and staged.place <= (
      select max(chunk.last_place)
      from import_documents as chunk
      where chunk.first_place > %(after)s
        and chunk.first_place <= %(until)s);

-- name: import_before_bills
-- Keep what the bills of this chunk that the file changes were before, lines and all.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id,
       jsonb_build_object('record', to_jsonb(here), 'lines', coalesce((
           select jsonb_agg(to_jsonb(its))
           from v2_bill_lines as its
           where its.builder_id = here.builder_id and its.bill_id = here.id), '[]')),
       %(now)s
from import_documents as one
join v2_bills as here on here.builder_id = %(builder_id)s and here.id = one.id
where one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_bills
-- Add the bills of this chunk that are new.
insert into v2_bills
    (builder_id, id, number, vendor_id, job_id, purchase_order_id, bill_date, due_date, currency, memo, status,
    total, external_id)
select %(builder_id)s, id, number, party_id, job_id, purchase_order_id, on_date, due_date, currency, memo, status,
       total, external_id
from import_documents
where not is_update
  and first_place > %(after)s
  and first_place <= %(until)s;

-- name: import_update_bills
-- Give the bills of this chunk that are here the values of the file.
update v2_bills as here
set number = coalesce(one.number, here.number),
    vendor_id = one.party_id,
    job_id = coalesce(one.job_id, here.job_id),
    purchase_order_id = coalesce(one.purchase_order_id, here.purchase_order_id),
    bill_date = one.on_date,
    due_date = coalesce(one.due_date, here.due_date),
    currency = case when 'currency' = any (%(stated)s::text[]) then coalesce(one.currency, here.currency) else here.currency end,
    memo = case when 'memo' = any (%(stated)s::text[]) then coalesce(one.memo, here.memo) else here.memo end,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(one.status, here.status) else here.status end,
    total = one.total,
    external_id = coalesce(one.external_id, here.external_id),
    updated_at = %(now)s
from import_documents as one
where here.builder_id = %(builder_id)s
  and here.id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_drop_bills_lines
-- Take off the lines of the bills of this chunk that get those of the file.
delete from v2_bill_lines as line
using import_documents as one
where line.builder_id = %(builder_id)s
  and line.bill_id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_insert_bills_lines
-- Add the lines of the bills of this chunk.
insert into v2_bill_lines
    (builder_id, id, bill_id, position, description, cost_code_id, job_id, role, quantity, unit_price, amount)
select %(builder_id)s,
       (fresh.id_begins || lpad(to_hex(staged.place), 8, '0'))::uuid,
       one.id, row_number() over (partition by one.id order by staged.place),
       staged.description, staged.cost_code_id, staged.job_id, staged.role, staged.quantity, staged.unit_price,
       staged.amount
from import_documents as one
join import_rows as staged on staged.document = one.document
cross join import_fresh_ids as fresh
where one.first_place > %(after)s
  and one.first_place <= %(until)s
  and staged.place > %(after)s
  and staged.place <= (
      select max(chunk.last_place)
      from import_documents as chunk
      where chunk.first_place > %(after)s
        and chunk.first_place <= %(until)s);

-- name: import_before_purchase_orders
-- Keep what the purchase orders of this chunk that the file changes were before, lines and all.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id,
       jsonb_build_object('record', to_jsonb(here), 'lines', coalesce((
           select jsonb_agg(to_jsonb(its))
           from v2_purchase_order_lines as its
           where its.builder_id = here.builder_id and its.purchase_order_id = here.id), '[]')),
       %(now)s
from import_documents as one
join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.id = one.id
where one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_purchase_orders
-- Add the purchase orders of this chunk that are new.
insert into v2_purchase_orders
    (builder_id, id, number, vendor_id, job_id, order_date, currency, total, status, delivery_status, external_id)
select %(builder_id)s, id, number, party_id, job_id, on_date, currency, total, status, delivery_status, external_id
from import_documents
where not is_update
  and first_place > %(after)s
  and first_place <= %(until)s;

-- name: import_update_purchase_orders
-- Give the purchase orders of this chunk that are here the values of the file.
update v2_purchase_orders as here
set number = coalesce(one.number, here.number),
    vendor_id = one.party_id,
    job_id = coalesce(one.job_id, here.job_id),
    order_date = one.on_date,
    currency = case when 'currency' = any (%(stated)s::text[]) then coalesce(one.currency, here.currency) else here.currency end,
    total = one.total,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(one.status, here.status) else here.status end,
    delivery_status = coalesce(one.delivery_status, here.delivery_status),
    external_id = coalesce(one.external_id, here.external_id),
    updated_at = %(now)s
from import_documents as one
where here.builder_id = %(builder_id)s
  and here.id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_drop_purchase_orders_lines
-- Take off the lines of the purchase orders of this chunk that get those of the file.
delete from v2_purchase_order_lines as line
using import_documents as one
where line.builder_id = %(builder_id)s
  and line.purchase_order_id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_insert_purchase_orders_lines
-- Add the lines of the purchase orders of this chunk.
insert into v2_purchase_order_lines
    (builder_id, id, purchase_order_id, position, description, cost_code_id, quantity, unit_price, amount)
select %(builder_id)s,
       (fresh.id_begins || lpad(to_hex(staged.place), 8, '0'))::uuid,
       one.id, row_number() over (partition by one.id order by staged.place),
       staged.description, staged.cost_code_id, staged.quantity, staged.unit_price, staged.amount
from import_documents as one
join import_rows as staged on staged.document = one.document
cross join import_fresh_ids as fresh
where one.first_place > %(after)s
  and one.first_place <= %(until)s
  and staged.place > %(after)s
  and staged.place <= (
      select max(chunk.last_place)
      from import_documents as chunk
      where chunk.first_place > %(after)s
        and chunk.first_place <= %(until)s);

-- name: import_before_journal_entries
-- Keep what the journal entries of this chunk that the file changes were before, lines and all.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id,
       jsonb_build_object('record', to_jsonb(here), 'lines', coalesce((
           select jsonb_agg(to_jsonb(its))
           from v2_journal_entry_lines as its
           where its.builder_id = here.builder_id and its.journal_entry_id = here.id), '[]')),
       %(now)s
from import_documents as one
join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.id = one.id
where one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_journal_entries
-- Add the journal entries of this chunk that are new.
insert into v2_journal_entries
    (builder_id, id, number, kind, entry_date, currency, memo, status, external_id)
select %(builder_id)s, id, number, kind, on_date, currency, memo, status, external_id
from import_documents
where not is_update
  and first_place > %(after)s
  and first_place <= %(until)s;

-- name: import_update_journal_entries
-- Give the journal entries of this chunk that are here the values of the file.
update v2_journal_entries as here
set number = coalesce(one.number, here.number),
    kind = case when 'kind' = any (%(stated)s::text[]) then coalesce(one.kind, here.kind) else here.kind end,
    entry_date = one.on_date,
    currency = case when 'currency' = any (%(stated)s::text[]) then coalesce(one.currency, here.currency) else here.currency end,
    memo = case when 'memo' = any (%(stated)s::text[]) then coalesce(one.memo, here.memo) else here.memo end,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(one.status, here.status) else here.status end,
    external_id = coalesce(one.external_id, here.external_id),
    updated_at = %(now)s
from import_documents as one
where here.builder_id = %(builder_id)s
  and here.id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_drop_journal_entries_lines
-- Take off the lines of the journal entries of this chunk that get those of the file.
delete from v2_journal_entry_lines as line
using import_documents as one
where line.builder_id = %(builder_id)s
  and line.journal_entry_id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_insert_journal_entries_lines
-- Add the lines of the journal entries of this chunk.
insert into v2_journal_entry_lines
    (builder_id, id, journal_entry_id, position, description, account_id, cost_code_id, client_id, vendor_id, job_id,
    debit, credit)
select %(builder_id)s,
       (fresh.id_begins || lpad(to_hex(staged.place), 8, '0'))::uuid,
       one.id, row_number() over (partition by one.id order by staged.place),
       staged.description, staged.account_id, staged.cost_code_id, staged.client_id, staged.vendor_id, staged.job_id,
       staged.debit, staged.credit
from import_documents as one
join import_rows as staged on staged.document = one.document
cross join import_fresh_ids as fresh
where one.first_place > %(after)s
  and one.first_place <= %(until)s
  and staged.place > %(after)s
  and staged.place <= (
      select max(chunk.last_place)
      from import_documents as chunk
      where chunk.first_place > %(after)s
        and chunk.first_place <= %(until)s);

-- name: import_before_payments
-- Keep what the payments of this chunk that the file changes were before, lines and all.
insert into import_changes (builder_id, import_id, record_id, before, changed_at)
select %(builder_id)s, %(import_id)s, here.id,
       jsonb_build_object('record', to_jsonb(here), 'lines', coalesce((
           select jsonb_agg(to_jsonb(its))
           from v2_payment_applications as its
           where its.builder_id = here.builder_id and its.payment_id = here.id), '[]')),
       %(now)s
from import_documents as one
join v2_payments as here on here.builder_id = %(builder_id)s and here.id = one.id
where one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
on conflict (builder_id, import_id, record_id) do nothing;

-- name: import_insert_payments
-- Add the payments of this chunk that are new.
insert into v2_payments
    (builder_id, id, reference, client_id, payment_date, currency, amount, unapplied_amount, method, memo, status,
    external_id)
select %(builder_id)s, id, number, party_id, on_date, currency, total, unapplied, method, memo, status, external_id
from import_documents
where not is_update
  and first_place > %(after)s
  and first_place <= %(until)s;

-- name: import_update_payments
-- Give the payments of this chunk that are here the values of the file.
update v2_payments as here
set reference = coalesce(one.number, here.reference),
    client_id = one.party_id,
    payment_date = one.on_date,
    currency = case when 'currency' = any (%(stated)s::text[]) then coalesce(one.currency, here.currency) else here.currency end,
    amount = one.total,
    unapplied_amount = one.unapplied,
    method = coalesce(one.method, here.method),
    memo = case when 'memo' = any (%(stated)s::text[]) then coalesce(one.memo, here.memo) else here.memo end,
    status = case when 'status' = any (%(stated)s::text[]) then coalesce(one.status, here.status) else here.status end,
    external_id = coalesce(one.external_id, here.external_id),
    updated_at = %(now)s
from import_documents as one
where here.builder_id = %(builder_id)s
  and here.id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_drop_payments_lines
-- Take off the lines of the payments of this chunk that get those of the file.
delete from v2_payment_applications as line
using import_documents as one
where line.builder_id = %(builder_id)s
  and line.payment_id = one.id
  and one.is_update
  and one.first_place > %(after)s
  and one.first_place <= %(until)s;

-- name: import_insert_payments_lines
-- Say which invoices the payments of this chunk pay.
insert into v2_payment_applications (builder_id, payment_id, invoice_id, amount)
select %(builder_id)s, one.id, staged.invoice_id, sum(staged.applied)
from import_documents as one
join import_rows as staged on staged.document = one.document
where staged.invoice_id is not null
  and one.first_place > %(after)s
  and one.first_place <= %(until)s
  and staged.place > %(after)s
  and staged.place <= (
      select max(chunk.last_place)
      from import_documents as chunk
      where chunk.first_place > %(after)s
        and chunk.first_place <= %(until)s)
group by one.id, staged.invoice_id;

-- name: import_undo_blocked_cost_codes
-- Added cost codes that something else needs by now.
select here.id::text as record_id, here.code as label
from import_undone as undone
join v2_cost_codes as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_invoice_lines as other where other.builder_id = here.builder_id and other.cost_code_id = here.id)
   or exists (select 1 from v2_bill_lines as other where other.builder_id = here.builder_id and other.cost_code_id = here.id)
   or exists (select 1 from v2_purchase_order_lines as other where other.builder_id = here.builder_id and other.cost_code_id = here.id)
   or exists (select 1 from v2_journal_entry_lines as other where other.builder_id = here.builder_id and other.cost_code_id = here.id)
   or exists (select 1 from v2_account_mappings as other where other.builder_id = here.builder_id and other.platform_cost_code_id = here.id))
order by label;

-- name: import_undo_labels_cost_codes
-- How people know these cost codes.
select here.id::text as record_id, here.code as label
from v2_cost_codes as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_cost_codes
-- Changed cost codes that somebody changed again since.
select here.id::text as record_id, here.code as label
from import_undone as undone
join v2_cost_codes as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_cost_codes
-- Take away the cost codes that the import added.
delete from v2_cost_codes as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_cost_codes
-- Give the cost codes that the import changed their values back.
update v2_cost_codes as here
set code = earlier.code,
    name = earlier.name,
    division = earlier.division,
    cost_type = earlier.cost_type,
    external_id = earlier.external_id,
    is_active = earlier.is_active,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_cost_codes, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_blocked_clients
-- Added clients that something else needs by now.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_clients as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_invoices as other where other.builder_id = here.builder_id and other.client_id = here.id)
   or exists (select 1 from v2_jobs as other where other.builder_id = here.builder_id and other.client_id = here.id)
   or exists (select 1 from v2_payments as other where other.builder_id = here.builder_id and other.client_id = here.id)
   or exists (select 1 from v2_journal_entry_lines as other where other.builder_id = here.builder_id and other.client_id = here.id))
order by label;

-- name: import_undo_labels_clients
-- How people know these clients.
select here.id::text as record_id, here.name as label
from v2_clients as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_clients
-- Changed clients that somebody changed again since.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_clients as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_clients
-- Take away the clients that the import added.
delete from v2_clients as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_clients
-- Give the clients that the import changed their values back.
update v2_clients as here
set name = earlier.name,
    email = earlier.email,
    phone = earlier.phone,
    address_line = earlier.address_line,
    city = earlier.city,
    region = earlier.region,
    postal_code = earlier.postal_code,
    external_id = earlier.external_id,
    is_active = earlier.is_active,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_clients, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_blocked_vendors
-- Added vendors that something else needs by now.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_vendors as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_bills as other where other.builder_id = here.builder_id and other.vendor_id = here.id)
   or exists (select 1 from v2_purchase_orders as other where other.builder_id = here.builder_id and other.vendor_id = here.id)
   or exists (select 1 from v2_bill_payments as other where other.builder_id = here.builder_id and other.vendor_id = here.id)
   or exists (select 1 from v2_journal_entry_lines as other where other.builder_id = here.builder_id and other.vendor_id = here.id))
order by label;

-- name: import_undo_labels_vendors
-- How people know these vendors.
select here.id::text as record_id, here.name as label
from v2_vendors as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_vendors
-- Changed vendors that somebody changed again since.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_vendors as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_vendors
-- Take away the vendors that the import added.
delete from v2_vendors as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_vendors
-- Give the vendors that the import changed their values back.
update v2_vendors as here
set name = earlier.name,
    email = earlier.email,
    phone = earlier.phone,
    address_line = earlier.address_line,
    city = earlier.city,
    region = earlier.region,
    postal_code = earlier.postal_code,
    license_number = earlier.license_number,
    external_id = earlier.external_id,
    is_active = earlier.is_active,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_vendors, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_blocked_jobs
-- Added jobs that something else needs by now.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_jobs as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_invoices as other where other.builder_id = here.builder_id and other.job_id = here.id)
   or exists (select 1 from v2_bills as other where other.builder_id = here.builder_id and other.job_id = here.id)
   or exists (select 1 from v2_bill_lines as other where other.builder_id = here.builder_id and other.job_id = here.id)
   or exists (select 1 from v2_purchase_orders as other where other.builder_id = here.builder_id and other.job_id = here.id)
   or exists (select 1 from v2_journal_entry_lines as other where other.builder_id = here.builder_id and other.job_id = here.id))
order by label;

-- name: import_undo_labels_jobs
-- How people know these jobs.
select here.id::text as record_id, here.number as label
from v2_jobs as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_jobs
-- Changed jobs that somebody changed again since.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_jobs as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_jobs
-- Take away the jobs that the import added.
delete from v2_jobs as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_jobs
-- Give the jobs that the import changed their values back.
update v2_jobs as here
set number = earlier.number,
    name = earlier.name,
    client_id = earlier.client_id,
    status = earlier.status,
    contract_amount = earlier.contract_amount,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_jobs, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_blocked_accounts
-- Added accounts that something else needs by now.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_accounts as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_journal_entry_lines as other where other.builder_id = here.builder_id and other.account_id = here.id)
   or exists (select 1 from v2_deposits as other where other.builder_id = here.builder_id and other.account_id = here.id))
order by label;

-- name: import_undo_labels_accounts
-- How people know these accounts.
select here.id::text as record_id, here.name as label
from v2_accounts as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_accounts
-- Changed accounts that somebody changed again since.
select here.id::text as record_id, here.name as label
from import_undone as undone
join v2_accounts as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_accounts
-- Take away the accounts that the import added.
delete from v2_accounts as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_accounts
-- Give the accounts that the import changed their values back.
update v2_accounts as here
set number = earlier.number,
    name = earlier.name,
    account_type = earlier.account_type,
    description = earlier.description,
    external_id = earlier.external_id,
    is_active = earlier.is_active,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_accounts, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_blocked_invoices
-- Added invoices that something else needs by now.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_invoices as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_payment_applications as other where other.builder_id = here.builder_id and other.invoice_id = here.id))
order by label;

-- name: import_undo_labels_invoices
-- How people know these invoices.
select here.id::text as record_id, here.number as label
from v2_invoices as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_invoices
-- Changed invoices that somebody changed again since.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_invoices as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_invoices
-- Take away the invoices that the import added.
delete from v2_invoices as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_invoices
-- Give the invoices that the import changed their values back.
update v2_invoices as here
set number = earlier.number,
    kind = earlier.kind,
    client_id = earlier.client_id,
    job_id = earlier.job_id,
    invoice_date = earlier.invoice_date,
    due_date = earlier.due_date,
    currency = earlier.currency,
    memo = earlier.memo,
    status = earlier.status,
    total = earlier.total,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_invoices, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_drop_invoices_lines
-- Take off the lines that the import gave to invoices.
delete from v2_invoice_lines as line
using import_undone as undone
where line.builder_id = %(builder_id)s
  and line.invoice_id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_invoices_lines
-- Give the invoices that the import changed their lines back.
insert into v2_invoice_lines
select line.*
from import_undone as undone
cross join lateral jsonb_populate_recordset(null::v2_invoice_lines, undone.before -> 'lines') as line
where undone.action = 'updated';

-- name: import_undo_blocked_bills
-- Added bills that something else needs by now.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_bills as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_bill_payment_applications as other where other.builder_id = here.builder_id and other.bill_id = here.id))
order by label;

-- name: import_undo_labels_bills
-- How people know these bills.
select here.id::text as record_id, here.number as label
from v2_bills as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_bills
-- Changed bills that somebody changed again since.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_bills as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_bills
-- Take away the bills that the import added.
delete from v2_bills as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_bills
-- Give the bills that the import changed their values back.
update v2_bills as here
set number = earlier.number,
    vendor_id = earlier.vendor_id,
    job_id = earlier.job_id,
    purchase_order_id = earlier.purchase_order_id,
    bill_date = earlier.bill_date,
    due_date = earlier.due_date,
    currency = earlier.currency,
    memo = earlier.memo,
    status = earlier.status,
    total = earlier.total,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_bills, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_drop_bills_lines
-- Take off the lines that the import gave to bills.
delete from v2_bill_lines as line
using import_undone as undone
where line.builder_id = %(builder_id)s
  and line.bill_id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_bills_lines
-- Give the bills that the import changed their lines back.
insert into v2_bill_lines
select line.*
from import_undone as undone
cross join lateral jsonb_populate_recordset(null::v2_bill_lines, undone.before -> 'lines') as line
where undone.action = 'updated';

-- name: import_undo_blocked_purchase_orders
-- Added purchase orders that something else needs by now.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_bills as other where other.builder_id = here.builder_id and other.purchase_order_id = here.id))
order by label;

-- name: import_undo_labels_purchase_orders
-- How people know these purchase orders.
select here.id::text as record_id, here.number as label
from v2_purchase_orders as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_purchase_orders
-- Changed purchase orders that somebody changed again since.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_purchase_orders
-- Take away the purchase orders that the import added.
delete from v2_purchase_orders as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_purchase_orders
-- Give the purchase orders that the import changed their values back.
update v2_purchase_orders as here
set number = earlier.number,
    vendor_id = earlier.vendor_id,
    job_id = earlier.job_id,
    order_date = earlier.order_date,
    currency = earlier.currency,
    total = earlier.total,
    status = earlier.status,
    delivery_status = earlier.delivery_status,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_purchase_orders, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_drop_purchase_orders_lines
-- Take off the lines that the import gave to purchase orders.
delete from v2_purchase_order_lines as line
using import_undone as undone
where line.builder_id = %(builder_id)s
  and line.purchase_order_id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_purchase_orders_lines
-- Give the purchase orders that the import changed their lines back.
insert into v2_purchase_order_lines
select line.*
from import_undone as undone
cross join lateral jsonb_populate_recordset(null::v2_purchase_order_lines, undone.before -> 'lines') as line
where undone.action = 'updated';

-- name: import_undo_blocked_journal_entries
-- Added journal entries that something else needs by now.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false)
order by label;

-- name: import_undo_labels_journal_entries
-- How people know these journal entries.
select here.id::text as record_id, here.number as label
from v2_journal_entries as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_journal_entries
-- Changed journal entries that somebody changed again since.
select here.id::text as record_id, here.number as label
from import_undone as undone
join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_journal_entries
-- Take away the journal entries that the import added.
delete from v2_journal_entries as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_journal_entries
-- Give the journal entries that the import changed their values back.
update v2_journal_entries as here
set number = earlier.number,
    kind = earlier.kind,
    entry_date = earlier.entry_date,
    currency = earlier.currency,
    memo = earlier.memo,
    status = earlier.status,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_journal_entries, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_drop_journal_entries_lines
-- Take off the lines that the import gave to journal entries.
delete from v2_journal_entry_lines as line
using import_undone as undone
where line.builder_id = %(builder_id)s
  and line.journal_entry_id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_journal_entries_lines
-- Give the journal entries that the import changed their lines back.
insert into v2_journal_entry_lines
select line.*
from import_undone as undone
cross join lateral jsonb_populate_recordset(null::v2_journal_entry_lines, undone.before -> 'lines') as line
where undone.action = 'updated';

-- name: import_undo_blocked_payments
-- Added payments that something else needs by now.
select here.id::text as record_id, here.reference as label
from import_undone as undone
join v2_payments as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'added'
  and (false
   or exists (select 1 from v2_deposit_lines as other where other.builder_id = here.builder_id and other.payment_id = here.id))
order by label;

-- name: import_undo_labels_payments
-- How people know these payments.
select here.id::text as record_id, here.reference as label
from v2_payments as here
where here.builder_id = %(builder_id)s
  and here.id = any (%(record_ids)s::uuid[]);

-- name: import_undo_changed_payments
-- Changed payments that somebody changed again since.
select here.id::text as record_id, here.reference as label
from import_undone as undone
join v2_payments as here on here.builder_id = %(builder_id)s and here.id = undone.record_id
where undone.action = 'updated'
  and here.updated_at <> undone.changed_at
order by label;

-- name: import_undo_added_payments
-- Take away the payments that the import added.
delete from v2_payments as here
using import_undone as undone
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'added';

-- name: import_undo_updated_payments
-- Give the payments that the import changed their values back.
update v2_payments as here
set reference = earlier.reference,
    client_id = earlier.client_id,
    payment_date = earlier.payment_date,
    currency = earlier.currency,
    amount = earlier.amount,
    unapplied_amount = earlier.unapplied_amount,
    method = earlier.method,
    memo = earlier.memo,
    status = earlier.status,
    external_id = earlier.external_id,
    updated_at = %(now)s
from import_undone as undone
cross join lateral jsonb_populate_record(null::v2_payments, undone.before -> 'record') as earlier
where here.builder_id = %(builder_id)s
  and here.id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_drop_payments_lines
-- Take off the lines that the import gave to payments.
delete from v2_payment_applications as line
using import_undone as undone
where line.builder_id = %(builder_id)s
  and line.payment_id = undone.record_id
  and undone.action = 'updated';

-- name: import_undo_payments_lines
-- Give the payments that the import changed their lines back.
insert into v2_payment_applications
select line.*
from import_undone as undone
cross join lateral jsonb_populate_recordset(null::v2_payment_applications, undone.before -> 'lines') as line
where undone.action = 'updated';

-- Files into tables. Every query runs inside builder_tx, in this order: a stage for the file's rows (COPY is refused
-- on tables with row-level security), the rows, one row per document, the checks, and what passed them.
-- `place` counts the rows of a file, `line` is what a person sees there. The columns of a stage stand in the order of
-- the entity's fields in sync/imports/formats.py.

-- name: import_lock
-- One import per builder at a time: two files with the same numbers must not both find them free.
select pg_advisory_xact_lock(hashtext('tieout import'), hashtext(%(builder_id)s::text));

-- name: import_builder
-- The currency of amounts that name none.
select currency
from v2_builders
where id = %(builder_id)s;

-- name: import_file_known
-- What became of this very file before, if it was imported.
select id, rows_read, rows_written, problems
from import_files
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and sha256 = %(sha256)s;

-- name: import_file_add
-- Remember a file, or what became of it this time.
insert into import_files
    (builder_id, entity, file_name, sha256, rows_read, rows_written, problems, imported_by, imported_at)
values
    (%(builder_id)s, %(entity)s, %(file_name)s, %(sha256)s, %(rows_read)s, %(rows_written)s, %(problems)s::jsonb,
     %(imported_by)s, %(now)s)
on conflict (builder_id, entity, sha256) do update
set problems = excluded.problems,
    rows_written = import_files.rows_written + excluded.rows_written;

-- name: import_register_client
-- Clients by name.
select id::text as id, array[name, external_id] as names
from v2_clients
where builder_id = %(builder_id)s;

-- name: import_register_vendor
-- Vendors by name.
select id::text as id, array[name, external_id] as names
from v2_vendors
where builder_id = %(builder_id)s;

-- name: import_register_job
-- Jobs by number, then by name.
select id::text as id, array[number, name, external_id] as names
from v2_jobs
where builder_id = %(builder_id)s;

-- name: import_register_cost_code
-- Cost codes by code, then by name.
select id::text as id, array[code, name, external_id] as names
from v2_cost_codes
where builder_id = %(builder_id)s;

-- name: import_register_account
-- Accounts by name, then by number.
select id::text as id, array[name, number, external_id] as names
from v2_accounts
where builder_id = %(builder_id)s
  and is_active;

-- name: import_register_purchase_order
-- Purchase orders by number.
select id::text as id, array[number, external_id] as names
from v2_purchase_orders
where builder_id = %(builder_id)s;

-- ------------------------------------------------------------------ stages

-- name: import_stage_cost_codes
-- Rows of a file of cost codes.
create temporary table import_rows (
    place integer, line integer, document text, code text, name text, division text, cost_type text, external_id text,
    is_active boolean, existing_id uuid
) on commit drop;

-- name: import_copy_cost_codes
-- Fill the stage.
copy import_rows (place, line, document, code, name, division, cost_type, external_id, is_active, existing_id) from stdin;

-- name: import_stage_clients
-- Rows of a file of clients.
create temporary table import_rows (
    place integer, line integer, document text, name text, email text, phone text, address_line text, city text, region text,
    postal_code text, external_id text, is_active boolean, existing_id uuid
) on commit drop;

-- name: import_copy_clients
-- Fill the stage.
copy import_rows (place, line, document, name, email, phone, address_line, city, region, postal_code, external_id,
                  is_active, existing_id) from stdin;

-- name: import_stage_vendors
-- Rows of a file of vendors.
create temporary table import_rows (
    place integer, line integer, document text, name text, email text, phone text, address_line text, city text, region text,
    postal_code text, license_number text, external_id text, is_active boolean, existing_id uuid
) on commit drop;

-- name: import_copy_vendors
-- Fill the stage.
copy import_rows (place, line, document, name, email, phone, address_line, city, region, postal_code, license_number,
                  external_id, is_active, existing_id) from stdin;

-- name: import_stage_jobs
-- Rows of a file of jobs.
create temporary table import_rows (
    place integer, line integer, document text, number text, name text, client_id uuid, status text, contract_amount numeric(19, 4),
    external_id text, existing_id uuid
) on commit drop;

-- name: import_copy_jobs
-- Fill the stage.
copy import_rows (place, line, document, number, name, client_id, status, contract_amount, external_id, existing_id)
from stdin;

-- name: import_stage_accounts
-- Rows of a file of accounts.
create temporary table import_rows (
    place integer, line integer, document text, number text, name text, account_type text, description text, external_id text,
    is_active boolean, existing_id uuid
) on commit drop;

-- name: import_copy_accounts
-- Fill the stage.
copy import_rows (place, line, document, number, name, account_type, description, external_id, is_active, existing_id)
from stdin;

-- name: import_stage_documents
-- Rows of a file of invoices, bills or purchase orders: each is a line with its document's own values.
create temporary table import_rows (
    place integer, line integer, document text, number text, party_id uuid, job_id uuid, purchase_order_id uuid, on_date date,
    due_date date, currency text, memo text, stated_total numeric(19, 4), kind text, status text,
    delivery_status text, external_id text, description text, cost_code_id uuid, role text, quantity numeric(19, 4),
    unit_price numeric(19, 4), amount numeric(19, 4)
) on commit drop;

-- name: import_copy_invoices
-- Fill the stage with invoice lines.
copy import_rows (place, line, document, number, party_id, job_id, on_date, due_date, currency, memo, stated_total, kind,
                  status, external_id, description, cost_code_id, role, quantity, unit_price, amount) from stdin;

-- name: import_copy_bills
-- Fill the stage with bill lines.
copy import_rows (place, line, document, number, party_id, purchase_order_id, on_date, due_date, currency, memo,
                  stated_total, status, external_id, description, cost_code_id, job_id, role, quantity, unit_price,
                  amount) from stdin;

-- name: import_copy_purchase_orders
-- Fill the stage with lines of purchase orders.
copy import_rows (place, line, document, number, party_id, job_id, on_date, currency, stated_total, status, delivery_status,
                  external_id, description, cost_code_id, quantity, unit_price, amount) from stdin;

-- name: import_stage_journal_entries
-- Rows of a file of journal entries.
create temporary table import_rows (
    place integer, line integer, document text, number text, on_date date, kind text, currency text, memo text, status text,
    external_id text, description text, account_id uuid, cost_code_id uuid, client_id uuid, vendor_id uuid,
    job_id uuid, debit numeric(19, 4), credit numeric(19, 4)
) on commit drop;

-- name: import_copy_journal_entries
-- Fill the stage with journal lines.
copy import_rows (place, line, document, number, on_date, kind, currency, memo, status, external_id, description, account_id,
                  cost_code_id, client_id, vendor_id, job_id, debit, credit) from stdin;

-- name: import_stage_rejected
-- Documents with a problem, or here already.
create temporary table import_rejected (document text primary key) on commit drop;

-- name: import_copy_rejected
-- Fill it with the documents that could not be read.
copy import_rejected (document) from stdin;

-- name: import_reject
-- Leave out documents that a check found something about.
insert into import_rejected (document)
select unnest(%(documents)s::text[])
on conflict (document) do nothing;

-- name: import_rows_drop_rejected
-- Forget the rows of documents that are left out.
delete from import_rows
using import_rejected
where import_rows.document = import_rejected.document;

-- name: import_index_rows
-- Find the rows of one document without reading all of them.
create index import_rows_document on import_rows (document, place);

-- name: import_measure_rows
-- Tell the planner how large the stage is; nobody else does for a temporary table.
analyze import_rows;

-- ------------------------------------------------------------------ names

-- name: import_names_repeated
-- Rows whose name or number stood on an earlier row, and where they differ from it.
with numbered as (
    select line, document, place,
           to_jsonb(import_rows) - array['place', 'line', 'document', 'existing_id'] as own,
           first_value(line) over earlier as earlier_line,
           first_value(to_jsonb(import_rows)) over earlier as earlier_row,
           row_number() over earlier as occurrence
    from import_rows
    window earlier as (partition by document order by place)
)
select line, document, earlier_line,
       (select array_agg(value.key order by value.key)
        from jsonb_each(own) as value
        where value.value is distinct from earlier_row -> value.key) as differing
from numbered
where occurrence > 1
order by place;

-- name: import_names_drop_repeated
-- Keep the first of equal rows.
delete from import_rows as later
using import_rows as earlier
where earlier.document = later.document
  and earlier.place < later.place;

-- name: import_existing_cost_codes
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id'])) as value
        where value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_cost_codes as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_clients
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id'])) as value
        where value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_clients as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_vendors
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id'])) as value
        where value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_vendors as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_jobs
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id'])) as value
        where value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_jobs as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_accounts
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id'])) as value
        where value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_accounts as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_insert_cost_codes
-- Add what is new.
insert into v2_cost_codes (builder_id, code, name, division, cost_type, external_id, is_active)
select %(builder_id)s, code, name, division, cost_type, external_id, is_active
from import_rows
order by place;

-- name: import_insert_clients
-- Add what is new.
insert into v2_clients
    (builder_id, name, email, phone, address_line, city, region, postal_code, external_id, is_active)
select %(builder_id)s, name, email, phone, address_line, city, region, postal_code, external_id, is_active
from import_rows
order by place;

-- name: import_insert_vendors
-- Add what is new.
insert into v2_vendors
    (builder_id, name, email, phone, address_line, city, region, postal_code, license_number, external_id, is_active)
select %(builder_id)s, name, email, phone, address_line, city, region, postal_code, license_number, external_id,
       is_active
from import_rows
order by place;

-- name: import_insert_jobs
-- Add what is new.
insert into v2_jobs (builder_id, number, name, client_id, status, contract_amount, external_id)
select %(builder_id)s, number, name, client_id, status, contract_amount, external_id
from import_rows
order by place;

-- name: import_insert_accounts
-- Add what is new.
insert into v2_accounts (builder_id, number, name, account_type, description, external_id, is_active)
select %(builder_id)s, number, name, account_type, description, external_id, is_active
from import_rows
order by place;

-- ------------------------------------------------------------------ documents with lines

-- name: import_gather_documents
-- One row per invoice, bill or purchase order: the first value given for each of its own fields, and which differ.
create temporary table import_documents on commit drop as
select gen_random_uuid() as id,
       document,
       min(line) as line,
       max(line) as last_line,
       count(*) as lines,
       (array_agg(number order by place))[1] as number,
       (array_agg(party_id order by place))[1] as party_id,
       case when count(distinct job_id) = 1 then (array_agg(job_id) filter (where job_id is not null))[1] end as job_id,
       case when count(distinct purchase_order_id) = 1
            then (array_agg(purchase_order_id) filter (where purchase_order_id is not null))[1] end as purchase_order_id,
       (array_agg(on_date order by place))[1] as on_date,
       (array_agg(due_date order by place) filter (where due_date is not null))[1] as due_date,
       (array_agg(currency order by place))[1] as currency,
       coalesce((array_agg(memo order by place) filter (where memo <> ''))[1], '') as memo,
       (array_agg(stated_total order by place) filter (where stated_total is not null))[1] as stated_total,
       (array_agg(kind order by place))[1] as kind,
       (array_agg(status order by place))[1] as status,
       (array_agg(delivery_status order by place) filter (where delivery_status is not null))[1] as delivery_status,
       (array_agg(external_id order by place) filter (where external_id is not null))[1] as external_id,
       sum(amount) as total,
       count(distinct job_id) as jobs,
       array_remove(array[
           case when count(distinct party_id) > 1 then 'party' end,
           case when count(distinct on_date) > 1 then 'date' end,
           case when count(distinct due_date) > 1 then 'due date' end,
           case when count(distinct currency) > 1 then 'currency' end,
           case when count(distinct stated_total) > 1 then 'total' end], null) as differing,
       string_agg(
           concat_ws('|', coalesce(role, ''), coalesce(cost_code_id::text, ''), amount, coalesce(quantity::text, ''),
                     coalesce(unit_price::text, ''), coalesce(description, '')),
           chr(10) order by place) as signature
from import_rows
group by document;

-- name: import_documents_differing
-- Numbers that stand on rows which cannot be one document.
select one.document, one.line, one.number, one.lines,
       one.differing || case when one.jobs > 1 and not %(job_of_line)s then array['job'] else '{}'::text[] end
           as differing,
       coalesce((select min(other.line)
        from import_rows as other
        where other.document = one.document
          and (other.party_id is distinct from one.party_id
               or other.on_date is distinct from one.on_date
               or (other.due_date is not null and other.due_date is distinct from one.due_date)
               or (other.stated_total is not null and other.stated_total is distinct from one.stated_total)
               or other.currency is distinct from one.currency)), one.line) as other_line
from import_documents as one
where cardinality(one.differing) > 0
   or (one.jobs > 1 and not %(job_of_line)s)
order by one.line;

-- name: import_documents_wrong_total
-- Documents whose lines do not add up to their total, and a line that stands there twice, if one does.
select one.document, one.line, one.number, one.total, one.stated_total,
       (select min(later.line)
        from import_rows as later
        join import_rows as earlier
            on earlier.document = later.document
            and earlier.place < later.place
            and earlier.amount = later.amount
            and earlier.description is not distinct from later.description
            and earlier.cost_code_id is not distinct from later.cost_code_id
            and earlier.role is not distinct from later.role
        where later.document = one.document) as repeated_line
from import_documents as one
where one.stated_total is not null
  and one.stated_total <> one.total
order by one.line;

-- name: import_documents_out_of_range
-- Documents that add up to less than nothing (credits, which are no invoices or bills) or to more than can be kept.
select document, line, number, total
from import_documents
where total < 0
   or total >= 1000000000000000
order by line;

-- name: import_documents_due_before
-- Documents that are due before they were written.
select document, line, number, on_date, due_date
from import_documents
where due_date < on_date
order by line;

-- name: import_documents_drop_rejected
-- Forget documents that are left out.
delete from import_documents
using import_rejected
where import_documents.document = import_rejected.document;

-- name: import_existing_invoices
-- Invoices whose number is here already, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number,
       array_remove(array[
           case when one.party_id <> here.client_id then 'client' end,
           case when one.on_date <> here.invoice_date then 'date' end,
           case when one.due_date is distinct from here.due_date then 'due date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when one.signature is distinct from (
               select string_agg(
                   concat_ws('|', line.role, coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_invoice_lines as line
               where line.builder_id = here.builder_id and line.invoice_id = here.id) then 'lines' end], null)
           as differing
from import_documents as one
join v2_invoices as here on here.builder_id = %(builder_id)s and here.number = one.number
order by one.line;

-- name: import_existing_bills
-- Bills that are here already, by vendor and number (or date, without one), and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number,
       array_remove(array[
           case when one.on_date <> here.bill_date then 'date' end,
           case when one.due_date is distinct from here.due_date then 'due date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when one.signature is distinct from (
               select string_agg(
                   concat_ws('|', line.role, coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_bill_lines as line
               where line.builder_id = here.builder_id and line.bill_id = here.id) then 'lines' end], null)
           as differing
from import_documents as one
join v2_bills as here
    on here.builder_id = %(builder_id)s
    and here.vendor_id = one.party_id
    and coalesce(here.number, '') = coalesce(one.number, '')
    and (one.number is not null or (here.bill_date = one.on_date and here.total = one.total))
order by one.line;

-- name: import_existing_purchase_orders
-- Purchase orders whose number is here already, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number,
       array_remove(array[
           case when one.party_id <> here.vendor_id then 'vendor' end,
           case when one.on_date <> here.order_date then 'date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when one.signature is distinct from (
               select string_agg(
                   concat_ws('|', '', coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_purchase_order_lines as line
               where line.builder_id = here.builder_id and line.purchase_order_id = here.id) then 'lines' end], null)
           as differing
from import_documents as one
join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.number = one.number
order by one.line;

-- name: import_insert_invoices
-- Add what is new.
insert into v2_invoices
    (builder_id, id, number, kind, client_id, job_id, invoice_date, due_date, currency, memo, status, total, external_id)
select %(builder_id)s, id, number, kind, party_id, job_id, on_date, due_date, currency, memo, status, total, external_id
from import_documents
order by line;

-- name: import_insert_bills
-- Add what is new.
insert into v2_bills
    (builder_id, id, number, vendor_id, job_id, purchase_order_id, bill_date, due_date, currency, memo, status, total,
     external_id)
select %(builder_id)s, id, number, party_id, job_id, purchase_order_id, on_date, due_date, currency, memo, status,
       total, external_id
from import_documents
order by line;

-- name: import_insert_purchase_orders
-- Add what is new.
insert into v2_purchase_orders
    (builder_id, id, number, vendor_id, job_id, order_date, currency, total, status, delivery_status, external_id)
select %(builder_id)s, id, number, party_id, job_id, on_date, currency, total, status, delivery_status, external_id
from import_documents
order by line;

-- name: import_insert_invoices_lines
-- Add the lines of what is new.
insert into v2_invoice_lines
    (builder_id, invoice_id, position, description, cost_code_id, role, quantity, unit_price, amount)
select %(builder_id)s, one.id, row_number() over (partition by one.id order by staged.place), staged.description,
       staged.cost_code_id, staged.role, staged.quantity, staged.unit_price, staged.amount
from import_rows as staged
join import_documents as one on one.document = staged.document;

-- name: import_insert_bills_lines
-- Add the lines of what is new.
insert into v2_bill_lines
    (builder_id, bill_id, position, description, cost_code_id, job_id, role, quantity, unit_price, amount)
select %(builder_id)s, one.id, row_number() over (partition by one.id order by staged.place), staged.description,
       staged.cost_code_id, staged.job_id, staged.role, staged.quantity, staged.unit_price, staged.amount
from import_rows as staged
join import_documents as one on one.document = staged.document;

-- name: import_insert_purchase_orders_lines
-- Add the lines of what is new.
insert into v2_purchase_order_lines
    (builder_id, purchase_order_id, position, description, cost_code_id, quantity, unit_price, amount)
select %(builder_id)s, one.id, row_number() over (partition by one.id order by staged.place), staged.description,
       staged.cost_code_id, staged.quantity, staged.unit_price, staged.amount
from import_rows as staged
join import_documents as one on one.document = staged.document;

-- ------------------------------------------------------------------ journal entries

-- name: import_gather_journal_entries
-- One row per journal entry, with its two sums.
create temporary table import_documents on commit drop as
select gen_random_uuid() as id,
       document,
       min(line) as line,
       max(line) as last_line,
       count(*) as lines,
       (array_agg(number order by place))[1] as number,
       (array_agg(on_date order by place))[1] as on_date,
       (array_agg(kind order by place))[1] as kind,
       (array_agg(currency order by place))[1] as currency,
       coalesce((array_agg(memo order by place) filter (where memo <> ''))[1], '') as memo,
       (array_agg(status order by place))[1] as status,
       (array_agg(external_id order by place) filter (where external_id is not null))[1] as external_id,
       sum(debit) as debits,
       sum(credit) as credits,
       array_remove(array[
           case when count(distinct on_date) > 1 then 'date' end,
           case when count(distinct kind) > 1 then 'kind' end,
           case when count(distinct currency) > 1 then 'currency' end], null) as differing,
       string_agg(
           concat_ws('|', coalesce(account_id::text, ''), coalesce(cost_code_id::text, ''),
                     coalesce(client_id::text, ''), coalesce(vendor_id::text, ''), debit, credit, description),
           chr(10) order by place) as signature
from import_rows
group by document;

-- name: import_journal_entries_differing
-- Numbers that stand on rows which cannot be one entry.
select one.document, one.line, one.number, one.lines, one.differing,
       coalesce((select min(other.line)
        from import_rows as other
        where other.document = one.document
          and (other.on_date is distinct from one.on_date
               or other.kind is distinct from one.kind
               or other.currency is distinct from one.currency)), one.line) as other_line
from import_documents as one
where cardinality(one.differing) > 0
order by one.line;

-- name: import_journal_entries_unbalanced
-- Entries whose debits are not their credits.
select document, line, number, debits, credits
from import_documents
where debits <> credits
order by line;

-- name: import_existing_journal_entries
-- Entries whose number is here already, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number,
       array_remove(array[
           case when one.on_date <> here.entry_date then 'date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.signature is distinct from (
               select string_agg(
                   concat_ws('|', coalesce(line.account_id::text, ''), coalesce(line.cost_code_id::text, ''),
                             coalesce(line.client_id::text, ''), coalesce(line.vendor_id::text, ''), line.debit,
                             line.credit, line.description),
                   chr(10) order by line.position)
               from v2_journal_entry_lines as line
               where line.builder_id = here.builder_id and line.journal_entry_id = here.id) then 'lines' end], null)
           as differing
from import_documents as one
join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.number = one.number
order by one.line;

-- name: import_insert_journal_entries
-- Add what is new.
insert into v2_journal_entries (builder_id, id, number, kind, entry_date, currency, memo, status, external_id)
select %(builder_id)s, id, number, kind, on_date, currency, memo, status, external_id
from import_documents
order by line;

-- name: import_insert_journal_entries_lines
-- Add the lines of what is new.
insert into v2_journal_entry_lines
    (builder_id, journal_entry_id, position, description, account_id, cost_code_id, client_id, vendor_id, job_id,
     debit, credit)
select %(builder_id)s, one.id, row_number() over (partition by one.id order by staged.place), staged.description,
       staged.account_id, staged.cost_code_id, staged.client_id, staged.vendor_id, staged.job_id, staged.debit, staged.credit
from import_rows as staged
join import_documents as one on one.document = staged.document;

-- name: import_builders
-- Every builder's name (as the scheduler), for choosing one on the command line.
select id::text as id, name
from v2_builders
order by name, id;

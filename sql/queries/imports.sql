-- Files into tables. Every query runs in one session of a builder, in this order: a stage for the file's rows (COPY is
-- refused on tables with row-level security), the rows, one row per document, and the checks. What passed them is
-- written by import_records.sql, chunk by chunk.
-- `place` counts the rows of a file, `line` is what a person sees there. The columns of a stage stand in the order of
-- the entity's fields in sync/imports/formats.py.

-- name: import_try_lock
-- One import per builder at a time: two files with the same numbers must not both find them free.
select pg_try_advisory_lock(hashtext('tieout import'), hashtext(%(builder_id)s::text));

-- name: import_unlock
-- The next import may begin.
select pg_advisory_unlock(hashtext('tieout import'), hashtext(%(builder_id)s::text));

-- name: import_session
-- One session does one import and ends: it may keep its stage in memory, and sort there.
select set_config('temp_buffers', '64MB', false), set_config('work_mem', '48MB', false);

-- name: import_session_writes
-- The database looks every reference of every row up. Over tables of which it knows nothing yet it would read all of a
-- small one each time, and keep doing so to the end of the session.
select set_config('enable_seqscan', 'off', false);

-- name: import_refresh_statistics
-- Fresh statistics of names, for the documents that refer to them.
select refresh_name_statistics() as is_refreshed;

-- name: import_stage_fresh_ids
-- How the ids of this session's records begin: with the time, as version 7 does, and 42 random bits; the row's place
-- in the file ends them. So they are in order, and cost the database nothing.
create temporary table import_fresh_ids as
select lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
       || substr(replace(gen_random_uuid()::text, '-', ''), 14, 11) as id_begins;

-- name: import_place_lock
-- One of the places for a process that imports an upload, over all processes of the API.
select pg_try_advisory_lock(hashtext('tieout import process'), %(place)s::integer);

-- name: import_place_unlock
-- The next one may begin.
select pg_advisory_unlock(hashtext('tieout import process'), %(place)s::integer);

-- name: import_builder
-- The currency of amounts that name none.
select currency
from v2_builders
where id = %(builder_id)s;

-- name: import_file_known
-- What became of this very file, read in the same way, before; one that was cancelled or broke off does not count.
select id::text as id, rows_read, rows_written, problem_count
from import_files
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and sha256 = %(sha256)s
  and mapping_key in ('', %(mapping_key)s)
  and status = 'done'
  and id <> %(import_id)s
order by imported_at desc
limit 1;

-- name: import_stage_own
-- What this very file brought before; whether somebody changed it since is not the file's matter.
create temporary table import_own (record_id uuid primary key);

-- name: import_fill_own
-- Fill it, however far earlier tries got.
insert into import_own (record_id)
select unnest(chunk.added)
from import_files as earlier
join import_chunks as chunk on chunk.builder_id = earlier.builder_id and chunk.import_id = earlier.id
where earlier.builder_id = %(builder_id)s
  and earlier.entity = %(entity)s
  and earlier.sha256 = %(sha256)s
  and earlier.status <> 'undone'
union
select change.record_id
from import_changes as change
where change.builder_id = %(builder_id)s
  and change.import_id = %(import_id)s;

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
    is_active boolean, existing_id uuid,
    id uuid not null default gen_random_uuid()
);

-- name: import_copy_cost_codes
-- Fill the stage.
copy import_rows (place, line, document, code, name, division, cost_type, external_id, is_active, existing_id) from stdin;

-- name: import_stage_clients
-- Rows of a file of clients.
create temporary table import_rows (
    place integer, line integer, document text, name text, email text, phone text, address_line text, city text, region text,
    postal_code text, external_id text, is_active boolean, existing_id uuid,
    id uuid not null default gen_random_uuid()
);

-- name: import_copy_clients
-- Fill the stage.
copy import_rows (place, line, document, name, email, phone, address_line, city, region, postal_code, external_id,
                  is_active, existing_id) from stdin;

-- name: import_stage_vendors
-- Rows of a file of vendors.
create temporary table import_rows (
    place integer, line integer, document text, name text, email text, phone text, address_line text, city text, region text,
    postal_code text, license_number text, external_id text, is_active boolean, existing_id uuid,
    id uuid not null default gen_random_uuid()
);

-- name: import_copy_vendors
-- Fill the stage.
copy import_rows (place, line, document, name, email, phone, address_line, city, region, postal_code, license_number,
                  external_id, is_active, existing_id) from stdin;

-- name: import_stage_jobs
-- Rows of a file of jobs.
create temporary table import_rows (
    place integer, line integer, document text, number text, name text, client_id uuid, status text, contract_amount numeric(19, 4),
    external_id text, existing_id uuid, id uuid not null default gen_random_uuid()
);

-- name: import_copy_jobs
-- Fill the stage.
copy import_rows (place, line, document, number, name, client_id, status, contract_amount, external_id, existing_id)
from stdin;

-- name: import_stage_accounts
-- Rows of a file of accounts.
create temporary table import_rows (
    place integer, line integer, document text, number text, name text, account_type text, description text, external_id text,
    is_active boolean, existing_id uuid,
    id uuid not null default gen_random_uuid()
);

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
);

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
);

-- name: import_copy_journal_entries
-- Fill the stage with journal lines.
copy import_rows (place, line, document, number, on_date, kind, currency, memo, status, external_id, description, account_id,
                  cost_code_id, client_id, vendor_id, job_id, debit, credit) from stdin;

-- name: import_stage_rejected
-- Documents with a problem, or here already.
create temporary table import_rejected (document text primary key);

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

-- name: import_index_places
-- Find the rows of one chunk: they stand together, so that an index of where they stand is nearly nothing.
create index import_rows_place on import_rows using brin (place) with (pages_per_range = 16);

-- name: import_measure_rows
-- Tell the planner how large the stage is; nobody else does for a temporary table.
analyze import_rows;

-- ------------------------------------------------------------------ names

-- name: import_names_repeated
-- Rows whose name or number stood on an earlier row, and where they differ from it.
with numbered as (
    select line, document, place,
           to_jsonb(import_rows) - array['place', 'line', 'document', 'existing_id', 'id'] as own,
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
select staged.line, staged.document, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id', 'id'])) as value
        where value.key = any (%(stated)s::text[])
          and value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_cost_codes as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_clients
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id', 'id'])) as value
        where value.key = any (%(stated)s::text[])
          and value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_clients as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_vendors
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id', 'id'])) as value
        where value.key = any (%(stated)s::text[])
          and value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_vendors as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_jobs
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id', 'id'])) as value
        where value.key = any (%(stated)s::text[])
          and value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_jobs as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- name: import_existing_accounts
-- Rows that are here already, and the values the file states otherwise.
select staged.line, staged.document, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       (select array_agg(value.key order by value.key)
        from jsonb_each(jsonb_strip_nulls(to_jsonb(staged) - array['place', 'line', 'document', 'existing_id', 'id'])) as value
        where value.key = any (%(stated)s::text[])
          and value.value is distinct from to_jsonb(here) -> value.key) as differing
from import_rows as staged
join v2_accounts as here on here.builder_id = %(builder_id)s and here.id = staged.existing_id
order by staged.line;

-- ------------------------------------------------------------------ documents with lines

-- name: import_gather_documents
-- One row per invoice, bill or purchase order: the first value given for each of its own fields, and which differ.
create temporary table import_documents as
select ((select id_begins from import_fresh_ids) || lpad(to_hex(min(place)), 8, '0'))::uuid as id,
       document,
       false as is_update,
       min(place) as first_place,
       max(place) as last_place,
       min(line) as line,
       max(line) as last_line,
       count(*) as lines,
       (array_agg(number order by place))[1] as number,
       (array_agg(party_id order by place))[1] as party_id,
       case when min(job_id::text) = max(job_id::text) then min(job_id::text)::uuid end as job_id,
       case when min(purchase_order_id::text) = max(purchase_order_id::text)
            then min(purchase_order_id::text)::uuid end as purchase_order_id,
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
       coalesce(min(job_id::text) <> max(job_id::text), false) as has_jobs,
       array_remove(array[
           case when min(party_id::text) <> max(party_id::text) then 'party' end,
           case when min(on_date) <> max(on_date) then 'date' end,
           case when min(due_date) <> max(due_date) then 'due date' end,
           case when min(currency) <> max(currency) then 'currency' end,
           case when min(stated_total) <> max(stated_total) then 'total' end], null) as differing
from import_rows
group by document;

-- name: import_documents_differing
-- Numbers that stand on rows which cannot be one document.
select one.document, one.line, one.number, one.lines,
       one.differing || case when one.has_jobs and not %(job_of_line)s then array['job'] else '{}'::text[] end
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
   or (one.has_jobs and not %(job_of_line)s)
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
-- Invoices that are here already, by number or by external id, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       array_remove(array[
           case when one.party_id <> here.client_id then 'client' end,
           case when one.on_date <> here.invoice_date then 'date' end,
           case when one.due_date is distinct from here.due_date then 'due date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when %(is_status_compared)s and one.status <> here.status then 'status' end,
           case when (
               select string_agg(
                   concat_ws('|', staged.role, coalesce(staged.cost_code_id::text, ''), staged.amount,
                             coalesce(staged.quantity::text, ''), coalesce(staged.unit_price::text, ''), staged.description),
                   chr(10) order by staged.place)
               from import_rows as staged
               where staged.document = one.document) is distinct from (
               select string_agg(
                   concat_ws('|', line.role, coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_invoice_lines as line
               where line.builder_id = here.builder_id and line.invoice_id = here.id) then 'lines' end], null)
           as differing
from (
    select one.document, here.id
    from import_documents as one
    join v2_invoices as here
        on here.builder_id = %(builder_id)s
        and here.number = one.number
    where not %(by_external_id)s or one.external_id is null
    union all
    select one.document, here.id
    from import_documents as one
    join v2_invoices as here on here.builder_id = %(builder_id)s and here.external_id = one.external_id
    where %(by_external_id)s) as found
join import_documents as one on one.document = found.document
join v2_invoices as here on here.builder_id = %(builder_id)s and here.id = found.id
order by one.line;

-- name: import_existing_bills
-- Bills that are here already, by number or by external id, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       array_remove(array[
           case when one.party_id <> here.vendor_id then 'vendor' end,
           case when one.on_date <> here.bill_date then 'date' end,
           case when one.due_date is distinct from here.due_date then 'due date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when %(is_status_compared)s and one.status <> here.status then 'status' end,
           case when (
               select string_agg(
                   concat_ws('|', staged.role, coalesce(staged.cost_code_id::text, ''), staged.amount,
                             coalesce(staged.quantity::text, ''), coalesce(staged.unit_price::text, ''), staged.description),
                   chr(10) order by staged.place)
               from import_rows as staged
               where staged.document = one.document) is distinct from (
               select string_agg(
                   concat_ws('|', line.role, coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_bill_lines as line
               where line.builder_id = here.builder_id and line.bill_id = here.id) then 'lines' end], null)
           as differing
from (
    select one.document, here.id
    from import_documents as one
    join v2_bills as here
        on here.builder_id = %(builder_id)s
        and here.vendor_id = one.party_id
        and coalesce(here.number, '') = coalesce(one.number, '')
        and (one.number is not null or (here.bill_date = one.on_date and here.total = one.total))
    where not %(by_external_id)s or one.external_id is null
    union all
    select one.document, here.id
    from import_documents as one
    join v2_bills as here on here.builder_id = %(builder_id)s and here.external_id = one.external_id
    where %(by_external_id)s) as found
join import_documents as one on one.document = found.document
join v2_bills as here on here.builder_id = %(builder_id)s and here.id = found.id
order by one.line;

-- name: import_existing_purchase_orders
-- Purchase orders that are here already, by number or by external id, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       array_remove(array[
           case when one.party_id <> here.vendor_id then 'vendor' end,
           case when one.on_date <> here.order_date then 'date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when one.total <> here.total then 'total' end,
           case when %(is_status_compared)s and one.status <> here.status then 'status' end,
           case when (
               select string_agg(
                   concat_ws('|', '', coalesce(staged.cost_code_id::text, ''), staged.amount,
                             coalesce(staged.quantity::text, ''), coalesce(staged.unit_price::text, ''), staged.description),
                   chr(10) order by staged.place)
               from import_rows as staged
               where staged.document = one.document) is distinct from (
               select string_agg(
                   concat_ws('|', '', coalesce(line.cost_code_id::text, ''), line.amount,
                             coalesce(line.quantity::text, ''), coalesce(line.unit_price::text, ''), line.description),
                   chr(10) order by line.position)
               from v2_purchase_order_lines as line
               where line.builder_id = here.builder_id and line.purchase_order_id = here.id) then 'lines' end], null)
           as differing
from (
    select one.document, here.id
    from import_documents as one
    join v2_purchase_orders as here
        on here.builder_id = %(builder_id)s
        and here.number = one.number
    where not %(by_external_id)s or one.external_id is null
    union all
    select one.document, here.id
    from import_documents as one
    join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.external_id = one.external_id
    where %(by_external_id)s) as found
join import_documents as one on one.document = found.document
join v2_purchase_orders as here on here.builder_id = %(builder_id)s and here.id = found.id
order by one.line;

-- ------------------------------------------------------------------ journal entries

-- name: import_gather_journal_entries
-- One row per journal entry, with its two sums.
create temporary table import_documents as
select ((select id_begins from import_fresh_ids) || lpad(to_hex(min(place)), 8, '0'))::uuid as id,
       document,
       false as is_update,
       min(place) as first_place,
       max(place) as last_place,
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
           case when min(on_date) <> max(on_date) then 'date' end,
           case when min(kind) <> max(kind) then 'kind' end,
           case when min(currency) <> max(currency) then 'currency' end], null) as differing
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
-- Journal entries that are here already, by number or by external id, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       array_remove(array[
           case when one.on_date <> here.entry_date then 'date' end,
           case when one.currency <> here.currency then 'currency' end,
           case when %(is_status_compared)s and one.status <> here.status then 'status' end,
           case when (
               select string_agg(
                   concat_ws('|', coalesce(staged.account_id::text, ''), coalesce(staged.cost_code_id::text, ''),
                             coalesce(staged.client_id::text, ''), coalesce(staged.vendor_id::text, ''), staged.debit,
                             staged.credit, staged.description),
                   chr(10) order by staged.place)
               from import_rows as staged
               where staged.document = one.document) is distinct from (
               select string_agg(
                   concat_ws('|', coalesce(line.account_id::text, ''), coalesce(line.cost_code_id::text, ''),
                             coalesce(line.client_id::text, ''), coalesce(line.vendor_id::text, ''), line.debit,
                             line.credit, line.description),
                   chr(10) order by line.position)
               from v2_journal_entry_lines as line
               where line.builder_id = here.builder_id and line.journal_entry_id = here.id) then 'lines' end], null)
           as differing
from (
    select one.document, here.id
    from import_documents as one
    join v2_journal_entries as here
        on here.builder_id = %(builder_id)s
        and here.number = one.number
    where not %(by_external_id)s or one.external_id is null
    union all
    select one.document, here.id
    from import_documents as one
    join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.external_id = one.external_id
    where %(by_external_id)s) as found
join import_documents as one on one.document = found.document
join v2_journal_entries as here on here.builder_id = %(builder_id)s and here.id = found.id
order by one.line;

-- name: import_copy_opening_balances
-- Fill the stage with the lines of opening balances.
copy import_rows (place, line, document, on_date, currency, memo, status, external_id, description, account_id, client_id,
                  vendor_id, job_id, debit, credit) from stdin;

-- name: import_opening_balances_number
-- An opening balance is known by its day.
update import_documents
set number = 'OB-' || to_char(on_date, 'YYYY-MM-DD'),
    kind = 'adjustment';

-- name: import_opening_balances_without_party
-- Lines on receivable or payable accounts that do not say whose balance it is.
select staged.document, min(staged.line) as line, account.name, account.account_type
from import_rows as staged
join v2_accounts as account on account.builder_id = %(builder_id)s and account.id = staged.account_id
where (account.account_type = 'accounts_receivable' and staged.client_id is null)
   or (account.account_type = 'accounts_payable' and staged.vendor_id is null)
group by staged.document, account.name, account.account_type
order by line;

-- ------------------------------------------------------------------ payments

-- name: import_register_invoice
-- Invoices by number.
select id::text as id, array[number, external_id] as names
from v2_invoices
where builder_id = %(builder_id)s
  and status <> 'void';

-- name: import_stage_payments
-- Rows of a file of payments: each is a payment, or one of the invoices that it pays.
create temporary table import_rows (
    place integer, line integer, document text, number text, party_id uuid, on_date date, currency text, paid numeric(19, 4),
    method text, memo text, status text, external_id text, invoice_id uuid, applied numeric(19, 4)
);

-- name: import_copy_payments
-- Fill the stage with payments.
copy import_rows (place, line, document, number, party_id, on_date, currency, paid, method, memo, status, external_id,
                  invoice_id, applied) from stdin;

-- name: import_payments_apply_whole
-- A payment that names one invoice and no amount for it pays it with all it is.
update import_rows as staged
set applied = staged.paid
where staged.invoice_id is not null
  and staged.applied is null
  and not exists (
      select 1
      from import_rows as other
      where other.document = staged.document
        and other.place <> staged.place
        and other.invoice_id is not null);

-- name: import_gather_payments
-- One row per payment, with what of it is applied to invoices.
create temporary table import_documents as
select ((select id_begins from import_fresh_ids) || lpad(to_hex(min(place)), 8, '0'))::uuid as id,
       document,
       false as is_update,
       min(place) as first_place,
       max(place) as last_place,
       min(line) as line,
       max(line) as last_line,
       count(*) as lines,
       (array_agg(number order by place))[1] as number,
       (array_agg(party_id order by place))[1] as party_id,
       (array_agg(on_date order by place))[1] as on_date,
       (array_agg(currency order by place))[1] as currency,
       (array_agg(paid order by place))[1] as total,
       (array_agg(method order by place) filter (where method is not null))[1] as method,
       coalesce((array_agg(memo order by place) filter (where memo <> ''))[1], '') as memo,
       (array_agg(status order by place))[1] as status,
       (array_agg(external_id order by place) filter (where external_id is not null))[1] as external_id,
       coalesce(sum(applied), 0) as applied,
       (array_agg(paid order by place))[1] - coalesce(sum(applied), 0) as unapplied,
       count(*) filter (where invoice_id is not null and applied is null) as without_applied,
       array_remove(array[
           case when min(party_id::text) <> max(party_id::text) then 'party' end,
           case when min(on_date) <> max(on_date) then 'date' end,
           case when min(paid) <> max(paid) then 'total' end,
           case when min(currency) <> max(currency) then 'currency' end], null) as differing
from import_rows
group by document;

-- name: import_payments_differing
-- References that stand on rows which cannot be one payment.
select one.document, one.line, one.number, one.lines, one.differing,
       coalesce((select min(other.line)
        from import_rows as other
        where other.document = one.document
          and (other.party_id is distinct from one.party_id
               or other.on_date is distinct from one.on_date
               or other.paid is distinct from one.total
               or other.currency is distinct from one.currency)), one.line) as other_line
from import_documents as one
where cardinality(one.differing) > 0
order by one.line;

-- name: import_payments_out_of_range
-- Payments of nothing or less, of more than can be kept, or applied with more than they are.
select document, line, number, total, applied, without_applied
from import_documents
where total <= 0
   or total >= 1000000000000000
   or applied > total
   or without_applied > 0
order by line;

-- name: import_payments_of_others
-- Payments on an invoice of another client, or with more than is still open on it.
select staged.document, staged.line, invoice.number, staged.applied, invoice.total - invoice.amount_paid as open_amount,
       invoice.client_id <> staged.party_id as is_of_another
from import_rows as staged
join v2_invoices as invoice on invoice.builder_id = %(builder_id)s and invoice.id = staged.invoice_id
where staged.status = 'posted'
  and (invoice.client_id <> staged.party_id
       or (staged.applied > invoice.total - invoice.amount_paid
           and not exists (
               select 1
               from v2_payments as here
               where here.builder_id = %(builder_id)s
                 and here.client_id = staged.party_id
                 and here.payment_date = staged.on_date
                 and here.amount = staged.paid
                 and coalesce(here.reference, '') = coalesce(staged.number, ''))))
order by staged.line;

-- name: import_payments_invoices
-- The invoices that the payments of this chunk pay.
select distinct staged.invoice_id::text
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
        and chunk.first_place <= %(until)s);

-- name: import_existing_payments
-- Payments that are here already, by number or by external id, and what differs from the file.
select one.document, one.line, one.last_line, one.lines, one.number, here.id::text as record_id,
       exists (select 1 from import_own as own where own.record_id = here.id) as is_own,
       array_remove(array[
           case when one.total <> here.amount then 'amount' end,
           case when one.currency <> here.currency then 'currency' end,
           case when %(is_status_compared)s and one.status <> here.status then 'status' end,
           case when exists (
               select invoice_id, sum(applied)
               from import_rows as staged
               where staged.document = one.document and staged.invoice_id is not null
               group by invoice_id
               except
               select line.invoice_id, line.amount
               from v2_payment_applications as line
               where line.builder_id = here.builder_id and line.payment_id = here.id) then 'invoices' end], null)
           as differing
from (
    select one.document, here.id
    from import_documents as one
    join v2_payments as here
        on here.builder_id = %(builder_id)s
        and here.client_id = one.party_id
        and here.payment_date = one.on_date
        and here.amount = one.total
        and coalesce(here.reference, '') = coalesce(one.number, '')
    where not %(by_external_id)s or one.external_id is null
    union all
    select one.document, here.id
    from import_documents as one
    join v2_payments as here on here.builder_id = %(builder_id)s and here.external_id = one.external_id
    where %(by_external_id)s) as found
join import_documents as one on one.document = found.document
join v2_payments as here on here.builder_id = %(builder_id)s and here.id = found.id
order by one.line;

-- name: import_builders
-- Every builder's name (as the scheduler), for choosing one on the command line.
select id::text as id, name
from v2_builders
order by name, id;

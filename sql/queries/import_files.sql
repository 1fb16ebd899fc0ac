-- Imports as things that are seen, waited for, and taken back; and the columns that a builder saved.

-- name: import_file_add
-- A file came in.
insert into import_files
    (builder_id, id, entity, file_name, sha256, size_bytes, status, options, imported_by, imported_at, worked_at)
values
    (%(builder_id)s, %(import_id)s, %(entity)s, %(file_name)s, %(sha256)s, %(size_bytes)s, %(status)s,
     %(options)s::jsonb, %(imported_by)s, %(now)s, %(now)s);

-- name: import_file
-- One import as it stands, with what its chunks wrote so far.
select import_files.id::text as id, import_files.entity, import_files.file_name, import_files.sha256, import_files.size_bytes, import_files.status,
       import_files.options, import_files.rows_read, import_files.rows_to_write, import_files.skipped, import_files.problem_count, import_files.problems,
       import_files.columns, import_files.headings, import_files.layout, import_files.notes, import_files.preview, import_files.error,
       import_files.is_confirmed, import_files.is_cancel_asked, import_files.imported_by, import_files.imported_at, import_files.worked_at,
       import_files.finished_at, import_files.repeats::text as repeats,
       coalesce(written.rows_written, import_files.rows_written) as rows_written,
       coalesce(written.documents, import_files.documents_written) as documents_written
from import_files
left join lateral (
    select sum(chunk.rows_written)::integer as rows_written, sum(chunk.documents)::integer as documents
    from import_chunks as chunk
    where chunk.builder_id = import_files.builder_id
      and chunk.import_id = import_files.id) as written on true
where import_files.builder_id = %(builder_id)s
  and import_files.id = %(import_id)s;

-- name: import_files_newest
-- A page of imports, newest first.
select import_files.id::text as id, import_files.entity, import_files.file_name, import_files.status, import_files.rows_read, import_files.rows_to_write,
       import_files.skipped, import_files.problem_count, import_files.error, import_files.imported_by, import_files.imported_at, import_files.worked_at,
       import_files.finished_at, import_files.size_bytes, import_files.repeats::text as repeats, import_files.layout,
       import_files.is_confirmed, import_files.is_cancel_asked,
       coalesce(written.rows_written, import_files.rows_written) as rows_written,
       coalesce(written.documents, import_files.documents_written) as documents_written
from import_files
left join lateral (
    select sum(chunk.rows_written)::integer as rows_written, sum(chunk.documents)::integer as documents
    from import_chunks as chunk
    where chunk.builder_id = import_files.builder_id
      and chunk.import_id = import_files.id) as written on true
where import_files.builder_id = %(builder_id)s
  and (%(entity)s::text is null or import_files.entity = %(entity)s)
  and (%(status)s::text is null or import_files.status = %(status)s)
  and (%(after_at)s::timestamptz is null or (import_files.imported_at, import_files.id) < (%(after_at)s, %(after_id)s::uuid))
order by import_files.imported_at desc, import_files.id desc
limit %(rows_max)s;

-- name: import_file_hold
-- How an import stands, held so that nobody takes it up while it is taken back.
select status
from import_files
where builder_id = %(builder_id)s
  and id = %(import_id)s
for update;

-- name: import_file_begin
-- Somebody works on an import, if it stands where that is possible.
update import_files
set status = %(status)s,
    error = null,
    finished_at = null,
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and status = any (%(from_statuses)s::text[])
  and not is_cancel_asked;

-- name: import_file_waits
-- An import that nobody has begun, because others are at work, is not forgotten.
update import_files
set worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and (status = 'received' or (status = 'ready' and is_confirmed));

-- name: import_file_alive
-- Says how far the work is, and hears whether it shall end.
update import_files
set rows_read = %(rows_read)s,
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
returning is_cancel_asked;

-- name: import_file_checked
-- What the checks found.
update import_files
set status = %(status)s,
    mapping_key = %(mapping_key)s,
    rows_read = %(rows_read)s,
    rows_to_write = %(rows_to_write)s,
    skipped = %(skipped)s,
    problem_count = %(problem_count)s,
    problems = %(problems)s::jsonb,
    columns = %(columns)s::jsonb,
    headings = %(headings)s::jsonb,
    layout = %(layout)s,
    notes = %(notes)s::jsonb,
    preview = %(preview)s::jsonb,
    repeats = %(repeats)s,
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s;

-- name: import_file_end
-- An import is over, for good or for now.
update import_files
set status = %(status)s,
    error = %(error)s,
    rows_written = coalesce((
        select sum(chunk.rows_written)
        from import_chunks as chunk
        where chunk.builder_id = import_files.builder_id and chunk.import_id = import_files.id), 0),
    documents_written = coalesce((
        select sum(chunk.documents)
        from import_chunks as chunk
        where chunk.builder_id = import_files.builder_id and chunk.import_id = import_files.id), 0),
    finished_at = %(now)s,
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s;

-- name: import_file_refuse
-- A file of which nothing can go in, and why.
update import_files
set problems = %(problems)s::jsonb,
    problem_count = %(problem_count)s
where builder_id = %(builder_id)s
  and id = %(import_id)s;

-- name: import_file_choose
-- Other columns, another policy: the file is read again.
update import_files
set options = %(options)s::jsonb,
    status = 'received',
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and status in ('ready', 'refused', 'failed');

-- name: import_file_confirm
-- Somebody looked and said yes.
update import_files
set is_confirmed = true,
    options = %(options)s::jsonb,
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and status = 'ready';

-- name: import_file_cancel
-- Somebody said stop: at once where nobody is at work, else at the next look.
update import_files
set is_cancel_asked = true,
    status = case when status in ('received', 'ready', 'failed', 'refused') then 'cancelled' else status end,
    finished_at = case when status in ('received', 'ready', 'failed', 'refused') then %(now)s else finished_at end
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and status in ('received', 'checking', 'ready', 'writing', 'failed', 'refused');

-- name: import_file_resume
-- An import that broke off, or whose process is gone, may go on.
update import_files
set is_cancel_asked = false,
    status = 'received',
    worked_at = %(now)s
where builder_id = %(builder_id)s
  and id = %(import_id)s
  and (status = 'failed' or (status in ('received', 'checking', 'writing') and worked_at < %(silent_since)s)
       or (status = 'cancelled' and is_confirmed));

-- name: import_broken_off
-- An import of this very file that began to write and did not come to its end.
select id::text as id
from import_files
where builder_id = %(builder_id)s
  and entity = %(entity)s
  and sha256 = %(sha256)s
  and is_confirmed
  and (status = 'failed' or (status in ('received', 'checking', 'writing') and worked_at < %(silent_since)s))
order by imported_at desc
limit 1;

-- name: import_in_bulk
-- What this transaction writes is noted as brought by a large import.
select set_config('app.is_bulk', 'true', true);

-- name: import_chunk_add
-- One chunk is written, in the transaction that wrote it.
insert into import_chunks (builder_id, import_id, number, documents, rows_written, added, written_at)
select %(builder_id)s, %(import_id)s, %(number)s, %(documents)s, %(rows_written)s,
       coalesce((
           select array_agg(one.id)
           from import_documents as one
           where not one.is_update
             and one.first_place > %(after)s
             and one.first_place <= %(until)s), '{}'),
       %(now)s;

-- name: import_chunk_add_names
-- One chunk of names is written, in the transaction that wrote it.
insert into import_chunks (builder_id, import_id, number, documents, rows_written, added, written_at)
select %(builder_id)s, %(import_id)s, %(number)s, %(documents)s, %(rows_written)s,
       coalesce((
           select array_agg(staged.id)
           from import_rows as staged
           where staged.existing_id is null
             and staged.place > %(after)s
             and staged.place <= %(until)s), '{}'),
       %(now)s;

-- name: import_chunk_last
-- How many chunks an import wrote before.
select coalesce(max(number), 0)
from import_chunks
where builder_id = %(builder_id)s
  and import_id = %(import_id)s;

-- name: import_span_of_documents
-- Where in the file the documents begin that are still to be written.
select count(*)::integer as documents, coalesce(min(first_place), 0) as first_place, coalesce(max(first_place), 0) as last_place,
       coalesce(sum(lines), 0)::integer as rows_to_write
from import_documents;

-- name: import_span_of_names
-- Where in the file the names stand that are still to be written.
select count(*)::integer as documents, coalesce(min(place), 0) as first_place, coalesce(max(place), 0) as last_place,
       count(*)::integer as rows_to_write
from import_rows;

-- name: import_index_documents
-- Find the documents of one chunk.
create index import_documents_place on import_documents (first_place);

-- name: import_measure_documents
-- Tell the planner how many documents there are.
analyze import_documents;

-- name: import_mark_updates
-- These documents are here already and get the values of the file.
update import_documents as one
set is_update = true,
    id = given.record_id
from (select unnest(%(documents)s::text[]) as document, unnest(%(record_ids)s::uuid[]) as record_id) as given
where one.document = given.document;

-- name: import_lines_of_rejected
-- The lines of documents that cannot go in, for the file of problems.
select line
from import_rows
join import_rejected on import_rejected.document = import_rows.document;

-- name: import_audit_changes
-- What an import changed in records that were here, one line of the audit log for each.
insert into audit_log (builder_id, actor, action, reason, entity, record_id, before)
select change.builder_id, %(actor)s, 'import.updated', %(reason)s, %(entity)s, change.record_id, change.before
from import_changes as change
where change.builder_id = %(builder_id)s
  and change.import_id = %(import_id)s
  and change.changed_at = %(now)s;

-- ------------------------------------------------------------------ undo

-- name: import_stage_undone
-- Everything that one import brought or changed.
create temporary table import_undone (
    record_id uuid primary key, action text not null, before jsonb, changed_at timestamptz not null
);

-- name: import_fill_undone
-- Fill it from the chunks and the changes of the import.
insert into import_undone (record_id, action, before, changed_at)
select unnest(chunk.added) as record_id, 'added' as action, null::jsonb as before, chunk.written_at as changed_at
from import_chunks as chunk
where chunk.builder_id = %(builder_id)s
  and chunk.import_id = %(import_id)s
union all
select change.record_id, 'updated', change.before, change.changed_at
from import_changes as change
where change.builder_id = %(builder_id)s
  and change.import_id = %(import_id)s;

-- name: import_measure_undone
-- Tell the planner how much there is.
analyze import_undone;

-- name: import_undo_pushed
-- What of it an accounting system has, or may have: it is linked there, or was sent since it came.
select undone.record_id::text as record_id
from import_undone as undone
where exists (
        select 1
        from links as link
        where link.builder_id = %(builder_id)s
          and link.entity = %(entity)s
          and link.record_id = undone.record_id
          and (link.remote_id is not null
               or exists (
                   select 1
                   from attempts as attempt
                   where attempt.builder_id = link.builder_id
                     and attempt.link_id = link.id)))
  and (undone.action = 'added'
       or exists (
           select 1
           from attempts as attempt
           where attempt.builder_id = %(builder_id)s
             and attempt.entity = %(entity)s
             and attempt.record_id = undone.record_id
             and attempt.started_at >= undone.changed_at));

-- name: import_undo_connections
-- The builder's connections: none of them may be at work while an import is taken back.
select id::text as id
from v2_integration_connections
where builder_id = %(builder_id)s
order by id;

-- name: import_undo_invoices_paid
-- The invoices that taken-back payments were for.
select distinct applied.invoice_id::text
from import_undone as undone
join v2_payment_applications as applied
    on applied.builder_id = %(builder_id)s and applied.payment_id = undone.record_id;

-- ------------------------------------------------------------------ templates

-- name: import_templates
-- The saved columns of a builder.
select id::text as id, entity, name, columns, fixed, created_by, created_at
from import_templates
where builder_id = %(builder_id)s
  and (%(entity)s::text is null or entity = %(entity)s)
order by entity, name;

-- name: import_template_save
-- Save columns under a name; the same name again replaces them.
insert into import_templates (builder_id, entity, name, columns, fixed, created_by, created_at)
values (%(builder_id)s, %(entity)s, %(name)s, %(columns)s::jsonb, %(fixed)s::jsonb, %(created_by)s, %(now)s)
on conflict (builder_id, entity, name) do update
set columns = excluded.columns,
    fixed = excluded.fixed,
    created_by = excluded.created_by,
    created_at = excluded.created_at
returning id::text;

-- name: import_template_delete
-- Forget saved columns.
delete from import_templates
where builder_id = %(builder_id)s
  and id = %(template_id)s;

-- name: import_file_said_yes
-- Whoever brings a file by a command has said yes with it.
update import_files
set is_confirmed = true
where builder_id = %(builder_id)s
  and id = %(import_id)s;

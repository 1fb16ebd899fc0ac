-- What a large import brought is known as such until it was sent: it goes out behind everything else.

alter table record_changes
    -- noted by a large import, and nobody has touched the record since
    add column is_bulk boolean not null default false;
grant select (is_bulk) on record_changes to tieout_scheduler;

alter table links
    -- the values that a large import brought; once they were sent, or others came, it says nothing any more
    add column bulk_checksum text;

-- As before, and keeps apart what a large import writes. A record somebody else has touched is not the import's to delay,
-- whichever of the two came first.
create or replace function note_record_changes() returns trigger language plpgsql as $$
declare
    is_bulk constant boolean := coalesce(nullif(current_setting('app.is_bulk', true), ''), 'false')::boolean;
begin
    execute format(
        'insert into record_changes (builder_id, entity, record_id, is_bulk)
         select distinct builder_id, %L, %I, $1 from %s where %I is not null
         on conflict (builder_id, entity, record_id) do update
         set changed_at = now(),
             is_bulk = record_changes.is_bulk and excluded.is_bulk',
        tg_argv[0], tg_argv[1], case when tg_op = 'DELETE' then 'old_rows' else 'new_rows' end, tg_argv[1])
    using is_bulk;
    perform pg_notify('tieout_changes', '');
    return null;
end
$$;

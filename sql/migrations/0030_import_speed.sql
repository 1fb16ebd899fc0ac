-- What an import costs the database beyond the rows themselves.

-- As before, and leaves a note alone that the same transaction has made: a document and its lines are noted once.
create or replace function note_record_changes() returns trigger language plpgsql as $$
declare
    is_bulk constant boolean := coalesce(nullif(current_setting('app.is_bulk', true), ''), 'false')::boolean;
begin
    execute format(
        'insert into record_changes (builder_id, entity, record_id, is_bulk)
         select distinct builder_id, %L, %I, $1 from %s where %I is not null
         on conflict (builder_id, entity, record_id) do update
         set changed_at = now(),
             is_bulk = record_changes.is_bulk and excluded.is_bulk
         where record_changes.changed_at <> now()
            or record_changes.is_bulk and not excluded.is_bulk',
        tg_argv[0], tg_argv[1], case when tg_op = 'DELETE' then 'old_rows' else 'new_rows' end, tg_argv[1])
    using is_bulk;
    perform pg_notify('tieout_changes', '');
    return null;
end
$$;

-- Fresh statistics of what documents refer to, after many names came in: without them the database looks each reference
-- up by whatever index comes first, which can be one that reads all of a builder's names. The application owns no table.
create function refresh_name_statistics() returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- Somebody who does it already does it for all.
    if not pg_try_advisory_xact_lock(hashtextextended('refresh_name_statistics', 0)) then
        return false;
    end if;
    analyze v2_builders;
    analyze v2_clients;
    analyze v2_vendors;
    analyze v2_jobs;
    analyze v2_cost_codes;
    analyze v2_accounts;
    analyze v2_purchase_orders;
    return true;
end
$$;
revoke execute on function refresh_name_statistics() from public;
grant execute on function refresh_name_statistics() to tieout_app;

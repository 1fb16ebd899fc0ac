-- The roles Tieout works under. Cluster-wide, safe to run again, and to be run by hand by an administrator when
-- Tieout's own database user may not create roles:
--   tieout_owner      owns the tables; used by migrations only
--   tieout_app        the application; row-level security applies to it
--   tieout_scheduler  sees what is due across builders, and no records
--   tieout_dagster    owns Dagster's own database, and reads nothing of ours
do $$
declare
    wanted text;
begin
    -- Two processes preparing the same server at once would collide inside the catalogue.
    perform pg_advisory_xact_lock(7436861);
    foreach wanted in array array['tieout_owner', 'tieout_app', 'tieout_scheduler', 'tieout_dagster'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I login', wanted);
        end if;
        -- A superuser may act as anyone; every other login has to be a member before it can set the role.
        if not pg_has_role(current_user, wanted, 'member') then
            execute format('grant %I to current_user', wanted);
        end if;
    end loop;
end
$$;

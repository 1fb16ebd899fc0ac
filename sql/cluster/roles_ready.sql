select
    current_setting('server_version_num')::int as version_number,
    count(*) filter (where pg_has_role(current_user, oid, 'member')) = 4 as are_ready
from pg_roles
where rolname in ('tieout_owner', 'tieout_app', 'tieout_scheduler', 'tieout_dagster')

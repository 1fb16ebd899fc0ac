select
    has_schema_privilege('tieout_owner', 'public', 'create')
    and has_schema_privilege('tieout_app', 'public', 'usage')
    and has_schema_privilege('tieout_scheduler', 'public', 'usage')

-- Whether row-level security applies to the role this connection acts as.
select not (rolsuper or rolbypassrls) as is_bound, rolname as role_name from pg_roles where rolname = current_user

-- Tells the API's processes at once that somebody's access ended or was narrowed, so that they may remember for a moment
-- whom they let in. Who it is about is not told: they forget everybody.
create function tell_that_access_changed() returns trigger
    language plpgsql
    set search_path = pg_catalog
as $$
begin
    perform pg_notify('tieout_access', '');
    return null;
end
$$;

create trigger access_changed after update or delete on api_keys
    for each statement execute function tell_that_access_changed();
create trigger access_changed after update or delete on oauth_apps
    for each statement execute function tell_that_access_changed();
create trigger access_changed after update or delete on oauth_grants
    for each statement execute function tell_that_access_changed();
create trigger access_changed after update of revoked_at or delete on oauth_tokens
    for each statement execute function tell_that_access_changed();
create trigger access_changed after delete on v2_builders
    for each statement execute function tell_that_access_changed();

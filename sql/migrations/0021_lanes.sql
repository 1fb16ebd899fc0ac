-- Closed periods, approval, and an audit log that says by which strategy and mapping version.

alter table entity_settings
    -- what happens to a new document whose date lies in a closed period
    add column closed_period text not null default 'hold'
        constraint entity_settings_closed_period check (closed_period in ('hold', 'first_open_day', 'ask')),
    -- review: nothing of this kind is sent before a person has accepted it
    add column approval text not null default 'direct'
        constraint entity_settings_approval check (approval in ('direct', 'review'));

alter table links
    -- the values that a person has accepted for sending; any other value asks again
    add column approved_checksum text,
    add column approved_by text,
    add column approved_at timestamptz,
    -- what a person chose for a document of a closed period, and for which values
    add column period_choice text
        constraint links_period_choice check (period_choice in ('first_open_day')),
    add column period_choice_checksum text;

-- The last day on which the provider's books are closed, as it said when it was last asked.
alter table v2_integration_connections
    add column books_closed_until date,
    add column books_closed_read_at timestamptz;

alter table audit_log
    add column strategy text,
    add column mapping_version_id uuid;

-- No role changes what was written down, not even the owner of the table.
create function audit_log_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'The audit log is append-only: what was written down is never changed or removed.'
        using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_log_is_append_only
    before update or delete or truncate on audit_log
    for each statement execute function audit_log_is_append_only();

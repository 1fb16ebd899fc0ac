-- The audit log: append-only.

-- name: audit_insert
-- who did what to which record, with the values before and after
insert into audit_log (
    builder_id, actor, action, reason, connection_id, link_id, entity, record_id, remote_id, before, after)
values (
    current_setting('app.builder_id')::uuid, %(actor)s, %(action)s, %(reason)s, %(connection_id)s, %(link_id)s,
    %(entity)s, %(record_id)s, %(remote_id)s, %(before)s, %(after)s);

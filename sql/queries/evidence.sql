-- The evidence of one record: what ours says, what was sent, what the ledger has, and everything that was decided about it.

-- name: evidence_record
-- our record in canonical form
select entity, id::text, label, state, canonical, checksum, revision, document_date, total, currency, changed_at
from records
where entity = %(entity)s
  and id = %(record_id)s;

-- name: evidence_links
-- the record's place in each ledger, what both sides last agreed on, and the ledger's copy as last seen
select l.connection_id, c.provider, c.provider_company_name as company_name, l.remote_id, l.state as link_state, l.cause,
       l.linked_by, l.linked_at, l.settled_at, l.base_ours, l.base_theirs, l.approved_by, l.approved_at,
       l.record_id is not null and l.remote_id is not null and l.state = 'open'
           and l.ours_checksum is not distinct from l.base_ours_checksum
           and l.theirs_checksum is not distinct from l.base_theirs_checksum as is_settled,
       m.state as ledger_state, m.canonical as ledger_canonical, m.version as ledger_version, m.checksum as ledger_checksum,
       m.remote_changed_at as ledger_changed_at, m.seen_at as ledger_seen_at
from links l
join v2_integration_connections c on c.builder_id = l.builder_id and c.id = l.connection_id
left join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.entity = %(entity)s
  and l.record_id = %(record_id)s
order by c.provider, l.connection_id;

-- name: evidence_attempts
-- every try to write it, oldest first
select a.id, a.connection_id, a.operation, a.revision, a.state, a.request_id, a.payload_hash, a.payload, a.remote_id,
       a.remote_version, a.sync_run_id, a.started_at, a.settled_at, a.message, a.code,
       a.details ->> 'reason' as reason, a.details ->> 'posted_on' as posted_on,
       a.details ->> 'approved_by' as approved_by, a.details ->> 'strategy' as strategy,
       a.mapping_version_id, v.number as mapping_version
from attempts a
left join mapping_versions v on v.builder_id = a.builder_id and v.id = a.mapping_version_id
where a.entity = %(entity)s
  and a.record_id = %(record_id)s
order by a.started_at, a.id;

-- name: evidence_changes
-- everything that was written down about it, oldest first
select a.id, a.at, a.actor, a.action, a.reason, a.connection_id, a.remote_id, a.before, a.after, a.strategy,
       a.mapping_version_id, v.number as mapping_version
from audit_log a
left join mapping_versions v on v.builder_id = a.builder_id and v.id = a.mapping_version_id
where a.entity = %(entity)s
  and a.record_id = %(record_id)s
order by a.at, a.id
limit %(rows_max)s;

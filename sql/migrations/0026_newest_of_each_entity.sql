-- tieout: no transaction
-- serves: the newest history row of each entity and direction of a connection, for its status, however long its history
create index concurrently if not exists v2_sync_log_of_entity
    on v2_sync_log (builder_id, connection_id, entity_type, direction, started_at desc, id desc);

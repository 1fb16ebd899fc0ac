-- Which syncs of a connection are open is asked at the beginning of each, and must not cost more with more history.

-- serves: the beginning of a sync, which ends those whose process died
-- squawk-ignore require-concurrent-index-creation
create index sync_runs_open on sync_runs (builder_id, connection_id) where status in ('queued', 'started');

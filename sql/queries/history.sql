-- Retention: closed history that nobody asks for any more, in batches that hold no lock for long.

-- name: history_drop_records
-- Forgets records of past syncs: settled or dismissed before a moment. What still waits for somebody stays, however old.
delete from v2_sync_records
where id in (
    select r.id
    from v2_sync_log l
    join v2_sync_records r on r.builder_id = l.builder_id and r.sync_log_id = l.id
    where l.builder_id = %(builder_id)s
      and l.started_at < %(before)s
      and (r.status in ('synced', 'skipped') or r.resolved_at < %(before)s)
    limit %(rows_max)s);

-- name: history_drop_logs
-- Forgets rows of the history that no record belongs to: old ones, and sooner those of syncs that found nothing to do.
delete from v2_sync_log
where id in (
    select l.id
    from v2_sync_log l
    where l.builder_id = %(builder_id)s
      and l.started_at < %(idle_before)s
      and l.completed_at is not null
      and (l.started_at < %(before)s
           or (coalesce(l.records_processed, 0) = 0 and l.status = 'completed' and l.error_summary is null))
      and not exists (
          select 1
          from v2_sync_records r
          where r.builder_id = l.builder_id
            and r.sync_log_id = l.id)
    limit %(rows_max)s);

-- name: history_drop_runs
-- Forgets syncs of which no row of the history is left; the newest of each connection stays.
delete from sync_runs
where builder_id = %(builder_id)s
  and id in (
    select s.id
    from sync_runs s
    where s.builder_id = %(builder_id)s
      and s.requested_at < %(idle_before)s
      and s.completed_at is not null
      and (s.requested_at < %(before)s or (s.status = 'completed' and s.error_summary is null))
      and not exists (
          select 1
          from v2_sync_log l
          where l.builder_id = s.builder_id
            and l.sync_run_id = s.id)
      and exists (
          select 1
          from sync_runs newer
          where newer.builder_id = s.builder_id
            and newer.connection_id = s.connection_id
            and newer.requested_at > s.requested_at)
    limit %(rows_max)s);

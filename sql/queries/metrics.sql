-- What Prometheus reads; runs as the scheduler and names no builder.

-- name: metrics_connections
-- how many connections stand how, and how many of them are late
select provider, status, count(*) as connections,
       count(*) filter (where status = 'connected'
                          and next_due_at < %(now)s::timestamptz - interval '1 hour') as late
from v2_integration_connections
group by provider, status
order by provider, status;

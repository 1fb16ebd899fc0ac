-- A connection that a person has to see to at the provider is due like others: it is probed, and goes on by itself.

-- squawk-ignore require-concurrent-index-deletion
drop index v2_integration_connections_due;
-- serves: the sensor's question which connections are due
-- squawk-ignore require-concurrent-index-creation
create index v2_integration_connections_due
    on v2_integration_connections (next_due_at) where status in ('connected', 'error');

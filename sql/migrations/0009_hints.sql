-- What providers tell of their own accord: hints that it is worth looking, never data.

-- Since when a provider's hint waits for the real-time worker; null where none does.
alter table v2_integration_connections add column pull_hinted_at timestamptz;
grant select (pull_hinted_at) on v2_integration_connections to tieout_scheduler;

-- Deliveries that were acted upon, by digest: providers repeat them. No builder's data.
create table inbound_events (
    digest text primary key,
    seen_at timestamptz not null default now()
);
-- serves: forgetting what no provider repeats any more
create index inbound_events_seen on inbound_events (seen_at);

grant select, insert, delete on inbound_events to tieout_app;

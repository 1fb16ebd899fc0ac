-- What the provider's lists showed when they were last walked: id, version and state, and what was looked into.
create table census (
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null,
    entity text not null,
    remote_id text not null,
    -- the census that listed it last, counted from 1 per connection; 0 for one that was only looked into
    number integer not null,
    version text,
    state text,
    total numeric(19, 4),
    balance numeric(19, 4),
    checked_number integer,
    checked_version text,
    primary key (builder_id, connection_id, entity, remote_id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);

alter table census enable row level security;
alter table census force row level security;
create policy one_builder on census
    using (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid))
    with check (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid));
grant select, insert, update, delete on census to tieout_app;

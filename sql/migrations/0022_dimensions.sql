-- What jobs, cost codes and cost types are in the ledger's own lists: classes, locations, sub-customers, items, tracking
-- options. Which of them a connection uses is kept in its settings.

create table dimension_options (
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null,
    list text not null check (list in ('sub_customer', 'class', 'location', 'item', 'tracking')),
    -- the tracking category's name; '' elsewhere
    category text not null default '',
    subject text not null check (subject in ('job', 'cost_code', 'cost_type')),
    -- a job's or cost code's id, or the cost type itself
    subject_id text not null,
    -- the subject as the platform called it when the option was last settled
    label text not null,
    -- its name in the ledger
    name text not null,
    -- the name a person chose for it
    named text,
    -- making: the call is under way or its answer was lost · ready · archived: its subject is closed · refused
    state text not null check (state in ('making', 'ready', 'archived', 'refused')),
    remote_id text,
    list_id text,
    parent_id text,
    message text,
    updated_at timestamptz not null,
    primary key (builder_id, connection_id, list, category, subject, subject_id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);

alter table dimension_options enable row level security;
alter table dimension_options force row level security;
create policy one_builder on dimension_options
    using (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid))
    with check (builder_id = (select nullif(current_setting('app.builder_id', true), '')::uuid));
grant select, insert, update, delete on dimension_options to tieout_app;

-- What people are told: one open notice per thing that is the matter, who has read it, who wants what, and the mails.
create table notifications (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    kind text not null check (kind in (
        'connection_lost', 'refresh_failing', 'access_ending', 'dead_letters', 'conflicts', 'tie_out_difference',
        'outage_began', 'outage_ended')),
    connection_id uuid not null,
    records integer not null default 0,
    facts jsonb not null default '{}',
    -- moves when more of it is the matter, and so makes the notice unread again
    raised_at timestamptz not null,
    created_at timestamptz not null,
    -- when it was no longer the matter
    resolved_at timestamptz,
    primary key (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- Told once: while something is the matter there is one notice of it.
create unique index notifications_open on notifications (builder_id, connection_id, kind) where resolved_at is null;
-- serves: the list, newest first
create index notifications_newest on notifications (builder_id, raised_at desc, id desc);

create table notification_reads (
    builder_id uuid not null,
    person text not null,
    notification_id uuid not null,
    read_at timestamptz not null,
    primary key (builder_id, person, notification_id),
    foreign key (builder_id, notification_id) references notifications (builder_id, id) on delete cascade
);

create table notification_preferences (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    person text not null,
    email text,
    -- kinds this person is not told of, here or by mail
    muted text[] not null default '{}',
    updated_at timestamptz not null,
    primary key (builder_id, person)
);

-- One notice to one person. Mails are grouped when they are sent.
create table notification_mails (
    builder_id uuid not null,
    notification_id uuid not null,
    person text not null,
    -- sending: handed to the mail server, answer awaited; a process that died there leaves it so, because a mail that
    -- may have gone out is not sent again · unknown: the mail server did not say whether it took it
    state text not null default 'pending'
        check (state in ('pending', 'sending', 'sent', 'unknown', 'failed', 'dropped')),
    tries integer not null default 0,
    next_try_at timestamptz not null,
    settled_at timestamptz,
    primary key (builder_id, notification_id, person),
    foreign key (builder_id, notification_id) references notifications (builder_id, id) on delete cascade
);
-- serves: what is to be sent now
create index notification_mails_due on notification_mails (builder_id, next_try_at) where state = 'pending';

do $$
declare
    tenant text;
begin
    foreach tenant in array array['notifications', 'notification_reads', 'notification_preferences', 'notification_mails']
    loop
        execute format('alter table %I enable row level security', tenant);
        execute format('alter table %I force row level security', tenant);
        execute format(
            'create policy one_builder on %I
                 using (builder_id = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))
                 with check (builder_id = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))',
            tenant);
        execute format('grant select, insert, update, delete on %I to tieout_app', tenant);
    end loop;
end
$$;
-- Whose mails are due; nothing of what is in them.
grant select (builder_id, state, next_try_at) on notification_mails to tieout_scheduler;
create policy scheduler_reads on notification_mails for select to tieout_scheduler using (true);

-- What the calls to the providers came to, by company and day. No builder's data: companies are named by a hash.

create table call_meter (
    key text not null,
    -- by UTC
    day date not null,
    -- person 0, real time 1, schedule 2, bulk 3
    priority integer not null check (priority between 0 and 3),
    calls integer not null,
    -- reads the provider counts against the app's plan (QuickBooks' CorePlus)
    metered_reads integer not null,
    bytes_read bigint not null,
    -- answers that asked us to slow down
    throttled integer not null,
    primary key (key, day, priority)
) with (fillfactor = 80);

create index call_meter_day on call_meter (day);

grant select, insert, update, delete on call_meter to tieout_app;

-- A sync that ended because another one of its connection was under way says nothing about the provider.

alter table sync_runs
    -- it waited for the connection's lock in vain, and was not begun or not gone on with
    add column gave_way boolean not null default false;

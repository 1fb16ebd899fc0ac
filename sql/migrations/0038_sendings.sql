-- How often a write was sent under its request id: what is never confirmed is not asked again for ever.

alter table attempts
    add column sendings integer not null default 1;

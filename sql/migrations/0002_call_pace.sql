-- Calls to the providers, counted once for all processes. No builder's data: companies are named by a hash.

create table call_pace (
    key text primary key,
    -- when the calls of the present window were made, oldest first
    taken timestamptz[] not null default '{}',
    -- until when each call under way holds its place
    leases timestamptz[] not null default '{}',
    -- until when somebody of each priority (person, real time, schedule, bulk) is waiting
    waiting timestamptz[] not null default array['-infinity', '-infinity', '-infinity', '-infinity']::timestamptz[],
    -- the earliest moment the next call of the whole app keeps its steady rate
    next_at timestamptz not null default '-infinity',
    -- the provider asked to pause
    blocked_until timestamptz not null default '-infinity',
    -- the provider's own figure of what the day still allows
    day_remaining integer,
    day_seen_at timestamptz
);

grant select, insert, update on call_pace to tieout_app;

-- How often each caller of the API may still ask, for all processes of the API together. Named by a hash, so that no
-- row tells whose it is. Not logged: after a crash of the server everybody simply begins anew, and a commit that changes
-- nothing else waits for no disk.
create unlogged table request_pace (
    caller text primary key,
    -- requests that nobody has been given yet, as of `at`
    remaining double precision not null,
    -- how many the process that asked last was given
    granted integer not null,
    at timestamptz not null
);
-- serves: forgetting those who have not asked for a day
create index request_pace_at on request_pace (at);

grant select, insert, update, delete on request_pace to tieout_app;

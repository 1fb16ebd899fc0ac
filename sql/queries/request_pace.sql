-- How often the API's callers ask.

-- name: request_pace_take
-- Gives a process a block of a caller's requests: a twentieth of those left after the steady refill, at most so many and
-- at least one; nothing where less than one is left. The nearer the end, the smaller the blocks, so that none is kept
-- where nobody asks.
insert into request_pace as p (caller, remaining, granted, at)
values (%(caller)s::text, %(per_minute)s::integer - %(first_block)s::integer, %(first_block)s::integer, %(now)s::timestamptz)
on conflict (caller) do update
set (remaining, granted, at) = (
    select refilled.remaining - block.size, block.size, greatest(p.at, %(now)s::timestamptz)
    from (
        select least(
            %(per_minute)s::integer,
            -- a machine whose clock is behind adds nothing
            p.remaining + greatest(0, extract(epoch from %(now)s::timestamptz - p.at)) * %(per_minute)s::integer / 60
        )::double precision as remaining) as refilled
    cross join lateral (
        select case
            when refilled.remaining < 1 then 0
            else greatest(1, least(%(block_max)s::integer, floor(refilled.remaining / 20)))
        end::integer as size) as block)
returning granted, remaining;

-- name: request_pace_drop_old
-- Forgets the counts of callers who have not asked for long; asking again, they begin with a full minute.
delete from request_pace
where at < %(before)s::timestamptz;

-- Calls to the providers: who may call now.

-- name: pace_open
-- Makes the counts of a company and of the whole app, once.
insert into call_pace (key)
values (%(app)s::text), (%(company)s::text)
on conflict (key) do nothing;

-- name: pace_take
-- Decides about one call: takes a place in the window, among those under way and in the app's rate, or says how long to
-- wait; a caller that waits leaves its mark, so that less urgent ones let it go first.
with held as (
    select *
    from call_pace
    where key in (%(app)s::text, %(company)s::text)
    order by key
    for update),
company as (
    select array(select t from unnest(h.taken) as t where t > %(now)s::timestamptz - %(span)s::interval order by t) as taken,
           array(select l from unnest(h.leases) as l where l > %(now)s::timestamptz) as leases,
           h.waiting, h.blocked_until,
           coalesce(h.day_remaining <= %(day_reserve)s::integer and h.day_seen_at > %(believed)s::timestamptz, false) as is_day_short
    from held h
    where h.key = %(company)s::text),
judged as (
    select c.*,
           greatest(
               0,
               case when c.blocked_until > %(now)s::timestamptz then extract(epoch from c.blocked_until - %(now)s::timestamptz) end,
               case when cardinality(c.taken) >= %(calls)s::integer then
                   extract(epoch from c.taken[cardinality(c.taken) - %(calls)s::integer + 1] + %(span)s::interval - %(now)s::timestamptz) end,
               case when cardinality(c.leases) >= %(at_once)s::integer then 0.05 end,
               case when exists (
                   select 1
                   from unnest(c.waiting) with ordinality as w (until, place)
                   where w.place <= %(priority)s::integer
                     and w.until > %(now)s::timestamptz) then 0.1 end,
               -- further ahead than any wait can be: some machine's clock was set back
               case when a.next_at between %(now)s::timestamptz + %(slack)s::interval
                        and %(now)s::timestamptz + interval '2 minutes' then extract(epoch from a.next_at - %(slack)s::interval - %(now)s::timestamptz) end
           ) as wait
    from company c
    cross join held a
    where a.key = %(app)s::text),
verdict as (
    select j.*, j.wait <= 0 and not j.is_day_short as is_granted
    from judged j),
for_company as (
    update call_pace p
    set taken = case when v.is_granted then v.taken || %(now)s::timestamptz else v.taken end,
        leases = case when v.is_granted then v.leases || %(lease)s::timestamptz else v.leases end,
        waiting = v.waiting[1:%(priority)s::integer]
            || case when v.is_granted or v.is_day_short then '-infinity' else %(now)s::timestamptz + interval '4 seconds' end
            || v.waiting[%(priority)s::integer + 2:4]
    from verdict v
    where p.key = %(company)s::text
    returning 1),
for_app as (
    update call_pace p
    set next_at = case
            when p.next_at between %(now)s::timestamptz and %(now)s::timestamptz + interval '2 minutes' then p.next_at
            else %(now)s::timestamptz
        end + %(step)s::interval
    from verdict v
    where p.key = %(app)s::text
      and v.is_granted
    returning 1)
select case when v.is_granted then %(lease)s::timestamptz end as lease, v.wait, v.is_day_short
from verdict v;

-- name: pace_done
-- Gives a place back, and keeps what the answer said about the budget.
update call_pace
set leases = array_remove(leases, %(lease)s::timestamptz),
    day_remaining = coalesce(%(day_remaining)s::integer, day_remaining),
    day_seen_at = case when %(day_remaining)s::integer is null then day_seen_at else %(now)s::timestamptz end,
    blocked_until = greatest(blocked_until, coalesce(%(blocked_until)s::timestamptz, '-infinity'))
where key = %(company)s::text;

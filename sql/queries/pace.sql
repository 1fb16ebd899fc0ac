-- Calls to the providers: who may call now.

-- name: pace_open
-- Makes the counts of a company, of its batches and of the whole app, once.
insert into call_pace (key)
select unnest(%(keys)s::text[])
on conflict (key) do nothing;

-- name: pace_take
-- Decides about one call: takes a place in the company's windows and steady rate, among those under way and in the app's
-- rate, or says how long to wait; a caller that waits leaves its mark, so that less urgent ones let it go first. A batch
-- has a window of its own beside the company's.
with held as (
    select *
    from call_pace
    where key in (%(app)s::text, %(company)s::text, %(batches)s::text)
    order by key
    for update),
rates (key, step, slack) as (
    -- no slack: not counted by a steady rate
    values (%(app)s::text, %(step)s::interval, %(slack)s::interval),
           (%(company)s::text, %(company_step)s::interval, %(company_slack)s::interval)),
windows (key, calls, span) as (
    values (%(company)s::text, %(calls)s::integer, %(span)s::interval),
           (%(batches)s::text, %(batch_calls)s::integer, %(batch_span)s::interval)),
counted as (
    select h.key, w.calls, w.span,
           array(select t from unnest(h.taken) as t where t > %(now)s::timestamptz - w.span order by t) as taken
    from held h
    join windows w on w.key = h.key and w.calls is not null),
company as (
    select array(select l from unnest(h.leases) as l where l > %(now)s::timestamptz) as leases,
           h.waiting, h.blocked_until,
           coalesce(h.day_remaining <= %(day_reserve)s::integer and h.day_seen_at > %(believed)s::timestamptz, false) as is_day_short
    from held h
    where h.key = %(company)s::text),
judged as (
    select c.*,
           greatest(
               0,
               case when c.blocked_until > %(now)s::timestamptz then extract(epoch from c.blocked_until - %(now)s::timestamptz) end,
               (select max(extract(epoch from w.taken[cardinality(w.taken) - w.calls + 1] + w.span - %(now)s::timestamptz))
                from counted w
                where cardinality(w.taken) >= w.calls),
               case when cardinality(c.leases) >= %(at_once)s::integer then 0.05 end,
               case when exists (
                   select 1
                   from unnest(c.waiting) with ordinality as w (until, place)
                   where w.place <= %(priority)s::integer
                     and w.until > %(now)s::timestamptz) then 0.1 end,
               -- further ahead than any wait can be: some machine's clock was set back
               (select max(extract(epoch from h.next_at - r.slack - %(now)s::timestamptz))
                from held h
                join rates r on r.key = h.key
                where h.next_at between %(now)s::timestamptz + r.slack and %(now)s::timestamptz + interval '2 minutes')
           ) as wait
    from company c),
verdict as (
    select j.*, j.wait <= 0 and not j.is_day_short as is_granted
    from judged j),
for_company as (
    update call_pace p
    set taken = coalesce(case when v.is_granted then w.taken || %(now)s::timestamptz else w.taken end, p.taken),
        leases = case when v.is_granted then v.leases || %(lease)s::timestamptz else v.leases end,
        waiting = v.waiting[1:%(priority)s::integer]
            || case when v.is_granted or v.is_day_short then '-infinity' else %(now)s::timestamptz + interval '4 seconds' end
            || v.waiting[%(priority)s::integer + 2:4],
        next_at = case
            when not v.is_granted or r.step is null then p.next_at
            when p.next_at between %(now)s::timestamptz and %(now)s::timestamptz + interval '2 minutes' then p.next_at + r.step
            else %(now)s::timestamptz + r.step
        end
    from verdict v
    cross join rates r
    left join counted w on w.key = %(company)s::text
    where p.key = %(company)s::text
      and r.key = %(company)s::text
    returning 1),
for_batches as (
    update call_pace p
    set taken = w.taken || %(now)s::timestamptz
    from verdict v
    cross join counted w
    where p.key = %(batches)s::text
      and w.key = p.key
      and v.is_granted
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
-- Gives a place back, keeps what the answer said about the budget, and adds the call to the company's meter of the day.
with pace as (
    update call_pace
    set leases = array_remove(leases, %(lease)s::timestamptz),
        day_remaining = coalesce(%(day_remaining)s::integer, day_remaining),
        day_seen_at = case when %(day_remaining)s::integer is null then day_seen_at else %(now)s::timestamptz end,
        blocked_until = greatest(blocked_until, coalesce(%(blocked_until)s::timestamptz, '-infinity'))
    where key = %(company)s::text)
insert into call_meter as m (key, day, priority, calls, metered_reads, bytes_read, throttled)
select %(company)s::text, (%(now)s::timestamptz at time zone 'utc')::date, %(priority)s::integer,
       1, %(metered_reads)s::integer, %(bytes_read)s::bigint, %(throttled)s::integer
on conflict (key, day, priority) do update
set calls = m.calls + 1,
    metered_reads = m.metered_reads + excluded.metered_reads,
    bytes_read = m.bytes_read + excluded.bytes_read,
    throttled = m.throttled + excluded.throttled;

-- name: meter_of_company
-- What a company's calls came to: today, in the last seven whole days, and in this month; and the provider's own figure.
select coalesce(sum(m.calls) filter (where m.day = %(today)s::date), 0) as calls_today,
       coalesce(sum(m.calls) filter (where m.day = %(today)s::date and m.priority = 3), 0) as bulk_calls_today,
       coalesce(sum(m.throttled) filter (where m.day = %(today)s::date), 0) as throttled_today,
       coalesce(sum(m.calls) filter (where m.day < %(today)s::date and m.day >= %(today)s::date - 7 and m.priority < 3), 0)
           as calls_of_the_week,
       count(distinct m.day) filter (where m.day < %(today)s::date and m.day >= %(today)s::date - 7 and m.priority < 3)
           as days_of_the_week,
       coalesce(sum(m.metered_reads) filter (where m.day >= date_trunc('month', %(today)s::date)), 0) as reads_of_the_month,
       coalesce(sum(m.bytes_read) filter (where m.day >= date_trunc('month', %(today)s::date)), 0) as bytes_of_the_month,
       p.day_remaining, p.day_seen_at, nullif(p.blocked_until, '-infinity') as blocked_until,
       exists (select 1 from unnest(p.waiting) as until where until > %(now)s::timestamptz) as is_waiting
from call_pace p
left join call_meter m on m.key = p.key and m.day >= least(%(today)s::date - 7, date_trunc('month', %(today)s::date)::date)
where p.key = %(company)s::text
group by p.key;

-- name: meter_of_app
-- What all companies of a provider came to: metered reads of this month and of the last seven whole days.
select coalesce(sum(m.metered_reads) filter (where m.day >= date_trunc('month', %(today)s::date)), 0) as reads_of_the_month,
       coalesce(sum(m.metered_reads) filter (where m.day < %(today)s::date and m.day >= %(today)s::date - 7), 0)
           as reads_of_the_week,
       count(distinct m.day) filter (where m.day < %(today)s::date and m.day >= %(today)s::date - 7) as days_of_the_week
from call_meter m
where m.day >= least(%(today)s::date - 7, date_trunc('month', %(today)s::date)::date)
  and m.key like %(provider)s::text || ':%%';

-- name: meter_drop_old
-- Forgets meter rows that no forecast looks at any more.
delete from call_meter
where day < %(before)s::date;

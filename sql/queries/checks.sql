-- Accounting truths: each query returns what breaks one.

-- name: check_unbalanced_entries
-- Posted journal entries whose debits and credits differ.
select coalesce(e.number, e.id::text) as number, e.entry_date, sum(l.debit) as debits, sum(l.credit) as credits
from v2_journal_entries e
join v2_journal_entry_lines l on l.builder_id = e.builder_id and l.journal_entry_id = e.id
where e.builder_id = %(builder_id)s
  and e.status = 'posted'
group by e.builder_id, e.id, e.number, e.entry_date
having sum(l.debit) <> sum(l.credit)
order by e.entry_date, e.number;

-- name: check_stale_unknowns
-- Writes of which nobody has known for a while whether the ledger took them.
select coalesce(nullif(r.label, ''), a.entity || ' ' || a.record_id::text) as label, a.operation,
       coalesce(a.first_started_at, a.started_at) as started_at
from attempts a
left join records r on r.builder_id = a.builder_id and r.entity = a.entity and r.id = a.record_id
where a.builder_id = %(builder_id)s
  and a.connection_id = %(connection_id)s
  and a.state in ('sending', 'unknown')
  -- sent again is no news of it
  and coalesce(a.first_started_at, a.started_at) < %(before)s
order by coalesce(a.first_started_at, a.started_at), a.id;

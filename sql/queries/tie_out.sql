-- The tie-out: sums and balances of both sides.

-- name: sum_linked_documents
-- What linked, valid documents are worth on either side: by entity, our total, our open part, theirs, their open part.
select l.entity,
       coalesce(sum(coalesce(
           r.total, 0)), 0) as ours_total,
       coalesce(sum(m.total), 0) as theirs_total,
       coalesce(sum(case l.entity
           when 'invoice' then i.total - i.amount_paid
           when 'bill' then b.total - b.amount_paid
       end), 0) as ours_open,
       coalesce(sum(m.balance), 0) as theirs_open
from links l
join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
left join v2_invoices i on l.entity = 'invoice' and i.builder_id = l.builder_id and i.id = l.record_id
left join v2_bills b on l.entity = 'bill' and b.builder_id = l.builder_id and b.id = l.record_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity in ('invoice', 'bill', 'journal_entry', 'payment', 'bill_payment', 'deposit')
  and r.state = 'active'
  and m.state = 'active'
  and l.base_ours_checksum is not null
  and l.base_theirs_checksum is not null
group by l.entity;

-- name: sum_ledger_documents
-- What all documents read from the ledger, linked or not, leave open: by entity.
select entity,
       coalesce(sum(balance), 0) as open_balance,
       coalesce(sum((canonical ->> 'unapplied')::numeric), 0) as unapplied
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and state = 'active'
  and entity in ('invoice', 'bill', 'payment', 'bill_payment')
group by entity;

-- name: control_accounts
-- The ledger's receivable (+1) and payable (-1) accounts.
select remote_id, case canonical ->> 'type' when 'accounts_receivable' then 1 else -1 end as side
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = 'account'
  and canonical ->> 'type' in ('accounts_receivable', 'accounts_payable');

-- name: sum_journal_on_control_accounts
-- What journal entries post straight to the control accounts, debit less credit.
select a.canonical ->> 'type' as type,
       coalesce(sum((line.item ->> 'debit')::numeric - (line.item ->> 'credit')::numeric), 0) as amount
from mirror j
cross join lateral jsonb_array_elements(j.canonical -> 'lines') as line (item)
join mirror a on a.builder_id = j.builder_id and a.connection_id = j.connection_id and a.entity = 'account'
    and a.remote_id = line.item ->> 'account'
where j.builder_id = %(builder_id)s
  and j.connection_id = %(connection_id)s
  and j.entity = 'journal_entry'
  and j.state = 'active'
  and a.canonical ->> 'type' in ('accounts_receivable', 'accounts_payable')
group by a.canonical ->> 'type';

-- name: last_document_date
-- The date of the ledger's latest document: its books are asked for up to then.
select max(document_date)
from mirror
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and state = 'active';

-- name: last_valid_tie_out
-- The newest tie-out, if nothing was read, written or edited here since it was taken; a difference stays one until then.
select t.lines, t.taken_at
from tie_outs t
where t.builder_id = %(builder_id)s
  and t.connection_id = %(connection_id)s
  and t.taken_at = (
      select max(n.taken_at)
      from tie_outs n
      where n.builder_id = t.builder_id
        and n.connection_id = t.connection_id)
  and not exists (
      select 1
      from mirror m
      where m.builder_id = t.builder_id
        and m.connection_id = t.connection_id
        and m.seen_at > t.taken_at)
  and not exists (
      select 1
      from records r
      where r.builder_id = t.builder_id
        and r.absorbed_at > t.taken_at)
  and not exists (
      select 1
      from links l
      where l.builder_id = t.builder_id
        and l.connection_id = t.connection_id
        and l.settled_at > t.taken_at);

-- name: save_tie_out
-- Keeps a tie-out as evidence.
insert into tie_outs (builder_id, connection_id, sync_run_id, taken_at, is_tied, difference, lines)
values (
    %(builder_id)s, %(connection_id)s, %(sync_run_id)s, %(now)s, %(is_tied)s, %(difference)s, %(lines)s::jsonb);

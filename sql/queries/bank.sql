-- Bank data: what the bookkeeper has found on the bank statement, per payment, bill payment and deposit.

-- name: bank_from_records_payments
-- Takes over what payments of the ledger say about themselves, where they were read or linked since the last look.
update v2_payments p
set reconciliation_status = m.raw ->> 'reconciliation'
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'payment'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and m.raw ? 'reconciliation'
  and (m.seen_at >= %(since)s or l.settled_at >= %(since)s)
  and p.reconciliation_status is distinct from m.raw ->> 'reconciliation';

-- name: bank_from_report_payments
-- Takes over a report of the ledger: payments it names are on the statement, the others of its period are not.
update v2_payments p
set reconciliation_status = coalesce(t.status, 'unmatched')
from links l
left join jsonb_to_recordset(%(told)s::jsonb) as t (entity text, remote_id text, status text) on t.entity = l.entity
    and t.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'payment'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and p.payment_date >= %(first_day)s
  and p.reconciliation_status is distinct from coalesce(t.status, 'unmatched');

-- name: bank_from_records_bill_payments
-- Takes over what bill payments of the ledger say about themselves, where they were read or linked since the last look.
update v2_bill_payments p
set reconciliation_status = m.raw ->> 'reconciliation'
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'bill_payment'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and m.raw ? 'reconciliation'
  and (m.seen_at >= %(since)s or l.settled_at >= %(since)s)
  and p.reconciliation_status is distinct from m.raw ->> 'reconciliation';

-- name: bank_from_report_bill_payments
-- Takes over a report of the ledger: bill payments it names are on the statement, the others of its period are not.
update v2_bill_payments p
set reconciliation_status = coalesce(t.status, 'unmatched')
from links l
left join jsonb_to_recordset(%(told)s::jsonb) as t (entity text, remote_id text, status text) on t.entity = l.entity
    and t.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'bill_payment'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and p.payment_date >= %(first_day)s
  and p.reconciliation_status is distinct from coalesce(t.status, 'unmatched');

-- name: bank_from_records_deposits
-- Takes over what deposits of the ledger say about themselves, where they were read or linked since the last look.
update v2_deposits p
set reconciliation_status = m.raw ->> 'reconciliation'
from links l
join mirror m on m.builder_id = l.builder_id and m.connection_id = l.connection_id and m.entity = l.entity
    and m.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'deposit'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and m.raw ? 'reconciliation'
  and (m.seen_at >= %(since)s or l.settled_at >= %(since)s)
  and p.reconciliation_status is distinct from m.raw ->> 'reconciliation';

-- name: bank_from_report_deposits
-- Takes over a report of the ledger: deposits it names are on the statement, the others of its period are not.
update v2_deposits p
set reconciliation_status = coalesce(t.status, 'unmatched')
from links l
left join jsonb_to_recordset(%(told)s::jsonb) as t (entity text, remote_id text, status text) on t.entity = l.entity
    and t.remote_id = l.remote_id
where l.builder_id = %(builder_id)s
  and l.connection_id = %(connection_id)s
  and l.entity = 'deposit'
  and p.builder_id = l.builder_id
  and p.id = l.record_id
  and p.deposit_date >= %(first_day)s
  and p.reconciliation_status is distinct from coalesce(t.status, 'unmatched');

-- name: bank_of_deposited_payments
-- A payment that went into a deposit is on the statement as far as the deposit is; one that went into several, as far as all.
update v2_payments p
set reconciliation_status = d.status
from (
    select dl.payment_id,
           case when min(d.reconciliation_status) = max(d.reconciliation_status) then min(d.reconciliation_status)
                else 'partially_matched' end as status
    from v2_deposit_lines dl
    join v2_deposits d on d.builder_id = dl.builder_id and d.id = dl.deposit_id and d.status = 'posted'
    where dl.builder_id = %(builder_id)s
      and dl.payment_id is not null
      and d.reconciliation_status is not null
    group by dl.payment_id) d
where p.builder_id = %(builder_id)s
  and p.id = d.payment_id
  and p.reconciliation_status is distinct from d.status;

-- name: bank_position
-- When the bank's report was last read and the records last looked at, and whether any payment or deposit of a connection
-- is linked at all.
select (select position
        from cursors
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and stream = %(report)s) as reported,
       (select position
        from cursors
        where builder_id = %(builder_id)s
          and connection_id = %(connection_id)s
          and stream = %(look)s) as looked,
       exists (
    select 1
    from links
    where builder_id = %(builder_id)s
      and connection_id = %(connection_id)s
      and entity in ('payment', 'bill_payment', 'deposit')
      and record_id is not null
      and remote_id is not null) as has_money;

-- name: bank_view
-- money that both sides have, with what the bookkeeper has found of it on the bank statement; newest document first
select r.id, l.connection_id, c.provider, r.entity as platform_entity_type, r.id as platform_entity_id, r.id as record_id,
       l.remote_id as provider_entity_id, r.label, r.total as amount, r.currency, r.document_date,
       coalesce(p.reconciliation_status, b.reconciliation_status, d.reconciliation_status) as status,
       coalesce(p.reference, b.reference, d.reference) as reference, p.deposited_on
from links l
join v2_integration_connections c on c.builder_id = l.builder_id and c.id = l.connection_id
join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
left join v2_payments p on l.entity = 'payment' and p.builder_id = l.builder_id and p.id = l.record_id
left join v2_bill_payments b on l.entity = 'bill_payment' and b.builder_id = l.builder_id and b.id = l.record_id
left join v2_deposits d on l.entity = 'deposit' and d.builder_id = l.builder_id and d.id = l.record_id
where l.connection_id = %(connection_id)s
  and l.entity = any(%(entities)s::text[])
  and l.remote_id is not null
  and r.state = 'active'
  and r.document_date is not null
  and (%(status)s::text is null
       or coalesce(p.reconciliation_status, b.reconciliation_status, d.reconciliation_status, 'unknown') = %(status)s::text)
  and (%(after_at)s::timestamptz is null
       or (r.document_date, r.id) < ((%(after_at)s::timestamptz at time zone 'UTC')::date, %(after_id)s::uuid))
order by r.document_date desc, r.id desc
limit %(rows_max)s;

-- name: bank_totals
-- how much of that money is on the bank statement, by kind, state and currency
select l.entity, coalesce(p.reconciliation_status, b.reconciliation_status, d.reconciliation_status, 'unknown') as status,
       r.currency, count(*) as records, coalesce(sum(r.total), 0) as amount
from links l
join records r on r.builder_id = l.builder_id and r.entity = l.entity and r.id = l.record_id
left join v2_payments p on l.entity = 'payment' and p.builder_id = l.builder_id and p.id = l.record_id
left join v2_bill_payments b on l.entity = 'bill_payment' and b.builder_id = l.builder_id and b.id = l.record_id
left join v2_deposits d on l.entity = 'deposit' and d.builder_id = l.builder_id and d.id = l.record_id
where l.connection_id = %(connection_id)s
  and l.entity = any(%(entities)s::text[])
  and l.remote_id is not null
  and r.state = 'active'
  and r.document_date is not null
group by 1, 2, 3
order by 1, 2, 3;

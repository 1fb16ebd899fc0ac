-- What only the demo does to the platform: it plays the platform's users.

-- name: demo_add_builder
-- A made-up builder.
insert into v2_builders (id, name, time_zone, currency)
values (%(builder_id)s, %(name)s, %(time_zone)s, %(currency)s)
on conflict (id) do nothing;

-- name: demo_let_a_person_decide
-- Conflicts of one entity wait for a person's choice.
update entity_settings
set conflict_strategy = 'manual'
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
  and entity = %(entity)s;

-- name: demo_correct_bill_line
-- Somebody on site corrects the amount of a bill's first line.
update v2_bill_lines l
set amount = %(amount)s,
    quantity = null,
    unit_price = null
from v2_bills b
join v2_vendors v on v.builder_id = b.builder_id and v.id = b.vendor_id
where b.builder_id = %(builder_id)s
  and b.number = %(number)s
  and v.name = %(vendor)s
  and l.builder_id = b.builder_id
  and l.bill_id = b.id
  and l.position = (
      select min(f.position)
      from v2_bill_lines f
      where f.builder_id = b.builder_id
        and f.bill_id = b.id);

-- name: demo_correct_bill
-- The same person says so in the memo; the total follows the lines.
update v2_bills b
set memo = %(memo)s,
    total = (
        select sum(l.amount)
        from v2_bill_lines l
        where l.builder_id = b.builder_id
          and l.bill_id = b.id),
    updated_at = now()
from v2_vendors v
where v.builder_id = b.builder_id
  and v.id = b.vendor_id
  and b.builder_id = %(builder_id)s
  and b.number = %(number)s
  and v.name = %(vendor)s;

-- name: demo_newest_tie_out
-- The newest proof, line by line.
select is_tied, difference, lines, taken_at
from tie_outs
where builder_id = %(builder_id)s
  and connection_id = %(connection_id)s
order by taken_at desc
limit 1;

-- One migration at a time per database. Waiting is fine: the other one is doing our work.
select pg_advisory_lock(7436862)

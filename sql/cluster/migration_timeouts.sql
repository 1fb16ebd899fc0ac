-- A migration that waits for a lock makes everyone behind it wait too; rather fail quickly and be run again.
select set_config('lock_timeout', '10s', true)

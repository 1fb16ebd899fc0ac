-- A write that is asked for again keeps the moment of its first sending: what ended there since may be what it made.

alter table attempts
    -- null: sent once
    add column first_started_at timestamptz;

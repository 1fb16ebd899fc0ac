-- What a ledger's refusal taught of a closed period that it does not report: asked again after a day.

alter table v2_integration_connections
    add column books_refused_until date,
    -- whether the refusal named the last closed day; else it is the day of what was refused, and more may be closed
    add column books_refused_exactly boolean not null default false,
    add column books_refused_at timestamptz;

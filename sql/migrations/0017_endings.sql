-- What becomes of the other side's record when one side's was voided, deleted, merged or made inactive; null goes by the
-- strategy.
alter table entity_settings
    add column ended_here text,
    add column ended_there text;
alter table entity_settings
    add constraint entity_settings_ended_here check (ended_here in ('follow', 'ask', 'keep')) not valid,
    add constraint entity_settings_ended_there check (ended_there in ('follow', 'ask', 'keep')) not valid;

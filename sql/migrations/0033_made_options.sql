-- Only an entry of the ledger's lists that Tieout made is renamed and archived by it.

alter table dimension_options
    -- false for what was found there, and for what was settled before this was noted
    add column is_made boolean not null default false;

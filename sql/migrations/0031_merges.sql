-- A customer or vendor that was merged into another in the ledger is not merely gone: the other one stands for it.

alter table mirror
    -- the record of the same kind that took its place, as the provider says or as its documents show
    add column merged_into text;

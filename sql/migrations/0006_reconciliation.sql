-- Whether the bookkeeper has found money on the bank statement: null where the provider has not said yet.
alter table v2_payments
    add column reconciliation_status text
        constraint v2_payments_reconciliation
        check (reconciliation_status in ('matched', 'partially_matched', 'unmatched'));
alter table v2_bill_payments
    add column reconciliation_status text
        constraint v2_bill_payments_reconciliation
        check (reconciliation_status in ('matched', 'partially_matched', 'unmatched'));
alter table v2_deposits
    add column reconciliation_status text
        constraint v2_deposits_reconciliation
        check (reconciliation_status in ('matched', 'partially_matched', 'unmatched'));

-- Fresh statistics after a bulk load, and what the real-time worker and the scheduler may know.

-- A first pull or import brings tens of thousands of rows within seconds; autovacuum notices a minute later, and plans
-- made for empty tables take minutes in between. The application owns no table, so that this function does it.
create function refresh_statistics() returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- Somebody who does it already does it for all.
    if not pg_try_advisory_xact_lock(hashtextextended('refresh_statistics', 0)) then
        return false;
    end if;
    analyze links (builder_id, connection_id, entity, record_id, remote_id, state);
    analyze records (builder_id, entity, id, state, natural_key, document_date, total);
    analyze mirror (builder_id, connection_id, entity, remote_id, state, natural_key, document_date, total);
    analyze v2_invoices;
    analyze v2_bills;
    analyze v2_payments;
    analyze v2_deposits;
    analyze v2_deposit_lines;
    return true;
end
$$;
revoke execute on function refresh_statistics() from public;
grant execute on function refresh_statistics() to tieout_app;

-- Settings of a connection hold choices (real time, country), never a secret.
grant select (settings, provider_tenant_id) on v2_integration_connections to tieout_scheduler;

-- serves: the date on which a payment reached the bank
-- squawk-ignore require-concurrent-index-creation
create index v2_deposit_lines_payment on v2_deposit_lines (builder_id, payment_id);

-- The first schema: the platform's own tables (v2_*), the requirement's four tables column for column,
-- and what sync keeps beside them. Roles are made before the migrations run (resources/postgres).
--
-- Rules that hold everywhere:
--   * every table with builder data carries builder_id, has row-level security enabled and forced;
--   * money is numeric(19,4) beside a currency; instants are timestamptz; document dates are plain dates;
--   * no trigger decides anything: the only ones note which record changed.

-- ------------------------------------------------------------------ the platform's own tables

create table v2_builders (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    time_zone text not null default 'UTC',
    currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz not null default now()
);

create table v2_cost_codes (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    code text not null,
    name text not null,
    division text,
    cost_type text,
    is_active boolean not null default true,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    unique (builder_id, code)
);

create table v2_clients (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    name text not null,
    email text,
    phone text,
    address_line text,
    city text,
    region text,
    postal_code text,
    is_active boolean not null default true,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    unique (builder_id, name)
);

create table v2_vendors (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    name text not null,
    email text,
    phone text,
    address_line text,
    city text,
    region text,
    postal_code text,
    license_number text,
    is_active boolean not null default true,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    unique (builder_id, name)
);

create table v2_jobs (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text not null,
    name text not null,
    client_id uuid,
    status text not null default 'active' check (status in ('planned', 'active', 'closed')),
    contract_amount numeric(19, 4),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    unique (builder_id, number),
    foreign key (builder_id, client_id) references v2_clients (builder_id, id)
);

-- One row per account of the builder's chart of accounts, as the platform sees it.
create table v2_accounts (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text,
    name text not null,
    account_type text not null check (account_type in (
        'bank', 'accounts_receivable', 'other_current_asset', 'fixed_asset', 'other_asset',
        'accounts_payable', 'credit_card', 'other_current_liability', 'long_term_liability',
        'equity', 'income', 'cost_of_goods_sold', 'expense', 'other_income', 'other_expense')),
    description text,
    is_active boolean not null default true,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id)
);

create table v2_purchase_orders (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text not null,
    vendor_id uuid not null,
    job_id uuid,
    order_date date not null,
    currency text not null default 'USD',
    total numeric(19, 4) not null default 0,
    status text not null default 'open' check (status in ('draft', 'open', 'received', 'closed', 'cancelled')),
    delivery_status text,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    unique (builder_id, number),
    foreign key (builder_id, vendor_id) references v2_vendors (builder_id, id),
    foreign key (builder_id, job_id) references v2_jobs (builder_id, id)
);

create table v2_purchase_order_lines (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    purchase_order_id uuid not null,
    position integer not null,
    description text not null default '',
    cost_code_id uuid,
    quantity numeric(19, 4),
    unit_price numeric(19, 4),
    amount numeric(19, 4) not null,
    unique (builder_id, purchase_order_id, position),
    foreign key (builder_id, purchase_order_id) references v2_purchase_orders (builder_id, id) on delete cascade,
    foreign key (builder_id, cost_code_id) references v2_cost_codes (builder_id, id)
);

-- Client invoices and draws. A draft stays here; approved is what sync sends; void follows to the ledger.
create table v2_invoices (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text not null,
    kind text not null default 'invoice' check (kind in ('invoice', 'draw')),
    client_id uuid not null,
    job_id uuid,
    invoice_date date not null,
    due_date date,
    currency text not null default 'USD',
    memo text not null default '',
    status text not null default 'draft' check (status in ('draft', 'approved', 'void')),
    total numeric(19, 4) not null default 0,
    amount_paid numeric(19, 4) not null default 0,
    payment_status text not null default 'unpaid' check (payment_status in ('unpaid', 'partially_paid', 'paid')),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    foreign key (builder_id, client_id) references v2_clients (builder_id, id),
    foreign key (builder_id, job_id) references v2_jobs (builder_id, id)
);
-- serves: natural-key look-up and the importer's duplicate check
create index v2_invoices_number on v2_invoices (builder_id, number);

create table v2_invoice_lines (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    invoice_id uuid not null,
    position integer not null,
    description text not null default '',
    cost_code_id uuid,
    role text not null default 'work' check (role in ('work', 'retainage', 'stored_materials')),
    quantity numeric(19, 4),
    unit_price numeric(19, 4),
    amount numeric(19, 4) not null,
    unique (builder_id, invoice_id, position),
    foreign key (builder_id, invoice_id) references v2_invoices (builder_id, id) on delete cascade,
    foreign key (builder_id, cost_code_id) references v2_cost_codes (builder_id, id)
);

create table v2_bills (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text,
    vendor_id uuid not null,
    job_id uuid,
    purchase_order_id uuid,
    bill_date date not null,
    due_date date,
    currency text not null default 'USD',
    memo text not null default '',
    status text not null default 'draft' check (status in ('draft', 'approved', 'void')),
    total numeric(19, 4) not null default 0,
    amount_paid numeric(19, 4) not null default 0,
    payment_status text not null default 'unpaid' check (payment_status in ('unpaid', 'partially_paid', 'paid')),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    foreign key (builder_id, vendor_id) references v2_vendors (builder_id, id),
    foreign key (builder_id, job_id) references v2_jobs (builder_id, id),
    foreign key (builder_id, purchase_order_id) references v2_purchase_orders (builder_id, id)
);
-- serves: natural-key look-up and the importer's duplicate check
create index v2_bills_number on v2_bills (builder_id, vendor_id, number);

create table v2_bill_lines (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    bill_id uuid not null,
    position integer not null,
    description text not null default '',
    cost_code_id uuid,
    job_id uuid,
    role text not null default 'work' check (role in ('work', 'retainage', 'stored_materials')),
    quantity numeric(19, 4),
    unit_price numeric(19, 4),
    amount numeric(19, 4) not null,
    unique (builder_id, bill_id, position),
    foreign key (builder_id, bill_id) references v2_bills (builder_id, id) on delete cascade,
    foreign key (builder_id, cost_code_id) references v2_cost_codes (builder_id, id),
    foreign key (builder_id, job_id) references v2_jobs (builder_id, id)
);

create table v2_journal_entries (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    number text,
    kind text not null default 'adjustment' check (kind in ('adjustment', 'retainage', 'wip')),
    entry_date date not null,
    currency text not null default 'USD',
    memo text not null default '',
    status text not null default 'draft' check (status in ('draft', 'posted', 'void')),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id)
);

-- A line names either an account of the chart or a cost code (the mapping then says which account).
create table v2_journal_entry_lines (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    journal_entry_id uuid not null,
    position integer not null,
    description text not null default '',
    account_id uuid,
    cost_code_id uuid,
    client_id uuid,
    vendor_id uuid,
    job_id uuid,
    debit numeric(19, 4) not null default 0 check (debit >= 0),
    credit numeric(19, 4) not null default 0 check (credit >= 0),
    unique (builder_id, journal_entry_id, position),
    foreign key (builder_id, journal_entry_id) references v2_journal_entries (builder_id, id) on delete cascade,
    foreign key (builder_id, account_id) references v2_accounts (builder_id, id),
    foreign key (builder_id, cost_code_id) references v2_cost_codes (builder_id, id),
    foreign key (builder_id, client_id) references v2_clients (builder_id, id),
    foreign key (builder_id, vendor_id) references v2_vendors (builder_id, id),
    foreign key (builder_id, job_id) references v2_jobs (builder_id, id)
);

create table v2_payments (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    client_id uuid,
    payment_date date not null,
    currency text not null default 'USD',
    amount numeric(19, 4) not null,
    unapplied_amount numeric(19, 4) not null default 0,
    reference text,
    method text,
    memo text not null default '',
    status text not null default 'posted' check (status in ('posted', 'void')),
    deposited_on date,
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    foreign key (builder_id, client_id) references v2_clients (builder_id, id)
);

create table v2_payment_applications (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    payment_id uuid not null,
    invoice_id uuid not null,
    amount numeric(19, 4) not null,
    unique (builder_id, payment_id, invoice_id),
    foreign key (builder_id, payment_id) references v2_payments (builder_id, id) on delete cascade,
    foreign key (builder_id, invoice_id) references v2_invoices (builder_id, id)
);
-- serves: what was paid on this invoice
create index v2_payment_applications_invoice on v2_payment_applications (builder_id, invoice_id);

create table v2_bill_payments (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    vendor_id uuid,
    payment_date date not null,
    currency text not null default 'USD',
    amount numeric(19, 4) not null,
    unapplied_amount numeric(19, 4) not null default 0,
    reference text,
    method text,
    memo text not null default '',
    status text not null default 'posted' check (status in ('posted', 'void')),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    foreign key (builder_id, vendor_id) references v2_vendors (builder_id, id)
);

create table v2_bill_payment_applications (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    bill_payment_id uuid not null,
    bill_id uuid not null,
    amount numeric(19, 4) not null,
    unique (builder_id, bill_payment_id, bill_id),
    foreign key (builder_id, bill_payment_id) references v2_bill_payments (builder_id, id) on delete cascade,
    foreign key (builder_id, bill_id) references v2_bills (builder_id, id)
);
-- serves: what was paid on this bill
create index v2_bill_payment_applications_bill on v2_bill_payment_applications (builder_id, bill_id);

create table v2_deposits (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    deposit_date date not null,
    currency text not null default 'USD',
    amount numeric(19, 4) not null,
    account_id uuid,
    reference text,
    memo text not null default '',
    status text not null default 'posted' check (status in ('posted', 'void')),
    external_id text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (builder_id, id),
    foreign key (builder_id, account_id) references v2_accounts (builder_id, id)
);

-- A line is a payment that reached the bank, or (payment_id null) money put in directly.
create table v2_deposit_lines (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id) on delete cascade,
    deposit_id uuid not null,
    position integer not null,
    payment_id uuid,
    amount numeric(19, 4) not null,
    description text not null default '',
    reference text,
    unique (builder_id, deposit_id, position),
    foreign key (builder_id, deposit_id) references v2_deposits (builder_id, id) on delete cascade,
    foreign key (builder_id, payment_id) references v2_payments (builder_id, id)
);

-- ------------------------------------------------------------------ the requirement's four tables

create table v2_integration_connections (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id),
    provider text not null check (provider in ('quickbooks_online', 'xero', 'sage')),
    status text not null default 'disconnected'
        check (status in ('connected', 'disconnected', 'error', 'expired')),
    access_token_encrypted text,
    refresh_token_encrypted text,
    token_expires_at timestamptz,
    provider_tenant_id text,
    provider_company_name text,
    sync_schedule text default 'hourly',
    conflict_strategy text default 'last_write_wins',
    last_sync_at timestamptz,
    settings jsonb default '{}',
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    -- beside the requirement's columns:
    currency text,
    refresh_expires_at timestamptz,
    refresh_failures integer not null default 0,
    status_reason text,
    next_due_at timestamptz,
    sync_window jsonb,
    time_zone text not null default 'UTC',
    connected_at timestamptz,
    disconnected_at timestamptz,
    unique (builder_id, provider),
    unique (builder_id, id)
);
-- One company file belongs to one builder: a second builder's consent is refused by this index.
create unique index v2_integration_connections_company
    on v2_integration_connections (provider, provider_tenant_id) where status <> 'disconnected';
-- serves: the sensor's question which connections are due
create index v2_integration_connections_due
    on v2_integration_connections (next_due_at) where status = 'connected';

-- A version is one saved state of all mappings of a connection; rows of older versions stay, inactive.
create table mapping_versions (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    number integer not null,
    note text not null default '',
    created_by text not null,
    created_at timestamptz not null default now(),
    primary key (builder_id, id),
    unique (builder_id, connection_id, number),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);

create table v2_account_mappings (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null references v2_integration_connections (id),
    platform_cost_code_id uuid,
    platform_entity_type text not null check (platform_entity_type in ('cost_code', 'revenue', 'asset', 'liability')),
    provider_account_id text not null,
    provider_account_name text,
    provider_account_type text,
    mapping_direction text default 'both' check (mapping_direction in ('push', 'pull', 'both')),
    is_active boolean default true,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    -- beside the requirement's columns:
    version_id uuid not null,
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id),
    foreign key (builder_id, version_id) references mapping_versions (builder_id, id),
    foreign key (builder_id, platform_cost_code_id) references v2_cost_codes (builder_id, id)
);
-- One account per cost code and profile in one version; the profile's default has no cost code.
create unique index v2_account_mappings_target on v2_account_mappings
    (builder_id, version_id, platform_entity_type, platform_cost_code_id) nulls not distinct;

-- A sync as somebody asked for it: one per click, schedule tick or real-time batch and connection.
create table sync_runs (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    trigger text not null check (trigger in ('manual', 'scheduled', 'real_time', 'initial_import')),
    entities text[] not null default '{}',
    direction text not null default 'both' check (direction in ('push', 'pull', 'both')),
    status text not null default 'queued'
        check (status in ('queued', 'started', 'completed', 'partial', 'failed')),
    requested_by text not null,
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    dagster_run_id text,
    provider_calls integer not null default 0,
    error_summary text,
    primary key (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- serves: the newest runs of a builder
create index sync_runs_newest on sync_runs (builder_id, requested_at desc, id desc);

create table v2_sync_log (
    id uuid primary key default gen_random_uuid(),
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null references v2_integration_connections (id),
    sync_type text not null check (sync_type in ('manual', 'scheduled', 'real_time', 'initial_import')),
    entity_type text not null,
    direction text not null check (direction in ('push', 'pull')),
    status text not null check (status in ('started', 'completed', 'partial', 'failed')),
    records_processed integer default 0,
    records_succeeded integer default 0,
    records_failed integer default 0,
    started_at timestamptz default now(),
    completed_at timestamptz,
    error_summary text,
    -- beside the requirement's columns:
    sync_run_id uuid,
    -- counts and amounts by outcome: {"pushed": {"count": 3, "amount": "120.00"}, ...}
    summary jsonb not null default '{}',
    unique (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id),
    foreign key (builder_id, sync_run_id) references sync_runs (builder_id, id)
);
-- serves: the paginated sync history, newest first
create index v2_sync_log_newest on v2_sync_log (builder_id, started_at desc, id desc);
-- serves: the log rows of one run
create index v2_sync_log_run on v2_sync_log (builder_id, sync_run_id);

create table v2_sync_records (
    id uuid primary key default gen_random_uuid(),
    sync_log_id uuid not null references v2_sync_log (id),
    builder_id uuid not null references v2_builders (id),
    platform_entity_type text not null,
    platform_entity_id uuid not null,
    provider_entity_id text,
    direction text not null check (direction in ('push', 'pull')),
    -- synced: settled · conflict: waits for a choice · error: waits for retry or a person · skipped: dismissed or
    -- ignored by setting · held: waits for a cause to go away (unmapped code, closed period)
    status text not null check (status in ('synced', 'conflict', 'error', 'skipped', 'held')),
    error_message text,
    conflict_data jsonb,
    retry_count integer default 0,
    next_retry_at timestamptz,
    created_at timestamptz default now(),
    resolved_at timestamptz,
    -- beside the requirement's columns:
    connection_id uuid not null,
    link_id uuid not null,
    -- what was done: created, updated, voided, linked, applied, rebased, merged, ...
    action text not null,
    amount numeric(19, 4),
    currency text,
    label text not null default '',
    category text check (category in ('auth', 'validation', 'rate_limit', 'network', 'unknown')),
    code text,
    remedy text,
    cause text,
    details jsonb not null default '{}',
    resolution text,
    resolved_by text,
    foreign key (builder_id, sync_log_id) references v2_sync_log (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- One open row per link: the same trouble at the next sync updates it instead of adding another.
create unique index v2_sync_records_open on v2_sync_records (builder_id, link_id)
    where status in ('error', 'conflict', 'held') and resolved_at is null;
-- serves: the error queue, the conflict queue and the review queue, newest first
create index v2_sync_records_queue on v2_sync_records (builder_id, status, created_at desc, id desc)
    where resolved_at is null;
-- serves: the detail rows of one log row
create index v2_sync_records_log on v2_sync_records (builder_id, sync_log_id);

-- ------------------------------------------------------------------ what sync keeps beside them

create table api_keys (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    name text not null,
    key_hash text not null unique,
    last_four text not null,
    role text not null default 'owner' check (role in ('owner', 'bookkeeper', 'viewer')),
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    primary key (builder_id, id)
);

-- One try to authorise a connection: the state is single-use and bound to the browser that began it.
create table oauth_attempts (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    provider text not null,
    state_hash text not null unique,
    browser_hash text not null,
    code_verifier_encrypted text not null,
    redirect_uri text not null,
    requested_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (builder_id, id)
);

create table entity_settings (
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null,
    entity text not null check (entity in (
        'account', 'customer', 'vendor', 'invoice', 'bill', 'journal_entry', 'payment', 'bill_payment', 'deposit')),
    is_enabled boolean not null default true,
    direction text not null check (direction in ('push', 'pull', 'both')),
    -- null: the connection's strategy
    conflict_strategy text
        check (conflict_strategy in ('last_write_wins', 'platform_wins', 'provider_wins', 'manual')),
    primary key (builder_id, connection_id, entity),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);

-- Which platform records changed since sync last looked. Written by triggers, emptied by sync; a row more or less
-- loses nothing (the sweep finds it), it only says where to look.
create table record_changes (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    entity text not null,
    record_id uuid not null,
    changed_at timestamptz not null default now(),
    primary key (builder_id, entity, record_id)
);

-- Ours: each platform record in canonical form.
create table records (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    entity text not null,
    id uuid not null,
    -- draft: not for the ledger yet · active · inactive: a name no longer used · void · deleted: the row is gone
    state text not null check (state in ('draft', 'active', 'inactive', 'void', 'deleted')),
    canonical jsonb not null,
    checksum text not null,
    revision integer not null default 1,
    natural_key text,
    label text not null default '',
    document_date date,
    total numeric(19, 4),
    currency text,
    changed_at timestamptz not null,
    primary key (builder_id, entity, id)
);
-- serves: matching theirs to ours by natural key
create index records_natural_key on records (builder_id, entity, natural_key);

-- Theirs: the last copy seen of each provider record.
create table mirror (
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null,
    -- an entity, or one of the provider's lists that pushing needs (item, term, ...)
    entity text not null,
    remote_id text not null,
    version text,
    state text not null check (state in ('active', 'inactive', 'void', 'deleted')),
    canonical jsonb not null,
    checksum text not null,
    natural_key text,
    label text not null default '',
    document_date date,
    total numeric(19, 4),
    balance numeric(19, 4),
    currency text,
    marker text,
    raw jsonb not null default '{}',
    remote_changed_at timestamptz,
    seen_at timestamptz not null default now(),
    primary key (builder_id, connection_id, entity, remote_id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- serves: matching ours to theirs by natural key
create index mirror_natural_key on mirror (builder_id, connection_id, entity, natural_key);
-- serves: whether anything was read since the last tie-out
create index mirror_seen on mirror (builder_id, connection_id, seen_at);
-- serves: settling an unknown outcome by our marker
create index mirror_marker on mirror (builder_id, connection_id, marker) where marker is not null;

-- The pair (our record, their record). A row with one side missing waits to be matched, created or applied.
-- The checksums stand side by side so that "what has to be done" is one partial index, not a join of everything.
create table links (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    entity text not null,
    record_id uuid,
    remote_id text,
    ours_checksum text,
    theirs_checksum text,
    base_ours_checksum text,
    base_theirs_checksum text,
    base_ours jsonb,
    base_theirs jsonb,
    -- open: look at it · held · conflict · failed: next_try_at says when, null says a person must act ·
    -- unknown: an attempt's outcome must be found out first · ignored: by setting or dismissed, until it changes
    state text not null default 'open'
        check (state in ('open', 'held', 'conflict', 'failed', 'unknown', 'ignored')),
    cause text,
    tries integer not null default 0,
    first_failed_at timestamptz,
    next_try_at timestamptz,
    -- the two checksums a person or a setting has decided about; any other value opens the link again
    decided_ours_checksum text,
    decided_theirs_checksum text,
    decision text,
    mapping_version_id uuid,
    linked_by text check (linked_by in ('created', 'matched', 'applied', 'adopted', 'person')),
    linked_at timestamptz,
    settled_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (builder_id, id),
    check (record_id is not null or remote_id is not null),
    unique (builder_id, connection_id, entity, record_id),
    unique (builder_id, connection_id, entity, remote_id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id),
    foreign key (builder_id, mapping_version_id) references mapping_versions (builder_id, id)
);
-- serves: the three-way comparison; a settled link is not in this index
create index links_different on links (builder_id, connection_id, entity)
    where ours_checksum is distinct from base_ours_checksum
       or theirs_checksum is distinct from base_theirs_checksum
       or state = 'unknown';
-- serves: whether anything was settled since the last tie-out
create index links_settled on links (builder_id, connection_id, settled_at);
-- serves: releasing all that one cause holds
create index links_cause on links (builder_id, connection_id, cause) where cause is not null;

create table attempts (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    link_id uuid not null,
    entity text not null,
    record_id uuid not null,
    revision integer not null,
    operation text not null check (operation in ('create', 'update', 'void', 'delete', 'activate')),
    -- how many earlier attempts of this revision the provider is known not to have executed
    serial integer not null default 0,
    request_id text not null,
    marker text not null,
    payload_hash text not null,
    payload jsonb not null,
    state text not null default 'sending' check (state in ('sending', 'done', 'rejected', 'moved', 'unknown')),
    category text,
    code text,
    message text,
    details jsonb not null default '{}',
    remote_id text,
    remote_version text,
    mapping_version_id uuid,
    sync_run_id uuid,
    started_at timestamptz not null default now(),
    settled_at timestamptz,
    primary key (builder_id, id),
    unique (builder_id, connection_id, request_id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id),
    foreign key (builder_id, link_id) references links (builder_id, id)
);
-- serves: attempts whose outcome is not known yet
create index attempts_unsettled on attempts (builder_id, connection_id, started_at) where state in ('sending', 'unknown');
-- serves: the history of one link
create index attempts_link on attempts (builder_id, link_id, started_at);

-- How far the provider's changes have been read. Moves only in the transaction that stores what was read.
create table cursors (
    builder_id uuid not null references v2_builders (id),
    connection_id uuid not null,
    stream text not null,
    position text not null,
    updated_at timestamptz not null default now(),
    primary key (builder_id, connection_id, stream),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);

create table tie_outs (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    connection_id uuid not null,
    sync_run_id uuid,
    taken_at timestamptz not null default now(),
    is_tied boolean not null,
    difference numeric(19, 4) not null,
    lines jsonb not null,
    primary key (builder_id, id),
    foreign key (builder_id, connection_id) references v2_integration_connections (builder_id, id)
);
-- serves: the newest tie-out of a connection
create index tie_outs_newest on tie_outs (builder_id, connection_id, taken_at desc);

-- One file that was imported; the same file twice is one import.
create table import_files (
    builder_id uuid not null references v2_builders (id) on delete cascade,
    id uuid not null default gen_random_uuid(),
    entity text not null,
    file_name text not null,
    sha256 text not null,
    rows_read integer not null default 0,
    rows_written integer not null default 0,
    problems jsonb not null default '[]',
    imported_by text not null,
    imported_at timestamptz not null default now(),
    primary key (builder_id, id),
    unique (builder_id, entity, sha256)
);

-- Append-only: the application may insert and read, nothing else.
create table audit_log (
    builder_id uuid not null references v2_builders (id),
    id uuid not null default gen_random_uuid(),
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    reason text not null default '',
    connection_id uuid,
    link_id uuid,
    entity text,
    record_id uuid,
    remote_id text,
    before jsonb,
    after jsonb,
    primary key (builder_id, id)
);
-- serves: the history of one record
create index audit_log_record on audit_log (builder_id, entity, record_id, at);

-- ------------------------------------------------------------------ noting what changed

-- Notes changed records, once per statement, from the statement's own rows. TG_ARGV: entity, column holding the
-- record's id. NOTIFY is one hint per transaction (equal payloads are folded), the table is the truth.
create function note_record_changes() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        execute format(
            'insert into record_changes (builder_id, entity, record_id)
             select distinct builder_id, %L, %I from old_rows where %I is not null
             on conflict (builder_id, entity, record_id) do update set changed_at = now()',
            tg_argv[0], tg_argv[1], tg_argv[1]);
    else
        execute format(
            'insert into record_changes (builder_id, entity, record_id)
             select distinct builder_id, %L, %I from new_rows where %I is not null
             on conflict (builder_id, entity, record_id) do update set changed_at = now()',
            tg_argv[0], tg_argv[1], tg_argv[1]);
    end if;
    perform pg_notify('tieout_changes', '');
    return null;
end
$$;

do $$
declare
    watched record;
begin
    for watched in
        select * from (values
            ('v2_accounts', 'account', 'id'),
            ('v2_clients', 'customer', 'id'),
            ('v2_vendors', 'vendor', 'id'),
            ('v2_invoices', 'invoice', 'id'),
            ('v2_invoice_lines', 'invoice', 'invoice_id'),
            ('v2_bills', 'bill', 'id'),
            ('v2_bill_lines', 'bill', 'bill_id'),
            ('v2_journal_entries', 'journal_entry', 'id'),
            ('v2_journal_entry_lines', 'journal_entry', 'journal_entry_id'),
            ('v2_payments', 'payment', 'id'),
            ('v2_payment_applications', 'payment', 'payment_id'),
            ('v2_bill_payments', 'bill_payment', 'id'),
            ('v2_bill_payment_applications', 'bill_payment', 'bill_payment_id'),
            ('v2_deposits', 'deposit', 'id'),
            ('v2_deposit_lines', 'deposit', 'deposit_id')
        ) as t (table_name, entity, id_column)
    loop
        execute format(
            'create trigger note_insert after insert on %I referencing new table as new_rows
             for each statement execute function note_record_changes(%L, %L)',
            watched.table_name, watched.entity, watched.id_column);
        execute format(
            'create trigger note_update after update on %I referencing new table as new_rows
             for each statement execute function note_record_changes(%L, %L)',
            watched.table_name, watched.entity, watched.id_column);
        execute format(
            'create trigger note_delete after delete on %I referencing old table as old_rows
             for each statement execute function note_record_changes(%L, %L)',
            watched.table_name, watched.entity, watched.id_column);
    end loop;
end
$$;

-- ------------------------------------------------------------------ tenants and roles

-- One builder at a time: the setting is local to the transaction and '' after it (never NULL), hence nullif.
do $$
declare
    tenant record;
begin
    for tenant in
        select c.relname as table_name,
               case when c.relname = 'v2_builders' then 'id' else 'builder_id' end as builder_column
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r'
          and (c.relname = 'v2_builders' or exists (
              select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'builder_id'))
    loop
        execute format('alter table %I enable row level security', tenant.table_name);
        execute format('alter table %I force row level security', tenant.table_name);
        execute format(
            'create policy one_builder on %I
                 using (%I = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))
                 with check (%I = (select nullif(current_setting(''app.builder_id'', true), '''')::uuid))',
            tenant.table_name, tenant.builder_column, tenant.builder_column);
    end loop;
end
$$;

grant usage on schema public to tieout_app, tieout_scheduler;
grant select, insert, update, delete on all tables in schema public to tieout_app;
revoke update, delete on audit_log from tieout_app;

-- Who sees across builders: only the scheduler, only these columns, never a token or a document.
grant select (id, name) on v2_builders to tieout_scheduler;
grant select (id, builder_id, provider, status, next_due_at, sync_schedule, sync_window, time_zone, last_sync_at)
    on v2_integration_connections to tieout_scheduler;
grant select (builder_id, id, key_hash, role, name, revoked_at) on api_keys to tieout_scheduler;
grant select (builder_id, id, state_hash) on oauth_attempts to tieout_scheduler;
grant select (builder_id, entity, record_id, changed_at) on record_changes to tieout_scheduler;
create policy scheduler_reads on v2_builders for select to tieout_scheduler using (true);
create policy scheduler_reads on v2_integration_connections for select to tieout_scheduler using (true);
create policy scheduler_reads on api_keys for select to tieout_scheduler using (true);
create policy scheduler_reads on oauth_attempts for select to tieout_scheduler using (true);
create policy scheduler_reads on record_changes for select to tieout_scheduler using (true);

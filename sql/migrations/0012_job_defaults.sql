-- A mapping row can be the default of one job: a line takes the account of its code, else of its job, else of the
-- company.
alter table v2_account_mappings add column platform_job_id uuid;
alter table v2_account_mappings
    add constraint v2_account_mappings_job foreign key (builder_id, platform_job_id)
    references v2_jobs (builder_id, id) not valid;
alter table v2_account_mappings
    add constraint v2_account_mappings_subject
    check (platform_cost_code_id is null or platform_job_id is null) not valid;
-- One account per cost code, per job and for the company, in each profile of one version.
-- squawk-ignore require-concurrent-index-deletion
drop index v2_account_mappings_target;
-- squawk-ignore require-concurrent-index-creation
create unique index v2_account_mappings_target on v2_account_mappings
    (builder_id, version_id, platform_entity_type, platform_cost_code_id, platform_job_id) nulls not distinct;

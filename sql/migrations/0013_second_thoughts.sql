-- What a person knows better than a comparison, and when ours was last looked at.

-- Records of the provider that a person said are not this one: never paired with it again.
alter table links add column not_remote_ids text[] not null default '{}';

-- When a canonical record was last stored, by sync's own clock: changed_at is the platform's word for it.
alter table records add column absorbed_at timestamptz;
-- serves: whether anything was edited here since the last tie-out
-- squawk-ignore require-concurrent-index-creation
create index records_absorbed on records (builder_id, absorbed_at);

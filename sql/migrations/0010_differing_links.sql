-- The index of links on which something may have to be decided follows the question that it answers.

-- squawk-ignore require-concurrent-index-deletion
drop index links_different;
-- serves: the three-way comparison; a settled link is not in this index
-- squawk-ignore require-concurrent-index-creation
create index links_different on links (builder_id, connection_id, entity)
    where ours_checksum is distinct from base_ours_checksum
       or theirs_checksum is distinct from base_theirs_checksum
       or state in ('held', 'conflict', 'failed', 'unknown');

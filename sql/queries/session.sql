-- What a transaction says about itself.

-- name: set_builder
-- Names the builder to row-level security until the transaction ends (SET LOCAL takes no parameter).
select set_config('app.builder_id', %(builder_id)s::text, true)

-- name: refresh_statistics
-- Fresh statistics for the planner after a bulk load; false where another process is at it.
select refresh_statistics() as is_refreshed;

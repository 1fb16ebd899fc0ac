-- What a transaction says about itself.

-- name: plan_once
-- Has statements planned once per connection until the transaction ends, whatever their values, and by indexes.
select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true)

-- name: set_builder
-- Names the builder to row-level security until the transaction ends (SET LOCAL takes no parameter).
select set_config('app.builder_id', %(builder_id)s::text, true)

-- name: refresh_statistics
-- Fresh statistics for the planner after a bulk load; false where another process is at it.
select refresh_statistics() as is_refreshed;

-- What a transaction says about itself.

-- name: set_builder
-- Names the builder to row-level security until the transaction ends (SET LOCAL takes no parameter).
select set_config('app.builder_id', %(builder_id)s::text, true)

"""What is kept in sync: one thin Dagster asset per entity and direction."""

"""What Dagster sees of the product: one resource, the desk at which syncs are asked for. The API never loads this."""

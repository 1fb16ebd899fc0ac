"""What is kept in Postgres: transactions per builder, named queries, and one module per kind of thing stored."""

"""What can go wrong with PostgreSQL itself, each as one sentence with its remedy."""

from __future__ import annotations


class PostgresError(Exception):
    """PostgreSQL cannot be used as asked; the text says what to do."""

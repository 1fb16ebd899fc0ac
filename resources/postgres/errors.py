"""What can go wrong with PostgreSQL itself, each as one sentence with its remedy."""

from __future__ import annotations


class PostgresError(Exception):
    """PostgreSQL cannot be used as asked; the text says what to do."""


def connection_problem(error: BaseException | None) -> str:
    """What the server or the network said, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "no reason was given"

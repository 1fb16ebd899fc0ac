"""The one way to refuse a whole file."""

from __future__ import annotations

from sync.errors import ImportRejected
from sync.imports.problems import ImportProblem, rejection


def refused(name: str, problem: str, suggestion: str, *, line: int = 1) -> ImportRejected:
    """Return the error for a file that cannot be read at all."""
    return rejection(name, [ImportProblem(line, "", problem, suggestion)])

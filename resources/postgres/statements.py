"""Statements about the server itself (roles, databases, locks), each a file of its own in sql/cluster/."""

from __future__ import annotations

from functools import cache
from pathlib import Path

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"


@cache
def cluster_statement(name: str) -> str:
    """The text of sql/cluster/<name>.sql."""
    return SQL_FOLDER.joinpath("cluster", f"{name}.sql").read_text(encoding="utf-8").strip()

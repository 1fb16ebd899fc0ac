"""The named queries of sql/queries/*.sql.

A query begins with a line `-- name: bill_lines` and a comment line that says what it is for; its text runs to the
next name line. Parameters are the driver's own, `%(name)s`; a literal percent sign is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"
NAME_LINE = re.compile(r"^-- name: *(?P<name>\S+) *$", re.MULTILINE)
QUERY_NAME = re.compile(r"[a-z][a-z0-9_]*")
PARAMETER = re.compile(r"(?<!%)%\((?P<name>[a-z_][a-z0-9_]*)\)s")


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement: its text, what it is for, and the parameters it takes."""

    name: str
    purpose: str
    text: str
    file: str
    parameters: frozenset[str]


class QueryFileError(Exception):
    """A file of named queries is not written as it has to be."""


@cache
def named_queries(folder: Path = QUERIES) -> Mapping[str, Query]:
    """Every query by its name."""
    found: dict[str, Query] = {}
    for file in sorted(folder.rglob("*.sql")):
        for query in _read(file):
            if query.name in found:
                raise QueryFileError(f"{file.name}: {query.name} is already in {found[query.name].file}.")
            found[query.name] = query
    return MappingProxyType(found)


def named_query(name: str) -> Query:
    """One query; asking for one that does not exist is a bug."""
    queries = named_queries()
    assert name in queries, f"there is no query named {name} in sql/queries/"
    return queries[name]


def _read(file: Path) -> list[Query]:
    pieces = NAME_LINE.split(file.read_text(encoding="utf-8"))
    # What stands before the first name is the file's own comment.
    names, bodies = pieces[1::2], pieces[2::2]
    return [_query(file.name, name, body.strip()) for name, body in zip(names, bodies, strict=True)]


def _query(file: str, name: str, body: str) -> Query:
    if not QUERY_NAME.fullmatch(name):
        raise QueryFileError(
            f"{file}: '{name}' is no query name; use lower-case words joined by underscores."
        )
    first, _, text = body.partition("\n")
    if not first.startswith("-- "):
        raise QueryFileError(f"{file}: {name} needs a comment line below its name that says what it is for.")
    parameters = frozenset(found["name"] for found in PARAMETER.finditer(text))
    text = text.strip().removesuffix(";")
    if not text:
        raise QueryFileError(f"{file}: {name} has no statement.")
    return Query(name, first.removeprefix("-- "), text, file, parameters)

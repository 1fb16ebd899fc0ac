"""The named queries of sql/queries/*.sql.

A query begins with a line `-- name: bill_lines` and a comment line that says what it is for; its text runs to the
next name line. Parameters are the driver's own, `%(name)s`; a literal percent sign is doubled.

A filter that a caller may leave out is written `(%(entity)s::text is null or entity = %(entity)s::text)`; `narrowed` gives
the text for one set of filters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"
NAME_LINE = re.compile(r"^-- name: *(?P<name>\S+) *$", re.MULTILINE)
QUERY_NAME = re.compile(r"[a-z][a-z0-9_]*")
PARAMETER = re.compile(r"(?<!%)%\((?P<name>[a-z_][a-z0-9_]*)\)s")
FILTER = re.compile(r"\(%\((?P<name>[a-z_][a-z0-9_]*)\)s(?:::[a-z]+(?:\[\])?)? is null\s+or\s+")
LIMIT = re.compile(r"\blimit %\((?P<name>[a-z_][a-z0-9_]*)\)s")
# Texts kept: far more than the lists, filters and sizes of pages that are asked for.
NARROWED_MAX = 1_000


@dataclass(frozen=True)
class Query:
    """One named statement: its text, what it is for, and the parameters it takes."""

    name: str
    purpose: str
    text: str
    file: str
    parameters: frozenset[str]

    @cached_property
    def filters(self) -> frozenset[str]:
        """The parameters that leave a filter out when they are None."""
        return frozenset(found["name"] for found in FILTER.finditer(self.text))

    @cached_property
    def limits(self) -> frozenset[str]:
        """The parameters that say how many rows are wanted."""
        return frozenset(found["name"] for found in LIMIT.finditer(self.text))


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


def narrowed(query: Query, parameters: Mapping[str, Any]) -> str:
    """Return a query's text without the filters that these parameters leave out, and with its limits as figures.

    It finds the same rows. PostgreSQL plans a text that holds filters for everything anew each time, because a plan that
    serves all of them serves none, and how many rows are wanted decides which plan is good; this text it plans once.
    """
    left_out = frozenset(name for name in query.filters if parameters[name] is None)
    limits = tuple((name, parameters[name]) for name in sorted(query.limits) if type(parameters[name]) is int)
    return _narrowed(query.text, left_out, limits)


@lru_cache(maxsize=NARROWED_MAX)
def _narrowed(text: str, left_out: frozenset[str], limits: tuple[tuple[str, int], ...]) -> str:
    text = _filtered(text, left_out)
    for name, rows in limits:
        text = text.replace(f"limit %({name})s", f"limit {rows}")
    return text


def _filtered(text: str, left_out: frozenset[str]) -> str:
    found = FILTER.search(text)
    if found is None:
        return text
    end = _closing(text, found.start())
    kept = "true" if found["name"] in left_out else f"({_filtered(text[found.end() : end], left_out)})"
    return f"{text[: found.start()]}{kept}{_filtered(text[end + 1 :], left_out)}"


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis closes that opens at `start`; those inside a quoted text do not count."""
    depth, is_quoted = 0, False
    for place in range(start, len(text)):
        letter = text[place]
        if letter == "'":
            is_quoted = not is_quoted
        elif not is_quoted and letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return place
    raise QueryFileError(f"a parenthesis never closes in: {text[start : start + 60]}")


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

"""Lets the server read a named query without running it: PREPARE, which checks every name and type.

A query over a temporary table is prepared beside the queries that create one; where several of them create the same
table for different purposes, one that fits is enough.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import psycopg

from resources.store.queries import PARAMETER, Query

TEMPORARY = re.compile(r"^(?:--.*\n|\s)*create\s+temp(?:orary)?\s+table\s+(?P<table>\w+)", re.IGNORECASE)
NOT_PREPARED = re.compile(
    r"^(?:--.*\n|\s)*(?:copy|listen|unlisten|notify|set|lock|analyze|create\s+(?:unique\s+)?index)\b",
    re.IGNORECASE,
)


# The places of a query that wraps another one, and the plainest that may stand there.
PLACES = {"{columns}": "*", "{query}": "select 1 as one"}


def numbered(query: Query) -> str:
    """The statement as the server itself takes it: $1, $2 in place of the driver's names."""
    order = sorted(query.parameters)
    text = PARAMETER.sub(lambda found: f"${order.index(found['name']) + 1}", query.text)
    for place, plainest in PLACES.items():
        text = text.replace(place, plainest)
    return text.replace("%%", "%")


def vet(connection: psycopg.Connection, query: Query, queries: Mapping[str, Query]) -> str | None:
    """None when the server understands the query, else what it says."""
    problem: str | None = None
    for stages in _stage_sets(query, queries):
        problem = _vet_over(connection, query, stages)
        if problem is None:
            return None
    return problem


def _stage_sets(query: Query, queries: Mapping[str, Query]) -> list[tuple[Query, ...]]:
    makers: dict[str, list[Query]] = {}
    for other in queries.values():
        made = TEMPORARY.match(other.text)
        if made and other.name != query.name:
            makers.setdefault(made["table"], []).append(other)
    needed = _tables_in(query.text, makers)
    while True:
        further = {
            table for name in needed for maker in makers[name] for table in _tables_in(maker.text, makers)
        }
        if further <= needed:
            break
        needed |= further
    # A table made from another is created after it.
    order = sorted(
        needed, key=lambda table: max(len(_tables_in(maker.text, makers)) for maker in makers[table])
    )
    return list(itertools.product(*(makers[table] for table in order)))


def _tables_in(text: str, makers: Mapping[str, object]) -> set[str]:
    made = TEMPORARY.match(text)
    own = made["table"] if made else None
    return {table for table in makers if table != own and re.search(rf"\b{table}\b", text)}


def _vet_over(connection: psycopg.Connection, query: Query, stages: tuple[Query, ...]) -> str | None:
    with connection.transaction(force_rollback=True):
        try:
            for stage in stages:
                connection.execute(numbered(stage))
            _understand(connection, query)
        except psycopg.Error as error:
            return f"{query.file}: {query.name}: {error}"
    return None


def _understand(connection: psycopg.Connection, query: Query) -> None:
    text = numbered(query)
    if "{query}" in text:
        # A frame around other queries, each of which is understood by itself.
        text = text.format(columns="*", query="select 1 as one")
    if TEMPORARY.match(text):
        connection.execute(text)
    elif NOT_PREPARED.match(text):
        _understand_command(connection, text)
    else:
        connection.execute(f"prepare vetted as {text}")
        connection.execute("deallocate vetted")


def _understand_command(connection: psycopg.Connection, text: str) -> None:
    if re.match(r"(?is)^(?:--.*?\n|\s)*copy\b", text):
        with connection.cursor().copy(text) as copied:
            # What comes out has to be taken before anything else is said on the connection.
            if re.search(r"(?i)\bto\s+stdout\b", text):
                list(copied)
    else:
        connection.execute(text)

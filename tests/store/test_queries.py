"""Every named query is understood by the migrated schema, and the files they live in are well formed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg
from resources.store.queries import PARAMETER, Query, QueryFileError, named_queries, narrowed
from tests.support.query_vet import numbered, vet
from tests.support.repository import PRODUCT, ROOT, python_files

NAME = re.compile(r"[a-z][a-z0-9_]*")
FIXED_LETTERS_MIN = 5


@pytest.fixture(scope="module")
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("name", sorted(named_queries()))
def test_the_schema_understands_the_query(admin: psycopg.Connection, name: str) -> None:
    assert vet(admin, named_queries()[name], named_queries()) is None


@pytest.mark.parametrize("name", sorted(name for name, query in named_queries().items() if query.filters))
def test_the_schema_understands_a_query_whichever_filters_are_left_out(
    admin: psycopg.Connection, name: str
) -> None:
    query = named_queries()[name]
    asked = dict.fromkeys(query.parameters, 5)
    for left_out in ({}, *({each: None} for each in query.filters), dict.fromkeys(query.filters)):
        text = narrowed(query, asked | left_out)
        parameters = frozenset(found["name"] for found in PARAMETER.finditer(text))
        assert query.parameters - parameters <= left_out.keys() | query.limits | {"after_id"}
        assert vet(admin, replace(query, text=text, parameters=parameters), named_queries()) is None


def test_a_planted_misspelling_is_found(admin: psycopg.Connection) -> None:
    planted = Query("planted", "A typo.", "select numbr from v2_bills", "planted.sql", frozenset())
    assert "numbr" in (vet(admin, planted, named_queries()) or "")


def test_every_query_is_used() -> None:
    # Compiled once: there are more than the module `re` remembers.
    named = [
        re.compile(each)
        for each in {text for path in python_files(*PRODUCT) for text in names_in(path.read_text())}
    ]
    assert [name for name in named_queries() if not any(pattern.fullmatch(name) for pattern in named)] == []


def names_in(source: str) -> Iterator[str]:
    """Patterns of the query names a module may ask for; a name made from parts counts by its fixed part."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
            yield re.escape(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            text = "".join(parts)
            if NAME.fullmatch(text.replace("{}", "")) and len(text.replace("{}", "")) > FIXED_LETTERS_MIN:
                yield re.escape(text).replace(r"\{\}", "[a-z_]+")


def test_every_query_that_code_asks_for_exists() -> None:
    asked = re.compile(r"\.(?:rows|records|row|value|run|run_many|stream)\(\s*[\"'](?P<name>[a-z0-9_]+)[\"']")
    stores = ROOT.joinpath("resources", "store").rglob("*.py")
    names = {found["name"] for path in stores for found in asked.finditer(path.read_text())}
    assert names - set(named_queries()) == set()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-- name: Bad-Name\n-- why\nselect 1", "no query name"),
        ("-- name: silent\nselect 1", "needs a comment line"),
        ("-- name: empty\n-- why\n", "has no statement"),
        ("-- name: twice\n-- why\nselect 1;\n\n-- name: twice\n-- why\nselect 2;", "is already in"),
    ],
)
def test_a_malformed_query_file_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    tmp_path.joinpath("planted.sql").write_text(text)
    with pytest.raises(QueryFileError, match=sentence):
        named_queries(tmp_path)


def test_a_query_knows_its_parameters(tmp_path: Path) -> None:
    tmp_path.joinpath("some.sql").write_text(
        "-- Things.\n\n-- name: one\n-- What it is for.\nselect 1 where 'a%%' like %(pattern)s and 1 = %(number)s::int;\n"
    )
    query = named_queries(tmp_path)["one"]
    assert query.parameters == {"pattern", "number"}
    assert query.purpose == "What it is for."
    assert numbered(query) == "select 1 where 'a%' like $2 and 1 = $1::int"


def test_a_filter_that_is_left_out_and_a_limit_are_written_into_the_text() -> None:
    text = """select a from b
where kind = 'x)' and (%(c)s::text is null or c = %(c)s::text)
  and (%(after)s::timestamptz is null
       or (a, id) < (%(after)s::timestamptz, %(id)s::uuid))
  and (%(d)s is null or d = ')' or (%(e)s::text[] is null or e = any(%(e)s)))
limit %(rows_max)s"""
    query = Query("some", "Why.", text, "some.sql", frozenset({"c", "after", "id", "d", "e", "rows_max"}))
    nothing = dict.fromkeys(query.parameters)
    assert query.filters == {"c", "after", "d", "e"}
    assert narrowed(query, {**nothing, "rows_max": 51}).split("\nwhere ")[1] == (
        "kind = 'x)' and true\n  and true\n  and true\nlimit 51"
    )
    asked = {"c": "1", "after": "2026-01-01", "id": "i", "d": "4", "e": None, "rows_max": None}
    assert narrowed(query, asked).split("\nwhere ")[1] == (
        "kind = 'x)' and (c = %(c)s::text)\n  and ((a, id) < (%(after)s::timestamptz, %(id)s::uuid))\n"
        "  and (d = ')' or true)\nlimit %(rows_max)s"
    )

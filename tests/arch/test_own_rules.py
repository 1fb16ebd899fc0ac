"""Three rules no linter knows: SQL stays in sql/, one module commits, money and time are never approximate."""

from __future__ import annotations

import pytest

from tests.support.own_rules import approximate_values, commits, sql_literals
from tests.support.repository import PRODUCT, ROOT, python_files

COMMITTING_MODULE = ROOT / "resources" / "store" / "database.py"


def test_sql_is_written_in_sql_files_only() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in python_files(*PRODUCT)
        for line, text in sql_literals(path.read_text())
    ]
    assert found == []


def test_only_the_database_module_commits() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files(*PRODUCT)
        if path != COMMITTING_MODULE
        for line in commits(path.read_text())
    ]
    assert found == []


def test_money_is_never_a_float_and_no_clock_lacks_a_zone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {call}"
        for path in python_files("sync", "resources")
        for line, call in approximate_values(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "select id from v2_bills",
        "SELECT count(*)",
        "select 1",
        "insert into v2_bills values (1)",
        "update v2_bills set number = 1",
        "delete from v2_bills",
        "with due as (select 1) select * from due",
        "create temp table stage (x int) on commit drop",
        "alter table v2_bills add column x int",
        "copy stage from stdin",
        "notify record_changes",
        "listen record_changes",
        "set local app.builder_id = 1",
    ],
)
def test_a_planted_statement_is_found(text: str) -> None:
    assert sql_literals(f'run("{text}")') == [(1, text)]
    assert sql_literals(f'run(f"\\n  {text} {{name}}")') != []


@pytest.mark.parametrize(
    "text",
    [
        "Select the accounts you want to map.",
        "Update your settings, then try again.",
        "with a name",
        "create an account in QuickBooks",
        "Delete the link",
    ],
)
def test_a_sentence_is_no_statement(text: str) -> None:
    assert sql_literals(f'say("{text}")') == []


def test_a_docstring_may_quote_sql() -> None:
    assert sql_literals('def f():\n    """select id from v2_bills"""\n') == []


def test_a_planted_commit_is_found() -> None:
    assert commits("connection.commit()") == [1]


@pytest.mark.parametrize(
    "call",
    [
        "float(amount)",
        "datetime.now()",
        "datetime.utcnow()",
        "datetime.fromtimestamp(0)",
        "date.today()",
        "datetime.datetime.now()",
    ],
)
def test_a_planted_approximation_is_found(call: str) -> None:
    assert [line for line, _ in approximate_values(f"x = {call}")] == [1]


@pytest.mark.parametrize(
    "call", ["datetime.now(UTC)", "datetime.now(tz=UTC)", "float(wait)  # not money: seconds"]
)
def test_exact_values_are_let_through(call: str) -> None:
    assert approximate_values(f"x = {call}") == []

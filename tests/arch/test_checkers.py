"""The checkers the house agreed on find nothing: ruff, mypy, squawk. `make check` runs them alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import ROOT, run, tool


def test_ruff_finds_nothing() -> None:
    result = run([tool("ruff"), "check", "--output-format", "concise", "."])
    assert result.returncode == 0, result.stdout


def test_every_rule_ruff_is_told_to_ignore_says_why() -> None:
    text = ROOT.joinpath("pyproject.toml").read_text()
    block = text.split("[tool.ruff.lint]")[1].split("\n]\n")[0].split("ignore = [")[1]
    reasonless, has_reason = [], False
    for line in (line.strip() for line in block.splitlines()):
        if line.startswith("#"):
            has_reason = True
        elif line and not has_reason and "#" not in line:
            reasonless.append(line)
    assert reasonless == []


@pytest.mark.slow
def test_mypy_strict_finds_nothing() -> None:
    result = run([tool("mypy")])
    assert result.returncode == 0, result.stdout


def test_migrations_take_no_dangerous_lock() -> None:
    files = [str(path) for path in sorted(ROOT.joinpath("sql", "migrations").glob("*.sql"))]
    result = run([tool("squawk"), "--config", ".squawk.toml", "--reporter", "gcc", *files])
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("alter table v2_bills add column due date not null;", "adding-required-field"),
        ("alter table v2_bills alter column number type varchar(21);", "changing-column-type"),
        ("create index bills_due on v2_bills (due_on);", "require-concurrent-index-creation"),
        ("drop table v2_bills;", "ban-drop-table"),
    ],
)
def test_a_planted_dangerous_migration_is_found(tmp_path: Path, statement: str, rule: str) -> None:
    file = tmp_path / "0099_planted.sql"
    file.write_text(f"{statement}\n")
    result = run([tool("squawk"), "--config", ".squawk.toml", "--reporter", "gcc", str(file)])
    assert result.returncode == 1
    assert rule in result.stdout

"""Checks over syntax trees; a line may say `# not money: <why>` to keep its float."""

from __future__ import annotations

import ast
import re

ESCAPE = "# not money:"
STATEMENT = re.compile(
    r"""^\s*(?:--[^\n]*\n\s*)*(?:
        select\s+\d | select\b.*(?:\bfrom\b|\() | insert\s+into\s | update\s+\S+\s+set\s | delete\s+from\s
        | with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\))?\s+as\s | truncate\s+\w | merge\s+into\s
        | create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unique\s+|unlogged\s+)?
          (?:table|index|role|database|schema|policy|view|function|trigger|type|extension)\s+\S
        | alter\s+(?:table|role|database|index|type|policy)\s+\S | drop\s+(?:table|role|database|index|view|policy)\s+\S
        | grant\s+\w+.*\bto\b | revoke\s+\w+.*\bfrom\b | copy\s+\S+\s+(?:\([^)]*\)\s*)?(?:from|to)\b
        | notify\s+\w+\s*(?:,.*)?$ | (?:un)?listen\s+\w+\s*(?:\{.*)?$ | notify\s+\w+\s+\S*$ | listen\s+\w+\s+\S*$
        | set\s+(?:local|session)\s | lock\s+table\s | savepoint\s+\w | release\s+savepoint\s
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# QuickBooks' query language looks like SQL and goes to its API; this word is in every page of it.
NOT_SQL = re.compile(r"\bMAXRESULTS\b")
NAIVE = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "fromtimestamp"), ("date", "today")}


def sql_literals(source: str) -> list[tuple[int, str]]:
    """Line and text of every string that is a SQL statement; docstrings are prose."""
    tree = ast.parse(source)
    prose = _docstrings(tree)
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if id(node) in prose or id(node) in inner:
            continue
        text = _text(node)
        if text is not None and STATEMENT.match(text) and not NOT_SQL.search(text):
            found.append((node.lineno, text.strip()))  # type: ignore[attr-defined]  # every expression has a line
    return found


def commits(source: str) -> list[int]:
    """Lines that commit a transaction."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]


def approximate_values(source: str) -> list[tuple[int, str]]:
    """Lines that make a float, or an instant that does not know its zone."""
    lines = source.splitlines()
    return [
        (node.lineno, ast.unparse(node))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and _is_approximate(node) and ESCAPE not in lines[node.lineno - 1]
    ]


def _is_approximate(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "float"
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = ast.unparse(call.func.value).rsplit(".", 1)[-1]
    if (owner, call.func.attr) not in NAIVE:
        return False
    has_zone = bool(call.keywords) or len(call.args) == (2 if call.func.attr == "fromtimestamp" else 1)
    return call.func.attr in {"utcnow", "today"} or not has_zone


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [_text(part) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        return "".join(part or "" for part in parts)
    return None


def _docstrings(tree: ast.AST) -> set[int]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, holders) and node.body and isinstance(node.body[0], ast.Expr)
    }

"""docs/api.md says everything: each route with its role, each error code with the status it really has."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import resources
import sync
from api.problems import EDGE_CODES
from sync.errors import SyncError
from sync.mapping import ALLOWED_TYPES, PROFILES, type_words
from sync.mapping_suggestions import THRESHOLD
from sync.remedies import http_status
from tests.api.world import World
from tests.support.repository import ROOT, python_files

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
CODES = dict(re.findall(r"^\| `([a-z_.]+)` \| (\d{3}|varies) \|", PAGE, re.MULTILINE))
ROUTES = dict(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([a-z ]+) \|", PAGE, re.MULTILINE))


def error_classes() -> Iterator[type[SyncError]]:
    for package in (sync, resources):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.ispkg:
                importlib.import_module(module.name)
    waiting = [SyncError]
    while waiting:
        found = waiting.pop()
        # A fake's or another test's own error is no part of the product.
        if found.__module__.split(".")[0] in ("sync", "resources", "api"):
            yield found
        waiting += found.__subclasses__()


def test_every_code_is_documented_with_the_status_it_has() -> None:
    wrong = {
        each.code: (CODES.get(each.code), http_status(each("sentence")))
        for each in error_classes()
        if CODES.get(each.code) != str(http_status(each("sentence")))
    }
    assert wrong == {}


def test_codes_in_modules_that_nobody_imports_here_are_documented_too() -> None:
    found = {
        statement.value.value
        for path in python_files("sync", "resources", "api", "assets")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and [getattr(target, "id", "") for target in statement.targets] == ["code"]
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }
    assert found - CODES.keys() == set()
    assert len(found) > 30


def test_no_documented_code_is_made_up() -> None:
    known = {each.code for each in error_classes()} | EDGE_CODES.keys()
    assert CODES.keys() - known == set()
    assert EDGE_CODES.keys() - CODES.keys() == set()


def test_every_route_is_documented_and_no_other(world: World) -> None:
    served = {
        f"{method.upper()} {path}" for path, item in world.app.openapi()["paths"].items() for method in item
    }
    assert ROUTES.keys() == served


@pytest.mark.parametrize("profile", PROFILES)
def test_the_mapping_page_names_the_types_each_profile_takes(profile: str) -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{profile}`")]
    assert all(type_words(each) in row.replace("-", " ") for each in ALLOWED_TYPES[profile])
    assert f"a score of {THRESHOLD}" in page

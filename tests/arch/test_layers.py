"""The layers of architecture.md hold, and each contract is seen to fail on a planted breach."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.repository import PACKAGES, ROOT, run, tool

LAYERS = "Imports point one way: api | pipelines, then assets, then resources, then sync"
ASSETS = "Assets are wired by pipelines only"
NO_DAGSTER = "The API never loads Dagster, not even indirectly"
NO_IO = "The product's mind does no I/O: no HTTP, database, Dagster or web library"
APART = "QuickBooks and Xero do not know each other"
SANDBOX_ALONE = "The sandbox shares no code with the product"
NO_SANDBOX = "The product does not know the sandbox"

# contract, the module that breaks it, what it imports
BREACHES = [
    (LAYERS, "sync/planted_resources", "resources.settings"),
    (LAYERS, "resources/planted_assets", "assets"),
    (LAYERS, "assets/planted_pipelines", "pipelines"),
    (LAYERS, "api/planted_pipelines", "pipelines"),
    (LAYERS, "pipelines/planted_api", "api.cli"),
    (ASSETS, "api/planted_assets", "assets"),
    (NO_DAGSTER, "api/planted_dagster", "dagster"),
    (NO_IO, "sync/planted_http", "httpx"),
    (NO_IO, "sync/planted_database", "sqlalchemy"),
    (NO_IO, "sync/planted_web", "fastapi"),
    (NO_IO, "sync/planted_dagster", "dagster"),
    (APART, "resources/xero/planted_quickbooks", "resources.quickbooks"),
    (APART, "resources/quickbooks/planted_xero", "resources.xero"),
    (SANDBOX_ALONE, "sandbox/planted_sync", "sync"),
    (NO_SANDBOX, "resources/planted_sandbox", "sandbox"),
    (NO_SANDBOX, "pipelines/planted_sandbox", "sandbox"),
]


def verdicts(output: str) -> dict[str, str]:
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)$", output, re.MULTILINE))


def account_of(contract: str, output: str) -> str:
    """What the checker says about one broken contract."""
    _, _, details = output.partition("Broken contracts")
    _, _, rest = details.partition(f"{contract}\n{'-' * len(contract)}\n")
    return re.split(r"^.+\n-{10,}$", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_layer_rule_holds() -> None:
    result = run([tool("lint-imports")])
    assert result.returncode == 0, result.stdout
    assert set(verdicts(result.stdout)) == {contract for contract, _, _ in BREACHES}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the checker says about a copy of the tree in which every rule is broken."""
    tree = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=_only_python)
    for _, module, imported in BREACHES:
        tree.joinpath(f"{module}.py").write_text(f"import {imported}\n")
    result = run([tool("lint-imports"), "--no-cache"], cwd=tree)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(("contract", "module", "imported"), BREACHES)
def test_a_planted_breach_is_found(planted: str, contract: str, module: str, imported: str) -> None:
    assert verdicts(planted)[contract] == "BROKEN"
    importer = module.replace("/", ".")
    assert re.search(rf"{re.escape(importer)} -> {re.escape(imported)}\b", account_of(contract, planted)), (
        planted
    )


def _only_python(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_file() and not name.endswith(".py")]

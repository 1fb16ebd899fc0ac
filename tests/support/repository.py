"""The repository as the tests about it see it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "assets", "pipelines", "resources", "sandbox", "sync")
PRODUCT = ("api", "assets", "pipelines", "resources", "sync")


def tool(name: str) -> str:
    """A program of this virtual environment."""
    return str(Path(sys.executable).parent / name)


def run(command: list[str], *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a checker and keep what it says."""
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, timeout=900)


def python_files(*packages: str) -> list[Path]:
    """Every Python file of these packages."""
    return sorted(path for package in packages for path in ROOT.joinpath(package).rglob("*.py"))

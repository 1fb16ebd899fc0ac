"""The demo builders: their files, and a manifest of what they hold, beside this module.

The files are imported through the product's own import path; `assets.demo.making` makes them again from a seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def demo_builders() -> list[str]:
    """Return the folder names of the demo builders."""
    return sorted(path.parent.name for path in FOLDER.glob("*/manifest.json"))


def demo_manifest(slug: str) -> dict[str, Any]:
    """Return what there is to know about a demo builder; amounts are texts."""
    found: dict[str, Any] = json.loads((FOLDER / slug / "manifest.json").read_text(encoding="utf-8"))
    return found


def demo_file(slug: str, name: str) -> Path:
    """Return the path of one of a builder's files."""
    return FOLDER / slug / name

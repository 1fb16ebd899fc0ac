"""A client generated from the product's own OpenAPI document, as somebody else's program would have it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = "generated_tieout_client"
GENERATE_SECONDS_MAX = 100


@contextmanager
def generated_client(document: dict[str, Any], folder: Path) -> Iterator[None]:
    """Generate the client package into a folder and make it importable; a warning of the generator is a failure."""
    described = folder / "openapi.json"
    described.write_text(json.dumps(document))
    programs = Path(sys.executable).parent
    command = [programs / "openapi-python-client", "generate", "--path", described, "--meta", "none"]
    done = subprocess.run(
        [*command, "--output-path", folder / PACKAGE, "--fail-on-warning"],
        capture_output=True,
        text=True,
        check=False,
        timeout=GENERATE_SECONDS_MAX,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]


def operation(name: str) -> Any:
    """Return the module of an operation, such as `sync.start_sync`; it has `sync` and `asyncio` to call."""
    return importlib.import_module(f"{PACKAGE}.api.{name}")


def model(name: str) -> Any:
    """Return a model of the client."""
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


def authenticated() -> Any:
    """Return the client's class for who has a key."""
    return importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient

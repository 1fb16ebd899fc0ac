"""Starts a sandbox by name. Each emulator is imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sandbox.kernel.app import SandboxApp

HOST_DEFAULT = "127.0.0.1"
PORT_DEFAULTS = {"quickbooks": 8101, "xero": 8102}
SANDBOX_NAMES = tuple(PORT_DEFAULTS)


def build(name: str, *, data: Path | None = None, seed: str | None = None) -> SandboxApp:
    """Return the ASGI app of one sandbox; `sandbox.<name>` must offer `create_app(data=, seed=)`."""
    if name not in PORT_DEFAULTS:
        known = ", ".join(SANDBOX_NAMES)
        raise ValueError(f"There is no sandbox called {name!r}. Choose one of: {known}.")
    module = importlib.import_module(f"sandbox.{name}")
    return cast("SandboxApp", module.create_app(data=data, seed=seed))


def run(
    name: str,
    *,
    port: int | None = None,
    host: str = HOST_DEFAULT,
    data: Path | None = None,
    seed: str | None = None,
) -> None:
    """Serve one sandbox in the foreground until it is interrupted."""
    from sandbox.kernel.server import serve

    app = build(name, data=data, seed=seed)
    serve(app, host=host, port=PORT_DEFAULTS[name] if port is None else port, name=name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line of `python -m sandbox`."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("name", choices=SANDBOX_NAMES, help="which accounting system to emulate")
    parser.add_argument(
        "--port", type=int, help="port to listen on (8101 for quickbooks, 8102 for xero; 0 = any)"
    )
    parser.add_argument("--host", default=HOST_DEFAULT, help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--data", type=Path, help="folder that keeps the books; without it they live in memory"
    )
    parser.add_argument("--seed", help="scenario to start with when the books are empty")
    chosen = parser.parse_args(arguments)
    try:
        run(chosen.name, port=chosen.port, host=chosen.host, data=chosen.data, seed=chosen.seed)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"The {chosen.name} sandbox did not start: {error}\n")
        return 1
    return 0

"""A QuickBooks Online that runs on your own machine, with real books.

`create_app()` returns the ASGI application; `create_app().emulator` is the way in for in-process tests.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.kernel.app import SandboxApp, build_app
from sandbox.kernel.clock import MovableClock
from sandbox.quickbooks.emulator import QuickBooks

__all__ = ["QuickBooks", "create_app"]


def create_app(
    *, data: Path | None = None, seed: str | None = None, clock: MovableClock | None = None
) -> SandboxApp:
    """Return the sandbox as an ASGI application; `data` keeps its books, `seed` names the first scenario."""
    return build_app(QuickBooks(data=data, seed=seed, clock=clock))

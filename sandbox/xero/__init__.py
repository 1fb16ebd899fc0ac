"""A Xero Accounting API that runs on this machine, with real books behind it."""

from __future__ import annotations

from pathlib import Path

from sandbox.kernel.app import SandboxApp, build_app
from sandbox.kernel.clock import MovableClock
from sandbox.xero.world import XeroEmulator


def create_app(
    *, data: Path | None = None, seed: str | None = None, clock: MovableClock | None = None
) -> SandboxApp:
    """The ASGI app of a Xero sandbox; its `emulator` is the way in for tests in process."""
    return build_app(XeroEmulator(data=data, seed=seed, clock=clock))

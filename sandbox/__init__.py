"""Accounting providers that run on your own machine: a QuickBooks Online and a Xero with real books."""

from __future__ import annotations

from sandbox.launch import SANDBOX_NAMES, build, run

__all__ = ["SANDBOX_NAMES", "build", "run"]

"""What every sandbox shares: ledger, clock, faults, limits, request log, store, control routes, page.

A provider's emulator derives from `sandbox.kernel.emulator.Emulator`, adds its wire routes, and turns
documents into postings. Nothing here knows a provider's words.
"""

from __future__ import annotations

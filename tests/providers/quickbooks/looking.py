"""Shortcuts to what happened, in the provider's answers and in the sandbox."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from resources.quickbooks.provider import QuickBooks
from sync.ports import Done, Write
from sync.records import RemoteRecord
from tests.support.quickbooks_sandbox import Sandbox


def done(provider: QuickBooks, *writes: Write) -> list[RemoteRecord]:
    outcomes = provider.write(writes)
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome.record for outcome in outcomes if isinstance(outcome, Done)]


def a_party(sandbox: Sandbox, realm: str, entity: str) -> str:
    return next(iter(sandbox.rows(realm, entity)))


def no_balance_is_off(sandbox: Sandbox, realm: str) -> bool:
    return Decimal(str(sandbox.control("GET", f"/trial-balance/{realm}")["total"])) == 0


def without_ids(canonical: dict[str, Any]) -> dict[str, Any]:
    return canonical | {"lines": [line | {"id": None} for line in canonical["lines"]]}


def provider_today(sandbox: Sandbox) -> str:
    return str(sandbox.emulator.clock.now().date().isoformat())

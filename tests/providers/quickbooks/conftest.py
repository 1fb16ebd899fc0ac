"""A sandbox per test module, and a company of its own per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from resources.quickbooks.provider import QuickBooks
from tests.support.quickbooks_sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=4, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def realm(sandbox: Sandbox) -> Iterator[str]:
    yield sandbox.company()
    sandbox.control("DELETE", "/faults")


@pytest.fixture
def provider(sandbox: Sandbox, realm: str) -> QuickBooks:
    return sandbox.provider(realm)

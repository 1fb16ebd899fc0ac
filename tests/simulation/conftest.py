"""A database in which one world lives after the other, and a quiet log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import stamina
import structlog

from resources.postgres import DatabaseUrls
from tests.simulation.database import SimDatabase
from tests.support.logs import logging_put_back


@pytest.fixture(scope="module")
def worlds(urls: DatabaseUrls) -> Iterator[SimDatabase]:
    """The module's database as simulated worlds use it."""
    with SimDatabase(urls) as opened:
        yield opened


@pytest.fixture(autouse=True)
def quiet_and_without_waiting() -> Iterator[None]:
    """Worlds are full of trouble, and say so in their story; their time is not ours."""
    with logging_put_back():
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        stamina.set_testing(True, attempts=2)
        yield
        stamina.set_testing(False)

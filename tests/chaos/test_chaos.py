"""A short performance: the real servers under load, a few of them killed with -9. `make chaos` does two hundred."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.run import Performance, perform
from tests.chaos.troupe import POSTGRES

KILLS = 6


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_servers_killed_at_any_instant_lose_and_double_nothing() -> None:
    found = perform(kills=KILLS, seed=3, always=[POSTGRES, "Real-time worker"])
    assert found.violations == []
    assert sum(found.kills.values()) == KILLS
    assert found.kills[POSTGRES] >= 1
    assert found.idle() == []


def test_servers_killed_while_nobody_works_show_nothing() -> None:
    found = Performance(kills=Counter({POSTGRES: 200}), unknowns=1, actions=500, spared=["API"])
    assert found.idle() == ["no sync was asked for", "no write was attempted", "API was never killed"]

"""A short performance: the real servers under load, a few of them killed with -9. `make chaos` does two hundred."""

from __future__ import annotations

import pytest

from tests.chaos.run import perform
from tests.chaos.troupe import POSTGRES

KILLS = 6


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_servers_killed_at_any_instant_lose_and_double_nothing() -> None:
    found = perform(kills=KILLS, seed=3, always=[POSTGRES, "Real-time worker"])
    assert found.violations == []
    assert sum(found.kills.values()) == KILLS
    assert found.kills[POSTGRES] >= 1
    assert found.actions > 0
    assert found.writes > 0

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.faults import FaultBook


@pytest.mark.parametrize("seconds", [1e308, -1e12, float("nan"), 1e11])
def test_the_clock_refuses_times_that_no_date_can_express_and_stays_where_it_is(seconds: float) -> None:
    clock = MovableClock(source=lambda: 1_000_000_000.0)
    with pytest.raises(ValueError, match="between the years 1970 and 2900"):
        clock.shift(seconds)
    assert clock.timestamp() == 1_000_000_000.0
    with pytest.raises(ValueError, match="between the years"):
        clock.move_to(datetime(9999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan"), 1e9])
def test_the_clock_refuses_a_scale_that_makes_no_sense(scale: float) -> None:
    clock = MovableClock()
    with pytest.raises(ValueError, match="time scale"):
        clock.set_scale(scale)


@pytest.mark.parametrize("kind", [[], {}, None, 5, "nope"])
def test_a_fault_of_an_unknown_kind_is_refused_whatever_its_type(kind: object) -> None:
    with pytest.raises(ValueError, match="Unknown fault kind"):
        FaultBook().add({"kind": kind})

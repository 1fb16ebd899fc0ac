"""Who waits before a budget is used up."""

from __future__ import annotations

import pytest

from sync.quota import Mode, MonthUse, Priority, mode_of_day, mode_of_month


@pytest.mark.parametrize(
    ("used", "mode"),
    [
        (100, Mode.NORMAL),
        (850, Mode.BULK_WAITS),
        (950, Mode.SCHEDULE_WAITS),
        (980, Mode.PEOPLE_ONLY),
        (1000, Mode.STOPPED),
    ],
)
def test_the_fuller_the_month_the_fewer_may_read(used: int, mode: Mode) -> None:
    assert mode_of_month(MonthUse(used=used, allowed=1000, a_day=0, days_left=5)) is mode


def test_imports_wait_already_when_the_month_would_not_suffice_at_this_rate() -> None:
    use = MonthUse(used=400, allowed=1000, a_day=60, days_left=11)
    assert use.forecast == 1060
    assert mode_of_month(use) is Mode.BULK_WAITS


@pytest.mark.parametrize(
    ("remaining", "mode"),
    [
        (None, Mode.NORMAL),
        (321, Mode.NORMAL),
        (320, Mode.BULK_WAITS),
        (60, Mode.SCHEDULE_WAITS),
        (20, Mode.PEOPLE_ONLY),
        (0, Mode.STOPPED),
    ],
)
def test_what_is_left_of_a_day_is_kept_for_the_more_urgent(remaining: int | None, mode: Mode) -> None:
    assert mode_of_day(remaining, (0, 20, 60, 320)) is mode


def test_each_mode_stops_exactly_the_less_urgent_and_says_so() -> None:
    let_through = [sum(mode.lets(priority) for priority in Priority) for mode in Mode]
    assert let_through == [4, 3, 2, 1, 0]
    assert len({mode.sentence for mode in Mode}) == len(Mode)

"""Calls to one company stay below the provider's limits."""

from __future__ import annotations

from resources.pace import Pace, Paces


class SlowedTime:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_calls_within_the_window_do_not_wait() -> None:
    time = SlowedTime()
    pace = Pace([(3, 1.0)], now=lambda: time.now, sleep=time.sleep)
    assert [pace.wait() for _ in range(3)] == [0.0, 0.0, 0.0]


def test_one_call_too_many_waits_until_the_oldest_leaves_the_window() -> None:
    time = SlowedTime()
    pace = Pace([(2, 1.0)], now=lambda: time.now, sleep=time.sleep)
    pace.wait()
    time.now += 0.4
    pace.wait()
    assert round(pace.wait(), 3) == 0.6


def test_the_longest_of_several_windows_decides() -> None:
    time = SlowedTime()
    pace = Pace([(5, 1.0), (6, 60.0)], now=lambda: time.now, sleep=time.sleep)
    for _ in range(6):
        pace.wait()
    assert pace.wait() > 50


def test_the_window_moves_and_is_never_exceeded_however_the_calls_fall() -> None:
    time, calls = SlowedTime(), []
    pace = Pace([(9, 1.0)], now=lambda: time.now, sleep=time.sleep)
    for step in range(100):
        time.now += 0.05 if step % 3 else 0.0
        pace.wait()
        calls.append(time.now)
    assert all(sum(1 for one in calls if start <= one < start + 1.0) <= 9 for start in calls)


def test_each_company_has_a_pace_of_its_own() -> None:
    paces = Paces([(1, 60.0)])
    assert paces.of("1") is paces.of("1")
    assert paces.of("1") is not paces.of("2")

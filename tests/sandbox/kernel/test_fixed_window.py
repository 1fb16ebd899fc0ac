from __future__ import annotations

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.limits import FixedWindow, LimitRule, Limits


def test_a_fixed_window_starts_anew_at_its_boundary_not_a_minute_after_the_first_call() -> None:
    window = FixedWindow(limit=2, seconds=60)
    assert [window.take(119.0), window.take(119.5)] == [0.0, 0.0]
    assert window.take(119.9) > 0
    assert window.take(120.0) == 0.0


def test_a_refused_call_counts_too_and_is_told_when_the_window_ends() -> None:
    window = FixedWindow(limit=1, seconds=60)
    window.take(100.0)
    assert window.take(110.0) == 10.0
    assert window.used(110.0) == 2
    assert window.remaining(110.0) == 0


def test_a_rule_says_whether_its_windows_are_fixed() -> None:
    clock = MovableClock(source=lambda: 1_000_000.0)
    limits = Limits(
        clock, [LimitRule("minute", 1, 60, is_fixed=True), LimitRule("day", 1, 60)], is_enabled=True
    )
    assert isinstance(limits.window("minute", "a"), FixedWindow)
    assert not isinstance(limits.window("day", "a"), FixedWindow)

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import InvalidSetting
from sync.schedule import next_due, parked_until
from sync.window import DAYS, read_window

DENVER = "America/Denver"
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "06:00", "until": "20:00"}
NIGHT = {"days": ["fri"], "from": "22:00", "until": "04:00"}


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(DENVER))


def due(schedule: str, after: str, window: dict[str, Any] | None = None) -> str:
    found = next_due(schedule, after=local(after), time_zone=DENVER, window=window)
    assert found is not None
    return found.astimezone(ZoneInfo(DENVER)).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("every_15_minutes", "2026-06-01 10:07", "Mon 2026-06-01 10:15"),
        ("hourly", "2026-06-01 10:00", "Mon 2026-06-01 11:00"),
        ("daily", "2026-06-01 10:00", "Tue 2026-06-02 05:00"),
        ("30 6 * * 1-5", "2026-06-05 07:00", "Mon 2026-06-08 06:30"),
    ],
)
def test_a_schedule_comes_due_in_the_builders_own_time(schedule: str, after: str, expected: str) -> None:
    assert due(schedule, after) == expected


def test_the_night_the_clock_goes_back_has_one_daily_sync_and_no_second() -> None:
    first = next_due("30 1 * * *", after=local("2026-10-31 12:00"), time_zone=DENVER)
    assert first is not None
    second = next_due("30 1 * * *", after=first, time_zone=DENVER)
    assert second is not None
    assert second - first == timedelta(hours=25)


def test_the_night_the_clock_jumps_still_has_its_daily_sync() -> None:
    assert due("30 2 * * *", "2026-03-07 12:00").startswith("Sun 2026-03-08")


def test_a_quarter_hourly_schedule_goes_on_through_the_night_the_clock_goes_back() -> None:
    """Neither the doubled hour is skipped nor the hour after it."""
    at, turns = local("2026-10-31 23:50").astimezone(UTC), 0
    end = local("2026-11-01 04:00").astimezone(UTC)
    while True:
        found = next_due("every_15_minutes", after=at, time_zone=DENVER)
        assert found is not None
        assert found - at <= timedelta(minutes=15)
        if found > end:
            break
        at, turns = found, turns + 1
    # Midnight to four by the clock on the wall is five hours that night.
    assert turns == 5 * 4 + 1


def test_what_was_missed_while_nothing_ran_comes_due_once() -> None:
    """Three days away with a quarter-hourly schedule: the one sync that was due, and then the next quarter."""
    assert due("every_15_minutes", "2026-06-04 10:07") == "Thu 2026-06-04 10:15"


@pytest.mark.parametrize(
    ("schedule", "failures", "window", "expected"),
    [
        ("every_15_minutes", 1, None, "Mon 2026-06-01 10:09"),
        ("every_15_minutes", 6, None, "Mon 2026-06-01 10:15"),
        ("daily", 6, None, "Mon 2026-06-01 10:37"),
        ("daily", 6, {**OFFICE, "until": "10:30"}, "Tue 2026-06-02 06:00"),
    ],
    ids=["soon", "never later than its schedule", "sooner than a rare schedule", "the window has closed"],
)
def test_a_connection_that_failed_is_probed_and_its_schedule_is_never_delayed(
    schedule: str, failures: int, window: dict[str, Any] | None, expected: str
) -> None:
    now = local("2026-06-01 10:07")
    turn = next_due(schedule, after=now, time_zone=DENVER, window=window)
    assert turn is not None
    found = parked_until(turn, failures=failures, now=now, time_zone=DENVER, window=window)
    assert found.astimezone(ZoneInfo(DENVER)).strftime("%a %Y-%m-%d %H:%M") == expected


@pytest.mark.parametrize(
    ("after", "window", "expected"),
    [
        ("2026-06-01 10:10", OFFICE, "Mon 2026-06-01 11:00"),
        ("2026-06-01 19:10", OFFICE, "Tue 2026-06-02 06:00"),
        ("2026-06-05 21:10", OFFICE, "Mon 2026-06-08 06:00"),
        ("2026-06-05 23:10", NIGHT, "Sat 2026-06-06 00:00"),
        ("2026-06-06 03:10", NIGHT, "Fri 2026-06-12 22:00"),
    ],
    ids=["inside", "after hours", "over the weekend", "past midnight", "a week later"],
)
def test_what_comes_due_outside_the_window_waits_until_it_opens(
    after: str, window: dict[str, Any], expected: str
) -> None:
    assert due("hourly", after, window) == expected


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"days": [], "from": "06:00", "until": "20:00"}, "names no day"),
        ({"days": ["mon"], "from": "06:00", "until": "06:00"}, "opens and closes at 06:00"),
        ({"days": ["monday"], "from": "06:00", "until": "20:00"}, "“monday” is no day"),
        ({"days": ["mon"], "from": "6 o'clock", "until": "20:00"}, "“6 o'clock” is no time of day"),
        ({"days": ["mon"], "from": "25:00", "until": "20:00"}, "“25:00” is no time of day"),
    ],
)
def test_a_window_that_is_never_open_is_refused_with_a_sentence(window: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSetting, match=words):
        read_window(window)


@given(
    days=st.sets(st.sampled_from(DAYS), min_size=1),
    opens=st.times(),
    closes=st.times(),
    moment=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 1)),  # noqa: DTZ001 - made aware below
)
def test_a_window_opens_within_eight_days_and_never_earlier(
    days: set[str], opens: Any, closes: Any, moment: datetime
) -> None:
    if opens.strftime("%H:%M") == closes.strftime("%H:%M") != "00:00":
        return
    window = read_window({"days": sorted(days), "from": f"{opens:%H:%M}", "until": f"{closes:%H:%M}"})
    assert window is not None
    instant = moment.replace(tzinfo=UTC)
    found = window.next_open(instant, ZoneInfo(DENVER))
    assert instant <= found <= instant + timedelta(days=8)


@pytest.mark.parametrize(
    ("schedule", "zone"), [("sometimes", DENVER), ("0 0 31 2 *", DENVER), ("daily", "Mars/Olympus")]
)
def test_a_schedule_that_cannot_run_is_refused_with_a_sentence(schedule: str, zone: str) -> None:
    with pytest.raises(InvalidSetting):
        next_due(schedule, after=local("2026-06-01 10:00"), time_zone=zone)


def test_a_manual_connection_is_never_due() -> None:
    assert next_due("manual", after=local("2026-06-01 10:00"), time_zone=DENVER, window=OFFICE) is None

"""When a connection is due next: presets and cron expressions, computed in the builder's own time zone.

cronsim and not Dagster's croniter, because it fires once and not twice in the autumn night when the clock goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from sync.errors import InvalidSetting
from sync.retry import next_probe
from sync.window import read_window

MANUAL = "manual"
PRESETS: Mapping[str, str] = {
    "every_15_minutes": "*/15 * * * *",
    "hourly": "0 * * * *",
    "daily": "0 5 * * *",
}


def next_due(
    schedule: str, *, after: datetime, time_zone: str, window: Mapping[str, Any] | None = None
) -> datetime | None:
    """Return the next instant (UTC) at which the schedule is due, or None for a manual one.

    What comes due outside the sync window waits until it opens. Raises InvalidSetting with a sentence when the schedule
    is no preset and no cron expression that ever fires, the window is never open, or the time zone does not exist.
    """
    if schedule == MANUAL:
        return None
    zone, hours = zone_of(time_zone), read_window(window)
    expression = PRESETS.get(schedule, schedule)
    try:
        due = next(CronSim(expression, after.astimezone(zone)))
    except (CronSimError, StopIteration) as error:
        reason = (
            f"“{schedule}” is neither {', '.join([MANUAL, *PRESETS])} nor a cron expression that ever comes due;"
            " write five fields, for example 30 6 * * 1-5"
        )
        raise InvalidSetting(name="sync_schedule", reason=reason) from error
    return due.astimezone(UTC) if hours is None else hours.next_open(due, zone)


def parked_until(
    due: datetime | None,
    *,
    failures: int,
    now: datetime,
    time_zone: str,
    window: Mapping[str, Any] | None = None,
) -> datetime:
    """Return the next probe of a connection whose last syncs failed, or the schedule's turn where that comes first.

    A probe makes up for a schedule that is rarer, and never delays one that is not: asking costs one call, and whoever
    wants to agree every quarter of an hour does so within one after the provider is back. While the window is closed
    nothing is asked: without a schedule's turn (None), the probe then waits until it opens.
    """
    probe, hours = next_probe(max(failures, 1), now=now), read_window(window)
    if due is None:
        return probe if hours is None else hours.next_open(probe, zone_of(time_zone))
    return min(probe, due) if hours is None or hours.is_open(probe, zone_of(time_zone)) else due


def zone_of(time_zone: str) -> ZoneInfo:
    """Return a time zone by its name, or raise InvalidSetting with a sentence."""
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidSetting(
            name="time_zone", reason=f"there is no time zone “{time_zone[:60]}”; write it like America/Denver"
        ) from error

"""When a connection is due next: presets and cron expressions, computed in the builder's own time zone.

cronsim and not Dagster's croniter, because it fires once and not twice in the autumn night when the clock goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from sync.errors import InvalidSetting

MANUAL = "manual"
PRESETS: Mapping[str, str] = {
    "every_15_minutes": "*/15 * * * *",
    "hourly": "0 * * * *",
    "daily": "0 5 * * *",
}


def next_due(schedule: str, *, after: datetime, time_zone: str) -> datetime | None:
    """Return the next instant (UTC) at which the schedule is due, or None for a manual one.

    Raises InvalidSetting with a sentence when the schedule is no preset and no cron expression that ever fires, or
    the time zone does not exist.
    """
    if schedule == MANUAL:
        return None
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidSetting(
            name="time_zone", reason=f"there is no time zone “{time_zone}”; write it like America/Denver"
        ) from error
    expression = PRESETS.get(schedule, schedule)
    try:
        due = next(CronSim(expression, after.astimezone(zone)))
    except (CronSimError, StopIteration) as error:
        reason = (
            f"“{schedule}” is neither {', '.join([MANUAL, *PRESETS])} nor a cron expression that ever comes due;"
            " write five fields, for example 30 6 * * 1-5"
        )
        raise InvalidSetting(name="sync_schedule", reason=reason) from error
    return due.astimezone(UTC)

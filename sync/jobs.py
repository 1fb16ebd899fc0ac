"""When another job on a line is a change that the ledger has to hear of.

Our canonical lines name their job. A ledger hears of it only where the connection turns jobs into something of the
ledger's, or where jobs have default accounts; everywhere else a changed job is no change, and neither is a base from
before jobs were kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.records import Canonical, checksum


def without_jobs(canonical: Canonical) -> Canonical:
    """Return a record of ours as if its lines had no jobs."""
    if not canonical.get("lines"):
        return canonical
    lines = [{name: value for name, value in line.items() if name != "job"} for line in canonical["lines"]]
    return {**canonical, "lines": lines}


def job_moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether a line is on another job than when it was last agreed on."""
    return "job" in before and before["job"] != now.get("job")


def any_moved(before: Canonical | None, now: Canonical) -> bool:
    """Say whether any line of a record is on another job than it was."""
    lines = {line.get("key"): line for line in (before or {}).get("lines") or ()}
    return any(
        job_moved(lines[line.get("key")], line) for line in now.get("lines") or () if line.get("key") in lines
    )


def with_jobs_of(now: Canonical, before: Canonical) -> Canonical:
    """Return a record with the jobs its lines had before, where it is known which."""
    known = {line.get("key"): line["job"] for line in before.get("lines") or () if "job" in line}
    lines = [
        {**line, "job": known[line.get("key")]} if line.get("key") in known else line
        for line in now.get("lines") or ()
    ]
    return {**now, "lines": lines} if lines else now


def is_no_change(
    ours: Canonical, base: Canonical | None, *, state: str, base_checksum: str | None, uses_jobs: bool
) -> bool:
    """Say whether a record differs from its base only in jobs that the ledger does not hear of."""
    if (
        base is None
        or base_checksum != checksum(base, state=state)
        or without_jobs(ours) != without_jobs(base)
    ):
        return False
    return not uses_jobs or not any_moved(base, ours)

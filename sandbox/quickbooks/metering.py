"""Throttles and the metered-read count of the App Partner Program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from sandbox.kernel.faults import RequestFacts
from sandbox.kernel.limits import LimitRule

if TYPE_CHECKING:
    from sandbox.quickbooks.emulator import QuickBooks

LIMITS = (
    LimitRule("requests_per_minute", 500, 60),
    LimitRule("requests_per_second", 10, 1),
    LimitRule("batches_per_minute", 40, 60),
    LimitRule("reports_per_minute", 200, 60),
    LimitRule("metered_reads_per_month", 500_000, 30 * 86_400),
)


class Meter:
    """Counts calls per company."""

    def __init__(self, emulator: QuickBooks) -> None:
        self._emulator = emulator
        self.reads: dict[str, int] = {}
        self.writes: dict[str, int] = {}
        self.refused: dict[str, int] = {}

    def is_over(self, request: Request, facts: RequestFacts) -> bool:
        """Count one call; return whether a limit refuses it."""
        realm = facts.tenant
        resource = facts.entity.lower()
        is_query_post = request.method == "POST" and resource == "query"
        is_read = request.method == "GET" or is_query_post
        book = self.reads if is_read else self.writes
        book[realm] = book.get(realm, 0) + 1
        names = ["requests_per_second", "requests_per_minute"]
        if resource == "batch":
            names.append("batches_per_minute")
        if resource == "reports":
            names.append("reports_per_minute")
        if is_read:
            names.append("metered_reads_per_month")
        waits = [self._emulator.limits.take(name, realm) for name in names]
        if any(waits):
            self.refused[realm] = self.refused.get(realm, 0) + 1
            return True
        return False

    def describe(self) -> dict[str, Any]:
        """Return the counts per company."""
        return {
            realm: {
                "metered_reads": self.reads.get(realm, 0),
                "free_writes": self.writes.get(realm, 0),
                "throttled": self.refused.get(realm, 0),
            }
            for realm in self.reads.keys() | self.writes.keys()
        }

    def reset(self) -> None:
        """Start counting again."""
        self.reads.clear()
        self.writes.clear()
        self.refused.clear()

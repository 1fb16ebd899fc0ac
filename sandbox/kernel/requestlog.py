"""The last requests a sandbox answered, with timings, for tests, the control route and the page."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

ENTRIES_MAX = 5_000


@dataclass(slots=True)
class RequestEntry:
    """One request and its answer."""

    at: str
    method: str
    path: str
    query: str
    status: int = 0
    ms: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    tenant: str = ""
    entity: str = ""
    operation: str = ""
    fault: str = ""
    request_id: str = ""
    number: int = 0
    notes: dict[str, str] = field(default_factory=dict)


class RequestLog:
    """A ring buffer of requests, and counts that outlive it."""

    def __init__(self, *, entries_max: int = ENTRIES_MAX) -> None:
        self._entries: deque[RequestEntry] = deque(maxlen=entries_max)
        self.total = 0

    def add(self, entry: RequestEntry) -> None:
        """Append one request."""
        self.total += 1
        entry.number = self.total
        self._entries.append(entry)

    def recent(self, count: int = 100) -> list[RequestEntry]:
        """Return the newest requests, newest first."""
        newest: list[RequestEntry] = []
        for entry in reversed(self._entries):
            if len(newest) >= count:
                break
            newest.append(entry)
        return newest

    def describe(self, count: int = 100) -> dict[str, Any]:
        """Return what the control route shows."""
        return {"total": self.total, "requests": [asdict(entry) for entry in self.recent(count)]}

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.total = 0

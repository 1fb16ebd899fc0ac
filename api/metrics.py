"""What Prometheus reads: how requests go, and from the tables how connections stand.

Counts of requests live in this process, or, where several answer, in files that all of them read: whichever of them
Prometheus happens to ask tells what they did together. Facts about syncs live in the database and are read when they are
asked for, because Dagster's processes are gone before anybody could read them there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from resources.store.database import Database
from sync.clock import Clock

# Where prometheus_client keeps the counts of several processes; it looks at this when it is imported.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# A read should be below the fifth of these, a call that waits for a provider in the last.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The figures of one application."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Count requests, and read the connections' state from this database."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tieout_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tieout_http_request_seconds",
            "How long requests took.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            "tieout_http_requests_under_way",
            "Requests being answered.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._connections = _Connections(database, clock)
        self.registry.register(self._connections)

    def text(self) -> bytes:
        """Return the figures in Prometheus' text form, of all processes together."""
        folder = os.environ.get(SHARED_FOLDER)
        if folder is None:
            return generate_latest(self.registry)
        _forget_the_dead(Path(folder))
        together = CollectorRegistry()
        MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
        together.register(self._connections)
        return generate_latest(together)


@contextmanager
def counted_together(processes: int) -> Iterator[None]:
    """Let the processes that are started within count in one place; one alone, or one told where already, needs none."""
    if processes == 1 or SHARED_FOLDER in os.environ:
        yield
        return
    # Anew at each start, as a counter in memory would begin anew.
    with tempfile.TemporaryDirectory(prefix="tieout-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]


def _forget_the_dead(folder: Path) -> None:
    """Count no request as under way of a process that ended while answering; what it answered before stays counted."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if not _lives(int(pid)):
            mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Connections(Collector):
    """Reads how the connections of all builders stand; no builder is named."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Say nothing at registration, so that starting needs no database."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return one figure per provider and status, and how many syncs are late."""
        with self._database.scheduler_tx() as tx:
            rows = tx.rows("metrics_connections", now=self._clock.now())
        connections = GaugeMetricFamily(
            "tieout_connections", "Connections, by provider and status.", labels=["provider", "status"]
        )
        late = GaugeMetricFamily(
            "tieout_syncs_late",
            "Connections whose sync is due for more than an hour, by provider.",
            labels=["provider"],
        )
        by_provider: dict[str, int] = {}
        for row in rows:
            connections.add_metric([row["provider"], row["status"]], row["connections"])
            by_provider[row["provider"]] = by_provider.get(row["provider"], 0) + row["late"]
        for provider, count in by_provider.items():
            late.add_metric([provider], count)
        yield connections
        yield late

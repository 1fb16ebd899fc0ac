"""What Prometheus reads: how requests go, and from the tables how connections stand.

Counts of requests live in this process; facts about syncs live in the database and are read when they are asked for,
because Dagster's processes are gone before anybody could read them there.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from resources.store.database import Database
from sync.clock import Clock

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
            "tieout_http_requests_under_way", "Requests being answered.", registry=self.registry
        )
        self.registry.register(_Connections(database, clock))

    def text(self) -> bytes:
        """Return the figures in Prometheus' text form."""
        return generate_latest(self.registry)


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

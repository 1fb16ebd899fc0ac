"""Closed history goes after a while; what waits for somebody stays."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resources.retention import Forgotten, forget_history
from resources.settings import Settings
from resources.store.database import Database, Transaction
from resources.store.demo import add_builder
from tests.fakes.world import START

NOW = START


class House:
    """A builder with a connection, and rows of history of any age."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.id, self.connection = uuid4(), uuid4()
        add_builder(database, str(self.id), name="Cedar Ridge", time_zone="UTC", currency="USD")
        self._insert(
            "v2_integration_connections",
            {"id": self.connection, "provider": "quickbooks_online", "status": "connected"},
        )

    def sync(self, *, days: int, processed: int = 0, status: str = "completed") -> UUID:
        """A sync of so many days ago with one row of history; return that row."""
        at = NOW - timedelta(days=days)
        run, log = uuid4(), uuid4()
        self._insert(
            "sync_runs",
            {
                "id": run,
                "connection_id": self.connection,
                "trigger": "scheduled",
                "status": "completed",
                "requested_by": "schedule",
                "requested_at": at,
                "completed_at": at,
            },
        )
        self._insert(
            "v2_sync_log",
            {
                "id": log,
                "connection_id": self.connection,
                "sync_type": "scheduled",
                "entity_type": "bill",
                "direction": "push",
                "status": status,
                "records_processed": processed,
                "started_at": at,
                "completed_at": at,
                "sync_run_id": run,
            },
        )
        return log

    def record(self, log: UUID, status: str, *, resolved_at: datetime | None = None) -> None:
        """A record of that row."""
        self._insert(
            "v2_sync_records",
            {
                "sync_log_id": log,
                "connection_id": self.connection,
                "link_id": uuid4(),
                "platform_entity_type": "bill",
                "platform_entity_id": uuid4(),
                "direction": "push",
                "status": status,
                "action": "created",
                "resolved_at": resolved_at,
            },
        )

    def count(self, table: str) -> int:
        with self.database.builder_tx(self.id) as tx:
            return int(run(tx, f"select count(*) from {table}")[0][0])

    def _insert(self, table: str, columns: dict[str, Any]) -> None:
        given = {"builder_id": self.id, **columns}
        places = ", ".join(f"%({name})s" for name in given)
        with self.database.builder_tx(self.id) as tx:
            tx.cursor().execute(
                f"insert into {table} ({', '.join(given)}) values ({places})",
                given,
            )


def run(tx: Transaction, statement: str) -> list[Any]:
    cursor = tx.cursor()
    cursor.execute(statement)
    return cursor.fetchall()


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def forget(database: Database, settings: Settings) -> Any:
    return lambda: forget_history(database, settings, now=NOW)


def test_settled_records_go_after_two_years_with_their_sync(house: House, forget: Any) -> None:
    old, young = house.sync(days=800, processed=1), house.sync(days=700, processed=1)
    for log in (old, young):
        house.record(log, "synced")
    assert forget() == Forgotten(records=1, log_rows=1, runs=1)
    assert (house.count("v2_sync_records"), house.count("v2_sync_log")) == (1, 1)


def test_what_waits_for_somebody_stays_however_old_with_its_sync(house: House, forget: Any) -> None:
    log = house.sync(days=3000, processed=3)
    for status in ("error", "held", "conflict"):
        house.record(log, status)
    house.record(log, "error", resolved_at=NOW - timedelta(days=2900))
    house.sync(days=1)
    assert forget() == Forgotten(records=1)
    assert house.count("v2_sync_records") == 3


def test_syncs_that_found_nothing_go_after_two_weeks_and_failed_ones_stay(house: House, forget: Any) -> None:
    house.sync(days=20)
    house.sync(days=20, status="failed")
    house.sync(days=20, processed=2)
    house.sync(days=3)
    assert forget() == Forgotten(log_rows=1, runs=1)


def test_the_newest_sync_of_a_connection_stays(house: House, forget: Any) -> None:
    house.sync(days=900)
    house.sync(days=901)
    assert forget() == Forgotten(log_rows=2, runs=1)
    assert house.count("sync_runs") == 1


def test_forgetting_twice_forgets_once(house: House, forget: Any) -> None:
    for _ in range(3):
        house.record(house.sync(days=800, processed=1), "synced")
    house.sync(days=1)
    assert forget().records == 3
    assert forget() == Forgotten()


def test_uploaded_files_go_after_thirty_days(settings: Settings, forget: Any) -> None:
    old, young = (settings.import_folder / "a builder" / name for name in ("old.upload", "young.upload"))
    old.parent.mkdir(parents=True, exist_ok=True)
    for path, days in ((old, 31), (young, 29)):
        path.write_bytes(b"Name\n")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    try:
        assert forget().files == 1
        assert (old.exists(), young.exists()) == (False, True)
    finally:
        young.unlink()

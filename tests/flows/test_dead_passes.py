"""Syncs whose process died: the next one that has the connection's lock says so, and no lock outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from uuid import UUID

import psycopg
import pytest

from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from resources.store.database import Database
from tests.flows.quickbooks_world import quickbooks_world

HOLD = (
    "import sys, psycopg; c = psycopg.connect(sys.argv[1], autocommit=True);"
    "c.execute('select pg_advisory_lock(hashtextextended(%s, 0))', ['sync:' + sys.argv[2]]);"
    "print('held', flush=True); sys.stdin.read()"
)


def test_a_pass_whose_process_died_is_ended_by_the_next_one(settings: Settings, database: Database) -> None:
    """Chaos: a killed worker's pass said for ever that it was under way."""
    with quickbooks_world(settings, database) as world:
        dead = world.add(
            "sync_runs",
            connection_id=world.connection_id,
            trigger="real_time",
            requested_by="real time",
            status="started",
        )
        # A run of Dagster gives the lock back between its steps: it is not dead because somebody else has it.
        stepping = world.add(
            "sync_runs",
            connection_id=world.connection_id,
            trigger="scheduled",
            requested_by="schedule",
            status="started",
            dagster_run_id="d1",
        )
        world.sync()
        states = dict(
            world.rows("select id, status from sync_runs where id = any(%s)", [UUID(dead), UUID(stepping)])
        )
        assert states == {UUID(dead): "failed", UUID(stepping): "started"}


def test_the_lock_of_a_connection_does_not_outlive_its_owner(urls: DatabaseUrls) -> None:
    address = for_psycopg(urls.admin)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, address, "c1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with psycopg.connect(address, autocommit=True) as connection:
        asked = "select pg_try_advisory_lock(hashtextextended('sync:c1', 0))"
        assert connection.execute(asked).fetchone() == (False,)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
        assert holder.stdin is not None
        holder.stdin.close()
        connection.execute("set lock_timeout = '10s'")
        connection.execute("select pg_advisory_lock(hashtextextended('sync:c1', 0))")
    with pytest.raises(ProcessLookupError):
        os.kill(holder.pid, 0)

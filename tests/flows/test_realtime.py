"""The real-time worker over real Postgres and the real QuickBooks sandbox: from commit to the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from resources.changes import ChangeBell
from resources.hints import follow
from resources.postgres import database_urls
from resources.postgres.urls import for_psycopg
from resources.realtime import Done, RealTimeWorker
from resources.registry import PROVIDERS
from resources.settings import Settings
from resources.spec import Hint
from resources.store.database import Database
from resources.store.queries import named_query
from sync.records import Entity
from tests.flows.quickbooks_world import QuickBooksWorld, quickbooks_world

PATIENCE_SECONDS = 25.0


class Seen:
    """A witness that remembers."""

    def __init__(self) -> None:
        self.passes: list[Done] = []

    def saw(self, done: Done) -> None:
        self.passes.append(done)

    def flush(self) -> None:
        """Nothing to show."""


@pytest.fixture
def world(fresh_settings: Settings, fresh_database: Database) -> Iterator[QuickBooksWorld]:
    with quickbooks_world(fresh_settings, fresh_database) as made:
        accounts = made.query("select * from Account maxresults 1000")
        income = next(row["Id"] for row in accounts if row["AccountType"] == "Income")
        cost = next(row["Id"] for row in accounts if row["AccountType"] == "Cost of Goods Sold")
        made.map_to({"revenue": income, "cost_code": cost})
        yield made


def want_real_time(world: QuickBooksWorld) -> None:
    world.run("""update v2_integration_connections set settings = settings || '{"real_time": true}'""")


@contextmanager
def worker(world: QuickBooksWorld, settings: Settings) -> Iterator[Seen]:
    seen = Seen()
    bell = ChangeBell(database_urls(settings).scheduler)
    working = RealTimeWorker(world.tieout, bell, witness=seen)
    thread = threading.Thread(target=working.run)
    thread.start()
    try:
        yield seen
    finally:
        working.stop()
        thread.join(timeout=PATIENCE_SECONDS)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def bills(world: QuickBooksWorld) -> list[str]:
    return sorted(row["DocNumber"] for row in world.query("select * from Bill"))


def test_an_approved_bill_is_in_the_ledger_without_anybody_asking(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    want_real_time(world)
    with worker(world, fresh_settings):
        world.bill(world.vendor())
        until(lambda: bills(world) == ["B-1"])
        until(
            lambda: (
                world.value(
                    "select count(*) from sync_runs where status = 'completed' and trigger = 'real_time'"
                )
                > 0
            )
        )
    kinds = world.rows(
        "select distinct sync_type, entity_type from v2_sync_log where sync_type = 'real_time' order by 2"
    )
    assert ("real_time", "bill") in kinds


def test_a_bill_costs_one_call_beside_its_own_and_few_statements(
    world: QuickBooksWorld, fresh_settings: Settings, fresh_database: Database
) -> None:
    """Each statement is a round trip, and each call a share of the pace that the company is allowed."""
    vendor = world.vendor()
    world.sync()
    want_real_time(world)
    world.bill(vendor)
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(fresh_database._app, "before_cursor_execute", count)
    looks = RealTimeWorker(
        world.tieout, ChangeBell(database_urls(fresh_settings).scheduler), witness=(seen := Seen())
    )
    with ThreadPoolExecutor(1) as pool:
        assert looks.look(pool) == 1
    sa.event.remove(fresh_database._app, "before_cursor_execute", count)
    assert [each.tallies["pushed"].count for done in seen.passes for each in done.summaries] == [1]
    # The closing date is asked for, and the bill is sent.
    assert world.value("select provider_calls from sync_runs where trigger = 'real_time'") == 2
    # A call that waits for its place asks for it again.
    waited = statements.count(named_query("pace_take").text) - 2
    assert waited >= 0
    assert len(statements) - waited <= 43, statements


def test_a_connection_that_did_not_ask_for_it_waits_for_its_schedule(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    with worker(world, fresh_settings) as seen:
        world.bill(world.vendor())
        time.sleep(2.5)
    assert seen.passes == []
    assert bills(world) == []


def test_a_burst_travels_in_few_passes(world: QuickBooksWorld, fresh_settings: Settings) -> None:
    want_real_time(world)
    vendor = world.vendor()
    with worker(world, fresh_settings) as seen:
        for number in range(20):
            world.bill(vendor, number=f"B-{number:02}")
        until(lambda: len(bills(world)) == 20)
    assert len(seen.passes) < 20


def test_two_workers_send_each_bill_once(world: QuickBooksWorld, fresh_settings: Settings) -> None:
    want_real_time(world)
    vendor = world.vendor()
    with ExitStack() as both:
        for _ in range(2):
            both.enter_context(worker(world, fresh_settings))
        for number in range(12):
            world.bill(vendor, number=f"B-{number:02}")
        until(lambda: len(bills(world)) >= 12)
    assert bills(world) == [f"B-{number:02}" for number in range(12)]


def test_it_goes_on_after_the_database_dropped_every_connection(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    want_real_time(world)
    with worker(world, fresh_settings):
        world.bill(world.vendor())
        until(lambda: bills(world) == ["B-1"])
        with psycopg.connect(for_psycopg(database_urls(fresh_settings).admin), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        until(lambda: _enters(world, "B-2"))
        until(lambda: bills(world) == ["B-1", "B-2"])


def test_an_entity_that_is_switched_off_is_not_looked_at_for_ever(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    want_real_time(world)
    world.run("update entity_settings set is_enabled = false where entity = 'vendor'")
    with worker(world, fresh_settings) as seen:
        world.vendor()
        until(lambda: len(seen.passes) == 1)
        time.sleep(2.5)
    assert [list(each.touched.entities) for each in seen.passes] == [[Entity.VENDOR]]


def _enters(world: QuickBooksWorld, number: str) -> bool:
    """Whether the office's own connections are back, too."""
    try:
        # A try may leave its vendor behind without the bill, and two of one name would wait for a person.
        world.bill(world.vendor(f"Elm Supply {uuid4()}"), number=number)
    except sa.exc.DBAPIError:  # the pool notices dropped connections one by one
        return False
    return True


def test_a_payment_the_provider_tells_of_is_here_without_a_schedule(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    world.invoice(world.client())
    world.sync()
    want_real_time(world)
    (invoice,) = world.query("select * from Invoice where DocNumber = 'I-1'")
    with worker(world, fresh_settings):
        world.post(
            "payment",
            {
                "CustomerRef": invoice["CustomerRef"],
                "TotalAmt": 200,
                "Line": [{"Amount": 200, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}],
            },
        )
        hint = Hint(world.realm, {"id": "an event"})
        assert follow(world.database, PROVIDERS["quickbooks_online"], [hint], now=datetime.now(UTC)) == 1
        until(lambda: world.rows("select amount_paid from v2_invoices") == [(Decimal(200),)])
        until(lambda: world.value("select pull_hinted_at is null from v2_integration_connections"))

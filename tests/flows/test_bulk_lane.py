"""What a large import brought is sent behind everything else, by a pass of its own, and by whatever sync comes first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from resources.changes import ChangeBell
from resources.imports.writing import BULK_DOCUMENTS
from resources.postgres import database_urls
from resources.realtime import RealTimeWorker
from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sync.quota import Priority
from sync.records import SYNC_ORDER, Entity
from tests.flows.quickbooks_world import QuickBooksWorld, quickbooks_world
from tests.flows.test_realtime import Seen, want_real_time

MANY = BULK_DOCUMENTS + 5


@pytest.fixture
def world(fresh_settings: Settings, fresh_database: Database) -> Iterator[QuickBooksWorld]:
    with quickbooks_world(fresh_settings, fresh_database) as made:
        accounts = made.query("select * from Account maxresults 1000")
        cost = next(row["Id"] for row in accounts if row["AccountType"] == "Cost of Goods Sold")
        made.map_to({"cost_code": cost})
        made.vendor()
        made.sync()
        want_real_time(made)
        yield made


class Looks:
    """The worker, one look at a time."""

    def __init__(self, world: QuickBooksWorld, settings: Settings) -> None:
        self.seen = Seen()
        self._worker = RealTimeWorker(
            world.tieout, ChangeBell(database_urls(settings).scheduler), witness=self.seen
        )

    def look(self) -> int:
        """Look once, and wait for the passes that follow from it."""
        with ThreadPoolExecutor(1) as pool:
            return self._worker.look(pool)

    def all(self) -> None:
        """Look until nothing is to be done."""
        while self.look():
            pass

    @property
    def passes(self) -> list[tuple[bool, list[Entity]]]:
        """Of each pass that was made: whether it was a large import's, and of what."""
        return [(each.touched.is_bulk, list(each.touched.entities)) for each in self.seen.passes]


def bring(tieout: Tieout, world: QuickBooksWorld, entity: str, rows: list[str]) -> None:
    tieout.imports.import_file(
        world.builder_id, entity, "\n".join(rows).encode(), name=f"{entity}.csv", imported_by="test"
    )


def bring_bills(world: QuickBooksWorld, *, count: int = MANY) -> None:
    """Import bills, each of a vendor of its own that the ledger does not know yet."""
    numbers = range(count)
    bring(world.tieout, world, "vendors", ["Name", *(f"Vendor {number:03}" for number in numbers)])
    code = world.value("select code from v2_cost_codes limit 1")
    lines = [f"IMP-{number:03},Vendor {number:03},2026-03-31,{code},10.00" for number in numbers]
    bring(world.tieout, world, "bills", ["Bill No,Vendor,Date,Cost Code,Amount", *lines])


def bills(world: QuickBooksWorld) -> set[str]:
    return {row["DocNumber"] for row in world.query("select * from Bill maxresults 1000")}


def test_a_large_import_goes_behind_peoples_work_in_the_order_of_dependencies(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    worker = Looks(world, fresh_settings)
    bring_bills(world)
    world.bill(world.value("select id from v2_vendors where name not like 'Vendor %%'"), number="BY-HAND")
    worker.look()
    assert bills(world) == {"BY-HAND"}
    worker.all()
    assert bills(world) == {"BY-HAND", *(f"IMP-{number:03}" for number in range(MANY))}
    assert worker.passes == [(False, [Entity.BILL]), (True, [Entity.VENDOR]), (True, [Entity.BILL])]
    triggers = world.rows(
        "select trigger, count(*) from sync_runs where requested_by = 'real time' group by 1"
    )
    assert dict(triggers) == {"real_time": 1, "initial_import": 2}


def test_a_small_import_goes_at_once(world: QuickBooksWorld, fresh_settings: Settings) -> None:
    worker = Looks(world, fresh_settings)
    bring_bills(world, count=3)
    worker.look()
    assert worker.passes == [(False, [Entity.VENDOR, Entity.BILL])]
    assert len(bills(world)) == 3


def test_a_record_of_a_large_import_that_somebody_edits_goes_at_once(
    world: QuickBooksWorld, fresh_settings: Settings
) -> None:
    worker = Looks(world, fresh_settings)
    bring(world.tieout, world, "vendors", ["Name", *(f"Vendor {number:03}" for number in range(MANY))])
    world.run("update v2_vendors set phone = '555 0100', updated_at = now() where name = 'Vendor 007'")
    worker.look()
    assert worker.passes == [(False, [Entity.VENDOR])]
    sent = {row["DisplayName"] for row in world.query("select * from Vendor maxresults 1000")}
    assert {name for name in sent if name.startswith("Vendor ")} == {"Vendor 007"}


def test_nothing_is_lost_where_the_pass_of_its_own_never_comes(world: QuickBooksWorld) -> None:
    bring_bills(world)
    assert is_waiting(world)
    world.sync()
    assert len(bills(world)) == MANY
    assert not is_waiting(world)


def test_a_schedule_that_has_a_large_import_to_send_waits_like_the_import(world: QuickBooksWorld) -> None:
    scheduled(world)
    before = calls_by_priority(world)
    assert before[Priority.SCHEDULE], "without one it goes before bulk work"
    bring_bills(world)
    scheduled(world)
    assert len(bills(world)) == MANY
    after = calls_by_priority(world)
    assert after[Priority.SCHEDULE] == before[Priority.SCHEDULE]
    assert after[Priority.BULK] > before.get(Priority.BULK, 0)


def test_a_pass_that_broke_off_is_found_again(world: QuickBooksWorld, fresh_settings: Settings) -> None:
    worker = Looks(world, fresh_settings)
    bring_bills(world)
    worker.look()
    waiting = "select count(*) from record_changes where is_bulk and entity = 'bill'"
    assert world.value(waiting) == MANY, "the vendors went, the bills wait"
    with world.database.shared_tx() as transaction:
        transaction.connection.exec_driver_sql(
            "update call_pace set blocked_until = now() + interval '1 hour'"
        )
    worker.look()
    assert worker.passes == [(True, [Entity.VENDOR])], (
        "the provider lets nothing through, and the pass breaks off"
    )
    assert world.value("select count(*) from records where entity = 'bill'") == MANY, "its notes were taken"
    assert world.value(waiting) == MANY
    world.bill(world.value("select id from v2_vendors where name not like 'Vendor %%'"), number="BY-HAND")
    with world.database.shared_tx() as transaction:
        transaction.connection.exec_driver_sql("update call_pace set blocked_until = '-infinity'")
    later = Looks(world, fresh_settings)
    later.look()
    assert bills(world) == {"BY-HAND"}, "what is left of the import still goes behind"
    later.all()
    assert len(bills(world)) == MANY + 1


def scheduled(world: QuickBooksWorld) -> None:
    run_id = world.tieout.note_run(
        world.builder_id,
        UUID(world.connection_id),
        entities=SYNC_ORDER,
        direction="both",
        requested_by="schedule",
        trigger="scheduled",
    )
    with world.tieout.sync(str(world.builder_id), world.connection_id, run_id) as sync:
        sync.sync_all()
        sync.finish()


def calls_by_priority(world: QuickBooksWorld) -> dict[Priority, int]:
    with world.database.shared_tx() as transaction:
        rows = transaction.connection.exec_driver_sql(
            "select priority, sum(calls) from call_meter group by 1"
        )
        return {Priority(priority): calls for priority, calls in rows}


def is_waiting(world: QuickBooksWorld) -> bool:
    with world.database.builder_tx(world.builder_id) as transaction:
        return bool(
            transaction.value(
                "is_bulk_waiting", builder_id=world.builder_id, connection_id=world.connection_id
            )
        )

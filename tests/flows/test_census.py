"""The census: what no feed of changes told is found all the same, a few calls at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from resources.store.database import Database
from resources.store.notices import raise_notifications
from sync import census
from sync.errors import RateLimited, RejectedByProvider
from sync.ports import CensusPage, ChangePage
from sync.records import Entity, RemoteRecord
from tests.fakes.ledger import FakeLedger, outage
from tests.fakes.world import World


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    made.bill(made.vendor())
    made.sync()
    made.sync()
    return made


def a_day_later(world: World) -> None:
    """Let a census come due, and sync until it is done."""
    world.later(hours=25)
    for _ in range(6):
        world.sync()


def bills(world: World) -> list[str]:
    return [row[0] for row in world.rows("select status from v2_bills order by number")]


def test_a_deletion_that_the_feed_never_told_is_found(world: World) -> None:
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.ledger.forget_feed()
    world.sync()
    assert bills(world) == ["approved"], "the feed said nothing"
    a_day_later(world)
    assert bills(world) == ["void"]
    assert world.ledger.all(Entity.BILL) == [], "and nothing was made again"


def test_a_name_made_inactive_and_a_merge_that_the_feed_never_told_are_found(world: World) -> None:
    world.ledger.end(Entity.VENDOR, world.ledger.only(Entity.VENDOR).remote_id, "inactive")
    world.ledger.forget_feed()
    a_day_later(world)
    assert world.value("select is_active from v2_vendors") is False


def test_an_edit_and_a_record_that_the_feed_never_told_are_found(world: World) -> None:
    world.ledger.edit(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, memo="checked by Rosa")
    world.ledger.enter(
        Entity.ACCOUNT, {"name": "Fuel", "number": None, "type": "expense", "description": None}
    )
    world.ledger.forget_feed()
    a_day_later(world)
    assert world.value("select memo from v2_bills") == "checked by Rosa"
    assert world.value("select count(*) from v2_accounts where name = 'Fuel'") == 1


def test_a_feed_that_may_have_missed_something_makes_the_census_come_at_once(world: World) -> None:
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.ledger.forget_feed()
    ledger = world.ledger
    ledger.__class__ = _Forgetful
    for _ in range(6):
        world.sync()
    assert bills(world) == ["void"], "not a day passed"


class _Forgetful(FakeLedger):
    """A ledger whose feed says that it does not reach back far enough."""

    def changes(self, cursor: str | None) -> Iterator[ChangePage]:
        for page in super().changes(cursor):
            yield ChangePage(page.records, page.cursor, may_miss=not self.census_pages)


def test_a_census_goes_on_where_it_stopped_and_spends_a_few_calls_per_sync(world: World) -> None:
    for number in range(40):
        world.ledger.enter(
            Entity.ACCOUNT, {"name": f"Job {number}", "number": None, "type": "expense", "description": None}
        )
    world.sync()
    world.later(hours=25)
    world.ledger.census_pages.clear()
    spent = []
    for _ in range(6):
        before = len(world.ledger.census_pages)
        world.sync()
        spent.append(len(world.ledger.census_pages) - before)
    assert max(spent) <= census.CALLS_PER_SYNC_MAX
    assert spent[0] == census.CALLS_PER_SYNC_MAX
    assert len(world.ledger.census_pages) == len(set(world.ledger.census_pages)), "no page was read twice"
    assert {name for name, _ in world.ledger.census_pages} == {entity.value for entity in Entity}
    assert spent[-1] == 0


class _Throttled(FakeLedger):
    """A ledger that has no calls left for a census."""

    def census(self, name: str, after: str | None) -> CensusPage:
        raise RateLimited(provider="Fake Books", wait_seconds=60)


def test_a_limit_reached_in_a_census_does_not_end_the_sync(world: World) -> None:
    world.bill(world.value("select id from v2_vendors"), number="B-2")
    world.later(hours=25)
    world.ledger.__class__ = _Throttled
    assert world.sync().count(Entity.BILL, "pushed") == 1
    world.ledger.__class__ = FakeLedger
    world.ledger.end(Entity.BILL, world.ledger.all(Entity.BILL)[0].remote_id, "deleted")
    world.ledger.forget_feed()
    for _ in range(6):
        world.sync()
    assert sorted(bills(world)) == ["approved", "void"]


def test_what_a_list_skipped_while_it_was_read_is_asked_for_and_not_taken_for_deleted(world: World) -> None:
    class Skipping(FakeLedger):
        """A list that loses a row between two pages."""

        def census(self, name: str, after: str | None) -> CensusPage:
            page = super().census(name, after)
            return CensusPage(() if name == "bill" else page.rows, page.after)

    world.ledger.__class__ = Skipping
    a_day_later(world)
    assert bills(world) == ["approved"]
    assert world.ledger.census_every == timedelta(days=1)


def test_a_census_that_finds_nothing_changes_nothing(world: World) -> None:
    synced = world.sync()
    world.later(hours=25)
    for _ in range(6):
        synced = world.sync()
        assert all(summary.processed == 0 for summary in synced.entities.values())
    assert synced.calls == 1
    assert world.value("select count(*) from census") > 0


def test_a_record_that_cannot_be_read_ends_no_later_sync(world: World) -> None:
    kept = world.ledger.only(Entity.BILL)
    world.ledger.end(Entity.BILL, kept.remote_id, "deleted")
    world.ledger.forget_feed()
    world.ledger.unreadable.add(kept.remote_id)
    a_day_later(world)
    world.bill(world.value("select id from v2_vendors"), number="N-2")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1, "the new one"
    world.ledger.unreadable.clear()
    a_day_later(world)
    assert bills(world) == ["void", "approved"], "the next census looks again"


class _Refusing(FakeLedger):
    """A ledger that does not let its list of vendors be read."""

    reads = 0

    def census(self, name: str, after: str | None) -> CensusPage:
        if name == "vendor":
            self.census_pages.append((name, after))
            raise RejectedByProvider("The list cannot be read.", provider_code="4001")
        return super().census(name, after)

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        self.reads += 1
        return super().read(entity, remote_id)


def test_a_list_that_the_ledger_refuses_ends_no_sync_and_deletes_nothing(world: World) -> None:
    world.ledger.__class__ = _Refusing
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.ledger.forget_feed()
    a_day_later(world)
    assert bills(world) == ["void"], "the other lists are compared"
    assert world.value("select is_active from v2_vendors")
    assert len(world.ledger.all(Entity.VENDOR)) == 1


def test_of_a_refused_list_no_record_is_asked_for_one_by_one(world: World) -> None:
    for number in range(30):
        world.vendor(f"Trade {number}")
    world.sync()
    ledger = world.ledger
    ledger.__class__ = _Refusing
    ledger.census_pages.clear()
    a_day_later(world)
    assert isinstance(ledger, _Refusing)
    assert ledger.reads == 0, "it is not known of any of them, and that is known at once"
    assert [name for name, _ in ledger.census_pages].count("vendor") == 1, "asked for once in this census"
    place = world.value("select position::jsonb from cursors where stream = 'census'")
    assert place["is_finished"]
    assert place["passed_over"] == ["vendor"]
    ledger.__class__ = FakeLedger
    ledger.end(Entity.VENDOR, ledger.all(Entity.VENDOR)[0].remote_id, "inactive")
    ledger.forget_feed()
    world.later(hours=25)
    for _ in range(12):
        world.sync()
    assert world.value("select count(*) from v2_vendors where not is_active") == 1, (
        "the next one reads it again"
    )


class _Broken(FakeLedger):
    """A ledger whose list of vendors, or whose bills one by one, answer with a server's fault for ever."""

    def census(self, name: str, after: str | None) -> CensusPage:
        if name == "vendor" and "list" in self.unreadable:
            self._call()
            self.census_pages.append((name, after))
            raise outage()
        return super().census(name, after)

    def read(self, entity: Entity, remote_id: str) -> RemoteRecord | None:
        if entity is Entity.BILL and "bills" in self.unreadable:
            self._call()
            self.census_pages.append(("read", remote_id))
            raise outage()
        return super().read(entity, remote_id)


def told(world: World) -> list[str]:
    return list(raise_notifications(world.database, UUID(world.builder_id), now=world.now.now()))


def test_a_list_that_never_answers_does_not_keep_the_census_from_the_other_lists(world: World) -> None:
    ledger = world.ledger
    ledger.__class__ = _Broken
    ledger.unreadable.add("list")
    ledger.end(Entity.BILL, ledger.only(Entity.BILL).remote_id, "deleted")
    ledger.forget_feed()
    ledger.census_pages.clear()
    world.later(hours=25)
    for _ in range(2):
        world.sync()
        assert bills(world) == ["approved"], "an answer is waited for"
        assert told(world) == []
    for _ in range(4):
        world.sync()
    assert bills(world) == ["void"]
    assert [name for name, _ in ledger.census_pages].count("vendor") == census.TRIES_MAX
    assert world.value("select is_active from v2_vendors"), "what was not listed is not taken for gone"


def test_a_list_that_could_not_be_read_is_told_and_read_again_within_a_day_until_it_can_be(
    world: World,
) -> None:
    ledger = world.ledger
    ledger.__class__ = _Weekly
    ledger.unreadable.add("list")
    world.later(days=8)
    for _ in range(6):
        world.sync()
    assert told(world) == ["lists_unread"]
    assert world.value("select facts -> 'entities' from notifications") == ["vendor"]
    world.later(hours=25)
    ledger.census_pages.clear()
    world.sync()
    assert told(world) == [], "told once; it stays while the next census is under way"
    assert world.value("select count(*) from notifications where resolved_at is null") == 1
    ledger.unreadable.clear()
    ledger.end(Entity.VENDOR, ledger.only(Entity.VENDOR).remote_id, "inactive")
    ledger.forget_feed()
    for _ in range(6):
        world.sync()
    assert world.value("select is_active from v2_vendors") is False
    assert told(world) == []
    assert world.value("select count(*) from notifications where resolved_at is null") == 0
    world.later(hours=25)
    ledger.census_pages.clear()
    world.sync()
    assert ledger.census_pages == [], "a week between two censuses again"


class _Weekly(_Broken):
    """A ledger that is counted once a week."""

    @property
    def census_every(self) -> timedelta:
        """A week."""
        return timedelta(days=7)


def test_records_that_never_answer_one_by_one_hold_up_no_other(world: World) -> None:
    ledger = world.ledger
    for number in range(3):
        world.bill(world.value("select id from v2_vendors"), number=f"N-{number}")
    world.sync()
    ledger.__class__ = _Broken
    ledger.unreadable.add("bills")
    for bill in ledger.all(Entity.BILL):
        ledger.end(Entity.BILL, bill.remote_id, "deleted")
    ledger.end(Entity.VENDOR, ledger.only(Entity.VENDOR).remote_id, "inactive")
    ledger.forget_feed()
    world.later(hours=25)
    ledger.census_pages.clear()
    for _ in range(6):
        world.sync()
    assert world.value("select is_active from v2_vendors") is False, "compared behind the bills"
    reads = [remote_id for name, remote_id in ledger.census_pages if name == "read"]
    assert len(reads) == 4 + census.TRIES_MAX - 1, "only the first is waited for"
    assert "lists_unread" in told(world)
    ledger.unreadable.clear()
    a_day_later(world)
    assert bills(world) == ["void"] * 4, "the next census looks again"
    assert told(world) == []
    assert world.value("select count(*) from notifications where resolved_at is null") == 0


def test_a_record_that_the_mirror_does_not_have_and_that_never_answers_is_asked_for_again(
    world: World,
) -> None:
    ledger = world.ledger
    remote_id = ledger.enter(
        Entity.ACCOUNT, {"name": "Fuel", "number": None, "type": "expense", "description": None}
    )
    ledger.forget_feed()
    ledger.unreadable.add(remote_id)
    a_day_later(world)
    assert world.value("select count(*) from v2_accounts where name = 'Fuel'") == 0
    ledger.unreadable.clear()
    a_day_later(world)
    assert world.value("select count(*) from v2_accounts where name = 'Fuel'") == 1


def test_an_answer_after_two_failures_leaves_nothing_out(world: World) -> None:
    ledger = world.ledger
    ledger.__class__ = _Broken
    ledger.unreadable.add("list")
    world.later(hours=25)
    for _ in range(census.TRIES_MAX - 1):
        world.sync()
    ledger.unreadable.clear()
    for _ in range(6):
        world.sync()
    place = world.value("select position::jsonb from cursors where stream = 'census'")
    assert (place["is_finished"], place["passed_over"], place["failures"]) == (True, [], 0)
    assert told(world) == []

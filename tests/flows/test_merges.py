"""Two names that the ledger merged into one: ours follows to the one that is left, or says why not, and nothing is made again."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Entity
from tests.fakes.world import World
from tests.flows.test_endings import policy

WINNER = "Ridge Concrete LLC"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    # What only the ledger has stays there, so that it can be what a merge leaves.
    policy(made, Entity.VENDOR)
    made.run("update entity_settings set direction = 'push' where entity = 'vendor'")
    return made


def there(world: World, name: str = WINNER) -> str:
    """Enter a vendor that only the ledger has."""
    return world.ledger.enter(Entity.VENDOR, {"name": name, "email": None, "phone": None, "address": None})


def linked(world: World) -> str:
    """Return the ledger's id of the one vendor that stands for one of ours."""
    found: str = world.value("select remote_id from links where entity = 'vendor' and record_id is not null")
    return found


def pulled(world: World) -> None:
    world.run("update entity_settings set direction = 'both' where entity = 'vendor'")


@pytest.mark.parametrize("is_said", [True, False], ids=["told into which", "shown by its documents"])
def test_ours_follows_to_the_name_that_is_left(world: World, is_said: bool) -> None:
    vendor = world.vendor()
    world.bill(vendor)
    world.sync()
    winner, loser = there(world), linked(world)
    world.sync()
    pulled(world)
    world.ledger.merge(Entity.VENDOR, keep=winner, lose=loser, is_said=is_said)
    sent = len(world.ledger.writes)
    world.sync()
    assert linked(world) == winner
    assert world.rows("select id::text, name, is_active from v2_vendors") == [(vendor, WINNER, True)]
    assert world.rows("select vendor_id::text, status from v2_bills") == [(vendor, "approved")]
    assert world.ledger.writes[sent:] == []
    ((reason, before, after),) = world.rows(
        "select reason, before ->> 'remote_id', after ->> 'remote_id' from audit_log where action = 'link.merged'"
    )
    assert (reason, before, after) == (
        f"“Ridge Concrete” was merged into “{WINNER}” in the ledger", loser, winner,
    )  # fmt: skip
    world.bill(vendor, number="B-2", amounts=("7.00",))
    world.sync()
    assert {kept.canonical["party"] for kept in world.ledger.all(Entity.BILL)} == {winner}
    assert world.queue("held") == world.queue("error") == world.queue("conflict") == []


@pytest.mark.parametrize("is_said", [True, False], ids=["told into which", "shown by its documents"])
def test_of_two_of_ours_the_merged_one_ends_and_its_documents_go_to_the_other(
    world: World, is_said: bool
) -> None:
    lost, kept = world.vendor(), world.vendor(WINNER)
    world.bill(lost)
    world.sync()
    ids = dict(world.rows("select record_id::text, remote_id from links where entity = 'vendor'"))
    pulled(world)
    world.ledger.merge(Entity.VENDOR, keep=ids[kept], lose=ids[lost], is_said=is_said)
    world.sync()
    assert dict(world.rows("select id::text, is_active from v2_vendors")) == {lost: False, kept: True}
    assert world.value("select vendor_id::text from v2_bills") == kept
    assert f"was merged into “{WINNER}” in the ledger" in world.value(
        "select reason from audit_log where action = 'sync.apply_void' and entity = 'vendor'"
    )
    world.bill(lost, number="B-2", amounts=("7.00",))
    world.sync()
    ((_, sentence),) = world.queue("held")
    assert f"was merged into “{WINNER}” in Fake Books. Choose that one on the document" in sentence
    assert len(world.ledger.all(Entity.VENDOR)) == 1


@pytest.mark.parametrize("strategy", [Strategy.PLATFORM_WINS, Strategy.MANUAL])
def test_a_merged_name_is_asked_about_and_never_made_active_again(world: World, strategy: Strategy) -> None:
    world.strategy = strategy
    lost, kept = world.vendor(), world.vendor(WINNER)
    world.sync()
    ids = dict(world.rows("select record_id::text, remote_id from links where entity = 'vendor'"))
    pulled(world)
    world.ledger.merge(Entity.VENDOR, keep=ids[kept], lose=ids[lost], is_said=True)
    sent = len(world.ledger.writes)
    for _ in range(2):
        world.sync()
    assert world.ledger.writes[sent:] == []
    assert [label for label, _ in world.queue("conflict")] == ["Ridge Concrete"]


def test_a_setting_that_asks_about_endings_asks_about_a_merge_too(world: World) -> None:
    world.vendor()
    world.sync()
    winner, loser = there(world), linked(world)
    policy(world, Entity.VENDOR, there="ask")
    world.ledger.merge(Entity.VENDOR, keep=winner, lose=loser, is_said=True)
    world.sync()
    assert linked(world) == loser
    assert [label for label, _ in world.queue("conflict")] == ["Ridge Concrete"]


def test_documents_that_moved_to_several_names_name_no_successor(world: World) -> None:
    vendor = world.vendor()
    world.bill(vendor)
    world.bill(vendor, number="B-2", amounts=("7.00",))
    world.sync()
    one, two, loser = there(world), there(world, "Summit Electric"), linked(world)
    world.ledger.merge(Entity.VENDOR, keep=one, lose=loser)
    world.ledger.edit(Entity.BILL, world.ledger.all(Entity.BILL)[0].remote_id, party=two)
    world.sync()
    assert world.value("select count(*) from mirror where merged_into is not null") == 0
    assert world.value("select count(*) from audit_log where action = 'link.merged'") == 0
    assert loser not in {kept.remote_id for kept in world.ledger.all(Entity.VENDOR)}


def test_two_of_ours_merged_into_one_that_nobody_has_are_not_both_put_on_it(world: World) -> None:
    first, second = world.vendor(), world.vendor("Summit Electric")
    world.sync()
    ids = dict(world.rows("select record_id::text, remote_id from links where entity = 'vendor'"))
    winner = there(world)
    world.sync()
    for each in (first, second):
        world.ledger.merge(Entity.VENDOR, keep=winner, lose=ids[each], is_said=True)
    world.sync()
    assert (
        world.value("select count(*) from links where remote_id = %s and record_id is not null", winner) == 0
    )
    assert world.value("select count(*) from audit_log where action = 'link.merged'") == 0

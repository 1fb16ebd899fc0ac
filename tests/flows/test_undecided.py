"""A write that nobody confirmed and that the ledger does not explain: a person sees the evidence and says what it was."""

from __future__ import annotations

from uuid import UUID

import pytest

from resources.store import undecided
from resources.store.database import Database
from resources.store.queue import Decider, Touched
from sync.records import Entity
from sync.refusals import NothingToDecide, OutcomeRejected
from tests.fakes.world import World
from tests.flows.ledger_hands import a_bill_payment

LABEL = "Bill B-1 (Ridge Concrete)"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    return made


def a_look_alike(world: World, *, marker: str | None = None, amount: str = "100.00") -> str:
    """A bill that a bookkeeper entered meanwhile, with the same number of the same vendor."""
    return world.ledger.enter(
        Entity.BILL,
        {
            "number": "B-1",
            "date": "2026-05-20",
            "due_date": None,
            "party": world.ledger.only(Entity.VENDOR).remote_id,
            "currency": "USD",
            "memo": "",
            "total": amount,
            "lines": [{"id": "1", "description": "Pour 1", "amount": amount, "account": world.costs}],
        },
        marker=marker,
    )


def asked(world: World) -> str:
    """Lose a bill on its way, let a look-alike appear, and sync until a person is asked; the look-alike's id."""
    world.vendor()
    world.sync()
    world.bill(world.value("select id from v2_vendors"))
    world.ledger.lose_before.add(LABEL)
    world.sync()
    remote_id = a_look_alike(world)
    world.later(minutes=10)
    world.sync()
    return remote_id


def row_id(world: World) -> UUID:
    found: UUID = world.value("select id from v2_sync_records where resolved_at is null and status = 'error'")
    return found


def evidence(world: World) -> undecided.Evidence:
    with world.database.builder_tx(UUID(world.builder_id)) as tx:
        return undecided.evidence(tx, row_id(world))


def decide(world: World, outcome: undecided.Outcome, remote_id: str | None = None) -> Touched:
    by = Decider("rosa", "looked at both", world.clock.now())
    with world.database.builder_tx(UUID(world.builder_id)) as tx:
        return undecided.decide(tx, row_id(world), outcome=outcome, remote_id=remote_id, by=by)


def test_a_look_alike_of_an_unconfirmed_write_is_shown_and_never_taken_for_it(world: World) -> None:
    remote_id = asked(world)
    ((label, sentence),) = world.queue("error")
    assert label == LABEL
    assert "say which one it is" in sentence
    found = evidence(world)
    assert [(row["provider_entity_id"], row["party"], row["is_linked"]) for row in found.candidates] == [
        (remote_id, "Ridge Concrete", False)
    ]
    assert found.ours is not None
    assert found.ours["label"] == LABEL
    assert found.choices == ("adopt", "send_again", "leave")
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1, "nothing is sent while nobody has decided"
    assert (
        world.value(
            "select count(*) from links where entity = 'bill' and record_id is not null and remote_id is not null"
        )
        == 0
    )


def test_it_is_that_one_links_the_two_and_sends_nothing(world: World) -> None:
    remote_id = asked(world)
    decide(world, "adopt", remote_id)
    synced = world.sync()
    assert synced.count(Entity.BILL, "failed") == 0
    assert len(world.ledger.all(Entity.BILL)) == 1
    assert world.rows("select remote_id, linked_by from links where entity = 'bill'") == [
        (remote_id, "person")
    ]
    assert world.queue("error") == []
    assert world.rows("select distinct state from attempts where entity = 'bill'") == [("done",)]
    assert world.value("select reason from audit_log where action = 'push.decided'") == "looked at both"


def test_it_is_that_one_with_other_values_becomes_a_conflict_and_overwrites_nobody(world: World) -> None:
    world.vendor()
    world.sync()
    world.bill(world.value("select id from v2_vendors"))
    world.ledger.lose_before.add(LABEL)
    world.sync()
    remote_id = a_look_alike(world, amount="75.00")
    world.later(minutes=10)
    world.sync()
    decide(world, "adopt", remote_id)
    assert world.sync().count(Entity.BILL, "conflict") == 1
    assert world.ledger.kept[Entity.BILL, remote_id].canonical["total"] == "75.00"


def test_it_never_arrived_sends_the_same_request_once_more(world: World) -> None:
    remote_id = asked(world)
    world.ledger.edit(Entity.BILL, remote_id, number="B-77")
    decide(world, "send_again")
    world.sync()
    sent = [write.request_id for write in world.ledger.writes if write.entity is Entity.BILL]
    assert len(sent) == 2
    assert len(set(sent)) == 1, "the same request id, so that a late first one would still be the only one"
    assert len(world.ledger.all(Entity.BILL)) == 2
    assert world.queue("error") == []


def test_what_a_person_said_it_is_not_is_not_paired_with_it_afterwards(world: World) -> None:
    asked(world)
    decide(world, "send_again")
    world.sync()
    ((_, sentence),) = world.queue("error")
    assert "already in the ledger under another record" in sentence, (
        "the ledger refuses the number, and says so"
    )
    assert (
        world.value(
            "select count(*) from links where entity = 'bill' and record_id is not null and remote_id is not null"
        )
        == 0
    )


def test_left_alone_it_is_neither_sent_nor_asked_about_until_it_changes_here(world: World) -> None:
    asked(world)
    decide(world, "leave")
    world.sync()
    assert world.queue("error") == []
    assert len(world.ledger.all(Entity.BILL)) == 1
    world.change("v2_bills", world.value("select id from v2_bills"), memo="Second pour")
    world.sync()
    assert "say which one it is" in world.queue("error")[0][1], "the ledger is asked before anything is sent"
    assert len(world.ledger.all(Entity.BILL)) == 1


def test_two_documents_with_our_own_mark_are_never_sent_a_third_time(world: World) -> None:
    world.vendor()
    world.sync()
    bill = world.bill(world.value("select id from v2_vendors"))
    world.ledger.lose_after.add(LABEL)
    world.sync()
    marker = world.ledger.only(Entity.BILL).marker
    other = a_look_alike(world, marker=marker)
    world.later(minutes=10)
    world.sync()
    assert evidence(world).choices == ("adopt", "leave")
    with pytest.raises(OutcomeRejected, match="it did arrive"):
        decide(world, "send_again")
    with pytest.raises(OutcomeRejected, match="which of the candidates"):
        decide(world, "adopt", "no such id")
    decide(world, "adopt", other)
    world.sync()
    assert world.rows("select remote_id from links where record_id = %s", bill) == [(other,)]
    assert len(world.ledger.all(Entity.BILL)) == 2


def test_what_was_settled_meanwhile_needs_no_decision(world: World) -> None:
    asked(world)
    found = row_id(world)
    world.run("update attempts set state = 'done' where entity = 'bill'")
    with (
        world.database.builder_tx(UUID(world.builder_id)) as tx,
        pytest.raises(NothingToDecide),
    ):
        undecided.evidence(tx, found)


def test_what_was_deleted_before_its_confirmation_was_looked_up_is_not_made_again(world: World) -> None:
    """Chaos seed 7: the answer was lost, the bookkeeper deleted the bill, and the next look sent it once more."""
    world.vendor()
    world.sync()
    world.bill(world.value("select id from v2_vendors"))
    world.ledger.lose_after.add(LABEL)
    world.sync()
    remote_id = world.ledger.only(Entity.BILL).remote_id
    world.ledger.end(Entity.BILL, remote_id, "deleted")
    world.later(minutes=10)
    world.sync()
    world.later(minutes=10)
    world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert "say which one it is" in world.queue("error")[0][1]
    assert [row["state"] for row in evidence(world).candidates] == ["deleted"]
    decide(world, "send_again")
    world.later(minutes=10)
    world.ledger.replies.clear()
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1, "only a person brings it back"


def test_what_was_paid_on_it_before_anybody_said_that_it_is_ours_counts_here(world: World) -> None:
    remote_id = asked(world)
    a_bill_payment(world, party=world.ledger.only(Entity.VENDOR).remote_id, bill=remote_id)
    world.sync()
    assert world.value("select unapplied_amount from v2_bill_payments") == 100
    world.ledger.edit(Entity.BILL, remote_id, number="B-1a")
    decide(world, "adopt", remote_id)
    world.sync()
    assert world.value("select unapplied_amount from v2_bill_payments") == 0
    assert world.value("select amount_paid from v2_bills") == 100

"""A create whose answer was lost and that is asked for again: what is said to the second asking ends nothing of the first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from resources.store.database import Database
from sync.errors import RateLimited, RejectedByProvider, SyncError
from sync.ports import Rejected, Write, WriteOutcome
from sync.records import Entity
from sync.retry import TRIES_MAX
from tests.fakes.ledger import FakeLedger
from tests.fakes.world import World
from tests.flows.test_endings import policy

BILL = "Bill B-1 (Ridge Concrete)"
TOO_FAST = RateLimited(provider="Fake Books", wait_seconds=5)


class Refusing(FakeLedger):
    """A ledger that can refuse writes before it looks at them."""

    raised: SyncError | None = None
    answered: SyncError | None = None

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        if self.raised is not None:
            raise self.raised
        if self.answered is not None:
            return [Rejected(self.answered) for _ in writes]
        return super().write(writes)


@pytest.fixture
def ledger(world: World) -> Refusing:
    assert isinstance(world.ledger, Refusing)
    return world.ledger


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    made.ledger = Refusing(
        **{name: getattr(made.ledger, name) for name in ("clock", "kept", "_ids", "_changes")}
    )
    return made


def _made_and_deleted_unheard(world: World) -> str:
    """Lose the answer of a create, and let a bookkeeper delete what it made while no feed tells of it."""
    bill = world.bill(world.vendor())
    world.ledger.lose_after.add(BILL)
    world.sync()
    world.ledger.end(Entity.BILL, world.ledger.only(Entity.BILL).remote_id, "deleted")
    world.ledger.forget_feed()
    world.later(minutes=10)
    return bill


def _attempts(world: World) -> list[tuple[str, str]]:
    return world.rows("select operation, state from attempts where entity = 'bill' order by started_at")


@pytest.mark.parametrize("edit", ["as it was", "edited here"])
def test_a_second_asking_that_was_never_sent_brings_no_deleted_document_back(
    world: World, ledger: Refusing, edit: str
) -> None:
    bill = _made_and_deleted_unheard(world)
    if edit == "edited here":
        world.change("v2_bills", bill, memo="second thoughts")
    ledger.raised = TOO_FAST
    with pytest.raises(RateLimited):
        world.sync()
    ledger.raised = None
    for _ in range(2):
        world.later(minutes=10)
        world.sync()
    assert world.ledger.all(Entity.BILL) == []
    assert world.value("select count(distinct request_id) from attempts where entity = 'bill'") == 1


@pytest.mark.parametrize("edit", ["as it was", "edited here"])
def test_a_second_asking_refused_in_passing_leaves_the_outcome_unknown_and_says_why(
    world: World, ledger: Refusing, edit: str
) -> None:
    bill = _made_and_deleted_unheard(world)
    if edit == "edited here":
        world.change("v2_bills", bill, memo="second thoughts")
    ledger.answered = TOO_FAST
    world.sync()
    assert _attempts(world) == [("create", "unknown")]
    ((label, sentence),) = world.queue("error")
    assert label == BILL
    assert "could not be asked again: too many calls for now" in sentence
    ledger.answered = None
    for _ in range(2):
        world.later(minutes=10)
        world.sync()
    assert world.ledger.all(Entity.BILL) == []


@pytest.mark.parametrize("unsent", ["raised", "kept back"])
def test_askings_that_did_not_leave_used_up_the_tries_of_an_edited_create(
    world: World, ledger: Refusing, unsent: str
) -> None:
    _lost_and_edited(world)
    for _ in range(TRIES_MAX):
        if unsent == "raised":
            ledger.raised = TOO_FAST
            with pytest.raises(RateLimited):
                world.sync()
            ledger.raised = None
        else:
            ledger.turns_missed[BILL] = 1
            world.sync()
        world.later(minutes=10)
    ledger.lose_before.add(BILL)
    world.sync()
    world.later(minutes=10)
    world.sync()
    assert len(world.ledger.all(Entity.BILL)) == 1, "it was sent twice, and may be sent again"


def test_a_refusal_of_the_record_itself_ends_a_second_asking(world: World, ledger: Refusing) -> None:
    world.bill(world.vendor())
    ledger.lose_before.add(BILL)
    world.sync()
    world.later(minutes=10)
    ledger.answered = RejectedByProvider("The date is wrong.", label=BILL, provider_code="2180")
    world.sync()
    assert _attempts(world) == [("create", "rejected")]
    assert [sentence for _, sentence in world.queue("error")] == ["The date is wrong."]


def test_a_deletion_between_two_askings_is_remembered_from_the_first(world: World, ledger: Refusing) -> None:
    _made_and_deleted_unheard(world)
    (gone,) = (kept for kept in ledger.kept.values() if kept.entity is Entity.BILL)
    ledger.answered = TOO_FAST
    world.sync()
    ledger.answered = None
    ledger.replies.clear()  # the provider's memory of request ids has ended
    gone.changed_number = next(ledger._changes)  # the feed tells of the deletion at last
    world.later(minutes=30)
    world.sync()
    assert ledger.all(Entity.BILL) == []
    assert "1 record(s) there could be it" in world.queue("error")[0][1]


# ---------------------------------------------------------------- where nothing is sent


def _lost_and_edited(world: World) -> int:
    """Lose a create before it did anything, edit the bill here, and let the provider's time for it pass."""
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add(BILL)
    world.sync()
    world.change("v2_bills", bill, memo="second thoughts")
    world.later(minutes=10)
    return len(world.ledger.writes)


def test_a_sync_that_only_pulls_looks_for_a_lost_create_and_sends_nothing(world: World) -> None:
    sent = _lost_and_edited(world)
    world.engine(direction="pull").sync_all()
    assert world.ledger.writes[sent:] == []
    assert _attempts(world) == [("create", "unknown")]
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"
    assert [each.operation for each in world.ledger.writes[sent:]] == ["create", "update"]


@pytest.mark.parametrize(
    ("setting", "back"),
    [("direction = 'pull'", "direction = 'both'"), ("is_enabled = false", "is_enabled = true")],
)
def test_an_entity_that_is_not_sent_any_more_sends_no_lost_create_either(
    world: World, setting: str, back: str
) -> None:
    policy(world, Entity.BILL)
    sent = _lost_and_edited(world)
    world.run(f"update entity_settings set {setting}")
    for _ in range(2):
        world.sync()
    assert world.ledger.writes[sent:] == []
    world.run(f"update entity_settings set {back}")
    world.sync()
    world.sync()
    assert world.ledger.only(Entity.BILL).canonical["memo"] == "second thoughts"
    assert [each.operation for each in world.ledger.writes[sent:]] == ["create", "update"]


@pytest.mark.parametrize("edited", [False, True])
def test_in_the_approval_lane_a_lost_create_waits_for_a_person_before_it_is_asked_for_again(
    world: World, edited: bool
) -> None:
    policy(world, Entity.BILL)
    bill = world.bill(world.vendor())
    world.ledger.lose_before.add(BILL)
    world.sync()
    if edited:
        world.change("v2_bills", bill, memo="second thoughts")
    world.run("update entity_settings set approval = 'review'")
    world.later(minutes=10)
    sent = len(world.ledger.writes)
    world.sync()
    assert world.ledger.writes[sent:] == []
    assert [label for label, _ in world.queue("held")] == [BILL]
    world.run(
        "update links set state = 'open', approved_checksum = ours_checksum, approved_by = 'rosa' where entity = 'bill'"
    )
    world.sync()
    assert [each.operation for each in world.ledger.writes[sent:]] == ["create", "update"][: 1 + edited]
    assert world.ledger.only(Entity.BILL).canonical["memo"] == ("second thoughts" if edited else "")

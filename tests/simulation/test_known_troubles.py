"""Troubles that have a name, one at a time: a provider that has forgotten, and one that is out for a day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from resources.gate import Budget, OpenGate, Priority, SharedGate, Ticket
from resources.registry import PROVIDERS
from tests.simulation.books import Kind
from tests.simulation.company import Company
from tests.simulation.database import SimDatabase
from tests.simulation.faults import Fault
from tests.simulation.invariants import broken_promises
from tests.simulation.planted import begun_however_late
from tests.simulation.world import SimWorld

# Xero remembers a request for six minutes.
LONGER_THAN_ANY_MEMORY = 7 * 60.0
DOCUMENTS_OF_A_DAY = 120
HOUR = 3600.0
PROVIDERS_ALONE = ("quickbooks", "xero")


def _one_company(worlds: SimDatabase, shape: str) -> tuple[SimWorld, Company]:
    world = SimWorld(worlds, 1, shape=shape)
    return world, world.companies[0]


def _approve(world: SimWorld, kind: Kind, number: str | None, **more: str) -> str:
    if kind == "bill":
        return world.bill(world.vendor("Ridge Concrete"), number=number, **more)
    return world.invoice(world.client("Ann Ortega"), number=str(number), **more)


@pytest.mark.parametrize(
    "fault",
    [Fault.DEATH_AFTER_SEND, Fault.DEATH_BEFORE_SEND, Fault.LOST_REPLY, Fault.LATE, Fault.ERROR_AFTER],
)
@pytest.mark.parametrize(("kind", "number"), [("bill", "B-1"), ("bill", None), ("invoice", "I-1")])
@pytest.mark.parametrize("shape", PROVIDERS_ALONE)
def test_memory_that_ends_between_crash_and_restart_doubles_nothing(
    worlds: SimDatabase, shape: str, kind: Kind, number: str | None, fault: Fault
) -> None:
    world, company = _one_company(worlds, shape)
    document = _approve(world, kind, number)
    world.run(f"update v2_{kind}_lines set description = %s where {kind}_id = %s", f"of {document}", document)
    world.plan.sure = [fault]
    company.sync(with_faults=False)
    world.plan.sure = [fault]
    world.clock.move(LONGER_THAN_ANY_MEMORY)
    company.books.forget()
    company.sync(with_faults=False)
    world.plan.sure = []
    world.clock.move(LONGER_THAN_ANY_MEMORY)
    company.books.forget()
    world.settle()
    live = [paper for paper in company.books.papers(kind) if paper.is_live]
    assert [f"of {document}" in paper.texts for paper in live] == [True]
    assert broken_promises(world) == []


class GateThatLetsOneWait(OpenGate):
    """Lets the first call wait two minutes that comes after something was stored to be sent."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world
        self.has_waited = False

    @contextmanager
    def admit(self, company_id: str, *, is_batch: bool = False, is_metered: bool = False) -> Iterator[Ticket]:
        if not self.has_waited and self._world.rows("select 1 from attempts where state = 'sending'"):
            self.has_waited = True
            self._world.clock.move(2 * 60)
        with super().admit(company_id, is_batch=is_batch, is_metered=is_metered) as ticket:
            yield ticket


def _wait_then_arrive_late(worlds: SimDatabase, shape: str) -> tuple[SimWorld, list[str]]:
    """Let a bill wait between its storing and its sending, arrive late, and be looked for before it arrives."""
    world, company = _one_company(worlds, shape)
    vendor = world.vendor("Ridge Concrete")
    company.sync(with_faults=False)
    gate = GateThatLetsOneWait(world)
    company.books.gate = gate
    first = world.bill(vendor, number="B-1")
    world.run("update v2_bill_lines set description = %s where bill_id = %s", f"of {first}", first)
    world.plan.sure, world.plan.sure_words = [Fault.LATE], ("bill", "invoice")
    company.sync(with_faults=False)
    assert gate.has_waited
    assert world.plan.sure == []
    # The next call has two bills and so is another request.
    world.bill(vendor, number="B-2")
    world.clock.move(2)
    company.sync(with_faults=False)
    world.settle()
    return world, sorted(paper.number for paper in company.books.papers("bill") if paper.is_live)


@pytest.mark.parametrize("shape", PROVIDERS_ALONE)
def test_a_bill_that_waited_for_its_turn_and_arrived_late_is_entered_once(
    worlds: SimDatabase, shape: str
) -> None:
    world, numbers = _wait_then_arrive_late(worlds, shape)
    assert numbers == ["B-1", "B-2"]
    assert broken_promises(world) == []


def test_without_a_limit_on_when_it_is_begun_a_bill_that_waited_is_entered_twice(worlds: SimDatabase) -> None:
    with begun_however_late():
        world, numbers = _wait_then_arrive_late(worlds, "xero")
        assert numbers == ["B-1", "B-1", "B-2"]
        assert broken_promises(world)


@pytest.mark.parametrize("shape", PROVIDERS_ALONE)
def test_a_day_without_the_provider_drains_in_order_within_the_quota_and_alerts_once(
    worlds: SimDatabase, shape: str
) -> None:
    world, company = _one_company(worlds, shape)
    spec = PROVIDERS[company.books.key]
    assert spec.limits is not None
    company.books.wire.json("POST", "/_sandbox/limits", {"enabled": True})
    company.books.gate = SharedGate(
        world.database,
        Budget(spec.key, spec.title, spec.limits),
        priority=Priority.SCHEDULE,
        clock=world.clock,
        sleep=world.clock.move,
    )
    company.http.is_out = True
    vendor = world.vendor("Ridge Concrete")
    for number in range(DOCUMENTS_OF_A_DAY):
        day = f"2040-02-{1 + number // 5:02}"
        world.bill(vendor, number=f"B-{number:03}", amounts=("10.00",), bill_date=day)
        if number % 5 == 4:
            world.clock.move(HOUR)
            assert company.sync(with_faults=False) is None
    assert company.books.papers("bill") == []
    company.end_outage()
    world.settle()
    numbers = [paper.number for paper in company.books.papers("bill")]
    assert numbers == [f"B-{number:03}" for number in range(DOCUMENTS_OF_A_DAY)], (
        "in the order of their dates"
    )
    calls = company.books.emulator.log.recent(5000)
    assert not [call for call in calls if call.status == 429]
    told = world.rows("select kind, count(*) from notifications group by kind order by kind")
    assert told == [("outage_began", 1), ("outage_ended", 1)]
    mailed = world.rows(
        "select n.kind, count(*) from notification_mails m join notifications n on n.id = m.notification_id"
        " group by 1 order by 1"
    )
    assert mailed == [("outage_began", 1), ("outage_ended", 1)]
    assert broken_promises(world) == []

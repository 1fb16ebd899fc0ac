"""The shared budget of calls: windows, priorities, places, the day's rest, and a busy hour in fast motion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from resources.gate import CallLimits, Priority, SharedGate
from resources.store.database import Database
from sandbox.kernel.limits import FixedWindow
from sync.clock import SetClock
from sync.errors import RateLimited
from tests.fakes.world import START

LIMITS = CallLimits(
    calls=60, seconds=61.5, at_once=4, app_calls=9_500, app_seconds=60.0, day_reserve=(0, 20, 60, 320)
)


class Office:
    """Gates over one database and one clock; sleeping moves the clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock(START)
        self.company = str(uuid4())
        self.provider = f"provider-{uuid4()}"
        self.slept = 0.0

    def gate(self, priority: Priority = Priority.SCHEDULE, limits: CallLimits = LIMITS) -> SharedGate:
        return SharedGate(
            self.database,
            provider=self.provider,
            title="Xero",
            limits=limits,
            priority=priority,
            clock=self.clock,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.clock.move(timedelta(seconds=seconds))

    def use(self, gate: SharedGate, *, times: int = 1, day_remaining: int | None = None) -> None:
        for _ in range(times):
            with gate.admit(self.company) as ticket:
                ticket.day_remaining = day_remaining


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


def test_a_whole_window_may_be_used_at_once_and_the_next_call_waits_for_its_end(office: Office) -> None:
    gate = office.gate()
    office.use(gate, times=60)
    assert office.slept == 0
    office.use(gate)
    assert 61.4 < office.slept < 63


def test_two_processes_share_one_window(office: Office) -> None:
    one, other = office.gate(), office.gate()
    for _ in range(30):
        office.use(one)
        office.use(other)
    assert office.slept == 0
    office.use(other)
    assert office.slept > 61


def test_companies_do_not_wait_for_each_other(office: Office) -> None:
    gate = office.gate()
    office.use(gate, times=60)
    office.company = str(uuid4())
    office.use(gate)
    assert office.slept == 0


def test_the_app_s_own_rate_holds_companies_back_together(office: Office) -> None:
    gate = office.gate(limits=CallLimits(calls=60, seconds=60, at_once=4, app_calls=60, app_seconds=60))
    for _ in range(10):
        office.company = str(uuid4())
        office.use(gate)
    assert 7 < office.slept < 10


def test_no_more_calls_are_under_way_at_once_than_the_provider_takes(office: Office) -> None:
    gate, under_way = office.gate(), []
    for _ in range(4):
        held = gate.admit(office.company)
        held.__enter__()
        under_way.append(held)
    with pytest.raises(RateLimited):
        office.use(gate)
    under_way.pop().__exit__(None, None, None)
    before = office.slept
    office.use(gate)
    assert office.slept == before


def test_a_process_that_died_gives_its_places_back_after_a_while(office: Office) -> None:
    gate = office.gate()
    dead = [gate.admit(office.company) for _ in range(4)]
    for held in dead:
        held.__enter__()
    office.clock.move(timedelta(seconds=131))
    before = office.slept
    office.use(office.gate())
    assert office.slept == before


def test_somebody_waiting_goes_before_less_urgent_work(office: Office) -> None:
    bulk, person = office.gate(Priority.BULK), office.gate(Priority.PERSON)
    office.use(bulk, times=60)
    order: list[str] = []
    # The person asks while the window is full: the mark stays when the window opens.
    lease, wait, _ = person._take(*keys(office))
    assert lease is None
    assert wait > 60
    office.clock.move(timedelta(seconds=58.5))
    assert person._take(*keys(office))[0] is None
    office.clock.move(timedelta(seconds=3.1))
    assert bulk._take(*keys(office))[0] is None
    order.append("person" if person._take(*keys(office))[0] is not None else "nobody")
    order.append("bulk" if bulk._take(*keys(office))[0] is not None else "nobody")
    assert order == ["person", "bulk"]


def test_a_pause_that_one_process_was_asked_for_holds_all(office: Office) -> None:
    with office.gate().admit(office.company) as ticket:
        ticket.pause_seconds = 26
    office.use(office.gate(Priority.PERSON))
    assert 26 <= office.slept < 28


def test_bulk_work_leaves_a_day_of_syncs(office: Office) -> None:
    office.use(office.gate(Priority.BULK), day_remaining=320)
    with pytest.raises(RateLimited, match="more urgent work"):
        office.use(office.gate(Priority.BULK))
    office.use(office.gate(Priority.SCHEDULE), day_remaining=319)
    office.use(office.gate(Priority.PERSON), day_remaining=1)
    with pytest.raises(RateLimited):
        office.use(office.gate(Priority.SCHEDULE))


def test_the_day_s_figure_is_learned_anew_after_an_hour(office: Office) -> None:
    office.use(office.gate(Priority.BULK), day_remaining=0)
    office.clock.move(timedelta(minutes=61))
    office.use(office.gate(Priority.BULK), day_remaining=4999)
    office.use(office.gate(Priority.BULK))


@pytest.mark.parametrize("phase", [0.0, 17.3, 43.9])
def test_an_hour_of_bulk_work_uses_the_quota_and_never_overflows_a_fixed_minute(
    office: Office, phase: float
) -> None:
    theirs = FixedWindow(limit=60, seconds=60)
    gate = office.gate(Priority.BULK)
    office.clock.move(timedelta(seconds=phase))
    began = office.clock.now()
    refused, calls = 0, 0
    while office.clock.now() - began < timedelta(minutes=8):
        with gate.admit(office.company):
            office.clock.move(timedelta(seconds=0.18))
            refused += theirs.take(office.clock.now().timestamp()) > 0
            calls += 1
    minutes = (office.clock.now() - began).total_seconds() / 60
    assert refused == 0
    assert calls / (60 * minutes) > 0.95


def test_processes_that_ask_at_the_same_moment_are_counted_one_by_one(database: Database) -> None:
    office = Office(database)
    limits = CallLimits(calls=10, seconds=60, at_once=100, app_calls=10_000, app_seconds=60)
    granted: list[bool] = []
    gates = [office.gate(limits=limits) for _ in range(8)]
    gates[0]._open(*keys(office))

    def ask(gate: SharedGate) -> None:
        granted.extend(gate._take(*keys(office))[0] is not None for _ in range(5))

    run_together([lambda gate=gate: ask(gate) for gate in gates])  # type: ignore[misc]
    assert sum(granted) == 10


def keys(office: Office) -> tuple[str, str]:
    """The rows that the office's company and app are counted in."""
    from resources.gate import _key

    return _key(office.provider, office.company), _key(office.provider, "")


def run_together(work: list[Callable[[], None]]) -> None:
    """Run all at once and wait for the last."""
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

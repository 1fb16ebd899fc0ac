"""The shared budget of calls: windows, priorities, places, the day's rest, and a busy hour in fast motion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from resources.gate import Budget, CallLimits, Rate, SharedGate, Window, _Keys
from resources.meter import MonthPlan, Quota, quota_of
from resources.store.database import Database
from sandbox.kernel.limits import FixedWindow
from sync.clock import SetClock
from sync.errors import RateLimited
from sync.quota import Mode, Priority
from tests.fakes.world import START

LIMITS = CallLimits(at_once=4, window=Window(60, 61.5), app=Window(9_500, 60.0), day_reserve=(0, 20, 60, 320))

QUICKBOOKS = CallLimits(at_once=9, rate=Rate(calls_a_second=8.0, at_a_time=2), batches=Window(38, 60.0))


class Office:
    """Gates over one database and one clock; sleeping moves the clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock(START)
        self.company = str(uuid4())
        self.provider = f"provider-{uuid4()}"
        self.slept = 0.0

    def gate(
        self,
        priority: Priority = Priority.SCHEDULE,
        *,
        limits: CallLimits = LIMITS,
        plan: MonthPlan | None = None,
    ) -> SharedGate:
        return SharedGate(
            self.database,
            Budget(provider=self.provider, title="Xero", limits=limits, plan=plan),
            priority=priority,
            clock=self.clock,
            sleep=self.sleep,
        )

    def quota(self, plan: MonthPlan | None = None) -> Quota:
        with self.database.shared_tx() as tx:
            return quota_of(
                tx,
                provider=self.provider,
                company_id=self.company,
                reserves=LIMITS.day_reserve,
                month=plan.mode() if plan else Mode.NORMAL,
                now=self.clock.now(),
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
    gate = office.gate(limits=CallLimits(at_once=4, window=Window(60, 60), app=Window(60, 60)))
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
    lease, wait, _ = person._take(keys(office))
    assert lease is None
    assert wait > 60
    office.clock.move(timedelta(seconds=58.5))
    assert person._take(keys(office))[0] is None
    office.clock.move(timedelta(seconds=3.1))
    assert bulk._take(keys(office))[0] is None
    order.append("person" if person._take(keys(office))[0] is not None else "nobody")
    order.append("bulk" if bulk._take(keys(office))[0] is not None else "nobody")
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
    limits = CallLimits(at_once=100, window=Window(10, 60), app=Window(10_000, 60))
    granted: list[bool] = []
    gates = [office.gate(limits=limits) for _ in range(8)]
    gates[0]._open(keys(office).company)

    def ask(gate: SharedGate) -> None:
        granted.extend(gate._take(keys(office))[0] is not None for _ in range(5))

    run_together([lambda gate=gate: ask(gate) for gate in gates])  # type: ignore[misc]
    assert sum(granted) == 10


def test_a_steady_rate_lets_few_through_at_once_and_keeps_every_second_and_minute(office: Office) -> None:
    gate = office.gate(limits=QUICKBOOKS)
    calls = []
    for _ in range(600):
        office.use(gate)
        calls.append(office.clock.now().timestamp())
    for window, most in ((1.0, 10), (60.0, 500)):
        assert max(sum(1 for one in calls if start <= one < start + window) for start in calls) <= most
    assert calls[-1] - calls[0] < 600 / 8 * 1.1


def test_batches_have_a_window_of_their_own_beside_the_company_s_rate(office: Office) -> None:
    gate = office.gate(limits=QUICKBOOKS)
    batches = []
    for _ in range(80):
        with gate.admit(office.company, is_batch=True):
            batches.append(office.clock.now().timestamp())
    assert max(sum(1 for one in batches if start <= one < start + 60) for start in batches) <= 38
    before = office.slept
    office.use(gate)
    assert office.slept - before < 1, "a read does not wait for the window of batches"


def test_bulk_work_leaves_what_the_other_work_of_a_day_used_in_the_last_week(office: Office) -> None:
    for _ in range(3):
        office.use(office.gate(Priority.SCHEDULE), times=400)
        office.clock.move(timedelta(days=1))
    office.use(office.gate(Priority.BULK), day_remaining=390)
    with pytest.raises(RateLimited, match="more urgent work"):
        office.use(office.gate(Priority.BULK))
    office.use(office.gate(Priority.SCHEDULE), day_remaining=389)


def test_every_call_is_on_the_meter_of_its_company_and_day(office: Office) -> None:
    gate = office.gate()
    for size in (100, 250):
        with gate.admit(office.company) as ticket:
            ticket.bytes_read, ticket.metered_reads = size, 1
    with gate.admit(office.company) as ticket:
        ticket.is_throttled = True
    quota = office.quota()
    assert (quota.calls_today, quota.throttled_today) == (3, 1)
    assert (quota.metered_reads_this_month, quota.bytes_read_this_month) == (2, 350)
    office.clock.move(timedelta(days=1))
    assert office.quota().calls_today == 0
    assert office.quota().calls_forecast_today > 0


def test_a_day_that_runs_short_says_who_waits(office: Office) -> None:
    for remaining, mode in (
        (4000, "normal"),
        (320, "bulk_waits"),
        (60, "schedule_waits"),
        (20, "people_only"),
    ):
        office.use(office.gate(Priority.PERSON), day_remaining=remaining)
        assert office.quota().mode == mode
        assert office.quota().calls_left_today == remaining


def test_reads_that_would_use_up_the_app_s_month_wait_before_the_provider_blocks_them(office: Office) -> None:
    office.clock = SetClock(START.replace(day=28))
    plan = MonthPlan(
        office.database, provider=office.provider, title="QuickBooks", allowed=100, clock=office.clock
    )

    def read(priority: Priority) -> None:
        with office.gate(priority, plan=plan).admit(office.company, is_metered=True) as ticket:
            ticket.metered_reads = 1

    for _ in range(90):
        read(Priority.SCHEDULE)
    office.clock.move(timedelta(minutes=2))
    with pytest.raises(RateLimited, match="100 reads a month"):
        read(Priority.BULK)
    for _ in range(6):
        read(Priority.SCHEDULE)
    office.clock.move(timedelta(minutes=2))
    with pytest.raises(RateLimited, match="real time and people go on"):
        read(Priority.SCHEDULE)
    read(Priority.PERSON)
    # Writes are not metered.
    with office.gate(Priority.BULK, plan=plan).admit(office.company):
        pass
    assert office.quota(plan).mode == "schedule_waits"
    # A new month, and a week in which nothing was read.
    office.clock.move(timedelta(days=14))
    read(Priority.BULK)


def keys(office: Office) -> _Keys:
    """The rows that the office's company and app are counted in."""
    return office.gate()._keys(office.company)


def run_together(work: list[Callable[[], None]]) -> None:
    """Run all at once and wait for the last."""
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

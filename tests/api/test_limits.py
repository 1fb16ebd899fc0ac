"""How often one caller may ask, counted by several processes over one database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from api.limits import BLOCK_KEPT, BUCKETS_MAX, DATABASE_REST, Allowance, SharedRateLimit
from resources.retention import CALLERS_KEPT, forget_history
from resources.settings import Settings
from resources.store.database import Database
from resources.store.request_pace import Given, RequestPace
from sync.clock import SetClock
from tests.api.world import NOW

PER_MINUTE = 600


class Watched:
    """The counts in the database, and how often they were asked; they may be out of reach for a while."""

    def __init__(self, database: Database) -> None:
        self._pace = RequestPace(database)
        self.statements = 0
        self.is_away = False

    def take(self, caller: str, *, per_minute: int, now: datetime) -> Given:
        self.statements += 1
        if self.is_away:
            raise sa.exc.OperationalError("select", {}, Exception("the server is gone"))
        return self._pace.take(caller, per_minute=per_minute, now=now)


class Processes:
    """Processes of the API over one database and one clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock(NOW)
        self.pace = Watched(database)
        self.caller = f"builder:{uuid4()}"

    def start(self, per_minute: int = PER_MINUTE, *, clock: SetClock | None = None) -> SharedRateLimit:
        return SharedRateLimit(per_minute, self.pace, clock=clock or self.clock)

    def ask(self, *limits: SharedRateLimit) -> list[Allowance]:
        """Ask each process in turn."""
        answers = [limit.take(self.caller) for limit in limits]
        return [answer for answer in answers if answer is not None]

    def use_up(self, *limits: SharedRateLimit) -> int:
        """Ask in turn until everybody refuses; return how many were let through."""
        allowed = 0
        while any(taken := [answer.is_allowed for answer in self.ask(*limits)]):
            allowed += sum(taken)
        return allowed


@pytest.fixture
def processes(database: Database) -> Processes:
    return Processes(database)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_minute_is_one_minute_however_many_processes_answer(processes: Processes, count: int) -> None:
    limits = [processes.start() for _ in range(count)]
    assert processes.use_up(*limits) == PER_MINUTE
    processes.clock.move(timedelta(seconds=30))
    assert processes.use_up(*limits) == PER_MINUTE / 2


def test_threads_of_two_processes_at_once_get_no_more_than_one_minute(processes: Processes) -> None:
    limits = [processes.start(), processes.start()]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: limits[number % 2].take(processes.caller), range(700)))
    assert sum(answer.is_allowed for answer in answers if answer) == PER_MINUTE


def test_most_requests_cost_no_statement_and_refusals_none_at_all(processes: Processes) -> None:
    limits = [processes.start(), processes.start()]
    for _ in range(200):
        processes.ask(*limits)
    assert processes.pace.statements == 40
    processes.use_up(*limits)
    before = processes.pace.statements
    refused = [processes.ask(*limits) for _ in range(50)]
    assert not any(each.is_allowed for pair in refused for each in pair)
    assert processes.pace.statements == before


def test_what_is_left_is_told_as_one_process_alone_would_tell_it(processes: Processes) -> None:
    limit = processes.start()
    assert [answer.remaining for _ in range(25) for answer in processes.ask(limit)] == list(
        range(599, 574, -1)
    )
    headers = processes.ask(limit)[0].headers()
    assert headers == {"RateLimit-Policy": '"caller";q=600;w=60', "RateLimit": '"caller";r=574;t=0'}


def test_of_several_processes_each_tells_at_most_a_block_too_much(processes: Processes) -> None:
    limits = [processes.start(), processes.start()]
    for number in range(0, PER_MINUTE, 2):
        for answer in processes.ask(*limits):
            left = PER_MINUTE - number
            assert left - 22 <= answer.remaining <= left + 10


def test_a_refused_caller_may_go_on_at_the_moment_it_was_told_in_any_process(processes: Processes) -> None:
    first, second = processes.start(30), processes.start(30)
    processes.use_up(first, second)
    (refused,) = processes.ask(first)
    assert (refused.is_allowed, refused.remaining, refused.wait_seconds) == (False, 0, 2)
    processes.clock.move(timedelta(seconds=1))
    assert [each.is_allowed for each in processes.ask(first, second)] == [False, False]
    processes.clock.move(timedelta(seconds=1))
    assert [each.is_allowed for each in processes.ask(second, first)] == [True, False]


def test_what_one_process_was_given_and_nobody_asked_it_for_is_little(processes: Processes) -> None:
    busy, others = processes.start(), [processes.start() for _ in range(9)]
    processes.ask(*others)
    assert PER_MINUTE - 100 <= processes.use_up(busy) + len(others) <= PER_MINUTE


def test_a_block_that_was_not_used_is_good_for_a_minute_only(processes: Processes) -> None:
    limit = processes.start()
    processes.ask(limit)
    processes.clock.move(BLOCK_KEPT + timedelta(seconds=1))
    processes.ask(limit)
    assert processes.pace.statements == 2


def test_a_machine_whose_clock_is_behind_gives_nobody_more(processes: Processes) -> None:
    behind = SetClock(NOW - timedelta(minutes=10))
    limits = [processes.start(), processes.start(clock=behind)]
    assert processes.use_up(*limits) == PER_MINUTE


def test_without_the_database_each_process_counts_for_itself_and_asks_again_later(
    processes: Processes,
) -> None:
    limits = [processes.start(), processes.start()]
    processes.pace.is_away = True
    assert processes.use_up(*limits) == 2 * PER_MINUTE
    assert processes.pace.statements == 2
    processes.pace.is_away = False
    processes.clock.move(DATABASE_REST)
    assert processes.use_up(*limits) == PER_MINUTE


def test_one_caller_s_minute_is_nobody_else_s_and_zero_means_no_limit(processes: Processes) -> None:
    limit = processes.start(1)
    assert processes.use_up(limit) == 1
    other = limit.take("somebody else")
    assert other is not None
    assert other.is_allowed
    assert processes.start(0).take(processes.caller) is None


def test_a_row_does_not_tell_whose_it_is_and_is_forgotten_after_a_day(
    processes: Processes, settings: Settings
) -> None:
    def rows() -> list[str]:
        with processes.database.shared_tx() as tx:
            found = tx.connection.exec_driver_sql("select to_jsonb(p)::text from request_pace p")
            return [row[0] for row in found]

    forget_history(processes.database, settings, now=NOW + timedelta(days=30))
    processes.ask(processes.start())
    (row,) = rows()
    assert processes.caller.split(":")[1] not in row
    forget_history(processes.database, settings, now=NOW + CALLERS_KEPT)
    assert rows() == [row]
    forget_history(processes.database, settings, now=NOW + CALLERS_KEPT + timedelta(seconds=1))
    assert rows() == []


def test_memory_stays_bounded() -> None:
    class Endless:
        def take(self, caller: str, *, per_minute: int, now: datetime) -> Given:
            del caller, now
            return Given(10, per_minute)

    limit = SharedRateLimit(PER_MINUTE, Endless(), clock=SetClock(NOW))
    for number in range(2 * BUCKETS_MAX + 1):
        limit.take(f"caller {number}")
    assert len(limit._hands) <= BUCKETS_MAX

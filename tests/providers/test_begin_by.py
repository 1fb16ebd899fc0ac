"""A write is never begun late: after any wait it is asked whether there is still time, before every try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from resources.gate import Ticket
from resources.http import api_client
from resources.quickbooks.client import Client as QuickBooksClient
from resources.spec import CompanyFacts
from resources.xero.client import Client as XeroClient
from sync.clock import SetClock
from sync.errors import AccessExpired, NotBegun
from sync.retry import BEGIN_WITHIN, PROVIDER_TIMEOUT

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@dataclass
class WaitingRoom:
    """A gate, a way in and a provider that can each let a write wait, and hear which calls arrived."""

    clock: SetClock = field(default_factory=lambda: SetClock(START))
    gate_wait: timedelta = timedelta(0)
    renewal_wait: timedelta = timedelta(0)
    answers: list[httpx.Response] = field(default_factory=list)
    arrived: list[datetime] = field(default_factory=list)
    company: CompanyFacts = field(default_factory=lambda: CompanyFacts("42"))

    @contextmanager
    def admit(self, company_id: str, *, is_batch: bool = False, is_metered: bool = False) -> Iterator[Ticket]:
        del company_id, is_batch, is_metered
        self.clock.move(self.gate_wait)
        yield Ticket()

    def token(self) -> str:
        return "first"

    def renew(self, refused: str) -> str:
        del refused
        self.clock.move(self.renewal_wait)
        return "second"

    def report(self, error: AccessExpired) -> None:
        raise AssertionError(error)

    def confirm(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))

    def answer(self, _request: httpx.Request) -> httpx.Response:
        self.arrived.append(self.clock.now())
        return self.answers.pop(0) if self.answers else httpx.Response(200, json={})


def send_to_quickbooks(room: WaitingRoom, http: httpx.Client) -> Any:
    client = QuickBooksClient(room, http=http, gate=room, clock=room.clock)
    return client.send("batch", {}, params={}, label="Bill B-1", begin_by=START + BEGIN_WITHIN)


def send_to_xero(room: WaitingRoom, http: httpx.Client) -> Any:
    client = XeroClient(room, http=http, gate=room, clock=room.clock, sleep=room.sleep)
    return client.send(
        "PUT", "Invoices", {}, key="k", params={}, label="Bill B-1", begin_by=START + BEGIN_WITHIN
    )


Send = Callable[[WaitingRoom, httpx.Client], Any]
BOTH = pytest.mark.parametrize("send", [send_to_quickbooks, send_to_xero])


def sent(send: Send, room: WaitingRoom) -> Any:
    with api_client("http://ledger", transport=httpx.MockTransport(room.answer)) as http:
        return send(room, http)


@BOTH
def test_a_write_that_waited_long_for_its_turn_is_not_begun(send: Send) -> None:
    room = WaitingRoom(gate_wait=BEGIN_WITHIN + timedelta(seconds=1))
    with pytest.raises(NotBegun):
        sent(send, room)
    assert room.arrived == []


@BOTH
def test_a_write_whose_turn_came_in_time_is_sent(send: Send) -> None:
    room = WaitingRoom(gate_wait=BEGIN_WITHIN - timedelta(seconds=1))
    sent(send, room)
    assert len(room.arrived) == 1


@BOTH
def test_a_write_is_not_begun_again_when_renewing_the_token_took_long(send: Send) -> None:
    room = WaitingRoom(renewal_wait=BEGIN_WITHIN + timedelta(seconds=1), answers=[httpx.Response(401)])
    with pytest.raises(NotBegun):
        sent(send, room)
    assert room.arrived == [START]


def test_a_write_that_xero_let_wait_a_minute_is_not_begun_again() -> None:
    room = WaitingRoom(answers=[httpx.Response(429, headers={"retry-after": "60"}, json={})] * 2)
    with pytest.raises(NotBegun):
        sent(send_to_xero, room)
    assert room.arrived == [START], "refused unseen once, and not sent a minute later"


def test_what_was_begun_in_time_has_ended_before_it_may_be_sent_again() -> None:
    # Intuit cuts a call at 120 seconds; a connection is made in 10.
    assert BEGIN_WITHIN + timedelta(seconds=10 + 120) <= PROVIDER_TIMEOUT

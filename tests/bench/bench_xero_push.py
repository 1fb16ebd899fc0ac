"""Xero: what an idle sync and a push of 1,000 documents cost in calls, and a push of 10,000 under the real limits.

The last runs in fast motion: Xero's minutes, our waits and the clock of both pass twice as fast as a watch's.
"""

from __future__ import annotations

import itertools
import secrets
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from resources.gate import Budget, SharedGate
from resources.spec import Surroundings
from resources.store.database import Database
from resources.wiring import Tieout
from resources.xero.provider import Xero
from resources.xero.spec import LIMITS
from sandbox.kernel.server import ServerThread
from sandbox.xero import create_app
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from sync.ports import Done, Write
from sync.quota import Priority
from sync.records import Entity
from tests.bench.fast_clock import FastClock
from tests.bench.measure import bench, figure
from tests.support.books import DATE
from tests.support.office import Office
from tests.support.xero_books import XeroBooks

DOCUMENTS = 1_000
MANY = 10_000
PER_CALL = 50
A_MINUTE = 60
SCALE = 2.0


def main() -> None:
    """Connect a builder, count calls, and push against the limits."""
    app = create_app(seed="none")
    app.emulator.identity_default = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)  # type: ignore[attr-defined]
    with bench() as stage, ServerThread(app) as server:
        books = XeroBooks(server.url, app.emulator)
        books.open_company("Larch Books")
        with Tieout(books.settings(stage.settings), database=stage.database, clock=books.clock) as tieout:
            office = Office(tieout, books)
            office.connect()
            _thousand(office)
            _thousand_again(office)
            _idle(office)
            _many(office, stage.database)
        books.close()


def _thousand(office: Office) -> None:
    vendor = office.vendor()
    office.sync()
    for number in range(DOCUMENTS):
        office.bill(vendor, number=f"B-{number}", amounts=("10.00",))
    began, before = time.perf_counter(), len(office.books.calls())
    done = office.sync()
    assert done.failed == [], done.failed[:3]
    assert done.proof.is_tied, done.differences
    # Everything but the look at the lists before and the trial balance after: reads that check what is written are in it.
    made = office.books.calls()[before:]
    looks = office.books.idle_calls + sum(entry.path.endswith("TrialBalance") for entry in made)
    figure(
        "xero.push_1000.calls",
        done.calls - looks,
        "calls",
        documents=DOCUMENTS,
        allowed=25,
        with_pull_and_proof=done.calls,
        wall_s=time.perf_counter() - began,
    )


def _thousand_again(office: Office) -> None:
    """Change all of them: Xero has no lock, so each list is read and compared before it is sent."""
    office.settled()
    office.run("update v2_bill_lines set amount = 11")
    office.run("update v2_bills set total = 11, updated_at = updated_at + interval '1 second'")
    office.later(minutes=10)
    before = len(office.books.calls())
    done = office.sync()
    assert done.failed == [], done.failed[:3]
    assert done.proof.is_tied, done.differences
    figure(
        "xero.change_1000.calls",
        done.calls - office.books.idle_calls - 1,
        "calls",
        documents=DOCUMENTS,
        with_pull_and_proof=done.calls,
    )
    windows = sorted(_windows(office.books.calls()[before:]))
    assert len(windows) == DOCUMENTS // PER_CALL, "each list was read right before it was sent"
    figure(
        "xero.read_compare_write.window",
        windows[len(windows) // 2],
        "ms",
        worst=windows[-1],
        lists=len(windows),
        beyond="one round trip to Xero",
    )


def _windows(calls: list[Any]) -> list[float]:
    """Milliseconds from the end of each list's read to the arrival of its write, as the sandbox saw them."""
    found = []
    for read, write in itertools.pairwise(calls):
        if write.method == "POST" and read.method == "GET":
            ended = datetime.fromisoformat(read.at) + timedelta(milliseconds=read.ms)
            found.append((datetime.fromisoformat(write.at) - ended) / timedelta(milliseconds=1))
    return found


def _idle(office: Office) -> None:
    office.settled()
    office.later(minutes=10)
    done = office.sync()
    figure("xero.idle_sync.calls", done.calls, "calls", polled_lists=office.books.idle_calls)


def _many(office: Office, database: Database) -> None:
    """Push 10,000 bills while the sandbox enforces Xero's own limits."""
    books, clock = office.books, FastClock(scale=SCALE)
    assert isinstance(books, XeroBooks)
    party, account = books.vendor("Bulk Supplies"), books.account("cost")
    opened = office.tieout.connections.open(office.builder_id, office.connection_id)
    assert isinstance(opened, Xero)
    gate = SharedGate(
        database,
        Budget(provider=f"bench-{uuid4()}", title="Xero", limits=LIMITS),
        priority=Priority.BULK,
        clock=clock,
        sleep=clock.sleep,
    )
    provider = Xero(opened._access, Surroundings(opened._client._http, clock, gate, "http://localhost:8000"))
    books.control("POST", "/clock", {"now": clock.now().isoformat(), "scale": SCALE})
    books.control("POST", "/limits", {"enabled": True})
    began, before = clock.now(), provider.calls
    refused = 0
    passed: list[tuple[int, float]] = []
    for start in range(0, MANY, PER_CALL):
        outcomes = provider.write([_bill(party, account, start + n) for n in range(PER_CALL)])
        refused += sum(not isinstance(outcome, Done) for outcome in outcomes)
        passed.append((provider.calls - before, (clock.now() - began).total_seconds() / 60))
    minutes = (clock.now() - began).total_seconds() / 60
    throttled = sum(entry.status == 429 for entry in books.calls())
    calls = provider.calls - before
    # Up to the first call of the last minute that was begun: whole minutes, waits for the next one included.
    whole = calls // A_MINUTE * A_MINUTE
    made, until = next(each for each in passed if each[0] > whole)
    used = (made - 1) / (A_MINUTE * until)
    figure(
        "xero.push_10000.quota_used", 100 * used, "%", calls=calls, minutes=minutes, throttled=throttled,
        refused=refused, documents_per_minute=MANY / minutes, floor_percent=95,
    )  # fmt: skip


def _bill(party: str, account: str, number: int) -> Write:
    line: dict[str, Any] = {
        "id": None,
        "description": "Bulk",
        "amount": "10.00",
        "quantity": None,
        "unit_price": None,
        "account": account,
    }
    canonical = {
        "number": f"M-{number}", "date": DATE, "due_date": None, "party": party, "currency": "USD", "memo": "",
        "total": str(Decimal("10.00")), "lines": [line],
    }  # fmt: skip
    mark = f"tieout:{number:022d}"
    return Write(Entity.BILL, "create", canonical, secrets.token_hex(16), mark, f"Bill M-{number}")


if __name__ == "__main__":
    main()

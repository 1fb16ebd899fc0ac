"""Initial pull from the QuickBooks sandbox: our engine, tap-quickbooks, a python-quickbooks loop, and the floor, in one run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from quickbooks import QuickBooks
from quickbooks.objects.base import QuickbooksBaseObject
from quickbooks.objects.bill import Bill
from quickbooks.objects.billpayment import BillPayment
from quickbooks.objects.customer import Customer
from quickbooks.objects.deposit import Deposit
from quickbooks.objects.invoice import Invoice
from quickbooks.objects.journalentry import JournalEntry
from quickbooks.objects.payment import Payment
from quickbooks.objects.vendor import Vendor

from resources.http import token_client
from resources.oauth import OAuth
from resources.postgres.urls import for_psycopg
from resources.quickbooks.spec import SPEC
from tests.bench.many_builders import consented
from tests.bench.measure import Bench, Measured, bench, figure, memory_mb
from tests.bench.singer import Tap, run_tap
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

DOCUMENTS, DOCUMENTS_FULL = 20_000, 100_000
# The tap takes minutes where we take seconds, and what a row costs it does not depend on how many there are.
TAP_DOCUMENTS, TAP_DOCUMENTS_FULL = 4_000, 20_000
PEER_PAGES_MAX = 3
PAGE = 1000
OBJECTS: tuple[type[QuickbooksBaseObject], ...] = (
    Customer, Vendor, Invoice, Bill, JournalEntry, Payment, BillPayment, Deposit,
)  # fmt: skip
STREAMS = (
    "accounts", "items", "customers", "vendors", "invoices", "bills", "journal_entries", "payments", "bill_payments",
    "deposits",
)  # fmt: skip
Connection = psycopg.Connection[Any]
NAMES = [each.__name__ for each in OBJECTS]
ROWS = "create table pulled (entity text, id text, sync_token text, doc jsonb, primary key (entity, id))"


def main() -> None:
    """Seed one company and read it three times."""
    is_full = "--full" in sys.argv
    documents = DOCUMENTS_FULL if is_full else DOCUMENTS
    with bench() as stage, world_at(stage.sandbox_url, stage.settings, stage.database) as world:
        seed(world, documents)
        _render(world.sandbox_url, world.realm, world.token())
        floor = _floor(stage, world)
        peer = _peer(stage, world)
        tap = _tap(stage, world, documents=TAP_DOCUMENTS_FULL if is_full else TAP_DOCUMENTS)
        before = memory_mb()
        with stage.measure() as took:
            read, calls = pull(world)
        engine = read / took.wall
        beside = {
            "documents": documents, "calls": calls, "rows": read, "cpu_s": took.cpu,
            "postgres_cpu_s": took.postgres_cpu, **queued(took),
            "wall_s": took.wall, "memory_grown_mb": memory_mb() - before,
            "python_quickbooks_rows_per_s": peer, "floor_rows_per_s": floor,
            "times_faster_than_peer": engine / peer, "times_the_floors_time": floor / engine,
            **({} if tap is None else {"tap_quickbooks_rows_per_s": tap, "times_faster_than_tap": engine / tap}),
        }  # fmt: skip
        figure("initial_pull.mirror", engine, "rows/s", **beside)
        _first_sync(stage, world, documents)


def seed(world: QuickBooksWorld, documents: int) -> None:
    """Fill the connected company and let the product forget how far it read."""
    _fill(world.sandbox_url, world.realm, documents)
    world.run("delete from cursors")


def _fill(sandbox_url: str, realm: str, documents: int) -> None:
    with httpx.Client(base_url=sandbox_url, timeout=900) as control:
        answer = control.post("/_sandbox/seed", json={"realm": realm, "size": documents})
        assert answer.is_success, answer.text


def _render(sandbox_url: str, realm: str, token: str) -> None:
    """The sandbox renders each object once; nobody who is measured shall pay for that."""
    with _reader(sandbox_url, token) as client:
        for name in NAMES:
            for _ in _pages(client, realm, name):
                pass


def pull(world: QuickBooksWorld) -> tuple[int, int]:
    """Read the whole ledger into the mirror, through the wiring."""
    with world.opened() as sync:
        summary = sync.pull_changes()
        return summary.read, sync.provider_calls


def _first_sync(stage: Bench, world: QuickBooksWorld, documents: int) -> None:
    """What a first sync does after the pull: names, payments and deposits become rows of the platform."""
    with stage.measure() as took:
        world.sync()
    rows = world.value("select count(*) from links where record_id is not null")
    beside = {
        "documents": documents,
        "cpu_s": took.cpu,
        "postgres_cpu_s": took.postgres_cpu,
        "wall_s": took.wall,
        **queued(took),
    }
    figure("initial_pull.applied", rows / took.wall, "rows/s", rows=rows, **beside, memory_mb=memory_mb())


def queued(took: Measured) -> dict[str, float]:
    """How long was waited for a processor: on a machine of one's own about nothing."""
    return {"queued_s": took.queued, "postgres_queued_s": took.postgres_queued}


# ---------------------------------------------------------------------------------- the floor


def _floor(stage: Bench, world: QuickBooksWorld) -> float:
    """Bare HTTP, JSON parse and COPY of the same objects, in pages of a thousand."""
    rows = 0
    with (
        pull_table(stage) as connection,
        _reader(world.sandbox_url, world.token()) as client,
        stage.measure() as took,
    ):
        for name in NAMES:
            for page in _pages(client, world.realm, name):
                rows += len(page)
                copy_rows(connection, name, [(row["Id"], row["SyncToken"], row) for row in page])
    figure(
        "initial_pull.floor", rows / took.wall, "rows/s", rows=rows, cpu_s=took.cpu,
        postgres_cpu_s=took.postgres_cpu, **queued(took),
    )  # fmt: skip
    return rows / took.wall


def _reader(sandbox_url: str, token: str) -> httpx.Client:
    # One for all pages, as ours is: making it costs as much as reading a page.
    return httpx.Client(base_url=sandbox_url, timeout=60, headers={"Authorization": f"Bearer {token}"})


def _pages(client: httpx.Client, realm: str, name: str) -> Iterator[list[dict[str, Any]]]:
    start = 1
    while True:
        statement = f"select * from {name} orderby Id startposition {start} maxresults {PAGE}"
        answer = client.get(
            f"/v3/company/{realm}/query", params={"query": statement}, headers={"Accept": "application/json"}
        )
        body = json.loads(answer.content, parse_float=Decimal)
        rows = body["QueryResponse"].get(name) or []
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        start += PAGE


def copy_rows(
    connection: Connection, name: str, page: Sequence[tuple[str, str | None, dict[str, Any]]]
) -> None:
    """Write a page of (id, version, object) as the quickest way there is."""
    with (
        connection.transaction(),
        connection.cursor() as cursor,
        cursor.copy("copy pulled (entity, id, sync_token, doc) from stdin") as copy,
    ):
        for key, version, row in page:
            copy.write_row((name, key, version, json.dumps(row, default=str)))


# ---------------------------------------------------------------------------------- the peer


def _peer(stage: Bench, world: QuickBooksWorld) -> float:
    """python-quickbooks, page by page, each object written as its documentation's loops do.

    Its first pages of each kind: the loop does the same for every page, and takes minutes for all of them.
    """
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the library's own switch for an address on this machine
    client = QuickBooks(auth_client=_Auth(world), company_id=world.realm, minorversion=75)
    # The library has its two addresses built in.
    client.api_url_v3 = f"{world.sandbox_url}/v3"
    client.sandbox_api_url_v3 = f"{world.sandbox_url}/v3"
    rows = 0
    with pull_table(stage) as connection, stage.measure() as took:
        for kind in OBJECTS:
            start = 1
            while True:
                page = kind.all(start_position=start, max_results=PAGE, order_by="Id", qb=client)
                with connection.transaction(), connection.cursor() as cursor:
                    for each in page:
                        cursor.execute(
                            "insert into pulled values (%s, %s, %s, %s)"
                            " on conflict (entity, id) do update set sync_token = excluded.sync_token, doc = excluded.doc",
                            (kind.__name__, each.Id, each.SyncToken, each.to_json()),
                        )
                rows += len(page)
                start += PAGE
                if len(page) < PAGE or start > PEER_PAGES_MAX * PAGE:
                    break
    figure(
        "initial_pull.python_quickbooks",
        rows / took.wall,
        "rows/s",
        rows=rows,
        pages_of_each_kind_max=PEER_PAGES_MAX,
        cpu_s=took.cpu,
        postgres_cpu_s=took.postgres_cpu,
        **queued(took),
    )
    return rows / took.wall


def _tap(stage: Bench, world: QuickBooksWorld, *, documents: int) -> float | None:
    """singer's tap-quickbooks into singer's target for PostgreSQL: a company of its own, the lists that our pull reads."""
    settings, realm = world.tieout.settings, str(uuid4().int)[:16]
    with token_client() as http:
        made = http.post(
            f"{world.sandbox_url}/_sandbox/companies", json={"realm": realm, "name": "Larch Peer Books"}
        )
        assert made.is_success, made.text
        oauth = OAuth(SPEC.endpoints(settings), http=http, clock=world.tieout.clock)
        tokens = consented(oauth, http, realm)
    _fill(world.sandbox_url, realm, documents)
    _render(world.sandbox_url, realm, tokens.access_token)
    tap = Tap(
        name="tap-quickbooks",
        module="tap_quickbooks",
        addresses={
            "https://sandbox-quickbooks.api.intuit.com": world.sandbox_url,
            "https://oauth.platform.intuit.com": world.sandbox_url,
        },
        config={
            "sandbox": "true",
            "realm_id": realm,
            "client_id": settings.quickbooks_client_id,
            "client_secret": settings.quickbooks_client_secret.get_secret_value(),
            "refresh_token": tokens.refresh_token,
        },
        streams=STREAMS,
    )
    ran = run_tap(stage, tap)
    if ran is None:
        return None
    figure("initial_pull.tap_quickbooks", ran.rate, "rows/s", documents=documents, **ran.beside())
    return ran.rate


@contextmanager
def pull_table(stage: Bench) -> Iterator[Connection]:
    """A database of its own with one table for whatever comes."""
    with (
        stage.server.fresh_database() as url,
        psycopg.connect(for_psycopg(url), autocommit=True) as connection,
    ):
        connection.execute(ROWS)
        yield connection


class _Auth:
    """What python-quickbooks asks of its auth client."""

    environment = "sandbox"
    client_id = "tieout"

    def __init__(self, world: QuickBooksWorld) -> None:
        self.access_token = world.token()
        self.refresh_token = ""
        self.realm_id = world.realm


if __name__ == "__main__":
    main()

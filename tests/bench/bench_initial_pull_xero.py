"""Initial pull from the Xero sandbox: our engine, tap-xero, and the floor, in one run.

Xero's own limit of 60 calls a minute would bound all three; here neither the sandbox nor our own pace holds anybody back.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx

from resources.connections import Connections
from resources.registry import PROVIDERS
from resources.wiring import Tieout
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.bench.bench_initial_pull import copy_rows, pull_table, queued
from tests.bench.measure import Bench, bench, figure, memory_mb, sandbox
from tests.bench.singer import Tap, run_tap
from tests.support.office import Office
from tests.support.xero_books import XeroBooks

DOCUMENTS, DOCUMENTS_FULL = 20_000, 100_000
TAP_DOCUMENTS, TAP_DOCUMENTS_FULL = 4_000, 20_000
PAGE = 1000
# Before it discovers, the tap makes a call to which Xero answers in XML; the sandbox speaks JSON alone. The catalog
# depends on nothing that is answered, and is made by the same functions.
CATALOG = (
    "{'streams': [{'tap_stream_id': s.tap_stream_id, 'stream': s.tap_stream_id, 'key_properties': s.pk_fields,"
    " 'schema': (schema := tap.load_schema(s.tap_stream_id)), 'metadata': tap.load_metadata(s, schema)}"
    " for s in tap.streams_.all_streams]}"
)
SEED_SECONDS_MAX = 900
# What our pull reads, and whether Xero gives it in pages.
LISTS = {
    "Accounts": False, "Contacts": True, "Invoices": True, "ManualJournals": True, "Payments": True, "CreditNotes": True,
    "Overpayments": True, "Prepayments": True, "BankTransactions": True, "BankTransfers": False, "BatchPayments": False,
}  # fmt: skip
# The tap has no stream of batch payments.
STREAMS = (
    "accounts", "contacts", "invoices", "manual_journals", "payments", "credit_notes", "overpayments", "prepayments",
    "bank_transactions", "bank_transfers",
)  # fmt: skip


def main() -> None:
    """Seed one organisation and read it three times."""
    is_full = "--full" in sys.argv
    with bench() as stage, sandbox("xero") as url:
        books = _opened(url)
        with Tieout(books.settings(stage.settings), database=stage.database, clock=books.clock) as tieout:
            _without_pace(tieout)
            office = Office(tieout, books)
            office.connect()
            _compare(stage, office, DOCUMENTS_FULL if is_full else DOCUMENTS, is_full=is_full)
        books.close()


def _opened(url: str) -> XeroBooks:
    # Of the emulator only the app that is there from the start is asked for; it runs in a process of its own.
    books = XeroBooks(url, SimpleNamespace(identity_default=(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)))
    books.open_company(f"Larch Books {uuid4()}")
    return books


def _compare(stage: Bench, office: Office, documents: int, *, is_full: bool) -> None:
    books = office.books
    assert isinstance(books, XeroBooks)
    _fill(books, documents)
    rows, floor = _floor(stage, books)
    tap = _tap(stage, books.url, documents=TAP_DOCUMENTS_FULL if is_full else TAP_DOCUMENTS)
    # Let the product forget how far it read.
    office.run("delete from cursors")
    before = memory_mb()
    with stage.measure() as took:
        records, calls = _pull(office)
    # Receipts are put together of several rows of Xero's, so that the rows of the floor count for both.
    engine = rows / took.wall
    figure(
        "initial_pull_xero.mirror", engine, "rows/s", documents=documents, calls=calls, rows=rows, records=records,
        cpu_s=took.cpu, postgres_cpu_s=took.postgres_cpu, **queued(took), wall_s=took.wall,
        memory_grown_mb=memory_mb() - before, floor_rows_per_s=floor, times_the_floors_time=floor / engine,
        **({} if tap is None else {"tap_xero_rows_per_s": tap, "times_faster_than_tap": engine / tap}),
    )  # fmt: skip


def _without_pace(tieout: Tieout) -> None:
    """Let our own calls through as fast as the peers make theirs."""
    providers = {key: replace(spec, limits=None) for key, spec in PROVIDERS.items()}
    tieout.connections.close()
    tieout.connections = Connections(
        tieout.database, tieout.settings, vault=tieout.vault, clock=tieout.clock, providers=providers
    )


def _fill(books: XeroBooks, documents: int) -> None:
    with httpx.Client(base_url=books.url, timeout=SEED_SECONDS_MAX) as control:
        body = {"organisation": books.company, "size": documents}
        answer = control.post("/_sandbox/seed", json=body)
        assert answer.is_success, answer.text
    # The sandbox renders each object once; nobody who is measured shall pay for that.
    with _reader(books) as client:
        for name in LISTS:
            for _ in _pages(client, name):
                pass


def _pull(office: Office) -> tuple[int, int]:
    run_id = office.add(
        "sync_runs",
        connection_id=office.connection_id,
        trigger="manual",
        requested_by="bench",
        status="queued",
    )
    with office.tieout.sync(office.builder_id, office.connection_id, run_id) as sync:
        summary = sync.pull_changes()
        return summary.read, sync.provider_calls


def _floor(stage: Bench, books: XeroBooks) -> tuple[int, float]:
    """Bare HTTP, JSON parse and COPY of the same lists, in pages of a thousand."""
    rows = 0
    with pull_table(stage) as connection, _reader(books) as client, stage.measure() as took:
        for name in LISTS:
            for page in _pages(client, name):
                rows += len(page)
                key = next(field for field in page[0] if field.lower() == f"{name[:-1]}id".lower())
                copy_rows(connection, name, [(row[key], row.get("UpdatedDateUTC"), row) for row in page])
    figure(
        "initial_pull_xero.floor", rows / took.wall, "rows/s", rows=rows, cpu_s=took.cpu,
        postgres_cpu_s=took.postgres_cpu, **queued(took), wall_s=took.wall,
    )  # fmt: skip
    return rows, rows / took.wall


def _reader(books: XeroBooks) -> httpx.Client:
    # One for all pages, as ours is: making it costs as much as reading a page.
    return httpx.Client(base_url=f"{books.url}/api.xro/2.0", timeout=60, headers=books.headers)


def _pages(client: httpx.Client, name: str) -> Iterator[list[dict[str, Any]]]:
    page = 1
    while True:
        params = {"page": str(page), "pageSize": str(PAGE)} if LISTS[name] else {}
        answer = client.get(f"/{name}", params=params)
        answer.raise_for_status()
        rows = json.loads(answer.content, parse_float=Decimal).get(name) or []
        if rows:
            yield rows
        if not LISTS[name] or len(rows) < PAGE:
            return
        page += 1


def _tap(stage: Bench, url: str, *, documents: int) -> float | None:
    """singer's tap-xero into singer's target for PostgreSQL: books of its own, the lists that our pull reads."""
    books = _opened(url)
    _fill(books, documents)
    tokens = books.control("POST", "/connect", {"organisations": [books.company]})
    tap = Tap(
        name="tap-xero",
        module="tap_xero",
        addresses={"https://api.xero.com": books.url, "https://identity.xero.com": books.url},
        config={
            "tenant_id": books.company,
            "client_id": DEFAULT_CLIENT_ID,
            "client_secret": DEFAULT_CLIENT_SECRET,
            "refresh_token": tokens["refresh_token"],
            "include_archived_contacts": "true",
        },
        streams=STREAMS,
        catalog=CATALOG,
    )
    books.close()
    ran = run_tap(stage, tap)
    if ran is None:
        return None
    figure("initial_pull_xero.tap_xero", ran.rate, "rows/s", documents=documents, **ran.beside())
    return ran.rate


if __name__ == "__main__":
    main()

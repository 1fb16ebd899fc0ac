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
PAGE = 1000
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
    documents = DOCUMENTS_FULL if "--full" in sys.argv else DOCUMENTS
    with bench() as stage, sandbox("xero") as url:
        # Of the emulator only the app that is there from the start is asked for; it runs in a process of its own.
        books = XeroBooks(url, SimpleNamespace(identity_default=(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)))
        books.open_company("Larch Books")
        with Tieout(books.settings(stage.settings), database=stage.database, clock=books.clock) as tieout:
            _without_pace(tieout)
            office = Office(tieout, books)
            office.connect()
            _seed(office, documents)
            _compare(stage, office, documents)
        books.close()


def _compare(stage: Bench, office: Office, documents: int) -> None:
    # The sandbox renders each object once; nobody who is measured shall pay for that.
    for name in LISTS:
        for _ in _pages(office, name):
            pass
    rows, floor = _floor(stage, office)
    tap = _tap(stage, office)
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


def _seed(office: Office, documents: int) -> None:
    """Fill the connected organisation and let the product forget how far it read."""
    with httpx.Client(base_url=office.books.url, timeout=SEED_SECONDS_MAX) as control:
        body = {"organisation": _books(office).company, "size": documents}
        answer = control.post("/_sandbox/seed", json=body)
        assert answer.is_success, answer.text
    office.run("delete from cursors")


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


def _floor(stage: Bench, office: Office) -> tuple[int, float]:
    """Bare HTTP, JSON parse and COPY of the same lists, in pages of a thousand."""
    rows = 0
    with pull_table(stage) as connection, stage.measure() as took:
        for name in LISTS:
            for page in _pages(office, name):
                rows += len(page)
                key = next(field for field in page[0] if field.lower() == f"{name[:-1]}id".lower())
                copy_rows(connection, name, [(row[key], row.get("UpdatedDateUTC"), row) for row in page])
    figure(
        "initial_pull_xero.floor", rows / took.wall, "rows/s", rows=rows, cpu_s=took.cpu,
        postgres_cpu_s=took.postgres_cpu, **queued(took), wall_s=took.wall,
    )  # fmt: skip
    return rows, rows / took.wall


def _pages(office: Office, name: str) -> Iterator[list[dict[str, Any]]]:
    books = _books(office)
    with httpx.Client(base_url=f"{books.url}/api.xro/2.0", timeout=60, headers=books.headers) as client:
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


def _tap(stage: Bench, office: Office) -> float | None:
    """singer's tap-xero into singer's target for PostgreSQL, for the lists that our pull reads."""
    books = _books(office)
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
    )
    ran = run_tap(stage, tap)
    if ran is None:
        return None
    figure("initial_pull_xero.tap_xero", ran.rate, "rows/s", **ran.beside())
    return ran.rate


def _books(office: Office) -> XeroBooks:
    assert isinstance(office.books, XeroBooks)
    return office.books


if __name__ == "__main__":
    main()

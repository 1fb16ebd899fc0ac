"""The whole way of a builder, by a client that was generated from our document: connect, map, sync, resolve, retry, export.

Real HTTP to the API, real HTTP to the QuickBooks and the Xero sandbox, the product's own wiring between; only Dagster is
not there: a sync that is asked for is carried out by a thread.
"""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest
from openpyxl import load_workbook

from api.app import create_app
from pipelines.processes import free_port
from resources.settings import Settings
from resources.store.api_keys import create_api_key
from resources.store.database import Database
from resources.wiring import Tieout
from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app as create_quickbooks
from sync.records import Direction, Entity
from tests.api.world import PROVIDERS
from tests.support.books import Books, Seen
from tests.support.generated import authenticated, generated_client, model, operation
from tests.support.judged_xero import judged_xero
from tests.support.office import Office
from tests.support.quickbooks_books import QuickBooksBooks

RUN_SECONDS_MAX = 60.0
# How the browser says yes at each sandbox without a person.
CLICKS = {
    "quickbooks_online": {"sandbox_consent": "auto", "sandbox_realm": "{company}"},
    "xero": {"sandbox_consent": "{company}"},
}
# How long a bill's number may be.
NUMBER_LETTERS_MAX = {"quickbooks_online": 21, "xero": 255}


@dataclass
class Desk:
    """Carries out each sync at once, in a thread of its own, some minutes after whatever happened before."""

    office: Office
    threads: list[threading.Thread] = field(default_factory=list)

    def launch_sync(
        self,
        *,
        builder_id: str,
        connection_id: str,
        provider: str,
        sync_run_id: str,
        entities: Sequence[Entity] = (),
        direction: Direction = "both",
    ) -> str:
        self.office.later(minutes=3)

        def carry_out() -> None:
            with self.office.tieout.sync(builder_id, connection_id, sync_run_id) as sync:
                sync.sync_all()
                sync.finish()

        self.threads.append(threading.Thread(target=carry_out))
        self.threads[-1].start()
        return f"thread-{len(self.threads)}"

    def launch_rehearsal(self, *, builder_id: str, provider: str, rehearsal_id: str) -> str:
        """Carry out a rehearsal in the same way."""
        carry_out = partial(self.office.tieout.rehearse, builder_id, rehearsal_id)
        self.threads.append(threading.Thread(target=carry_out))
        self.threads[-1].start()
        return f"thread-{len(self.threads)}"

    def add_builder(self, builder_id: str) -> None:
        """Need no partition."""


@dataclass
class Program:
    """Somebody's program: the generated client, a builder's key, and nothing else of ours."""

    url: str
    client: Any

    def call(self, name: str, **arguments: Any) -> Any:
        """Call an operation; a refusal is a Problem."""
        answer = operation(name).sync(client=self.client, **arguments)
        assert type(answer).__name__ != "Problem", answer
        return answer

    def connect(self, provider: str, company: str) -> Any:
        """Begin the consent, say yes as a person would, and bring the answer back."""
        start = self.call("connections.connect", provider=provider)
        clicks = urlencode({name: value.format(company=company) for name, value in CLICKS[provider].items()})
        callback = httpx.get(f"{start.redirect_url}&{clicks}").headers["location"]
        answer = httpx.get(callback, headers={"X-Tieout-Browser": start.browser}, timeout=30)
        assert answer.status_code == 200, answer.text
        return UUID(answer.json()["connection_id"])

    def sync(self, connection_id: UUID) -> Any:
        """Ask for a sync and wait for its end."""
        started = self.call("sync.start_sync", body=model("SyncStart")(connection_id=connection_id))
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while True:
            run = self.call("sync.get_sync_run", id=started.run.id)
            if run.status not in ("queued", "started"):
                return run
            assert time.monotonic() < deadline, run
            time.sleep(0.1)

    def map_codes(self, connection_id: UUID, *, cost_code: str) -> Any:
        """Give one cost code the first account of the books that takes costs."""
        accounts = self.call("connections.list_accounts", id=connection_id).items
        cost = next(each for each in accounts if each.account_type == "cost_of_goods_sold")
        mapping = self.call("mappings.get_mapping", connection_id=connection_id)
        (target,) = [
            each
            for each in mapping.rows
            if each.code == cost_code and each.platform_entity_type == "cost_code"
        ]
        row = model("MappingRowIn")(
            platform_entity_type=target.platform_entity_type,
            platform_cost_code_id=target.platform_cost_code_id,
            provider_account_id=cost.id,
        )
        body = model("MappingSave")(connection_id=connection_id, version=mapping.version, rows=[row])
        return self.call("mappings.save_mapping", body=body)

    def export(self, dataset: str, kind: str) -> bytes:
        """Fetch a file."""
        wanted = {"dataset": model("DatasetName")(dataset), "format_": model("FormatName")(kind)}
        found: bytes = self.call("exports.get_export", **wanted).payload.read()
        return found

    def let_people_decide(self, connection_id: UUID) -> None:
        """Say that nobody wins by himself where both sides changed a bill."""
        place = {"id": connection_id}
        present = self.call("connections.get_connection_settings", **place)
        wanted = model("ConnectionSettingsIn")(
            sync_schedule=present.sync_schedule,
            time_zone=present.time_zone,
            conflict_strategy=model("StrategyName").MANUAL,
            is_real_time=present.is_real_time,
        )
        self.call("connections.save_connection_settings", body=wanted, **place)


@dataclass
class Scene:
    """A platform with documents, a company in a sandbox, and the program between."""

    office: Office
    books: Books
    program: Program

    def bill_there(self) -> Seen:
        (bill,) = [each for each in self.books.valid("bill") if each.number == "B-1"]
        return bill


@pytest.fixture(scope="module", params=["quickbooks_online", "xero"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    if request.param == "xero":
        with judged_xero() as xero:
            yield xero
        return
    app = create_quickbooks()
    with ServerThread(app) as server:
        made = QuickBooksBooks(server.url, app.emulator)
        yield made
        made.close()


@pytest.fixture
def scene(settings: Settings, database: Database, books: Books, tmp_path: Path) -> Iterator[Scene]:
    books.open_company("Larch Books")
    port = free_port()
    url = f"http://localhost:{port}"
    told = books.settings(settings).model_copy(update={"public_url": url})
    with Tieout(told, database=database, clock=books.clock) as tieout:
        office = Office(tieout, books)
        desk = Desk(office)
        app = create_app(tieout, launcher=desk, providers=PROVIDERS)
        key = create_api_key(database, UUID(office.builder_id), name="their program", role="owner")
        with ServerThread(app, port=port), generated_client(app.openapi(), tmp_path):
            client = authenticated()(base_url=url, token=key, timeout=httpx.Timeout(60))
            yield Scene(office, books, Program(url, client))
            client.get_httpx_client().close()
        for thread in desk.threads:
            thread.join(RUN_SECONDS_MAX)


def both_sides_change(scene: Scene, bill_id: str) -> None:
    """Ours becomes 50.00, theirs 45.00."""
    office = scene.office
    office.change("v2_bills", bill_id, total="50.00")
    office.run("update v2_bill_lines set amount = 50 where bill_id = %s", bill_id)
    scene.books.reprice("bill", scene.bill_there().id, "45.00")


@pytest.mark.slow
def test_a_generated_client_goes_the_whole_way_of_a_builder(scene: Scene) -> None:
    program, office = scene.program, scene.office
    bill = office.bill(office.vendor(), amounts=("40.00",))

    connection = program.connect(scene.books.key, scene.books.company)
    (shown,) = program.call("connections.list_connections").items
    assert (shown.id, shown.status, shown.company_name) == (connection, "connected", "Larch Books")

    # Nothing is mapped: the bill waits, and says for what.
    program.sync(connection)
    (held,) = program.call("errors.list_sync_errors", entity=model("EntityName").BILL).items
    assert (held.status, held.code, held.amount) == ("held", "hold.mapping_missing", "40.0000")
    assert program.call("sync.get_sync_status").health.color in ("yellow", "red")

    saved = program.map_codes(connection, cost_code="03-100")
    assert saved.counts.unmapped >= 0
    program.sync(connection)
    assert scene.bill_there().total == 40
    assert program.call("errors.list_sync_errors", entity=model("EntityName").BILL).items == []

    # Both sides change: a person decides, and the next sync carries it out.
    program.let_people_decide(connection)
    both_sides_change(scene, bill)
    program.sync(connection)
    (conflict,) = program.call("conflicts.list_conflicts").items
    assert (conflict.label.startswith("Bill B-1"), str(conflict.money_difference)) == (True, "5.00")
    choice = model("ConflictChoice")(chosen_value=model("WholeChoice").PLATFORM, version=conflict.version)
    decided = program.call("conflicts.resolve_conflict", id=conflict.id, body=choice)
    assert decided.decision == "use_ours"
    program.sync(connection)
    assert scene.bill_there().total == 50
    assert program.call("conflicts.list_conflicts").items == []

    # One that the ledger refuses is mended here and tried again.
    letters_max = NUMBER_LETTERS_MAX[scene.books.key]
    refused = office.bill(
        office.vendor("Summit Electric"), number="B-" + "9" * letters_max, amounts=("12.00",)
    )
    program.sync(connection)
    (error,) = program.call("errors.list_sync_errors", entity=model("EntityName").BILL).items
    assert str(letters_max) in str(error.error_message)
    office.change("v2_bills", refused, number="B-2")
    program.call("errors.retry_sync_error", id=error.id, body=model("RetryOptions")())
    program.sync(connection)
    assert program.call("errors.list_sync_errors", entity=model("EntityName").BILL).items == []

    history = program.call("sync.list_sync_log", entity=model("EntityName").BILL).items
    assert {each.status for each in history} >= {"completed"}
    status = program.call("sync.get_sync_status")
    assert status.connections[0].tie_out.is_tied

    # All of it comes out as files, to the byte.
    bills = list(csv.DictReader(io.StringIO(program.export("bills", "csv").decode("utf-8-sig"))))
    assert {row["Number"]: Decimal(row["Total"]) for row in bills} == {"B-1": 50, "B-2": 12}
    audit = [json.loads(line) for line in program.export("audit", "jsonl").splitlines()]
    assert "conflict.resolved" in {each["what"] for each in audit}
    sheet = load_workbook(io.BytesIO(program.export("history", "xlsx"))).active
    assert sheet.max_row > 1
    ended = program.call("connections.disconnect", id=connection)
    assert ended.connection_id == connection

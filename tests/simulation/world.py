"""One simulated world: a builder, a QuickBooks company, people who work in both, and syncs that can go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx

from resources.quickbooks.provider import QuickBooks
from resources.spec import CompanyFacts
from resources.store.database import Database
from resources.store.sync_store import PostgresStore, PostgresWork
from sandbox.kernel.clock import MovableClock
from sandbox.quickbooks import create_app
from sync.compare import Strategy
from sync.engine import ConnectionSync
from sync.errors import AccessExpired, SyncError
from sync.store import ConnectionFacts
from tests.fakes.world import Platform
from tests.simulation.faults import Death, Fault, FaultPlan
from tests.simulation.time import VirtualClock
from tests.simulation.wire import FaultyWire, InProcess

REALM = "9341450000000101"
Json = dict[str, Any]


class Ledger:
    """The QuickBooks side: the bookkeeper's window, and a wire for the product."""

    def __init__(self, clock: VirtualClock) -> None:
        """Open a company with a chart of accounts and nothing else."""
        self.app = create_app(seed="empty", clock=MovableClock(source=clock.timestamp))
        self.emulator = self.app.emulator
        self.emulator.switches["duplicate_numbers"] = "allow"
        self.wire = InProcess(self.app)
        self.window = httpx.Client(transport=self.wire, base_url="http://sandbox")

    def act(self, operation: str, entity: str, body: Json, *, number: str = "") -> Json | None:
        """Do something as the bookkeeper; None where QuickBooks does not allow it."""
        answer = self.window.post(
            "/_sandbox/act",
            json={"realm": REALM, "entity": entity, "operation": operation, "id": number, "body": body},
        )
        return answer.json() if answer.is_success else None

    def all(self, entity: str) -> list[Json]:
        """Every object of an entity as it stands."""
        table = self.emulator.company(REALM).table(entity)
        return [json.loads(json.dumps(record.body, default=float)) for record in table.rows.values()]

    def token(self) -> Json:
        """Go through the consent and get tokens."""
        asked = {
            "client_id": "sim",
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": "http://127.0.0.1/cb",
            "state": "s",
            "sandbox_consent": "auto",
            "sandbox_realm": REALM,
        }
        location = self.window.get("/connect/oauth2", params=asked).headers["location"]
        code = parse_qs(urlsplit(location).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1/cb"}
        answer = self.window.post("/oauth2/v1/tokens/bearer", data=form, auth=("sim", "secret"))
        tokens: Json = answer.json()
        return tokens

    def close(self) -> None:
        """Close the window and the wire."""
        self.window.close()
        self.wire.close()


class SimAccess:
    """The product's way in: a token that is refreshed when the company refuses it."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with fresh tokens."""
        self._ledger = ledger
        self._tokens = ledger.token()

    @property
    def company(self) -> CompanyFacts:
        """The company's facts, so that nothing is asked twice."""
        return CompanyFacts(REALM, "Sim Books", "USD", "US")

    def token(self) -> str:
        """Return the present token."""
        found: str = self._tokens["access_token"]
        return found

    def renew(self, refused: str) -> str:
        """Refresh by the refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": self._tokens["refresh_token"]}
        answer = self._ledger.window.post("/oauth2/v1/tokens/bearer", data=form, auth=("sim", "secret"))
        if not answer.is_success:
            raise AccessExpired(provider="QuickBooks", reason="the refresh was refused")
        self._tokens = answer.json()
        return self.token()

    def report(self, error: AccessExpired) -> None:
        """Nobody to tell here."""

    def confirm(self) -> None:
        """Nobody to tell here."""


class MortalStore(PostgresStore):
    """The real store, in a process that can die at a commit."""

    plan: FaultPlan

    @contextmanager
    def work(self) -> Iterator[PostgresWork]:
        """Open a transaction; the plan may end the process just before or just after its commit."""
        fault = self.plan.at_commit()
        with super().work() as work:
            yield work
            if fault is Fault.DEATH_BEFORE_COMMIT:
                raise Death
        if fault is Fault.DEATH_AFTER_COMMIT:
            raise Death


class SimWorld(Platform):
    """A builder connected to the simulated company; everything random comes from the seed."""

    def __init__(self, database: Database, seed: int, *, fault_rate: float) -> None:
        """Make the world of a seed."""
        self.random = Random(seed)
        self.clock = VirtualClock()
        super().__init__(database, clock=self.clock)
        self.plan = FaultPlan(self.random, rate=fault_rate)
        self.ledger = Ledger(self.clock)
        self.access = SimAccess(self.ledger)
        self.strategy = self.random.choice(list(Strategy))
        self.story: list[str] = []
        self.deaths = 0
        self.syncs = 0
        self.connection_id = str(uuid4())
        self.interfering: list[Any] = []
        self.run(
            "insert into v2_integration_connections (id, builder_id, provider, status, provider_tenant_id, connected_at)"
            " values (%s, %s, 'quickbooks_online', 'connected', %s, now())",
            self.connection_id,
            self.builder_id,
            self.connection_id,
        )
        self.http = httpx.Client(
            transport=FaultyWire(
                self.ledger.wire, self.plan, self.clock, interfere=self._interfere, forget=self._forget
            ),
            base_url="http://sandbox",
        )
        self.sync(with_faults=False)
        accounts = {row["AccountType"]: row["Id"] for row in reversed(self.ledger.all("Account"))}
        self.accounts = accounts
        self.map_to({"revenue": accounts["Income"], "cost_code": accounts["Cost of Goods Sold"]})

    def close(self) -> None:
        """Close the wires."""
        self.http.close()
        self.ledger.close()

    def tell(self, sentence: str) -> None:
        """Write a line of the story."""
        self.story.append(f"{self.clock.now():%m-%d %H:%M:%S}  {sentence}")

    def _interfere(self) -> None:
        if self.interfering:
            self.interfering.pop()()

    def _forget(self) -> None:
        self.ledger.emulator.switches["requestid_memory"] = "expired"

    # ------------------------------------------------------------------ syncs

    def sync(self, *, with_faults: bool) -> None:
        """Run one sync in a process of its own, which may be struck and may die."""
        self.clock.move(self.random.choice([2, 20, 90]))
        self.syncs += 1
        run_id = self.add(
            "sync_runs",
            connection_id=self.connection_id,
            trigger="scheduled",
            requested_by="sim",
            status="started",
        )
        facts = ConnectionFacts(
            builder_id=self.builder_id,
            connection_id=self.connection_id,
            provider="quickbooks_online",
            provider_title="QuickBooks",
            company_name="Sim Books",
            strategy=self.strategy,
            currency="USD",
        )
        store = MortalStore(
            self.database, facts=facts, sync_run_id=run_id, trigger="scheduled", clock=self.clock, actor="sim"
        )
        store.plan = self.plan
        self.plan.is_on = with_faults
        engine = ConnectionSync(
            store=store,
            provider=QuickBooks(self.access, http=self.http, clock=self.clock),
            clock=self.clock,
            actor="sim",
        )
        try:
            _, summaries, _ = engine.sync_all()
            done = {
                f"{each.entity} {name}": tally.count
                for each in summaries
                for name, tally in each.tallies.items()
                if tally.count
            }
            self.tell(f"sync: {done or 'nothing to do'}")
        except SyncError as error:
            self.tell(f"sync stopped: {error.user_message}")
        except Death:
            self.deaths += 1
            self.tell("sync: the process died")
        finally:
            self.plan.is_on = False

    def settle(self) -> None:
        """Faults stop; time passes and syncs run until nothing is left to decide by itself."""
        self.ledger.emulator.switches["requestid_memory"] = "forever"
        self.clock.move(200)  # whatever was late has arrived
        for _ in range(6):
            self.clock.move(600)
            self.sync(with_faults=False)

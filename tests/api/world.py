"""A builder's world for API tests: real Postgres, a fake OAuth and a fake Dagster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.services import ProviderEntry
from resources.imports.importer import Imports
from resources.settings import Settings
from resources.store.api_keys import Role, create_api_key
from resources.store.database import Database
from resources.vault import Vault
from sync.clock import SetClock
from sync.errors import SyncError
from sync.records import Direction, Entity

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ROOT = "/api/v1/integrations"
OUTSIDE_THE_ROOT = ("/healthz", "/readyz", "/openapi.json", "/metrics", "/docs")
PROVIDERS = (
    ProviderEntry(
        "quickbooks_online",
        "QuickBooks Online",
        is_configured=True,
        dimension_lists={"job": ("sub_customer", "class"), "cost_code": ("item", "class")},
    ),
    ProviderEntry("xero", "Xero", is_configured=False, dimension_lists={"job": ("tracking",)}),
)


@dataclass(frozen=True)
class Started:
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Completed:
    builder_id: str
    connection_id: str
    company_name: str
    provider: str
    notice: str | None = None


@dataclass(frozen=True)
class Ended:
    notice: str | None = None


@dataclass
class FakeConnections:
    """Consents that always succeed, unless told how they fail; remembers who began and who answered."""

    database: Database
    fails: SyncError | None = None
    begun: list[tuple[str, str, str]] = field(default_factory=list)
    answered: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    completed: Completed | None = None

    def begin(self, builder_id: str, provider: str, *, browser: str, requested_by: str) -> Started:
        if self.fails:
            raise self.fails
        self.begun.append((builder_id, provider, browser))
        return Started("https://provider.example/consent?state=abc", NOW + timedelta(minutes=10))

    def complete(self, provider: str, *, params: Mapping[str, str], browser: str) -> Completed:
        if self.fails:
            raise self.fails
        self.answered.append((provider, dict(params), browser))
        assert self.completed is not None
        return self.completed

    def disconnect(self, builder_id: str, connection_id: str, *, requested_by: str) -> Ended:
        if self.fails:
            raise self.fails
        return Ended("Remove the app in the provider's settings.")


@dataclass
class FakeLauncher:
    """A Dagster that takes every run, unless told why not."""

    refuses: BaseException | None = None
    launched: list[dict[str, Any]] = field(default_factory=list)
    builders: list[str] = field(default_factory=list)

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
        if self.refuses is not None:
            raise self.refuses
        self.launched.append(
            {
                "builder_id": builder_id,
                "connection_id": connection_id,
                "provider": provider,
                "sync_run_id": sync_run_id,
                "entities": [entity.value for entity in entities],
                "direction": direction,
            }
        )
        return f"dagster-{len(self.launched)}"

    def launch_rehearsal(self, *, builder_id: str, provider: str, rehearsal_id: str) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.launched.append({"builder_id": builder_id, "provider": provider, "rehearsal_id": rehearsal_id})
        return f"dagster-{len(self.launched)}"

    def add_builder(self, builder_id: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.builders.append(builder_id)


@dataclass
class FakeTieout:
    settings: Settings
    database: Database
    clock: SetClock
    connections: FakeConnections
    vault: Vault
    pulled: list[str] = field(default_factory=list)

    def pull_accounts(self, builder_id: str, connection_id: str) -> None:
        self.pulled.append(connection_id)


@dataclass
class WorkersAtOnce:
    """Does the work of an import before `start` returns, so that a test need not wait for it."""

    imports: Imports

    def start(self, builder_id: UUID, import_id: str) -> None:
        with suppress(SyncError):
            self.imports.work(builder_id, import_id)


class Client:
    """Calls the application in this process, with one key and one cookie jar."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner, *, key: str | None) -> None:
        self._runner = runner
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = path if path.startswith(OUTSIDE_THE_ROOT) else f"{ROOT}{path}"
        return self._runner.run(self.http.request(method, url, **options))

    def together(
        self, method: str, path: str, *, times: int = 0, bodies: Sequence[Any] = (), **options: Any
    ) -> list[httpx.Response]:
        """Send several requests at the same moment: the same one some times, or one per body."""

        async def send() -> list[httpx.Response]:
            each = [options] * times + [{"json": body} for body in bodies]
            return await asyncio.gather(
                *(self.http.request(method, f"{ROOT}{path}", **given) for given in each)
            )

        return self._runner.run(send())

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.call("POST", path, **({"json": body} if body is not None else {}), **options)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.call("PUT", path, json=body)

    def delete(self, path: str, **params: Any) -> httpx.Response:
        return self.call("DELETE", path, params=params)


@dataclass
class House:
    """One builder with its connection, and everything a test puts into its tables."""

    world: World
    id: UUID
    connection_id: UUID

    def client(self, role: Role = "owner") -> Client:
        key = create_api_key(self.world.database, self.id, name=f"{role} {uuid4().hex[:6]}", role=role)
        return self.world.client(key)

    def sql(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        with self.world.database.builder_tx(self.id) as tx:
            result = tx.connection.exec_driver_sql(
                statement, {"builder": self.id, "connection": self.connection_id, **parameters}
            )
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def one(self, statement: str, **parameters: Any) -> Any:
        (row,) = self.sql(statement, **parameters)
        return next(iter(row.values()))

    def a_cost_code(
        self, code: str, name: str, *, division: str | None = None, is_active: bool = True
    ) -> str:
        return str(
            self.one(
                "insert into v2_cost_codes (builder_id, code, name, division, is_active)"
                " values (%(builder)s, %(code)s, %(name)s, %(division)s, %(active)s) returning id",
                code=code,
                name=name,
                division=division,
                active=is_active,
            )
        )

    def a_job(self, number: str, name: str, *, status: str = "active") -> str:
        return str(
            self.one(
                "insert into v2_jobs (builder_id, number, name, status)"
                " values (%(builder)s, %(number)s, %(name)s, %(status)s) returning id",
                number=number,
                name=name,
                status=status,
            )
        )

    def an_account(
        self,
        remote_id: str,
        name: str,
        account_type: str,
        *,
        number: str | None = None,
        state: str = "active",
    ) -> str:
        self.sql(
            "insert into mirror (builder_id, connection_id, entity, remote_id, state, canonical, checksum, label, balance, currency)"
            " values (%(builder)s, %(connection)s, 'account', %(id)s, %(state)s, %(canonical)s, 'c', %(name)s, 12.5, 'USD')",
            id=remote_id,
            state=state,
            canonical={"name": name, "number": number, "type": account_type, "description": None},
            name=name,
        )
        return remote_id

    def a_run(self, **values: Any) -> UUID:
        columns = {
            "trigger": "manual",
            "status": "completed",
            "requested_by": "test",
            "requested_at": NOW,
        } | values
        return self._insert("sync_runs", columns)

    def a_log(self, **values: Any) -> UUID:
        columns = {
            "sync_type": "manual",
            "entity_type": "bill",
            "direction": "push",
            "status": "completed",
            "started_at": NOW,
        } | values
        return self._insert("v2_sync_log", columns)

    def a_link(self, entity: str = "bill", **values: Any) -> UUID:
        columns = {
            "entity": entity,
            "record_id": uuid4(),
            "ours_checksum": "ours-1",
            "theirs_checksum": "theirs-1",
            "state": "failed",
        } | values
        return self._insert("links", columns)

    def a_waiting_record(
        self,
        status: str = "error",
        *,
        entity: str = "bill",
        link: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> tuple[UUID, UUID]:
        """Return the ids of a queue row and its link."""
        states = {"error": "failed", "held": "held", "conflict": "conflict"}
        link_id = self.a_link(entity, **({"state": states[status]} | dict(link or {})))
        columns = {
            "sync_log_id": values.pop("sync_log_id", None) or self.a_log(entity_type=entity),
            "platform_entity_type": entity,
            "platform_entity_id": uuid4(),
            "direction": "push",
            "status": status,
            "link_id": link_id,
            "action": "created",
            "label": "Bill 4471 of Summit Electric",
            "error_message": "Bill 4471 waits.",
            "amount": "1250.00",
            "currency": "USD",
            "created_at": NOW,
        } | values
        return self._insert("v2_sync_records", columns), link_id

    def an_attempt(self, link_id: UUID, **values: Any) -> UUID:
        columns: dict[str, Any] = {
            "link_id": link_id,
            "entity": "bill",
            "record_id": self.link(link_id)["record_id"],
            "revision": 1,
            "operation": "create",
            "request_id": "r1",
            "marker": "tieout:abc",
            "payload_hash": "h",
            "payload": {},
            "state": "unknown",
            "started_at": NOW,
        } | values
        return self._insert("attempts", columns)

    def a_conflict(self, **values: Any) -> tuple[UUID, UUID]:
        conflict = {
            "fields": [
                {"field": "due_date", "ours": "2026-04-30", "base": "2026-04-15", "theirs": "2026-05-15"},
                {"field": "memo", "ours": "Phase 2", "base": "", "theirs": "second phase"},
            ],
            "ours_checksum": "ours-1",
            "theirs_checksum": "theirs-1",
            "money_difference": "250.00",
        }
        return self.a_waiting_record("conflict", **({"conflict_data": conflict} | values))

    def a_second_connection(self, provider: str = "xero", **values: Any) -> UUID:
        return self.world.a_connection(self.id, provider, **values)

    def link(self, link_id: UUID) -> dict[str, Any]:
        (row,) = self.sql("select * from links where id = %(id)s", id=link_id)
        return row

    def record(self, record_id: UUID) -> dict[str, Any]:
        (row,) = self.sql("select * from v2_sync_records where id = %(id)s", id=record_id)
        return row

    def audit(self, action: str) -> list[dict[str, Any]]:
        return self.sql("select * from audit_log where action = %(action)s order by at", action=action)

    def _insert(self, table: str, columns: Mapping[str, Any]) -> UUID:
        given = {"builder_id": self.id, "connection_id": self.connection_id} | dict(columns)
        names = ", ".join(given)
        places = ", ".join(f"%({name})s" for name in given)
        found: UUID = self.one(f"insert into {table} ({names}) values ({places}) returning id", **given)
        return found


@dataclass
class World:
    """The application over one test module's database."""

    settings: Settings
    database: Database
    runner: asyncio.Runner
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    launcher: FakeLauncher = field(default_factory=FakeLauncher)

    def __post_init__(self) -> None:
        self.connections = FakeConnections(self.database)
        self.tieout = FakeTieout(
            self.settings, self.database, self.clock, self.connections, Vault({"k1": b"v" * 32})
        )
        self.app = create_app(self.tieout, launcher=self.launcher, providers=PROVIDERS, workers=WorkersAtOnce)

    def client(self, key: str | None = None) -> Client:
        return Client(self.app, self.runner, key=key)

    def a_house(self, name: str = "Cedar Ridge Homes", **connection: Any) -> House:
        builder_id = uuid4()
        with self.database.builder_tx(builder_id) as tx:
            tx.connection.exec_driver_sql(
                "insert into v2_builders (id, name) values (%(id)s, %(name)s)",
                {"id": builder_id, "name": name},
            )
        return House(self, builder_id, self.a_connection(builder_id, "quickbooks_online", **connection))

    def a_connection(self, builder_id: UUID, provider: str, **values: Any) -> UUID:
        columns = {
            "builder_id": builder_id,
            "provider": provider,
            "status": "connected",
            "provider_tenant_id": uuid4().hex,
            "provider_company_name": "Cedar Ridge Homes LLC",
            "currency": "USD",
            "connected_at": NOW - timedelta(days=30),
            "last_sync_at": NOW - timedelta(minutes=10),
            "next_due_at": NOW + timedelta(minutes=50),
            "token_expires_at": NOW + timedelta(minutes=40),
            "refresh_expires_at": NOW + timedelta(days=92),
        } | values
        names, places = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
        with self.database.builder_tx(builder_id) as tx:
            result = tx.connection.exec_driver_sql(
                f"insert into v2_integration_connections ({names}) values ({places}) returning id", columns
            )
            found: UUID = result.scalar_one()
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def exact(response: httpx.Response) -> Any:
    """The body, or an assertion that shows it."""
    assert response.status_code < 400, f"{response.status_code}: {response.text}"
    return json.loads(response.text, parse_float=str)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, after checking that it is that one."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), response.text
    return body

"""The Xero sandbox as one emulator: state, scenario, control, page; everything the kernel asks for."""

from __future__ import annotations

import gc
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.emulator import ControlError, Emulator, Page
from sandbox.kernel.faults import FaultRule, RequestFacts
from sandbox.kernel.ledger import LedgerCheck
from sandbox.kernel.limits import LimitRule
from sandbox.xero import bookcheck, control, mischief, page
from sandbox.xero.books import Books
from sandbox.xero.chart import REGIONS, open_organisation
from sandbox.xero.codec import DocumentCodec
from sandbox.xero.gateway import PREFIX, Gateway, tenant_of
from sandbox.xero.identity import Identity
from sandbox.xero.identity_routes import IdentityRoutes
from sandbox.xero.resource import make_guid
from sandbox.xero.seed import SCENARIOS, Seeder
from sandbox.xero.switches import SWITCHES
from sandbox.xero.webhooks import Webhooks

DAY_SECONDS = 86_400
CONCURRENT_MAX = 5
LIMITS = (
    LimitRule("minute", 60, 60, is_fixed=True),
    LimitRule("day", 5_000, DAY_SECONDS, is_fixed=True),
    LimitRule("appminute", 10_000, 60, is_fixed=True),
    LimitRule("concurrent", CONCURRENT_MAX, 1),
)
SIZE_MAX = 500_000
WORLD_LARGE = 5_000
RENDERED_TABLES = frozenset({"Accounts", "TrackingCategories", "Items", "TaxRates"})
DEMO_NAMES = ("Kowhai Builders Ltd", "Demo Company (NZ)")


@contextmanager
def _many_objects(count: int) -> Iterator[None]:
    """Keep the garbage collector from walking a large world again and again."""
    if count < WORLD_LARGE:
        yield
        return
    gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


class XeroEmulator(Emulator):
    """One running Xero sandbox."""

    name = "xero"
    title = "Xero sandbox"

    def __init__(
        self, *, data: Path | None = None, seed: str | None = None, clock: MovableClock | None = None
    ) -> None:
        self.books: dict[str, Books] = {}
        self.dice = random.Random(0)
        super().__init__(
            data=data,
            codec=DocumentCodec(),
            clock=clock,
            limits=LIMITS,
            switches=SWITCHES,
            fault_kinds=mischief.KINDS,
        )
        self.in_flight: Counter[str] = Counter()
        self.identity = Identity(self.store, clock=self.clock, switches=self.switch)
        self.webhooks = Webhooks(self.clock)
        self.identity_pages = IdentityRoutes(self.identity, tenants=self.tenants, switches=self.switch)
        self.gateway = Gateway(
            store=self.store,
            clock=self.clock,
            switches=self.switch,
            identity=self.identity,
            pages=self.identity_pages,
            webhooks=self.webhooks,
            books=self.books,
            dice=self.dice,
            counters=self.counters,
        )
        self.is_seeding = False
        with _many_objects(WORLD_LARGE if data is not None else 0):
            count = self.store.load()
        if count == 0:
            self.reset({"scenario": seed or "demo"})
        else:
            # Books that were kept go on under new ids: the same dice from the beginning would give those of old documents.
            self.dice.seed(secrets.randbits(128))
            self.identity.dice.seed(secrets.randbits(128))
        self.identity.ensure_default_app()

    def switch(self, name: str) -> str:
        """The present value of a switch."""
        return self.switches[name]

    def on_change(self, table: str, key: str, old: Any, new: Any) -> None:
        """Keep the books of the organisation in step; identity needs none of it."""
        tenant, _, name = table.partition("/")
        if tenant == "identity":
            return
        books = self.books.get(tenant)
        if books is None:
            books = self.books[tenant] = self._open_books(tenant)
        books.heard(name, key, old, new)
        if name == "Organisation" and new is None:
            # Another world is being put in place: what was answered in this one must not be replayed in that.
            self.gateway.memory.clear()
        if old is not None and name in RENDERED_TABLES:
            self.gateway.api.renderer.forget()

    def _open_books(self, tenant: str) -> Books:
        return Books(self.store, organisation_id=tenant, clock=self.clock, switches=self.switch)

    def tenants(self) -> list[tuple[str, str, str]]:
        """(id, type, name) of everything the person may connect, practices included."""
        found = [
            (key, "ORGANISATION", books.profile["Name"])
            for key, books in self.books.items()
            if key in books["Organisation"].rows
        ]
        return found + [
            (key, "PRACTICE", row["Name"]) for key, row in self.identity.rows("practices").items()
        ]

    def routes(self) -> list[BaseRoute]:
        """The accounting API, /connections in both spellings, and identity."""
        methods = ["GET", "PUT", "POST", "DELETE", "PATCH"]
        found: list[BaseRoute] = [Route(PREFIX + "/{rest:path}", self.gateway.accounting, methods=methods)]
        for path in ("/connections", "/Connections"):
            found.append(Route(path, self.gateway.connections, methods=methods))
            found.append(Route(path + "/{id}", self.gateway.connection, methods=methods))
        return found + self.identity_pages.routes()

    def control_routes(self) -> list[BaseRoute]:
        """Apps, consent, organisations, webhooks, and what only a person in Xero can do."""
        return control.routes(self)

    def facts(self, request: Request) -> RequestFacts:
        """Entity and operation from the path; `identity` for tokens."""
        path = request.url.path
        parts = path[len(PREFIX) :].strip("/").split("/") if path.startswith(PREFIX) else ["identity", path]
        method = request.method
        operation = {"GET": "read" if len(parts) > 1 else "list", "PUT": "create", "DELETE": "delete"}.get(
            method, "write"
        )
        return RequestFacts(method, path, tenant_of(request), parts[0], operation)

    def refuse_by_limit(self, request: Request, facts: RequestFacts) -> Response | None:
        """The four limits of the accounting API; refused calls count too."""
        if not facts.path.startswith(PREFIX):
            return None
        tenant = facts.tenant
        self.in_flight[tenant] += 1
        request.scope["xero_in_flight"] = tenant
        problem, wait = "", 0.0
        if self.limits.is_enabled and 0 < self.limits.rules["concurrent"].limit < self.in_flight[tenant]:
            problem = "concurrent"
        app = mischief.app_of(self, request)
        for name, key in (("minute", tenant), ("day", tenant), ("appminute", app)):
            waited = self.limits.take(name, key)
            if waited and not problem:
                problem, wait = name, waited
        return mischief.too_many(self, request, problem, wait) if problem else None

    def request_done(self, request: Request, facts: RequestFacts) -> None:
        """One less in flight."""
        tenant = request.scope.pop("xero_in_flight", None)
        if tenant is not None:
            self.in_flight[tenant] -= 1

    def counters(self, tenant: str, app: str) -> dict[str, str]:
        """The remaining counts good answers carry."""
        now = self.clock.timestamp()
        return {
            "x-daylimit-remaining": str(self.limits.window("day", tenant).remaining(now)),
            "x-minlimit-remaining": str(self.limits.window("minute", tenant).remaining(now)),
            "x-appminlimit-remaining": str(self.limits.window("appminute", app).remaining(now)),
        }

    def refuse_by_fault(self, request: Request, facts: RequestFacts, rule: FaultRule) -> Response:
        """Xero's own body for a status."""
        return mischief.answer(self, request, rule)

    async def provider_fault(self, request: Request, facts: RequestFacts, rule: FaultRule) -> Response | None:
        """Mischief only Xero knows."""
        return mischief.carry_out(self, request, facts, rule)

    def provider_fault_after(self, rule: FaultRule, body: bytes) -> bytes:
        """Mischief with the answer."""
        return mischief.change_answer(rule, body)

    def reset(self, options: dict[str, Any]) -> dict[str, Any]:
        """Empty the world and build the scenario; apps stay registered only when asked (`keep_apps`)."""
        scenario = options.get("scenario", "demo")
        if not isinstance(scenario, str) or scenario not in SCENARIOS:
            raise ControlError(f"There is no scenario {scenario!r}. Known: {', '.join(SCENARIOS)}.")
        version = str(options.get("version", "NZ"))
        if version not in REGIONS:
            raise ControlError(f"version must be one of {', '.join(REGIONS)}.")
        apps = self.identity.rows("apps") if options.get("keep_apps") else {}
        self.dice.seed(options.get("seed", 0))
        self.identity.dice.seed(f"identity-{options.get('seed', 0)}")
        self.identity_pages.auto_consent = None
        self.webhooks.clear()
        self.gateway.memory.clear()
        self.gateway.api.renderer.forget()
        with self.store.transaction():
            self.store.clear()
        self.books.clear()
        with self.store.transaction():
            for name in {"none": (), "two": DEMO_NAMES}.get(scenario, DEMO_NAMES[:1]):
                tenant = self.open(name, version=version)
                if scenario in ("demo", "two"):
                    self.fill(tenant, 0)
            for app in apps.values():
                self.store.put("identity/apps", app["ClientID"], app)
        self.identity.ensure_default_app()
        if options.get("size"):
            self.seed({"size": options["size"]})
        return self.describe()

    def open(self, name: str, *, version: str = "NZ", is_demo: bool | None = None) -> str:
        """Open a new organisation; returns its tenant id."""
        if version not in REGIONS:
            raise ControlError(f"version must be one of {', '.join(REGIONS)}.")
        tenant = make_guid(self.dice)
        books = self.books[tenant] = self._open_books(tenant)
        code = "!" + "".join(self.dice.choice("23456789abcdefghkmnpqrstvwxyz") for _ in range(5))
        with self.store.transaction():
            open_organisation(
                books,
                name=name,
                version=version,
                now=books.now(),
                new_id=lambda: make_guid(self.dice),
                is_demo=name.startswith("Demo Company") if is_demo is None else is_demo,
                short_code=code,
            )
        return tenant

    def fill(self, tenant: str, size: int) -> int:
        """Add `size` plain documents to an organisation, or with 0 the demo's."""
        books = self.books[tenant]
        books.is_silent = True
        seeder = Seeder(books, dice=self.dice, app_name="Sandbox seed")
        try:
            with self.store.transaction():
                return seeder.bulk(size) if size else seeder.demo()
        finally:
            books.is_silent = False

    def seed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add `size` documents to an organisation (the first when none is named)."""
        size = options.get("size", 1_000)
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= SIZE_MAX:
            raise ControlError(f"size must be a whole number from 1 to {SIZE_MAX}.")
        tenant = self.pick(options.get("organisation"))
        with _many_objects(size):
            return {"organisation": tenant, "documents": self.fill(tenant, size)}

    def pick(self, wanted: Any) -> str:
        """A tenant id from a control call: an id, a name, or the first."""
        for key, kind, name in self.tenants():
            if kind == "ORGANISATION" and wanted in (None, "", key, name):
                return key
        raise ControlError(f"There is no organisation {wanted!r}. See GET /_sandbox/state.")

    def describe(self) -> dict[str, Any]:
        """Organisations with their counts, apps and scenarios."""
        return {
            "organisations": [
                {
                    "id": key,
                    "name": books.profile["Name"],
                    "version": books.profile["Version"],
                    "counts": {name: len(table.rows) for name, table in books.tables.items() if table.rows},
                }
                for key, books in self.books.items()
                if key in books["Organisation"].rows
            ],
            "apps": [app["ClientID"] for app in self.identity.rows("apps").values()],
            "connections": len(self.identity.rows("connections")),
            "scenarios": SCENARIOS,
        }

    def check_books(self) -> dict[str, LedgerCheck]:
        """Every ledger added up, every stated balance compared."""
        return {
            key: bookcheck.check(books)
            for key, books in self.books.items()
            if key in books["Organisation"].rows
        }

    def page(self, tenant: str) -> Page:
        """The bookkeeper's view."""
        return page.build(self, tenant)

    async def close(self) -> None:
        """Stop webhooks, close the file."""
        await self.webhooks.close()
        await super().close()

    def not_found(self) -> Response:
        """A path that is none of Xero's."""
        return PlainTextResponse("", status_code=404)

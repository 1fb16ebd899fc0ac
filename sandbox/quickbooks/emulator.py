"""The QuickBooks Online emulator: companies, OAuth, control, and the page a bookkeeper can look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from sandbox.kernel import page as kernel_page
from sandbox.kernel.clock import MovableClock
from sandbox.kernel.control import control_route
from sandbox.kernel.emulator import ControlError, Emulator, MischiefButton, Page
from sandbox.kernel.faults import FaultRule, RequestFacts
from sandbox.kernel.ledger import LedgerCheck
from sandbox.quickbooks import faults
from sandbox.quickbooks.checks import check_company
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.desk import control_actions
from sandbox.quickbooks.endpoints import company_routes, fault_response
from sandbox.quickbooks.metering import LIMITS, Meter
from sandbox.quickbooks.oauth import OAuth
from sandbox.quickbooks.records import RecordCodec
from sandbox.quickbooks.registry import BY_PATH
from sandbox.quickbooks.scenarios import DEFAULT_COMPANIES, SCENARIOS, build_company
from sandbox.quickbooks.seeding import seed_documents
from sandbox.quickbooks.switches import SWITCHES
from sandbox.quickbooks.view import company_page
from sandbox.quickbooks.webhooks import Webhooks

FAULT_KINDS = {
    "stale_token": "5010 on a write, as if someone else had just saved the object",
    "closed_period": "6210 on a write",
    "expired_token": "401 3200, as if the access token had run out",
    "revoked_grant": "the company's grants are revoked, then 401",
    "forbidden": "403 3100",
    "truncated_page": "a page of a query comes with its second half missing",
    "fault": "any fault: options code, message, detail, status (400), type (ValidationFault)",
    "xml_throttle": "429 whose body is XML even though JSON was asked for",
}
PAGES = Environment(
    loader=ChoiceLoader(
        [
            FileSystemLoader(Path(__file__).parent / "templates"),
            FileSystemLoader(Path(kernel_page.__file__).parent / "templates"),
        ]
    ),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


class QuickBooks(Emulator):
    """QuickBooks Online on your own machine."""

    name = "quickbooks"
    title = "QuickBooks Online sandbox"

    def __init__(
        self, *, data: Path | None = None, seed: str | None = None, clock: MovableClock | None = None
    ) -> None:
        self._books: dict[str, Company] = {}
        self._tables: dict[str, tuple[Company, str]] = {}
        super().__init__(
            data=data,
            codec=RecordCodec(),
            clock=clock,
            limits=LIMITS,
            switches=SWITCHES,
            fault_kinds=FAULT_KINDS,
        )
        self.oauth = OAuth(self)
        self.meter = Meter(self)
        self.webhooks = Webhooks(self)
        if self.store.load() == 0:
            self.reset({"scenario": seed} if seed else {})

    # --- the kernel's questions ------------------------------------------------------------------

    def on_change(self, table: str, key: str, old: Any, new: Any) -> None:
        """Pass a change on to its company."""
        place = self._tables.get(table)
        if place is None:
            realm, _, entity = table.partition("/")
            if not realm.isdecimal():
                return
            place = self._tables[table] = (self._company(realm), entity)
        place[0].follow(place[1], key, old, new)

    def routes(self) -> list[BaseRoute]:
        """OAuth and company resources."""
        return [*self.oauth.routes(), *company_routes(self)]

    def control_routes(self) -> list[BaseRoute]:
        """Companies, clients, bookkeeper's actions, webhooks, metering."""
        actions = control_actions(self)
        return [control_route(path, action, method=method) for method, path, action in actions]

    def facts(self, request: Request) -> RequestFacts:
        """Read realm, entity and operation off the address."""
        parts = request.url.path.strip("/").split("/")
        if parts[:2] != ["v3", "company"] or len(parts) < 4:
            return RequestFacts(request.method, request.url.path, entity="oauth")
        entity = BY_PATH.get(parts[3].lower(), parts[3])
        operation = request.query_params.get("operation", "read" if request.method == "GET" else "save")
        return RequestFacts(request.method, request.url.path, parts[2], entity, operation)

    def refuse_by_limit(self, request: Request, facts: RequestFacts) -> Response | None:
        """Count the call; throttle it when limits are on."""
        if facts.tenant and self.meter.is_over(request, facts):
            return fault_response(self, faults.throttled())
        return None

    def refuse_by_fault(self, request: Request, facts: RequestFacts, rule: FaultRule) -> Response:
        """Return the body QuickBooks or its gateway sends with a status."""
        if rule.status == 429:
            return fault_response(self, faults.throttled())
        if rule.status == 401:
            return fault_response(self, faults.unauthenticated("Token expired"))
        if rule.status == 403:
            return fault_response(self, faults.unauthorised("ApplicationAuthorizationFailed"))
        if rule.status in (502, 503, 504):
            return PlainTextResponse(
                f"<html><body>{rule.status}</body></html>", rule.status, media_type="text/html"
            )
        return fault_response(self, faults.system_failure(rule.status))

    async def provider_fault(self, request: Request, facts: RequestFacts, rule: FaultRule) -> Response | None:
        """Carry out this provider's own mischief."""
        if rule.kind == "stale_token":
            return fault_response(self, faults.stale())
        if rule.kind == "closed_period":
            return fault_response(
                self, faults.period_closed(str(rule.options.get("date", self.clock.now().date())))
            )
        if rule.kind == "expired_token":
            return fault_response(self, faults.unauthenticated("Token expired"))
        if rule.kind == "revoked_grant":
            self.oauth.revoke_realm(facts.tenant)
            return fault_response(self, faults.unauthenticated("Token revoked"))
        if rule.kind == "forbidden":
            return fault_response(self, faults.unauthorised("ApplicationAuthorizationFailed"))
        if rule.kind == "fault":
            return fault_response(self, _asked_fault(rule.options))
        if rule.kind == "xml_throttle":
            return fault_response(self, faults.throttled(), wants_xml=True)
        return None

    def provider_fault_after(self, rule: FaultRule, body: bytes) -> bytes:
        """Cut a page in half, leaving its counts as if nothing had happened."""
        from sandbox.quickbooks.mischief import truncated

        return truncated(body) if rule.kind == "truncated_page" else body

    def forget(self) -> None:
        """Forget call counts and webhook subscribers."""
        self.meter.reset()
        self.webhooks.reset()

    def reset(self, options: dict[str, Any]) -> dict[str, Any]:
        """Start again with two companies of a scenario (or those asked for)."""
        scenario = str(options.get("scenario") or "contractor")
        if scenario not in SCENARIOS:
            raise ControlError(f"There is no scenario {scenario!r}. Known: {', '.join(SCENARIOS)}.")
        # All or nothing: a start that is interrupted must not leave half a world in the folder.
        with self.store.transaction():
            self.store.clear()
            for realm, name in DEFAULT_COMPANIES:
                self.add_company(name, realm=realm, scenario=scenario, seed=int(options.get("seed", 0)))
        self.forget()
        return self.describe()

    def seed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add documents to one company."""
        company = self.company(str(options.get("realm") or next(iter(self.companies), "")))
        size = options.get("size", 1000)
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 500_000:
            raise ControlError("size must be a whole number from 1 to 500,000.")
        return seed_documents(company, size=size, seed=int(options.get("seed", 0)))

    def describe(self) -> dict[str, Any]:
        """Summarise companies and object counts."""
        return {
            "sandbox": self.name,
            "scenarios": SCENARIOS,
            "companies": [
                {
                    "realm": realm,
                    "name": self._name(realm),
                    "objects": {
                        entity: len(table.rows)
                        for entity, table in company.tables.items()
                        if entity[0] != "_"
                    },
                }
                for realm, company in self.companies.items()
            ],
            "metering": self.meter.describe(),
        }

    def check_books(self) -> dict[str, LedgerCheck]:
        """Check every company's ledger and stated balances."""
        return {realm: check_company(company) for realm, company in self.companies.items()}

    def page(self, tenant: str) -> Page:
        """Return the books' page of one company."""
        choices = self.company_choices()
        realm = tenant if tenant in self.companies else next((number for number, _ in choices), "")
        return company_page(self.companies.get(realm), realm, choices, BUTTONS)

    @property
    def companies(self) -> dict[str, Company]:
        """The companies there are, by realm."""
        return {realm: self._company(realm) for realm in self.store.rows("companies")}

    # --- what other modules of this provider ask ---------------------------------------------------

    def render(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Render one of the provider's own templates."""
        return HTMLResponse(PAGES.get_template(template).render(**values), status_code=status)

    def company_choices(self) -> list[tuple[str, str]]:
        """Return realm ids and names."""
        return [(realm, self._name(realm)) for realm in self.companies]

    def company(self, realm: str) -> Company:
        """Return a company; ControlError when there is none."""
        if not self.has_company(realm):
            raise ControlError(
                f"There is no company {realm!r}. Known: {', '.join(self.companies) or 'none'}."
            )
        return self._company(realm)

    def has_company(self, realm: str) -> bool:
        """Say whether there is such a company, in as little time among thousands as among two."""
        return self.store.get("companies", realm) is not None

    def add_company(self, name: str, *, realm: str = "", scenario: str = "contractor", seed: int = 0) -> str:
        """Make a company and return its realm id."""
        if not realm:
            number = 9341450000001000 + len(self.store.rows("companies"))
            while self.has_company(str(number)):
                number += 1
            realm = str(number)
        if not realm.isdecimal() or not 1 <= len(realm) <= 20:
            raise ControlError("A realm id has 1 to 20 digits.")
        if self.has_company(realm):
            raise ControlError(f"There is already a company {realm}.")
        if scenario not in SCENARIOS:
            raise ControlError(f"There is no scenario {scenario!r}. Known: {', '.join(SCENARIOS)}.")
        with self.store.transaction():
            self.store.put("companies", realm, {"name": name, "scenario": scenario})
            build_company(self._company(realm), name, scenario, seed=seed)
        return realm

    def announce(self, company: Company, events: Sequence[tuple[str, str, str]]) -> None:
        """Tell webhook subscribers what happened."""
        self.webhooks.announce(company.realm, events)

    def document_pdf(self, call: Any) -> bytes:
        """Return a one-page PDF of a document."""
        from sandbox.quickbooks.pdf import document_pdf

        return document_pdf(call)

    async def close(self) -> None:
        """Stop deliveries and close the store."""
        self.webhooks.close()
        await super().close()

    def _company(self, realm: str) -> Company:
        found = self._books.get(realm)
        if found is None:
            found = self._books[realm] = Company(
                realm, self.store, self.clock, lambda name: self.switches[name]
            )
        return found

    def _name(self, realm: str) -> str:
        record = self.companies[realm].find("CompanyInfo", "1")
        return str(record.body["CompanyName"]) if record is not None else realm


def _asked_fault(options: dict[str, Any]) -> faults.FaultError:
    status = options.get("status")
    return faults.FaultError(
        str(options.get("code", "6000")),
        str(options.get("message", "A business validation error has occurred while processing your request")),
        str(options.get("detail", "")),
        kind=str(options.get("type", "ValidationFault")),
        status=status if isinstance(status, int) and 200 <= status <= 599 else 400,
    )


BUTTONS = (
    MischiefButton("Next write is stale (5010)", {"kind": "stale_token", "method": "POST"}),
    MischiefButton("Next write hits a closed period (6210)", {"kind": "closed_period", "method": "POST"}),
    MischiefButton("Revoke the grant", {"kind": "revoked_grant", "path": "/v3/*"}),
    MischiefButton("Next query page is truncated", {"kind": "truncated_page", "path": "*/query"}),
)

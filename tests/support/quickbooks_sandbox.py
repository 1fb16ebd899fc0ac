"""The QuickBooks sandbox behind a real port, and the ways a test needs into it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from resources.http import api_client, token_client
from resources.oauth import OAuth, TokenSet, new_verifier
from resources.quickbooks.provider import QuickBooks
from resources.quickbooks.spec import SPEC
from resources.settings import Settings
from resources.spec import CompanyFacts
from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app
from sync.errors import AccessExpired

REDIRECT = "http://127.0.0.1/callback"


class Sandbox:
    """One running sandbox."""

    def __init__(self, url: str, emulator: Any) -> None:
        self.url = url
        self.emulator = emulator
        self.http = api_client(url)
        self.token_http = token_client()

    def close(self) -> None:
        self.http.close()
        self.token_http.close()

    def settings(self, base: Settings | None = None) -> Settings:
        """Settings that point at this sandbox."""
        given = {
            "quickbooks_base_url": self.url,
            "quickbooks_authorize_url": f"{self.url}/connect/oauth2",
            "quickbooks_token_url": f"{self.url}/oauth2/v1/tokens/bearer",
            "quickbooks_revoke_url": f"{self.url}/v2/oauth2/tokens/revoke",
            "quickbooks_client_id": "tieout-tests",
            "quickbooks_client_secret": "a-made-up-secret",
        }
        return Settings(**((base.model_dump() if base is not None else {}) | given))

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Use a control route; a refusal fails the test."""
        answer = self.http.request(method, f"/_sandbox{path}", json=None if body is None else dict(body))
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def company(self, *, scenario: str = "contractor", name: str = "Test Builders LLC") -> str:
        """Add a company of its own and return its realm."""
        made = self.control(
            "POST", "/companies", {"name": f"{name} {secrets.token_hex(3)}", "scenario": scenario}
        )
        return str(made["realm"])

    def act(
        self, realm: str, entity: str, body: Mapping[str, Any], *, operation: str = "update", number: str = ""
    ) -> Any:
        """Do what a bookkeeper would do in the QuickBooks window."""
        wanted = {"realm": realm, "entity": entity, "operation": operation, "body": dict(body)}
        return self.control("POST", "/act", wanted | ({"id": number} if number else {}))

    def fault(self, kind: str, **rule: Any) -> None:
        """Let something go wrong."""
        self.control("POST", "/faults", {"kind": kind, **rule})

    def object(self, realm: str, entity: str, number: str) -> Any:
        """One object as it stands."""
        return self.control("GET", f"/objects/{realm}/{entity}/{number}")

    def rows(self, realm: str, entity: str) -> dict[str, Any]:
        """All objects of one entity."""
        return {key: record.body for key, record in self.emulator.company(realm).table(entity).rows.items()}

    def consent(self, url: str, *, realm: str = "", consent: str = "auto") -> dict[str, str]:
        """Send a browser to the consent page and return what it brings back to the callback."""
        extra = urlencode({"sandbox_consent": consent} | ({"sandbox_realm": realm} if realm else {}))
        answer = self.http.get(f"{url}&{extra}")
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def oauth(self) -> OAuth:
        """Token calls to this sandbox."""
        return OAuth(SPEC.endpoints(self.settings()), http=self.token_http, clock=self.emulator.clock)

    def tokens(self, realm: str) -> TokenSet:
        """Tokens of a fresh consent for a company."""
        verifier = new_verifier()
        url = self.oauth().authorization_url(state="s", verifier=verifier, redirect_uri=REDIRECT)
        code = self.consent(url, realm=realm)["code"]
        return self.oauth().exchange(code, verifier=verifier, redirect_uri=REDIRECT)

    def provider(self, realm: str, *, http: httpx.Client | None = None) -> QuickBooks:
        """A Provider over a fresh consent."""
        return QuickBooks(TokenAccess(self, realm), http=http or self.http, clock=self.emulator.clock)


class TokenAccess:
    """Access that keeps its tokens in memory only."""

    def __init__(self, sandbox: Sandbox, realm: str) -> None:
        self.company = CompanyFacts(realm, "Test Builders LLC", "USD", "USA")
        self.reports: list[AccessExpired] = []
        self.renewals = 0
        self._sandbox = sandbox
        self._tokens = sandbox.tokens(realm)

    def token(self) -> str:
        return self._tokens.access_token

    def renew(self, refused: str) -> str:
        self.renewals += 1
        self._tokens = self._sandbox.oauth().refresh(self._tokens.refresh_token)
        return self._tokens.access_token

    def report(self, error: AccessExpired) -> None:
        self.reports.append(error)

    def confirm(self) -> None:
        pass


@contextmanager
def running_sandbox(*, start: datetime | None = None) -> Iterator[Sandbox]:
    """A sandbox on a free port, for the length of a block."""
    app: Any = create_app(seed="empty")
    if start is not None:
        app.emulator.clock.move_to(start)
    with ServerThread(app) as server:
        sandbox = Sandbox(server.url, app.emulator)
        try:
            yield sandbox
        finally:
            sandbox.close()

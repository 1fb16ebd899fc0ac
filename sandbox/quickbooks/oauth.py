"""Intuit's OAuth 2.0: consent page, codes, tokens with rotation, revocation, discovery."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.store import Store
from sandbox.quickbooks import faults
from sandbox.quickbooks.oauthparts import SCOPES, OAuthError, check_verifier, form_of, refusal, revoked_token

CODE_SECONDS = 600
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 8_726_400
ROTATION_SECONDS = 86_400
HARD_SECONDS = 5 * 365 * 86_400
CODES, ACCESS, REFRESH, CLIENTS = "oauth/codes", "oauth/access", "oauth/refresh", "oauth/clients"
Row = dict[str, Any]


class Host(Protocol):
    """What OAuth needs of the emulator around it."""

    store: Store
    clock: MovableClock
    switches: dict[str, str]

    def company_choices(self) -> list[tuple[str, str]]:
        """Return realm ids and company names."""
        ...

    def has_company(self, realm: str) -> bool:
        """Say whether there is such a company."""
        ...

    def render(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Render one of the provider's pages."""
        ...


class OAuth:
    """Codes, tokens and grants, kept in the store."""

    def __init__(self, host: Host) -> None:
        self._host = host

    # --- what the API asks -----------------------------------------------------------------------

    def authenticate(self, header: str, realm: str) -> Row:
        """Return the grant behind a bearer token, or raise the gateway's 401 or 403."""
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise faults.unauthenticated("AuthenticationFailed: missing bearer token")
        row = self._host.store.get(ACCESS, value.strip())
        if row is None:
            raise faults.unauthenticated("Token invalid: AB01-invalid")
        if row["expires"] <= self._host.clock.timestamp():
            raise faults.unauthenticated(f"Token expired: {value[:12]}")
        if row["realm"] != realm:
            raise faults.unauthorised(
                "ApplicationAuthorizationFailed: the token is not valid for this company"
            )
        if "com.intuit.quickbooks.accounting" not in row["scope"].split():
            raise faults.unauthorised("ApplicationAuthorizationFailed: the accounting scope was not granted")
        return dict(row)

    def revoke_realm(self, realm: str) -> int:
        """Kill every grant of a company, as its owner can do inside QuickBooks; return how many tokens died."""
        store = self._host.store
        with store.transaction():
            dead = [(table, key) for table in (ACCESS, REFRESH) for key, row in store.rows(table).items()
                    if row["realm"] == realm]  # fmt: skip
            for table, key in dead:
                store.remove(table, key)
        return len(dead)

    def connected(self, client: str) -> set[str]:
        """Return the realms a client holds a live refresh token for."""
        now = self._host.clock.timestamp()
        rows = self._host.store.rows(REFRESH).values()
        return {row["realm"] for row in rows if row["client"] == client and row["expires"] > now}

    # --- routes ----------------------------------------------------------------------------------

    def routes(self) -> list[BaseRoute]:
        """Return the OAuth routes at their real paths."""
        discovery = ("/.well-known/openid_configuration", "/.well-known/openid_sandbox_configuration")
        return [
            Route("/connect/oauth2", self.authorize, methods=["GET"]),
            Route("/connect/oauth2", self.decide, methods=["POST"]),
            Route("/oauth2/v1/tokens/bearer", self.token, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", self.revoke, methods=["POST"]),
            Route("/op/v1/jwks", self.keys, methods=["GET"]),
            Route("/v1/openid_connect/userinfo", self.user_info, methods=["GET"]),
            *(
                Route(f"{path}{slash}", self.discovery, methods=["GET"])
                for path in discovery
                for slash in ("", "/")
            ),
        ]

    async def discovery(self, request: Request) -> Response:
        """Return the discovery document, its addresses pointing here."""
        here = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": f"{here}/op/v1",
                "authorization_endpoint": f"{here}/connect/oauth2",
                "token_endpoint": f"{here}/oauth2/v1/tokens/bearer",
                "userinfo_endpoint": f"{here}/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{here}/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{here}/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "address", "phone"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """Show the consent page, or consent at once when asked to."""
        asked = dict(request.query_params)
        problem = self._problem(asked)
        if problem is not None:
            return self._host.render("problem.html", status=400, problem=problem)
        unknown = [scope for scope in asked.get("scope", "").split() if scope not in SCOPES]
        if unknown or not asked.get("scope"):
            return self._back(asked, error="invalid_scope")
        consent = asked.get("sandbox_consent") or self._host.switches["consent"]
        if consent == "deny":
            return self._back(asked, error="access_denied")
        if consent == "auto":
            realm = asked.get("sandbox_realm") or self._first_free(
                asked["client_id"], self._host.company_choices()
            )
            if not self._host.has_company(realm):
                return self._host.render("problem.html", status=400, problem=f"There is no company {realm}.")
            return self._grant(asked, realm)
        return self._host.render(
            "consent.html", asked=asked, companies=self._host.company_choices(), scopes=asked["scope"].split()
        )

    async def decide(self, request: Request) -> Response:
        """Take the answer of the consent page."""
        try:
            asked = await form_of(request)
        except OAuthError:
            return self._host.render("problem.html", status=400, problem="The form could not be read.")
        problem = self._problem(asked)
        if problem is not None:
            return self._host.render("problem.html", status=400, problem=problem)
        if asked.get("choice") != "connect":
            return self._back(asked, error="access_denied")
        if not self._host.has_company(asked.get("realm", "")):
            return self._host.render("problem.html", status=400, problem="Choose a company.")
        return self._grant(asked, asked["realm"])

    async def token(self, request: Request) -> Response:
        """Exchange a code, or refresh."""
        try:
            form = await form_of(request)
            client = self._client(request, form)
            kind = form.get("grant_type")
            if kind == "authorization_code":
                answer = self._exchange(client, form)
            elif kind == "refresh_token":
                answer = self._refresh(client, form)
            else:
                raise OAuthError("unsupported_grant_type" if kind else "invalid_request")
        except OAuthError as error:
            return refusal(error)
        if request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true":
            answer["x_refresh_token_hard_expires_in"] = HARD_SECONDS
        return JSONResponse(answer, headers={"cache-control": "no-store", "pragma": "no-cache"})

    async def revoke(self, request: Request) -> Response:
        """Kill the pair a token belongs to."""
        try:
            self._client(request, {})
            token = await revoked_token(request)
        except OAuthError as error:
            return refusal(error)
        store = self._host.store
        row = store.get(REFRESH, token) or store.get(ACCESS, token)
        if row is None:
            return refusal(OAuthError("invalid_request", description="The token is not known"))
        self._kill(row["grant"])
        return Response(status_code=200)

    async def keys(self, request: Request) -> Response:
        """Return an empty key set: the sandbox issues no id tokens."""
        return JSONResponse({"keys": []})

    async def user_info(self, request: Request) -> Response:
        """Return the one user of every sandbox company."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        row = self._host.store.get(ACCESS, value.strip()) if scheme.lower() == "bearer" else None
        if row is None or row["expires"] <= self._host.clock.timestamp():
            return Response(status_code=401)
        return JSONResponse(
            {
                "sub": "7c5b3e0a-sandbox-user",
                "givenName": "Robin",
                "familyName": "Bookkeeper",
                "email": "bookkeeper@example.com",
                "emailVerified": True,
            }
        )

    # --- codes and tokens ------------------------------------------------------------------------

    def _problem(self, asked: dict[str, str]) -> str | None:
        """Return what is wrong with an authorize request that must not be redirected."""
        client = asked.get("client_id", "")
        if not client:
            return "The request has no client_id."
        registered = self._host.store.rows(CLIENTS)
        if registered and client not in registered:
            return f"The client id {client[:60]} is not registered with this sandbox."
        if asked.get("response_type") != "code":
            return "response_type must be code."
        target = urlsplit(asked.get("redirect_uri", ""))
        if target.scheme not in ("http", "https") or not target.netloc or target.fragment:
            return "The redirect_uri is missing, or is not an absolute http(s) address."
        allowed = (registered.get(client) or {}).get("redirect_uris") or []
        if allowed and asked["redirect_uri"] not in allowed:
            return "The redirect_uri query parameter value is invalid: it is not among the registered ones."
        if not asked.get("state") and self._host.switches["state"] == "required":
            return "The request has no state."
        method = asked.get("code_challenge_method", "plain")
        if asked.get("code_challenge") and method not in ("S256", "plain"):
            return "code_challenge_method must be S256."
        return None

    def _first_free(self, client: str, choices: list[tuple[str, str]]) -> str:
        taken = self.connected(client)
        return next((realm for realm, _ in choices if realm not in taken), choices[0][0] if choices else "")

    def _grant(self, asked: dict[str, str], realm: str) -> Response:
        code = "AB" + secrets.token_urlsafe(36)
        row = {
            "client": asked["client_id"],
            "realm": realm,
            "redirect_uri": asked["redirect_uri"],
            "scope": asked["scope"],
            "challenge": asked.get("code_challenge", ""),
            "method": asked.get("code_challenge_method", "plain"),
            "expires": int(self._host.clock.timestamp()) + CODE_SECONDS,
            "grant": "",
        }
        with self._host.store.transaction():
            self._host.store.put(CODES, code, row)
        return self._back(asked, code=code, realmId=realm)

    def _back(self, asked: dict[str, str], **values: str) -> Response:
        answer = {**values, "state": asked.get("state", "")}
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        query = urlencode({name: value for name, value in answer.items() if value})
        return RedirectResponse(f"{asked['redirect_uri']}{joint}{query}", status_code=302)

    def _client(self, request: Request, form: dict[str, str]) -> str:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except ValueError as error:
                raise OAuthError("invalid_client", status=401) from error
        else:
            client, secret = form.get("client_id", ""), form.get("client_secret", "")
        registered = self._host.store.rows(CLIENTS)
        if not client or not secret:
            raise OAuthError("invalid_client", status=401)
        if registered and (registered.get(client) or {}).get("secret") != secret:
            raise OAuthError("invalid_client", status=401)
        return client

    def _exchange(self, client: str, form: dict[str, str]) -> Row:
        code = form.get("code", "")
        row = self._host.store.get(CODES, code)
        if not code or "redirect_uri" not in form:
            raise OAuthError("invalid_request")
        if row is None or row["client"] != client or row["redirect_uri"] != form["redirect_uri"]:
            raise OAuthError("invalid_grant")
        if row["grant"]:
            if self._host.switches["code_reuse"] == "revoke":
                self._kill(row["grant"])
            raise OAuthError("invalid_grant")
        if row["expires"] <= self._host.clock.timestamp():
            raise OAuthError("invalid_grant")
        if row["challenge"] and self._host.switches["pkce"] == "enforce":
            check_verifier(row, form.get("code_verifier", ""))
        grant = secrets.token_hex(12)
        with self._host.store.transaction():
            self._host.store.put(CODES, code, {**row, "grant": grant})
            refresh = self._new_refresh(client, row["realm"], row["scope"], grant)
            return self._answer(client, row["realm"], row["scope"], grant, refresh)

    def _refresh(self, client: str, form: dict[str, str]) -> Row:
        value = form.get("refresh_token", "")
        if not value:
            raise OAuthError("invalid_request")
        row = self._host.store.get(REFRESH, value)
        now = int(self._host.clock.timestamp())
        if row is None or row["client"] != client or row["expires"] <= now:
            raise OAuthError("invalid_grant", description="Incorrect or invalid refresh token")
        store = self._host.store
        with store.transaction():
            refresh = value
            if now - row["issued"] >= ROTATION_SECONDS:
                successor = row.get("successor")
                if successor and store.get(REFRESH, successor) is not None:
                    refresh = successor
                else:
                    refresh = self._new_refresh(client, row["realm"], row["scope"], row["grant"])
                if self._host.switches["old_refresh_token"] == "day_of_grace":  # noqa: S105 - a switch, not a secret
                    grace = min(row["expires"], now + ROTATION_SECONDS) if not successor else row["expires"]
                    store.put(REFRESH, value, {**row, "expires": grace, "successor": refresh})
                else:
                    store.remove(REFRESH, value)
            else:
                store.put(REFRESH, value, {**row, "expires": now + REFRESH_SECONDS})
            return self._answer(client, row["realm"], row["scope"], row["grant"], refresh)

    def _new_refresh(self, client: str, realm: str, scope: str, grant: str) -> str:
        now = int(self._host.clock.timestamp())
        value = "RT1-" + secrets.token_urlsafe(30)
        row = {"client": client, "realm": realm, "scope": scope, "grant": grant, "issued": now,
               "expires": now + REFRESH_SECONDS}  # fmt: skip
        self._host.store.put(REFRESH, value, row)
        return value

    def _answer(self, client: str, realm: str, scope: str, grant: str, refresh: str) -> Row:
        now = int(self._host.clock.timestamp())
        access = "eyJlbmMi." + secrets.token_urlsafe(60)
        row = {
            "client": client,
            "realm": realm,
            "scope": scope,
            "grant": grant,
            "expires": now + ACCESS_SECONDS,
        }
        self._host.store.put(ACCESS, access, row)
        return {
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": ACCESS_SECONDS,
            "x_refresh_token_expires_in": REFRESH_SECONDS,
        }

    def _kill(self, grant: str) -> None:
        store = self._host.store
        with store.transaction():
            for table in (ACCESS, REFRESH):
                for key in [key for key, row in store.rows(table).items() if row["grant"] == grant]:
                    store.remove(table, key)

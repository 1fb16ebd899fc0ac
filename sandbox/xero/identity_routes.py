"""The identity endpoints over HTTP: authorize page, token, revocation, discovery, connections."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.xero.identity import USER_ID, Identity, TokenRefused, connection_time
from sandbox.xero.refusals import AccessRefused
from sandbox.xero.scopes import unknown_scopes
from sandbox.xero.switches import Switches
from sandbox.xero.table import Document
from sandbox.xero.wire import parse_guid

FORM_BYTES_MAX = 64 * 1024
_FOLDERS = [Path(__file__).parent / "templates", Path(__file__).parents[1] / "kernel" / "templates"]
_PAGES = Environment(loader=FileSystemLoader(_FOLDERS), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
Tenants = Callable[[], list[tuple[str, str, str]]]


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def redirect_problem(app: Document, uri: str, *, takes_loopback_ip: bool) -> str | None:
    """Why a redirect address is refused: exact match, https, or http only for localhost."""
    if app["RedirectUris"] and uri not in app["RedirectUris"]:
        return "redirect_uri does not match one registered for this app"
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return "redirect_uri is not an address"
    if parts.scheme == "http" and host == "127.0.0.1":
        return None if takes_loopback_ip else "redirect_uri must use http://localhost, not 127.0.0.1"
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host == "localhost")):
        return "redirect_uri must be https, or http://localhost"
    return None


class IdentityRoutes:
    """The handlers, with what they share."""

    def __init__(self, identity: Identity, *, tenants: Tenants, switches: Switches) -> None:
        self._identity = identity
        self._tenants = tenants
        self._switches = switches
        self.auto_consent: str | None = None

    def routes(self) -> list[BaseRoute]:
        """Everything that lives on login., identity. and api.xero.com at Xero."""
        return [
            Route("/identity/connect/authorize", self.authorize, methods=["GET", "POST"]),
            Route("/connect/token", self.token, methods=["POST"]),
            Route("/connect/revocation", self.revocation, methods=["POST"]),
            Route("/.well-known/openid-configuration", self.discovery, methods=["GET"]),
            Route("/.well-known/openid-configuration/jwks", self.jwks, methods=["GET"]),
        ]

    async def authorize(self, request: Request) -> Response:
        """The consent page, or an immediate decision for scripts (`sandbox_consent`)."""
        asked = dict(request.query_params)
        form: list[tuple[str, str]] = []
        if request.method == "POST":
            try:
                form = await _form(request)
            except TokenRefused as refused:
                return _page_error(refused.error, "The form could not be read.")
            asked |= {name: value for name, value in form if name not in ("tenant", "decision")}
        app = self._identity.get("apps", asked.get("client_id", ""))
        if app is None:
            return _page_error(
                "unauthorized_client", "Unknown client_id. Register the app under /_sandbox/apps."
            )
        uri = asked.get("redirect_uri", "")
        problem = redirect_problem(
            app, uri, takes_loopback_ip=self._switches("redirect_loopback_ip") == "allow"
        )
        if problem is not None:
            return _page_error("invalid_request", problem)
        refusal = self._refusal(asked, app)
        if refusal is not None:
            return _back(uri, {"error": refusal}, asked)
        tenants = self._tenants()
        decision = asked.get("sandbox_consent") or self.auto_consent
        if request.method == "POST":
            chosen = [value for name, value in form if name == "tenant"]
            decision = "deny" if ("decision", "deny") in form else ",".join(chosen) or "none"
        if decision is None:
            return self._page(app, asked, tenants)
        if decision == "deny":
            return _back(uri, {"error": "access_denied"}, asked)
        wanted = {part.strip().lower() for part in decision.split(",")}
        kept = [tenant for tenant in tenants if decision in ("all", "auto") or tenant[0] in wanted]
        code = self._identity.consent(
            client_id=app["ClientID"],
            scopes=asked.get("scope", "").split(),
            tenants=kept,
            redirect_uri=uri,
            challenge=asked.get("code_challenge", ""),
            nonce=asked.get("nonce", ""),
            user=parse_guid(asked.get("sandbox_user", "")) or USER_ID,
        )
        return _back(uri, {"code": code, "scope": asked.get("scope", "")}, asked)

    def _refusal(self, asked: dict[str, str], app: Document) -> str | None:
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        scopes = asked.get("scope", "").split()
        if not scopes or unknown_scopes(scopes, takes_broad=self._switches("scopes") == "any"):
            return "invalid_scope"
        has_challenge = bool(asked.get("code_challenge"))
        if has_challenge and asked.get("code_challenge_method") != "S256":
            return "invalid_request"
        return "invalid_request" if not app["ClientSecret"] and not has_challenge else None

    def _page(self, app: Document, asked: dict[str, str], tenants: list[tuple[str, str, str]]) -> Response:
        text = _PAGES.get_template("consent.html").render(
            app_name=app["Name"],
            hidden=sorted(asked.items()),
            scopes=asked.get("scope", "").split(),
            problem="",
            tenants=[
                (key, name if kind == "ORGANISATION" else f"{name} ({kind})") for key, kind, name in tenants
            ],
        )
        return HTMLResponse(text, headers=_SECURITY)

    async def token(self, request: Request) -> Response:
        """Code, refresh and client-credentials grants."""
        try:
            form = dict(await _form(request))
            app = self._client(request, form)
            kind = form.get("grant_type")
            if kind == "authorization_code":
                answer = self._identity.exchange(form, app, issuer=_base(request))
            elif kind == "refresh_token":
                answer = self._identity.refresh(form.get("refresh_token", ""), app, issuer=_base(request))
            elif kind == "client_credentials":
                answer = self._identity.client_credentials(
                    app, form.get("scope", "").split(), issuer=_base(request)
                )
            else:
                raise TokenRefused("unsupported_grant_type")
        except TokenRefused as refused:
            return JSONResponse({"error": refused.error}, status_code=refused.status)
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    async def revocation(self, request: Request) -> Response:
        """Revoke a refresh token; an unknown one is answered the same."""
        try:
            form = dict(await _form(request))
            self._identity.revoke(form.get("token", ""), self._client(request, form))
        except TokenRefused as refused:
            return JSONResponse({"error": refused.error}, status_code=refused.status)
        return Response(status_code=200)

    def _client(self, request: Request, form: dict[str, str]) -> Document:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        header = request.headers.get("authorization", "")
        if header[:6].lower() == "basic ":
            try:
                pair = base64.b64decode(header[6:], validate=True).decode()
            except ValueError:
                raise TokenRefused("invalid_client") from None
            client_id, _, secret = (unquote_plus(part) for part in pair.partition(":"))
        app = self._identity.get("apps", client_id)
        if app is None or app["ClientSecret"] != secret:
            raise TokenRefused("invalid_client")
        return app

    async def discovery(self, request: Request) -> Response:
        """OpenID discovery, with this sandbox as the issuer."""
        base = _base(request)
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/identity/connect/authorize",
                "token_endpoint": f"{base}/connect/token",
                "revocation_endpoint": f"{base}/connect/revocation",
                "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        """The public half of the signing key."""
        return JSONResponse({"keys": [self._identity.signing_key().as_dict(private=False)]})

    def list_connections(self, grant: Document, query: dict[str, str]) -> Response:
        """`GET /connections`."""
        event = query.get("autheventid")
        rows = self._identity.connections_of(grant)
        return JSONResponse(
            [
                {
                    "id": row["ID"],
                    "authEventId": row["AuthEventID"],
                    "tenantId": row["TenantID"],
                    "tenantType": row["TenantType"],
                    "tenantName": row["Name"],
                    "createdDateUtc": connection_time(row["Created"]),
                    "updatedDateUtc": connection_time(row["Updated"]),
                }
                for row in rows
                if event is None or row["AuthEventID"] == event.lower()
            ]
        )

    def delete_connection(self, grant: Document, key: str) -> Response:
        """`DELETE /connections/{id}`: by connection id, never by tenant id."""
        wanted = parse_guid(key) or ""
        if wanted not in {row["ID"] for row in self._identity.connections_of(grant)}:
            return Response(status_code=404)
        self._identity.remove("connections", wanted)
        return Response(status_code=204)


async def _form(request: Request) -> list[tuple[str, str]]:
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise TokenRefused("invalid_request", status=413)
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise TokenRefused("invalid_request") from None


def _back(uri: str, values: dict[str, str], asked: dict[str, str]) -> Response:
    if asked.get("state"):
        values["state"] = asked["state"]
    joint = "&" if "?" in uri else "?"
    return RedirectResponse(f"{uri}{joint}{urlencode(values)}", status_code=302)


def _page_error(error: str, text: str) -> Response:
    page = _PAGES.from_string(
        '{% extends "layout.html" %}{% block body %}<div class="card"><h1>Sorry, this request is not valid</h1>'
        '<p class="bad">Error: {{ error }}</p><p>{{ text }}</p></div>{% endblock %}'
    )
    return HTMLResponse(page.render(error=error, text=text), status_code=400, headers=_SECURITY)


def bearer(request: Request) -> str:
    """The access token of a call, or the refusal."""
    header = request.headers.get("authorization", "")
    if header[:7].lower() != "bearer " or not header[7:].strip():
        raise AccessRefused(401, "AuthenticationUnsuccessful", challenge='Bearer error="invalid_request"')
    return header[7:].strip()

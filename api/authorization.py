"""The authorization server for third-party apps: authlib's, over our tables.

Authorization code with PKCE S256 and nothing else; refresh tokens turn over at each use; revocation (RFC 7009) and
introspection (RFC 7662) for an app's own tokens. Every app shows PKCE, the ones with a secret too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.services import Services
from resources.settings import Settings
from resources.store import app_access
from resources.store.api_keys import Caller
from resources.store.app_access import Code, Issued, Token
from resources.store.apps import APP_SCOPES, App, find_app

AUTHORIZE, TOKEN, REVOKE, INTROSPECT = (
    f"/oauth/{name}" for name in ("authorize", "token", "revoke", "introspect")
)
WITH_SECRET = ["client_secret_basic", "client_secret_post"]
AUTH_METHODS = [*WITH_SECRET, "none"]
# What RFC 6749 lets an error sentence carry, and authlib repeats parameters in its sentences.
_PLAIN = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{0,2000}")
_PARAMETERS_MAX = 30
_WORDS = {
    "connections": "connections to accounting systems and their charts of accounts",
    "mappings": "which account each cost code is booked on",
    "sync": "syncs and their history, documents and amounts included",
    "errors": "records that failed or wait",
    "conflicts": "records that both sides changed",
    "settings": "when and how each connection is synced",
    "notifications": "notices",
    "webhooks": "events, and the addresses that hear of them",
    "exports": "files with everything that is kept, to read or import again",
    "imports": "files brought in, and what of them is taken back",
}


class Asked(OAuth2Request):
    """A request of an app, read from its query or its form."""

    def __init__(
        self,
        path: str,
        *,
        settings: Settings,
        given: Iterable[tuple[str, str]],
        method: str,
        headers: Mapping[str, str],
    ) -> None:
        """Take the parameters as they came; raises InvalidRequestError for what no app sends."""
        super().__init__(method, f"{settings.public_base_url}{path}", headers=headers)
        parameters: dict[str, str] = {}
        for name, value in given:
            if name in parameters or len(parameters) == _PARAMETERS_MAX or not _PLAIN.fullmatch(value):
                raise InvalidRequestError(
                    "A parameter is repeated, too long, or has characters it may not have."
                )
            parameters[name] = value
        self._parameters = parameters
        self.payload: Any = BasicOAuth2Payload(parameters)

    @property
    def args(self) -> Mapping[str, str]:
        """The parameters."""
        return self._parameters

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters: a request has them in one place."""
        return self.args


class AppServer(AuthorizationServer):
    """One request's authorization server; `caller` is the person who is signed in, where one has to be."""

    def __init__(self, services: Services, *, caller: Caller | None = None) -> None:
        """Serve from these services."""
        super().__init__(scopes_supported=list(APP_SCOPES))  # type: ignore[no-untyped-call]
        self.services = services
        self.caller = caller
        self.register_token_generator("default", _generate)
        self.register_grant(_CodeGrant, [_OnlyS256(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)

    def query_client(self, client_id: str) -> _Client | None:
        """Return an app that may be let in; while a person looks, only one of theirs."""
        app = find_app(self.services.database, client_id)
        if app is None or (self.caller and app.builder_id not in (None, self.caller.builder_id)):
            return None
        return _Client(app)

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """Store new tokens in place of the code or refresh token they are given for."""
        database, now = self.services.database, self.services.clock.now()
        pair = app_access.TokenPair(token["access_token"], token["refresh_token"])
        if request.authorization_code is not None:
            is_first = app_access.exchange_code(database, request.authorization_code.code, pair, now=now)
        else:
            scopes = tuple(token["scope"].split())
            is_first = app_access.rotate(
                database, request.refresh_token.token, pair, access_scopes=scopes, now=now
            )
        if not is_first:
            raise InvalidGrantError("It was used before.")

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: authlib offers this to frameworks."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        """Return the request, which is authlib's already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Response:
        """Return authlib's answer as ours; an address to go back to names who answers (RFC 9207)."""
        told = dict(headers)
        if "Location" in told:
            issuer = self.services.tieout.settings.public_base_url
            # See other: the app is asked by GET, whatever the person's browser sent us.
            return RedirectResponse(add_params_to_uri(told["Location"], [("iss", issuer)]), status_code=303)
        told.pop("Content-Type", None)
        return JSONResponse(
            dict(body) if not isinstance(body, str) else None, status_code=status, headers=told
        )


def metadata(settings: Settings) -> dict[str, Any]:
    """Describe the server, as RFC 8414 has it."""
    base = settings.public_base_url
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}{AUTHORIZE}",
        "token_endpoint": f"{base}{TOKEN}",
        "revocation_endpoint": f"{base}{REVOKE}",
        "introspection_endpoint": f"{base}{INTROSPECT}",
        "scopes_supported": list(APP_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": WITH_SECRET,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{base}/docs",
    }


class _Client(ClientMixin):
    """An app, as authlib asks about it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def get_client_id(self) -> str:
        return str(self.app.id)

    def get_default_redirect_uri(self) -> None:
        """Have none: an app says where it wants to be answered."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        wanted = (scope or "").split() or list(self.app.scopes)
        return " ".join(wanted) if set(wanted) <= set(self.app.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        # Letter by letter, the port included.
        return redirect_uri in self.app.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return self.app.is_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == (self.app.secret_hash is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


class _StoredCode:
    """A code, as authlib asks about it."""

    code_challenge_method = "S256"

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.code_challenge

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.code.scopes)


class _StoredToken:
    """A token, as authlib asks about it."""

    def __init__(self, token: Token, *, opens: bool) -> None:
        self.token = token
        self._opens = opens

    def check_client(self, client: _Client) -> bool:
        return self.token.app_id == client.app.id

    def get_scope(self) -> str:
        return " ".join(self.token.scopes)

    def is_expired(self) -> bool:
        return not self._opens

    def is_revoked(self) -> bool:
        return not self._opens


class _OnlyS256(CodeChallenge):
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - authlib's own form

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        given = grant.request.payload.data
        if not given.get("code_challenge") or given.get("code_challenge_method") != "S256":
            raise InvalidRequestError("This needs a code_challenge with the code_challenge_method S256.")
        super().validate_code_challenge(grant, redirect_uri)  # type: ignore[no-untyped-call]


class _CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def generate_authorization_code(self) -> str:
        return app_access.new_code()

    def save_authorization_code(self, code: str, request: Any) -> None:
        services, caller = self.server.services, request.user
        issued = Issued(code, request.payload.redirect_uri, request.payload.data["code_challenge"])
        app_access.give(
            services.database,
            caller,
            app=request.client.app,
            scopes=offered(request.scope, caller),
            issued=issued,
            now=services.clock.now(),
        )

    def query_authorization_code(self, code: str, client: _Client) -> _StoredCode | None:
        services = self.server.services
        found = app_access.find_code(services.database, code, now=services.clock.now())
        return _StoredCode(found) if found and found.app_id == client.app.id else None

    def authenticate_user(self, authorization_code: _StoredCode) -> Code:
        return authorization_code.code

    def delete_authorization_code(self, authorization_code: _StoredCode) -> None:
        """Keep it, used: a second use has to be recognised."""


class _RefreshGrant(RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _StoredToken | None:
        services = self.server.services
        found = app_access.find_refresh(services.database, refresh_token, now=services.clock.now())
        return _StoredToken(found, opens=True) if found else None

    def authenticate_user(self, refresh_token: _StoredToken) -> Token:
        return refresh_token.token

    def revoke_old_credential(self, refresh_token: _StoredToken) -> None:
        """Do nothing more: it was used up when the new ones were stored."""


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> _StoredToken | None:
        return _token(self.server.services, token_string)

    def revoke_token(self, token: _StoredToken, request: OAuth2Request) -> None:
        services = self.server.services
        app_access.revoke_token(services.database, token.token, now=services.clock.now())
        services.callers.forget()


class _Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = WITH_SECRET

    def query_token(self, token_string: str, token_type_hint: str | None) -> _StoredToken | None:
        return _token(self.server.services, token_string)

    def check_permission(self, token: _StoredToken, client: _Client, request: OAuth2Request) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: _StoredToken) -> dict[str, Any]:
        found = token.token
        return {
            "active": True,
            "client_id": str(found.app_id),
            "token_type": "Bearer",
            "scope": token.get_scope(),
            "sub": found.person,
            "iss": self.server.services.tieout.settings.public_base_url,
            "iat": int(found.created_at.timestamp()),
            "exp": int(found.expires_at.timestamp()),
        }


def offered(scope: str, caller: Caller) -> list[str]:
    """Return what a person can give of what an app asks for: a narrowed session gives no more than it has."""
    return [each for each in scope.split() if caller.scopes is None or each in caller.scopes]


def scope_in_words(scope: str) -> str:
    """Say what a scope lets an app do, for the person who decides."""
    subject, verb = scope.split(":")
    return f"{'See' if verb == 'read' else 'Change'} {_WORDS[subject]}"


def _token(services: Services, text: str) -> _StoredToken | None:
    found = app_access.find_token(services.database, text)
    return _StoredToken(found, opens=found.opens(now=services.clock.now())) if found else None


def _generate(*, scope: str, **_: object) -> dict[str, Any]:
    pair = app_access.new_pair()
    return {
        "token_type": "Bearer",
        "access_token": pair.access,
        "expires_in": int(app_access.ACCESS_LASTS.total_seconds()),
        "refresh_token": pair.refresh,
        "scope": scope,
    }

"""Token calls of both providers: authorization code with PKCE S256, refresh and revocation.

Built on authlib's core client with an httpx session of ours and explicit Basic authentication. Its httpx integration
is not used, because it prefers another HTTP library when that is importable. Nothing here stores or logs a token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import stamina
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from sync.clock import Clock

REFRESH_ATTEMPTS_MAX = 3
REVOKE_ATTEMPTS_MAX = 3


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """Where one provider's consent page and token endpoints are, and who we are there."""

    authorize_url: str
    token_url: str
    revoke_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    # Intuit documents a JSON body for revocation, RFC 7009 (and Xero) a form.
    revoke_body: Literal["json", "form"] = "form"
    # How long an unused refresh token lives where the provider does not say it in its answer.
    refresh_seconds: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # Whose consent an access token is, where one token set opens every company that person gave us; None elsewhere.
    person: Callable[[str], str | None] | None = None


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whose consent to which app a token set is; the person is known by a hash."""

    app: str
    person: str


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a token call gave; its repr shows no token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    refresh_expires_at: datetime | None = None
    # Where it opens all companies of that person, and not only one.
    owner: TokenOwner | None = None


class GrantRefused(Exception):
    """The authorization code or refresh token is not good, or no longer (`invalid_grant`)."""


class AppRefused(Exception):
    """Our own app was refused (`invalid_client` and the like); no consent of a user can mend that."""


class TokenCallFailed(Exception):
    """No usable answer; whether the provider acted on the call is not known."""


class OAuth:
    """Makes one provider's token calls."""

    def __init__(self, endpoints: OAuthEndpoints, *, http: httpx.Client, clock: Clock) -> None:
        self._endpoints = endpoints
        self._http = http
        self._clock = clock

    def authorization_url(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Return the address of the consent page, with the PKCE challenge of the verifier."""
        client = self._client(redirect_uri=redirect_uri, scope=" ".join(self._endpoints.scopes))
        url, _ = client.create_authorization_url(
            self._endpoints.authorize_url, state=state, code_verifier=verifier
        )
        return str(url)

    def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> TokenSet:
        """Turn an authorization code into tokens.

        Sent once only: a second exchange of the same code can end the tokens the first one gave.
        """
        client = self._client(redirect_uri=redirect_uri)

        def call() -> dict[str, Any]:
            answer = client.fetch_token(
                self._endpoints.token_url,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                auth=self._auth(),
                headers=self._headers(),
            )
            return dict(answer)

        return self._tokens(_judged(call))

    def refresh(self, refresh_token: str) -> TokenSet:
        """Turn a refresh token into new tokens; the refresh token may be a new one and must be kept."""

        def call() -> dict[str, Any]:
            answer = self._client().refresh_token(
                self._endpoints.token_url,
                refresh_token=refresh_token,
                auth=self._auth(),
                headers=self._headers(),
            )
            return dict(answer)

        # Repeating is harmless: both providers honour the old refresh token for a while after they gave a new one.
        for attempt in stamina.retry_context(
            on=TokenCallFailed, attempts=REFRESH_ATTEMPTS_MAX, timeout=25.0, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                return self._tokens(_judged(call))
        raise AssertionError("stamina either returns or raises")

    def revoke(self, token: str) -> None:
        """End the grant this token belongs to; a token the provider does not know is as good as revoked."""
        for attempt in stamina.retry_context(
            on=TokenCallFailed, attempts=REVOKE_ATTEMPTS_MAX, timeout=25.0, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                self._revoke_once(token)

    def _revoke_once(self, token: str) -> None:
        fields = {"token": token}
        try:
            response = self._http.post(
                self._endpoints.revoke_url,
                json=fields if self._endpoints.revoke_body == "json" else None,
                data=fields if self._endpoints.revoke_body == "form" else None,
                headers={**self._endpoints.headers, "Accept": "application/json"},
                auth=self._auth(),
            )
        except httpx.HTTPError as error:
            raise TokenCallFailed(_reason(error)) from error
        if response.status_code >= 500 or response.status_code == 429:
            raise TokenCallFailed(f"HTTP {response.status_code}")
        if response.status_code == 401:
            raise AppRefused("the revocation endpoint did not accept the client id and secret")

    def _client(self, **values: Any) -> OAuth2Client:
        return OAuth2Client(
            session=self._http,
            client_id=self._endpoints.client_id,
            client_secret=self._endpoints.client_secret,
            code_challenge_method="S256",
            **values,
        )

    def _headers(self) -> dict[str, str]:
        form = "application/x-www-form-urlencoded;charset=UTF-8"
        return {**self._endpoints.headers, "Accept": "application/json", "Content-Type": form}

    def _auth(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self._endpoints.client_id, self._endpoints.client_secret)

    def _tokens(self, answer: Mapping[str, Any]) -> TokenSet:
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access, str) or not isinstance(refresh, str) or not access or not refresh:
            raise TokenCallFailed("the answer holds no tokens")
        now = self._clock.now()
        lifetime = answer.get("x_refresh_token_expires_in") or self._endpoints.refresh_seconds
        hard_limit = answer.get("x_refresh_token_hard_expires_in")
        if lifetime is not None and hard_limit is not None:
            lifetime = min(int(lifetime), int(hard_limit))
        return TokenSet(
            access_token=access,
            refresh_token=refresh,
            expires_at=now + timedelta(seconds=int(answer.get("expires_in") or 1800)),
            refresh_expires_at=None if lifetime is None else now + timedelta(seconds=int(lifetime)),
            owner=self.owner_of(access),
        )

    def owner_of(self, access_token: str) -> TokenOwner | None:
        """Say whose consent an access token is, where that person's companies share one token set."""
        person = self._endpoints.person(access_token) if self._endpoints.person else None
        if not person:
            return None
        return TokenOwner(app=self._endpoints.client_id, person=hashlib.sha256(person.encode()).hexdigest())


def new_verifier() -> str:
    """Return a fresh PKCE code verifier (86 characters of the allowed 43 to 128)."""
    return secrets.token_urlsafe(64)


def _judged(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return call()
    except OAuth2Error as error:
        if error.error == "invalid_grant":
            raise GrantRefused(error.error) from None
        raise AppRefused(str(error.error)) from None
    except httpx.HTTPError as error:
        raise TokenCallFailed(_reason(error)) from None
    except ValueError:
        raise TokenCallFailed("the answer is not JSON") from None


def _reason(error: httpx.HTTPError) -> str:
    # Never str(error): it can hold an address with a query.
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection failed"

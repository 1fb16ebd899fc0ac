"""Who may call: apps, consents, codes, tokens and connections, kept in the same store as the books.

One token set may cover many organisations; a refresh rotates it for all. The previous refresh token may be replayed
for 30 minutes. Access tokens are signed JWTs, looked up by their digest, so they survive a restart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import secrets
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.store import Store
from sandbox.xero.resource import make_guid
from sandbox.xero.switches import Switches
from sandbox.xero.table import Document

ACCESS_SECONDS = 1_800
CODE_SECONDS = 300
REFRESH_SECONDS = 60 * 86_400
GRACE_SECONDS = 1_800
DEAD_SECONDS = 86_400
DEFAULT_CLIENT_ID = "TIEOUTSANDBOXCLIENT0000000000000"
DEFAULT_CLIENT_SECRET = "tieout-sandbox-secret"  # noqa: S105 - published, protects nothing
USER_ID = "5a5a5a5a-0000-4000-8000-00000000b0b0"


class TokenRefused(Exception):
    """The token endpoint's own errors, in snake_case."""

    def __init__(self, error: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def digest(token: str) -> str:
    """What is kept of an access token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Identity:
    """Apps, grants and connections of one sandbox."""

    def __init__(self, store: Store, *, clock: MovableClock, switches: Switches) -> None:
        self._store = store
        self._clock = clock
        self._switches = switches
        self._key: RSAKey | None = None
        self.dice = random.Random(0)

    def rows(self, table: str) -> dict[str, Document]:
        """All rows of one of identity's tables."""
        return dict(self._store.rows(f"identity/{table}"))

    def get(self, table: str, key: str) -> Document | None:
        """One row."""
        found: Document | None = self._store.get(f"identity/{table}", key)
        return found

    def put(self, table: str, key: str, value: Document) -> None:
        """Keep one row."""
        with self._store.transaction():
            self._store.put(f"identity/{table}", key, value)

    def remove(self, table: str, key: str) -> None:
        """Drop one row."""
        with self._store.transaction():
            self._store.remove(f"identity/{table}", key)

    def ensure_default_app(self) -> None:
        """The app that exists from the start: any https or http://localhost redirect, no webhook."""
        if self.get("apps", DEFAULT_CLIENT_ID) is None:
            self.add_app(
                {
                    "ClientID": DEFAULT_CLIENT_ID,
                    "ClientSecret": DEFAULT_CLIENT_SECRET,
                    "Name": "Tieout Sandbox App",
                    "RedirectUris": [],
                    "CustomTenant": "",
                }
            )

    def add_app(self, app: Document) -> None:
        """Register or replace an app."""
        self.put("apps", app["ClientID"], app)

    def signing_key(self) -> RSAKey:
        """The sandbox's own RSA key, made on first use and kept."""
        if self._key is None:
            kept = self.get("keys", "signing")
            if kept is None:
                made = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"}, private=True)
                kept = {"Pem": made.as_pem(private=True).decode()}
                self.put("keys", "signing", kept)
            self._key = RSAKey.import_key(
                kept["Pem"], parameters={"use": "sig", "alg": "RS256", "kid": "sandbox"}
            )
        return self._key

    def consent(
        self,
        *,
        client_id: str,
        scopes: list[str],
        tenants: list[tuple[str, str, str]],
        redirect_uri: str,
        challenge: str,
        nonce: str,
        user: str = USER_ID,
    ) -> str:
        """Record what a person agreed to; returns the code. An already linked tenant keeps its first event id."""
        event = make_guid(self.dice)
        grant = make_guid(self.dice)
        self.put(
            "grants",
            grant,
            {
                "GrantID": grant,
                "ClientID": client_id,
                "UserID": user,
                "AuthEventID": event,
                "Scopes": scopes,
                "IsRevoked": False,
                "Nonce": nonce,
                "AuthTime": int(self._clock.timestamp()),
            },
        )
        for tenant_id, tenant_type, name in tenants:
            self.connect(
                client_id, tenant_id=tenant_id, tenant_type=tenant_type, name=name, event=event, user=user
            )
        code = secrets.token_urlsafe(32)
        self.put(
            "codes",
            code,
            {
                "GrantID": grant,
                "RedirectUri": redirect_uri,
                "Challenge": challenge,
                "ExpiresAt": int(self._clock.timestamp()) + CODE_SECONDS,
            },
        )
        return code

    def connect(
        self, client_id: str, *, tenant_id: str, tenant_type: str, name: str, event: str, user: str = USER_ID
    ) -> Document:
        """Link an app with a tenant, for one person."""
        now = self._clock.now().isoformat()
        for connection in self.connections_of({"ClientID": client_id, "UserID": user}):
            if connection["TenantID"] == tenant_id:
                linked = connection | {"Updated": now, "Name": name}
                self.put("connections", linked["ID"], linked)
                return linked
        key = make_guid(self.dice)
        linked = {
            "ID": key,
            "ClientID": client_id,
            "UserID": user,
            "TenantID": tenant_id,
            "TenantType": tenant_type,
            "Name": name,
            "AuthEventID": event,
            "Created": now,
            "Updated": now,
        }
        self.put("connections", key, linked)
        return linked

    def exchange(self, form: dict[str, str], app: Document, *, issuer: str) -> Document:
        """`grant_type=authorization_code`: once, in time, with the same redirect and the right verifier."""
        code = self.get("codes", form.get("code", ""))
        if code is None or code["ExpiresAt"] < self._clock.timestamp():
            raise TokenRefused("invalid_grant")
        self.remove("codes", form["code"])
        grant = self.get("grants", code["GrantID"])
        if grant is None or grant["ClientID"] != app["ClientID"]:
            raise TokenRefused("invalid_grant")
        if form.get("redirect_uri", "") != code["RedirectUri"]:
            raise TokenRefused("invalid_grant")
        verifier = form.get("code_verifier", "")
        if code["Challenge"]:
            made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            if not hmac.compare_digest(made, code["Challenge"]):
                raise TokenRefused("invalid_grant")
        elif not app["ClientSecret"]:
            raise TokenRefused("invalid_grant")
        return self._issue(grant, issuer=issuer)

    def refresh(self, token: str, app: Document, *, issuer: str) -> Document:
        """`grant_type=refresh_token`: a new pair; the old one is good for 30 minutes more."""
        held = self.get("refresh", digest(token))
        now = self._clock.timestamp()
        grant = None if held is None else self.get("grants", held["GrantID"])
        if held is None or grant is None or grant["IsRevoked"] or grant["ClientID"] != app["ClientID"]:
            raise TokenRefused("invalid_grant")
        if now - held["CreatedAt"] > REFRESH_SECONDS:
            raise TokenRefused("invalid_grant")
        replaced = held["ReplacedAt"]
        if replaced is not None:
            has_grace = self._switches("refresh_grace") == "yes"
            if not has_grace or now - replaced > GRACE_SECONDS:
                raise TokenRefused("invalid_grant")
        else:
            self.put("refresh", digest(token), held | {"ReplacedAt": int(now)})
        return self._issue(grant, issuer=issuer)

    def client_credentials(self, app: Document, scopes: list[str], *, issuer: str) -> Document:
        """A custom connection: one organisation, no refresh token."""
        if not app.get("CustomTenant"):
            raise TokenRefused("unauthorized_client")
        grant = {
            "GrantID": f"custom-{app['ClientID']}",
            "ClientID": app["ClientID"],
            "AuthEventID": make_guid(self.dice),
            "Scopes": [name for name in scopes if name != "offline_access"],
            "IsRevoked": False,
            "Nonce": "",
            "AuthTime": int(self._clock.timestamp()),
        }
        self.put("grants", grant["GrantID"], grant)
        return self._issue(grant, issuer=issuer)

    def revoke(self, token: str, app: Document) -> None:
        """Revoking a refresh token drops every connection of that user to the app."""
        held = self.get("refresh", digest(token))
        grant = None if held is None else self.get("grants", held["GrantID"])
        if grant is None or grant["ClientID"] != app["ClientID"]:
            return
        self.revoke_app(app["ClientID"], user=_user(grant))

    def revoke_app(self, client_id: str, *, user: str | None = None) -> None:
        """End every grant and connection of an app, or those of one person only."""
        for key, grant in self.rows("grants").items():
            if grant["ClientID"] == client_id and user in (None, _user(grant)):
                self.put("grants", key, grant | {"IsRevoked": True})
        for key, connection in self.rows("connections").items():
            if connection["ClientID"] == client_id and user in (None, _user(connection)):
                self.remove("connections", key)

    def grant_of(self, token: str) -> tuple[Document, int] | None:
        """(grant, expiry) of an access token, expired or not; None when unknown."""
        held = self.get("access", digest(token))
        if held is None:
            return None
        grant = self.get("grants", held["GrantID"])
        return None if grant is None else (grant, held["ExpiresAt"])

    def connections_of(self, grant: Document) -> list[Document]:
        """That person's connections to the app, in no order a client should rely on."""
        whose = (grant["ClientID"], _user(grant))
        held = [row for row in self.rows("connections").values() if (row["ClientID"], _user(row)) == whose]
        return sorted(held, key=lambda row: digest(row["ID"]))

    def is_connected(self, grant: Document, tenant_id: str) -> bool:
        """Whether the grant's app is still linked with the tenant."""
        return any(row["TenantID"] == tenant_id for row in self.connections_of(grant))

    def _issue(self, grant: Document, *, issuer: str) -> Document:
        now = int(self._clock.timestamp())
        self._forget(grant["GrantID"], now)
        claims: dict[str, Any] = {
            "nbf": now,
            "exp": now + ACCESS_SECONDS,
            "iss": issuer,
            "aud": f"{issuer}/resources",
            "client_id": grant["ClientID"],
            "sub": _user(grant).replace("-", ""),
            "auth_time": grant["AuthTime"],
            "xero_userid": _user(grant),
            "jti": secrets.token_hex(16),
            "authentication_event_id": grant["AuthEventID"],
            "scope": grant["Scopes"],
        }
        header = {"alg": "RS256", "kid": "sandbox", "typ": "JWT"}
        access = jwt.encode(header, claims, self.signing_key())
        self.put("access", digest(access), {"GrantID": grant["GrantID"], "ExpiresAt": now + ACCESS_SECONDS})
        answer: Document = {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(grant["Scopes"]),
        }
        if "offline_access" in grant["Scopes"]:
            token = secrets.token_urlsafe(48)
            self.put(
                "refresh", digest(token), {"GrantID": grant["GrantID"], "CreatedAt": now, "ReplacedAt": None}
            )
            answer["refresh_token"] = token
        if "openid" in grant["Scopes"]:
            answer["id_token"] = jwt.encode(header, self._who(grant, now, issuer, access), self.signing_key())
        return answer

    def _who(self, grant: Document, now: int, issuer: str, access: str) -> dict[str, Any]:
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims: dict[str, Any] = {
            "nbf": now,
            "iat": now,
            "exp": now + 300,
            "iss": issuer,
            "aud": grant["ClientID"],
            "sub": _user(grant).replace("-", ""),
            "auth_time": grant["AuthTime"],
            "xero_userid": _user(grant),
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        }
        if grant.get("Nonce"):
            claims["nonce"] = grant["Nonce"]
        if "email" in grant["Scopes"]:
            claims |= {"email": "bookkeeper@example.com", "preferred_username": "bookkeeper@example.com"}
        if "profile" in grant["Scopes"]:
            claims |= {"given_name": "Bo", "family_name": "Keeper", "name": "Bo Keeper"}
        return claims

    def _forget(self, grant_id: str, now: int) -> None:
        """Drop what can never be used again, so that a long life does not fill the store."""
        for table, ended in (("access", "ExpiresAt"), ("refresh", "ReplacedAt")):
            for key, row in self.rows(table).items():
                if row["GrantID"] == grant_id and row[ended] is not None and row[ended] < now - DEAD_SECONDS:
                    self.remove(table, key)


def _user(row: Document) -> str:
    """Whose grant or connection it is; what was kept before persons were told apart is the first one's."""
    return str(row.get("UserID") or USER_ID)


def connection_time(text: str) -> str:
    """ISO with seven fraction digits and no zone, as /connections writes it."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0"

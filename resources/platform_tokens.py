"""The platform's signed tokens: who a person is, for which builder, in which role.

A token is a JWT signed with a key of the platform's JWKS, or with a secret it shares with Tieout. It carries `iss`,
`aud`, `exp`, `sub` (the person), `builder_id`, `role`, and perhaps `scope` (a text with spaces between). Anything less
opens nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from resources.http import TOKEN_READ_SECONDS, api_client
from resources.settings import Settings
from resources.store.api_keys import SCOPES, Caller, Role
from sync.clock import Clock

log = structlog.get_logger(__name__)

SHARED_SECRET_ALGORITHMS = ("HS256",)
# Never an HMAC here: a public key must not double as a shared secret.
PUBLIC_KEY_ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
TOKEN_LENGTH_MAX = 8192
KEYS_AGE_SECONDS_MAX = 600
# An unknown key id asks for the keys anew, but made-up ids must not make us call the platform all the time.
KEYS_AGE_SECONDS_MIN = 30
USER_LENGTH_MAX = 200
ROLES: Mapping[str, Role] = {"owner": "owner", "bookkeeper": "bookkeeper", "viewer": "viewer"}


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person whom a token vouches for, and what is needed to take that token once only."""

    caller: Caller
    # what was signed: unlike the signature, nobody but the signer can write it in another way
    fingerprint: str
    # after this the token opens nothing by itself
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: KeySet
    ids: frozenset[str]
    fetched_at: float


class PlatformTokens:
    """Checks tokens as the settings say; takes none where they say nothing. One object serves all threads."""

    def __init__(
        self, settings: Settings, *, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Take the settings of the platform's tokens; `transport` stands in for the network in tests."""
        self._settings = settings
        self._clock = clock
        self._http = api_client(read_seconds=TOKEN_READ_SECONDS, transport=transport)
        self._lock = threading.Lock()
        self._keys: _Keys | None = None
        self._tried_at: float | None = None

    @property
    def is_used(self) -> bool:
        """Whether any token can be valid."""
        return bool(self._settings.token_secret.get_secret_value() or self._settings.token_jwks_url)

    def caller(self, token: str) -> Caller | None:
        """Return the person a token vouches for, or None for a token that opens nothing."""
        vouched = self.vouched(token)
        return vouched.caller if vouched else None

    def vouched(self, token: str) -> Vouched | None:
        """Return the person a token vouches for and until when, or None for a token that opens nothing."""
        if not self.is_used or len(token) > TOKEN_LENGTH_MAX or token.count(".") != 2:
            return None
        try:
            claims = self._claims(token)
        except (JoseError, ValueError) as error:
            log.info("token_refused", reason=type(error).__name__)
            return None
        caller = _caller(claims)
        if caller is None:
            return None
        ends = datetime.fromtimestamp(int(claims["exp"]), UTC)
        leeway = timedelta(seconds=self._settings.token_leeway_seconds)
        return Vouched(caller, token.rpartition(".")[0], ends + leeway)

    def close(self) -> None:
        """Close the connection to the platform."""
        self._http.close()

    def _claims(self, token: str) -> Mapping[str, Any]:
        secret = self._settings.token_secret.get_secret_value()
        if secret:
            found = jwt.decode(token, OctKey.import_key(secret), algorithms=list(SHARED_SECRET_ALGORITHMS))
        else:
            keys = self._key_set(token)
            found = jwt.decode(token, keys, algorithms=list(PUBLIC_KEY_ALGORITHMS))
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=self._settings.token_leeway_seconds,
            iss={"essential": True, "value": self._settings.token_issuer},
            aud={"essential": True, "value": self._settings.token_audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        registry.validate(found.claims)
        return found.claims

    def _key_set(self, token: str) -> KeySet:
        key_id = jws.extract_compact(token.encode()).headers().get("kid")
        with self._lock:
            now = self._clock.now().timestamp()
            held = self._keys
            is_fresh = held is not None and now - held.fetched_at < KEYS_AGE_SECONDS_MAX
            is_known = held is not None and (key_id is None or key_id in held.ids)
            may_ask = self._tried_at is None or now - self._tried_at >= KEYS_AGE_SECONDS_MIN
            if not (is_fresh and is_known) and may_ask:
                self._tried_at = now
                held = self._keys = self._fetch(now) or held
        if held is None:
            raise ValueError("the platform's keys could not be read")
        return held.keys

    def _fetch(self, now: float) -> _Keys | None:
        try:
            response = self._http.get(str(self._settings.token_jwks_url))
            response.raise_for_status()
            document = response.json()
            keys = KeySet.import_key_set(document)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
            log.warning("platform_keys_unreadable", kind=type(error).__name__)
            return None
        return _Keys(keys, frozenset(str(each.get("kid")) for each in document["keys"]), now)


def _caller(claims: Mapping[str, Any]) -> Caller | None:
    user, role = claims.get("sub"), ROLES.get(str(claims.get("role")))
    scope = claims.get("scope")
    try:
        builder_id = UUID(str(claims.get("builder_id")))
    except ValueError:
        builder_id = None
    is_named = isinstance(user, str) and 0 < len(user) <= USER_LENGTH_MAX and user.isprintable()
    if builder_id is None or role is None or not is_named or not isinstance(scope, str | None):
        log.info("token_refused", reason="claims")
        return None
    scopes = None if scope is None else frozenset(scope.split()) & frozenset(SCOPES)
    return Caller(builder_id, None, str(user), role, scopes)

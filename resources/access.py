"""Keeps one company's tokens fresh, across threads and processes.

Refresh is a critical section: both providers replace the refresh token, and two refreshes at once can end the grant.
So the connection's row is locked, re-read, refreshed if that is still needed, committed, and only then used. This is
the only place where a transaction stays open across a call, with a time limit on both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog

from resources.oauth import AppRefused, GrantRefused, OAuth, TokenCallFailed, TokenSet
from resources.spec import CompanyFacts
from resources.store.database import Database, Transaction
from resources.vault import SealBroken, Vault
from sync.clock import Clock
from sync.errors import AccessExpired, NotFound, ProviderUnavailable, Remedy

# Long enough for the longest call to end with the token it began with.
LEEWAY = timedelta(minutes=5)
USABLE_MIN = timedelta(seconds=20)
ASK_AGAIN = timedelta(seconds=60)
REFRESHES_MAX = 5
# Whoever waits for the row is woken when we let go of it, and a second lock taken at once would overtake them.
LET_PASS_SECONDS = 0.25

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """Which connection of which builder."""

    builder_id: UUID
    connection_id: UUID
    provider: str
    title: str


class TokenKeeper:
    """Reads, refreshes and stores the tokens of connections."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        oauth_of: Callable[[str], OAuth],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._vault = vault
        self.clock = clock
        self.oauth_of = oauth_of
        self._sleep = sleep

    def fresh(self, key: ConnectionKey, *, refused: str | None = None) -> TokenSet:
        """Return tokens that will live a while, refreshed unless the stored ones already will.

        `refused` is an access token the provider just answered 401 to: it counts as expired.
        """
        tried: str | None = None
        for _ in range(REFRESHES_MAX):
            try:
                outcome = self._fresh_under_lock(key, refused=refused, tried=tried)
            except AccessExpired as error:
                raise self.expire(key, error) from None
            if isinstance(outcome, TokenSet):
                return outcome
            if outcome.refresh_token == tried:
                raise _grant_ended(key)
            # Another process may have won between its commit and our call: look once more before giving up.
            tried = outcome.refresh_token
            self._sleep(LET_PASS_SECONDS)
        raise ProviderUnavailable(provider=key.title, reason="several processes renew the access at once")

    def _fresh_under_lock(
        self, key: ConnectionKey, *, refused: str | None, tried: str | None
    ) -> TokenSet | _RefreshRefused:
        failure: str | None = None
        with self._hold(key) as (transaction, row):
            current = self.open_tokens(key, row)
            if current.access_token != refused and self.lasts(current):
                return current
            if current.refresh_token == tried:
                error = _grant_ended(key)
                self._set_status(transaction, key, status="expired", reason=error.user_message)
                return _RefreshRefused(current.refresh_token)
            try:
                fresh = self.oauth_of(key.provider).refresh(current.refresh_token)
            except GrantRefused:
                return _RefreshRefused(current.refresh_token)
            except (TokenCallFailed, AppRefused) as error:
                failure = str(error)
            else:
                transaction.run(
                    "connection_store_tokens", **self.sealed(key, fresh), **_ids(key), now=self.clock.now()
                )
        # Leaving the block committed the new tokens: from here on they may be used.
        if failure is None:
            log.info("tokens_refreshed", connection=str(key.connection_id), provider=key.provider)
            return fresh
        return self._without_refresh(key, current, refused=refused, failure=failure)

    def _without_refresh(
        self, key: ConnectionKey, current: TokenSet, *, refused: str | None, failure: str
    ) -> TokenSet:
        sentence = f"{key.title} did not renew the access ({failure}); it is tried again by itself."
        with self._database.builder_tx(key.builder_id) as transaction:
            transaction.run("connection_refresh_failed", reason=sentence, **_ids(key), now=self.clock.now())
        log.warning(
            "token_refresh_failed", connection=str(key.connection_id), provider=key.provider, reason=failure
        )
        if current.access_token != refused and current.expires_at > self.clock.now() + USABLE_MIN:
            return current
        raise ProviderUnavailable(provider=key.title, reason=f"the access could not be renewed: {failure}")

    def lasts(self, tokens: TokenSet) -> bool:
        """Say whether tokens will live long enough for another call."""
        return tokens.expires_at > self.clock.now() + LEEWAY

    def expire(self, key: ConnectionKey, error: AccessExpired) -> AccessExpired:
        """Mark the connection as no longer usable and hand the error back to be raised."""
        status = "expired" if error.remedy is Remedy.RECONNECT else "error"
        self.set_status(key, status=status, reason=error.user_message)
        return error

    def set_status(self, key: ConnectionKey, *, status: str, reason: str | None) -> None:
        """Store a connection's status and the sentence that explains it."""
        with self._database.builder_tx(key.builder_id) as transaction:
            self._set_status(transaction, key, status=status, reason=reason)

    def _set_status(
        self, transaction: Transaction, key: ConnectionKey, *, status: str, reason: str | None
    ) -> None:
        now = self.clock.now()
        if not transaction.run("connection_set_status", status=status, reason=reason, **_ids(key), now=now):
            return
        audit(
            transaction,
            key,
            at=now,
            actor="tieout",
            action=f"connection.{status}",
            reason=reason,
            after={"status": status},
        )
        log.warning("connection_status", connection=str(key.connection_id), status=status, reason=reason)

    def read(self, key: ConnectionKey) -> TokenSet:
        """Return the stored tokens as they are."""
        with self._database.builder_tx(key.builder_id) as transaction:
            row = transaction.row("connection_read", **_ids(key))
        return self.open_tokens(key, _required(row, key))

    def open_tokens(self, key: ConnectionKey, row: sa.RowMapping) -> TokenSet:
        """Open the sealed tokens of a row, or raise AccessExpired when the connection holds none."""
        if row["status"] in ("disconnected", "expired") or row["refresh_token_encrypted"] is None:
            raise not_open(key.title, row)
        place = {"builder_id": str(key.builder_id), "connection_id": str(key.connection_id)}
        try:
            return TokenSet(
                access_token=self._vault.open(row["access_token_encrypted"], field="access_token", **place),
                refresh_token=self._vault.open(
                    row["refresh_token_encrypted"], field="refresh_token", **place
                ),
                expires_at=row["token_expires_at"],
                refresh_expires_at=row["refresh_expires_at"],
            )
        except SealBroken as error:
            raise AccessExpired(
                provider=key.title, reason="its stored access cannot be opened any more"
            ) from error

    def sealed(self, key: ConnectionKey, tokens: TokenSet) -> dict[str, Any]:
        """Return the values to store for a set of tokens."""
        place = {"builder_id": str(key.builder_id), "connection_id": str(key.connection_id)}
        return {
            "access": self._vault.seal(tokens.access_token, field="access_token", **place),
            "refresh": self._vault.seal(tokens.refresh_token, field="refresh_token", **place),
            "expires_at": tokens.expires_at,
            "refresh_expires_at": tokens.refresh_expires_at,
        }

    def rewrap(self, key: ConnectionKey) -> bool:
        """Wrap a connection's tokens by the newest key; False when it holds none that open."""
        place = {"builder_id": str(key.builder_id), "connection_id": str(key.connection_id)}
        with self._hold(key) as (transaction, row):
            if row["refresh_token_encrypted"] is None:
                return False
            try:
                access = self._vault.rewrap(row["access_token_encrypted"], field="access_token", **place)
                refresh = self._vault.rewrap(row["refresh_token_encrypted"], field="refresh_token", **place)
            except SealBroken as error:
                log.warning("rewrap_failed", connection=str(key.connection_id), reason=str(error))
                return False
            transaction.run(
                "connection_rewrap_tokens", access=access, refresh=refresh, now=self.clock.now(), **_ids(key)
            )
            return True

    @contextmanager
    def _hold(self, key: ConnectionKey) -> Iterator[tuple[Transaction, sa.RowMapping]]:
        try:
            with self._database.builder_tx(key.builder_id) as transaction:
                transaction.value("connection_lock_patience")
                yield transaction, _required(transaction.row("connection_hold", **_ids(key)), key)
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                reason = "another process is still renewing the access"
                raise ProviderUnavailable(provider=key.title, reason=reason) from None
            raise


class ConnectionAccess:
    """Access to one stored connection's company; keeps the token in memory while it is good."""

    def __init__(
        self, keeper: TokenKeeper, key: ConnectionKey, company: CompanyFacts, *, is_doubtful: bool
    ) -> None:
        self._keeper = keeper
        self._key = key
        self._company = company
        self._is_doubtful = is_doubtful
        self._tokens: TokenSet | None = None
        self._asked_at: datetime | None = None
        self._lock = threading.Lock()

    @property
    def company(self) -> CompanyFacts:
        """Say which company this opens."""
        return self._company

    def token(self) -> str:
        """Return an access token that is not about to expire."""
        with self._lock:
            if self._tokens is None or not self._is_good_for_now(self._tokens):
                self._tokens = self._keeper.fresh(self._key)
                self._asked_at = self._keeper.clock.now()
            return self._tokens.access_token

    def renew(self, refused: str) -> str:
        """Return another token after a 401."""
        with self._lock:
            if self._tokens is None or self._tokens.access_token == refused:
                self._tokens = self._keeper.fresh(self._key, refused=refused)
            return self._tokens.access_token

    def _is_good_for_now(self, tokens: TokenSet) -> bool:
        if self._keeper.lasts(tokens):
            return True
        # A refresh got no answer a moment ago: until the token really ends, not every call has to wait for that.
        now = self._keeper.clock.now()
        return (
            tokens.expires_at > now + USABLE_MIN
            and self._asked_at is not None
            and now < self._asked_at + ASK_AGAIN
        )

    def report(self, error: AccessExpired) -> None:
        """Store that the company no longer opens."""
        self._keeper.expire(self._key, error)

    def confirm(self) -> None:
        """Take back an earlier doubt about the connection."""
        if self._is_doubtful:
            self._is_doubtful = False
            self._keeper.set_status(self._key, status="connected", reason=None)


class FreshAccess:
    """Access by tokens that are not stored yet, while a consent is being completed."""

    def __init__(self, tokens: TokenSet, company: CompanyFacts, *, title: str) -> None:
        self._tokens = tokens
        self._company = company
        self._title = title

    @property
    def company(self) -> CompanyFacts:
        """Say which company this opens."""
        return self._company

    def token(self) -> str:
        """Return the access token."""
        return self._tokens.access_token

    def renew(self, refused: str) -> str:
        """Give up: tokens this fresh are not refused because they are old."""
        raise AccessExpired(provider=self._title, reason="it refused the access it had just given")

    def report(self, error: AccessExpired) -> None:
        """Do nothing: there is no connection yet that could be marked."""

    def confirm(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class _RefreshRefused:
    refresh_token: str = field(repr=False)


def audit(
    transaction: Transaction,
    key: ConnectionKey,
    *,
    at: datetime,
    actor: str,
    action: str,
    after: dict[str, Any],
    reason: str | None = None,
) -> None:
    """Note what happened to a connection, in the transaction in which it happens."""
    transaction.run(
        "connection_audit",
        builder_id=key.builder_id,
        now=at,
        actor=actor,
        action=action,
        reason=reason or "",
        connection_id=key.connection_id,
        after=after,
    )


def not_open(title: str, row: sa.RowMapping) -> AccessExpired:
    """Say why a connection cannot be used at all."""
    if row["status"] == "expired" and row["status_reason"]:
        return AccessExpired(row["status_reason"])
    reason = "its access ended" if row["status"] == "expired" else "it was disconnected"
    return AccessExpired(provider=title, reason=reason)


def _grant_ended(key: ConnectionKey) -> AccessExpired:
    return AccessExpired(provider=key.title, reason="the consent ended or was taken back there")


def _ids(key: ConnectionKey) -> dict[str, Any]:
    return {"builder_id": key.builder_id, "id": key.connection_id}


def _required(row: sa.RowMapping | None, key: ConnectionKey) -> sa.RowMapping:
    if row is None:
        raise NotFound(what="connection", id=str(key.connection_id))
    return row

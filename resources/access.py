"""Keeps one company's tokens fresh, across threads and processes.

Refresh is a critical section: both providers replace the refresh token, and two refreshes at once can end the grant.
So the row that holds the tokens is locked, re-read, refreshed if that is still needed, committed, and only then used.
Where several builders' connections live from one consent, that row is theirs together, and its end is told to each.
This is the only place where a transaction stays open across a call, with a time limit on both.
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
from resources.token_sets import ConnectionKey, Held, StoredTokens, ids
from resources.vault import Vault
from sync.clock import Clock
from sync.errors import AccessExpired, ProviderUnavailable, Remedy
from sync.retry import PROBE_EVERY_MAX

# Long enough for the longest call to end with the token it began with.
LEEWAY = timedelta(minutes=5)
USABLE_MIN = timedelta(seconds=20)
ASK_AGAIN = timedelta(seconds=60)
REFRESHES_MAX = 5
# Whoever waits for the row is woken when we let go of it, and a second lock taken at once would overtake them.
LET_PASS_SECONDS = 0.25

log = structlog.get_logger(__name__)


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
        self.stored = StoredTokens(database, vault, clock)
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
                self._tell_others(key, outcome)
                raise _grant_ended(key)
            # Another process may have won between its commit and our call: look once more before giving up.
            tried = outcome.refresh_token
            self._sleep(LET_PASS_SECONDS)
        raise ProviderUnavailable(provider=key.title, reason="several processes renew the access at once")

    def _fresh_under_lock(
        self, key: ConnectionKey, *, refused: str | None, tried: str | None
    ) -> TokenSet | _RefreshRefused:
        failure: str | None = None
        with self._hold(key) as (transaction, held):
            current = self.stored.open(key, held)
            if current.access_token != refused and self.lasts(current):
                if held.row["refresh_failures"] and held.row["status"] == "connected":
                    # Somebody else who lives from it got through where this connection had failed.
                    transaction.run("connection_refresh_worked", **ids(key), now=self.clock.now())
                return current
            turned_down = _RefreshRefused(current.refresh_token, held.set_id)
            if current.refresh_token == tried:
                error = _grant_ended(key)
                self._set_status(transaction, key, status="expired", reason=error.user_message)
                return turned_down
            try:
                fresh = self.oauth_of(key.provider).refresh(current.refresh_token)
            except GrantRefused:
                return turned_down
            except (TokenCallFailed, AppRefused) as error:
                failure = str(error)
            else:
                self.stored.keep_refreshed(transaction, key, held, fresh)
        # Leaving the block committed the new tokens: from here on they may be used.
        if failure is None:
            log.info("tokens_refreshed", connection=str(key.connection_id), provider=key.provider)
            return fresh
        return self._without_refresh(key, current, refused=refused, failure=failure)

    def _tell_others(self, key: ConnectionKey, refusal: _RefreshRefused) -> None:
        """Mark everybody who lives from a consent that ended, each in a transaction of their own builder's."""

        def tell(transaction: Transaction, other: ConnectionKey, held: Held) -> None:
            # Whoever consents meanwhile has new tokens stored, and nobody's access ended.
            if self.stored.open(other, held).refresh_token == refusal.refresh_token:
                error = _grant_ended(other)
                self._set_status(transaction, other, status="expired", reason=error.user_message)

        self._each_other(key, refusal.set_id, status=("connected", "error"), do=tell)

    def revive_others(self, key: ConnectionKey) -> None:
        """Let everybody go on who lived from a consent that had ended, now that the same person consented again."""

        def revive(transaction: Transaction, other: ConnectionKey, _held: Held) -> None:
            self._set_status(transaction, other, status="connected", reason=None)

        with self._database.builder_tx(key.builder_id) as transaction:
            set_id = self.stored.read(transaction, key).set_id
        self._each_other(key, set_id, status=("expired",), do=revive)

    def _each_other(
        self,
        key: ConnectionKey,
        set_id: UUID | None,
        *,
        status: tuple[str, ...],
        do: Callable[[Transaction, ConnectionKey, Held], None],
    ) -> None:
        """Do something to each other connection that lives from a token set, in its own builder's transaction."""
        rows = [] if set_id is None else self.stored.others(key, set_id)
        for row in rows:
            if row["status"] not in status:
                continue
            other = ConnectionKey(row["builder_id"], row["id"], key.provider, key.title)
            try:
                with self._hold(other) as (transaction, held):
                    if held.set_id == set_id and held.row["status"] in status:
                        do(transaction, other, held)
            except ProviderUnavailable as error:
                # It is being renewed at this moment, and finds out by itself.
                log.warning("other_not_told", connection=str(other.connection_id), reason=str(error))

    def _without_refresh(
        self, key: ConnectionKey, current: TokenSet, *, refused: str | None, failure: str
    ) -> TokenSet:
        sentence = f"{key.title} did not renew the access ({failure}); it is tried again by itself."
        with self._database.builder_tx(key.builder_id) as transaction:
            transaction.run("connection_refresh_failed", reason=sentence, **ids(key), now=self.clock.now())
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
        told = {"status": status, "reason": reason, "probe_at": now + PROBE_EVERY_MAX}
        if not transaction.run("connection_set_status", **told, **ids(key), now=now):
            return
        if status == "connected":
            # What was refused because the access had ended is sent again, whoever's deed brought it back.
            transaction.run(
                "reopen_after_consent", builder_id=key.builder_id, connection_id=key.connection_id
            )
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
            held = self.stored.read(transaction, key)
        return self.stored.open(key, held)

    def still_good(self, key: ConnectionKey, row: sa.RowMapping) -> TokenSet | None:
        """Return the connection's own tokens, of a row just read, if they will live a while; else `fresh` sees to them."""
        if row["token_set_id"] is not None or row["refresh_failures"]:
            return None
        try:
            tokens = self.stored.open(key, Held(row, row))
        except AccessExpired:
            return None
        return tokens if self.lasts(tokens) else None

    def rewrap(self, key: ConnectionKey) -> bool:
        """Wrap a connection's tokens by the newest key; False when it holds none that open."""
        with self._hold(key) as (transaction, held):
            return self.stored.rewrap(transaction, key, held)

    @contextmanager
    def _hold(self, key: ConnectionKey) -> Iterator[tuple[Transaction, Held]]:
        try:
            with self._database.builder_tx(key.builder_id) as transaction:
                transaction.value("connection_lock_patience")
                yield transaction, self.stored.hold(transaction, key)
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                reason = "another process is still renewing the access"
                raise ProviderUnavailable(provider=key.title, reason=reason) from None
            raise


class ConnectionAccess:
    """Access to one stored connection's company; keeps the token in memory while it is good."""

    def __init__(
        self,
        keeper: TokenKeeper,
        key: ConnectionKey,
        company: CompanyFacts,
        *,
        is_doubtful: bool,
        tokens: TokenSet | None = None,
    ) -> None:
        """`tokens` are those stored, where they will live a while: only a refresh needs the row's lock."""
        self._keeper = keeper
        self._key = key
        self._company = company
        self._is_doubtful = is_doubtful
        self._tokens = tokens
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
    set_id: UUID | None


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


def _grant_ended(key: ConnectionKey) -> AccessExpired:
    return AccessExpired(provider=key.title, reason="the consent ended or was taken back there")

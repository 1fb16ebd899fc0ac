"""A connection's life: consent, use, and disconnection.

Secrets enter the database sealed and leave this module only inside an Access.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import httpx
import sqlalchemy as sa
import structlog

from resources.access import ConnectionAccess, TokenKeeper, audit
from resources.consent import AuthorizationStart, ConnectedCompany, Consents
from resources.gate import Budget, Gate, OpenGate, SharedGate
from resources.http import api_client, token_client
from resources.meter import MonthPlan
from resources.oauth import AppRefused, OAuth, TokenCallFailed, TokenSet
from resources.registry import PROVIDERS
from resources.settings import Settings
from resources.spec import CompanyFacts, ProviderSpec, Surroundings
from resources.store.database import Database
from resources.token_sets import ConnectionKey, Held, not_open
from resources.vault import Vault
from sync.clock import Clock
from sync.errors import AlreadyDone, NotFound, SyncError
from sync.ports import Provider
from sync.quota import Priority

log = structlog.get_logger(__name__)

__all__ = ["AuthorizationStart", "ConnectedCompany", "Connections", "Disconnected"]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection that ended; `notice` asks for a step at the provider when it could not be told."""

    connection_id: str
    provider: str
    notice: str | None = None


class Connections:
    """Makes, opens and ends connections. One object serves all builders and threads."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        vault: Vault,
        clock: Clock,
        on_connected: Callable[[str, str], None] | None = None,
        providers: Mapping[str, ProviderSpec] = PROVIDERS,
    ) -> None:
        """`on_connected(builder_id, connection_id)` runs after a consent is stored, to pull the chart of accounts."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._on_connected = on_connected
        self._providers = providers
        self._token_http = token_client()
        self._api_http = {key: api_client(spec.base_url(settings)) for key, spec in providers.items()}
        self._plans = {
            key: MonthPlan(database, provider=key, title=spec.title, allowed=allowed, clock=clock)
            for key, spec in providers.items()
            if (allowed := spec.metered_reads_a_month(settings))
        }
        self._keeper = TokenKeeper(database, vault, clock, self._oauth)
        self._consents = Consents(
            database,
            settings,
            vault=vault,
            keeper=self._keeper,
            providers=providers,
            http_of=self._api_http.__getitem__,
        )

    def close(self) -> None:
        """Close the HTTP connections."""
        for client in (self._token_http, *self._api_http.values()):
            client.close()

    def begin(self, builder_id: str, provider: str, *, browser: str, requested_by: str) -> AuthorizationStart:
        """Begin a consent for the browser that carries this token, and return where to send it."""
        return self._consents.begin(
            _uuid(builder_id, "builder"), provider, browser=browser, requested_by=requested_by
        )

    def complete(self, provider: str, *, params: Mapping[str, str], browser: str) -> ConnectedCompany:
        """Turn a callback into a connection, or raise a ConnectError and leave nothing behind.

        Where the consent opens several companies, ChoiceNeeded names them and holds the consent; the callback with
        its `state` and the chosen `company` completes it.
        """
        company = self._consents.complete(provider, params=params, browser=browser)
        return replace(company, notice=self._after_connecting(company))

    def _after_connecting(self, company: ConnectedCompany) -> str | None:
        if self._on_connected is None:
            return None
        try:
            self._on_connected(company.builder_id, company.connection_id)
        except SyncError as error:
            # The connection stands; what could not be read now is read by the first sync.
            log.warning("first_look_failed", connection=company.connection_id, code=error.code)
            return error.user_message
        return None

    # ------------------------------------------------------------------ use

    def open(
        self, builder_id: str, connection_id: str, *, priority: Priority = Priority.SCHEDULE
    ) -> Provider:
        """Return the connection's company as a Provider with fresh access; its calls wait by their priority.

        Raises NotFound, AccessExpired (the connection is marked) or ProviderUnavailable.
        """
        _, row = self._find(builder_id, connection_id)
        return self.open_found(builder_id, row, priority=priority)

    def open_found(
        self, builder_id: str, row: sa.RowMapping, *, priority: Priority = Priority.SCHEDULE
    ) -> Provider:
        """Do the same for a row of `connection_read` that was read just now."""
        title = self._providers[row["provider"]].title
        key = ConnectionKey(UUID(builder_id), row["id"], row["provider"], title)
        if row["status"] in ("disconnected", "expired"):
            raise not_open(key.title, row)
        company = CompanyFacts(
            company_id=row["provider_tenant_id"],
            name=row["provider_company_name"] or "",
            currency=row["currency"],
            country=(row["settings"] or {}).get("country"),
            preferences=row["settings"] or {},
        )
        access = ConnectionAccess(
            self._keeper,
            key,
            company,
            is_doubtful=row["status"] == "error",
            tokens=self._keeper.still_good(key, row),
        )
        access.token()
        spec = self._providers[key.provider]
        surroundings = Surroundings(
            self._api_http[key.provider],
            self._clock,
            self._gate(spec, priority),
            self._settings.public_base_url,
        )
        return spec.build(access, surroundings)

    def _gate(self, spec: ProviderSpec, priority: Priority) -> Gate:
        if spec.limits is None:
            return OpenGate()
        budget = Budget(
            provider=spec.key, title=spec.title, limits=spec.limits, plan=self._plans.get(spec.key)
        )
        return SharedGate(self._database, budget, priority=priority, clock=self._clock)

    # ------------------------------------------------------------------ the end

    def disconnect(self, builder_id: str, connection_id: str, *, requested_by: str) -> Disconnected:
        """End a connection: tokens and mapping go, history stays, and the provider is told."""
        key, _ = self._find(builder_id, connection_id)
        spec = self._providers[key.provider]
        if spec.release is not None:
            self._try_refresh(key)
        now = self._clock.now()
        with self._database.builder_tx(key.builder_id) as transaction:
            held = self._keeper.stored.hold(transaction, key)
            row = held.row
            if row["status"] == "disconnected":
                raise AlreadyDone(what=f"The connection to {key.title}", done="disconnected")
            tokens = self._tokens_to_revoke(key, held)
            self._keeper.stored.leave(transaction, key, held)
            transaction.run("connection_disconnect", builder_id=key.builder_id, id=key.connection_id, now=now)
            transaction.run(
                "connection_clear_mappings", builder_id=key.builder_id, id=key.connection_id, now=now
            )
            company = {"company": row["provider_company_name"], "provider": key.provider}
            audit(
                transaction, key, at=now, actor=requested_by, action="connection.disconnected", after=company
            )
        # Ours first: whatever the provider answers, no token is left here.
        notice = None if tokens is None else self._revoke(spec, tokens, row["provider_tenant_id"])
        log.info("disconnected", provider=key.provider, connection=str(key.connection_id))
        return Disconnected(connection_id=str(key.connection_id), provider=key.provider, notice=notice)

    def rewrap(self) -> int:
        """Wrap every stored token by the newest key of the keyring; the number of connections done."""
        with self._database.scheduler_tx() as transaction:
            rows = transaction.rows("connections_with_tokens")
        return sum(self._keeper.rewrap(self._find(str(row["builder_id"]), str(row["id"]))[0]) for row in rows)

    def _try_refresh(self, key: ConnectionKey) -> None:
        """Get an access token that still opens the company, because ending it there takes one."""
        try:
            self._keeper.fresh(key)
        except SyncError as error:
            log.info("no_access_left_to_end", connection=str(key.connection_id), code=error.code)

    def _tokens_to_revoke(self, key: ConnectionKey, held: Held) -> TokenSet | None:
        try:
            return self._keeper.stored.open(key, held)
        except SyncError:
            # Expired or unreadable: there is nothing left to take back.
            return None

    def _revoke(self, spec: ProviderSpec, tokens: TokenSet, company_id: str) -> str | None:
        try:
            if spec.release is not None:
                spec.release(company_id, tokens.access_token, self._api_http[spec.key])
            else:
                self._oauth(spec.key).revoke(tokens.refresh_token)
        except (TokenCallFailed, AppRefused, httpx.HTTPError):
            log.warning("revocation_not_confirmed", provider=spec.key)
            return (
                f"{spec.title} did not confirm that the access ended; nothing of it is kept here."
                f" To be sure, remove Tieout from the connected apps in {spec.title}."
            )
        return None

    # ------------------------------------------------------------------ parts

    def _oauth(self, provider: str) -> OAuth:
        endpoints = self._providers[provider].endpoints(self._settings)
        return OAuth(endpoints, http=self._token_http, clock=self._clock)

    def _find(self, builder_id: str, connection_id: str) -> tuple[ConnectionKey, sa.RowMapping]:
        builder, connection = _uuid(builder_id, "builder"), _uuid(connection_id, "connection")
        with self._database.builder_tx(builder) as transaction:
            row = transaction.row("connection_read", builder_id=builder, id=connection)
        if row is None or row["provider"] not in self._providers:
            raise NotFound(what="connection", id=connection_id)
        title = self._providers[row["provider"]].title
        return ConnectionKey(builder, connection, row["provider"], title), row


def _uuid(text: str, what: str) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound(what=what, id=str(text)[:40]) from None

"""From a click on "Connect" to a stored connection, or to nothing at all.

A consent either ends in a connection or is given back to the provider. Its state is good for one answer, whatever the
answer is: from another browser, from the other issuer, late or repeated, it is used up and leads nowhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import sqlalchemy as sa
import structlog

from resources.access import FreshAccess, TokenKeeper, audit
from resources.choices import STATE_MINUTES, Attempt, Choices, hash_of
from resources.gate import OpenGate
from resources.oauth import AppRefused, GrantRefused, TokenCallFailed, TokenSet, new_verifier
from resources.registry import spec_of
from resources.settings import PREFIX, Settings
from resources.spec import CallbackAnswer, CompanyFacts, ProviderSpec, Surroundings
from resources.store.connection_settings import must_not_both_win_when_connected
from resources.store.database import Database, Transaction
from resources.token_sets import ConnectionKey
from resources.vault import SealBroken, Vault
from sync.errors import (
    ChoiceNeeded,
    CodeRefused,
    CompanyTaken,
    ConnectError,
    ConsentDenied,
    InvalidSetting,
    NoCompany,
    StateExpired,
    StateMismatch,
    SyncError,
)
from sync.ports import Company
from sync.records import DEFAULT_DIRECTION

ATTEMPTS_KEPT = timedelta(days=1)
FIRST_SYNC_DUE = timedelta(hours=1)
CALLBACK_PATH = "/api/v1/integrations/callback"
# What our own page adds to the callback once a person has chosen among several companies.
CHOICE = "company"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuthorizationStart:
    """Where to send the browser, and until when the answer is awaited."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConnectedCompany:
    """A consent that led to a connection; `notice` tells what did not work right after it, if anything."""

    builder_id: str
    connection_id: str
    company_name: str
    provider: str
    notice: str | None = None


class Consents:
    """Begins and completes consents for all builders and providers."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        vault: Vault,
        keeper: TokenKeeper,
        providers: Mapping[str, ProviderSpec],
        http_of: Callable[[str], httpx.Client],
    ) -> None:
        self._database = database
        self._settings = settings
        self._vault = vault
        self._keeper = keeper
        self._clock = keeper.clock
        self._oauth = keeper.oauth_of
        self._providers = providers
        self._http = http_of
        self._choices = Choices(database, vault, self._clock)

    def begin(self, builder: UUID, provider: str, *, browser: str, requested_by: str) -> AuthorizationStart:
        """Begin a consent for the browser that carries this token, and return where to send it."""
        spec = self._configured(provider)
        attempt_id = uuid4()
        state, verifier = secrets.token_urlsafe(32), new_verifier()
        now = self._clock.now()
        expires_at = now + timedelta(minutes=STATE_MINUTES)
        redirect_uri = f"{self._settings.public_base_url}{CALLBACK_PATH}/{provider}"
        place = {"builder_id": str(builder), "connection_id": str(attempt_id), "field": "code_verifier"}
        with self._database.builder_tx(builder) as transaction:
            transaction.run("oauth_attempts_forget", builder_id=builder, before=now - ATTEMPTS_KEPT)
            transaction.run(
                "oauth_attempt_add",
                builder_id=builder,
                id=attempt_id,
                provider=provider,
                state_hash=hash_of(state),
                browser_hash=hash_of(browser),
                verifier=self._vault.seal(verifier, **place),
                redirect_uri=redirect_uri,
                requested_by=requested_by,
                now=now,
                expires_at=expires_at,
            )
        url = self._oauth(spec.key).authorization_url(
            state=state, verifier=verifier, redirect_uri=redirect_uri
        )
        return AuthorizationStart(url=url, expires_at=expires_at)

    def complete(self, provider: str, *, params: Mapping[str, str], browser: str) -> ConnectedCompany:
        """Turn a callback into a connection, or raise a ConnectError and leave nothing behind.

        ChoiceNeeded is raised where a person has to choose among several companies; only then the consent is held.
        """
        spec = self._configured(provider)
        if params.get(CHOICE):
            return self._choose(spec, params.get("state") or "", company_id=params[CHOICE], browser=browser)
        answer = spec.read_callback(params)
        attempt = self._use_attempt(spec, answer, browser=browser)
        if answer.error is not None:
            raise _consent_error(spec, answer.error)
        if not answer.code:
            raise ConnectError(provider=spec.title, reason="its answer holds no authorization code")
        tokens = self._exchange(spec, attempt, answer.code)
        is_kept = False
        try:
            chosen = self._chosen(spec, attempt, self._companies(spec, answer, tokens))
            if isinstance(chosen, CompanyFacts):
                connected = self._connect(spec, attempt, tokens, chosen)
            else:
                self._choices.hold(attempt, tokens, chosen)
            is_kept = True
        finally:
            if not is_kept:
                self._give_back(spec, tokens)
        if isinstance(chosen, CompanyFacts):
            return connected
        choices = [{"id": one.company_id, "name": one.name} for one in chosen]
        raise ChoiceNeeded(provider=spec.title, state=answer.state, choices=choices)

    def _choose(self, spec: ProviderSpec, state: str, *, company_id: str, browser: str) -> ConnectedCompany:
        attempt, tokens, chosen = self._choices.take(spec, state, company_id=company_id, browser=browser)
        is_kept = False
        try:
            connected = self._connect(spec, attempt, tokens, chosen)
            is_kept = True
        finally:
            if not is_kept:
                self._give_back(spec, tokens)
        return connected

    def _connect(
        self, spec: ProviderSpec, attempt: Attempt, tokens: TokenSet, chosen: CompanyFacts
    ) -> ConnectedCompany:
        company = self._company(spec, tokens, chosen)
        connection_id = self._store(spec, attempt, tokens, company)
        log.info(
            "connected", provider=spec.key, connection=str(connection_id), builder=str(attempt.builder_id)
        )
        return ConnectedCompany(
            builder_id=str(attempt.builder_id),
            connection_id=str(connection_id),
            company_name=company.name,
            provider=spec.key,
        )

    def _use_attempt(self, spec: ProviderSpec, answer: CallbackAnswer, *, browser: str) -> Attempt:
        """Use up the state, whatever the answer was, and only then look whether it was good."""
        with self._database.scheduler_tx() as transaction:
            found = transaction.row("oauth_attempt_builder", state_hash=hash_of(answer.state or ""))
        if found is None:
            raise StateMismatch(provider=spec.title)
        now = self._clock.now()
        with self._database.builder_tx(found["builder_id"]) as transaction:
            row = transaction.row(
                "oauth_attempt_use", builder_id=found["builder_id"], id=found["id"], now=now
            )
        # An answer from the other issuer, from another browser, or the same one again: no difference is shown.
        if row is None or row["provider"] != spec.key or not _same(row["browser_hash"], hash_of(browser)):
            raise StateMismatch(provider=spec.title)
        if row["expires_at"] < now:
            raise StateExpired(provider=spec.title, minutes=STATE_MINUTES)
        place = {
            "builder_id": str(found["builder_id"]),
            "connection_id": str(found["id"]),
            "field": "code_verifier",
        }
        try:
            verifier = self._vault.open(row["code_verifier_encrypted"], **place)
        except SealBroken:
            raise StateMismatch(provider=spec.title) from None
        return Attempt(
            builder_id=found["builder_id"],
            id=found["id"],
            provider=spec.key,
            verifier=verifier,
            redirect_uri=row["redirect_uri"],
            requested_by=row["requested_by"],
            consented_at=now,
        )

    def _exchange(self, spec: ProviderSpec, attempt: Attempt, code: str) -> TokenSet:
        try:
            return self._oauth(spec.key).exchange(
                code, verifier=attempt.verifier, redirect_uri=attempt.redirect_uri
            )
        except GrantRefused:
            raise CodeRefused(provider=spec.title) from None
        except AppRefused as error:
            names = " and ".join(PREFIX + name.upper() for name in spec.credential_settings)
            reason = f"it refused this installation's app ({error}); the administrator must check {names}"
            raise ConnectError(provider=spec.title, reason=reason) from None
        except TokenCallFailed as error:
            raise ConnectError(
                provider=spec.title, reason=f"it did not give access in time ({error})"
            ) from None

    def _companies(
        self, spec: ProviderSpec, answer: CallbackAnswer, tokens: TokenSet
    ) -> Sequence[CompanyFacts]:
        try:
            companies = spec.companies(answer, tokens.access_token, self._http(spec.key))
        except httpx.HTTPError as error:
            reason = f"it did not say which {spec.company_word} the consent opens"
            raise ConnectError(provider=spec.title, reason=reason) from error
        if not companies:
            raise NoCompany(provider=spec.title)
        return companies

    def _chosen(
        self, spec: ProviderSpec, attempt: Attempt, companies: Sequence[CompanyFacts]
    ) -> CompanyFacts | Sequence[CompanyFacts]:
        """The one company there is, or the one this builder had before; else all, of which a person chooses."""
        if len(companies) == 1:
            return companies[0]
        with self._database.builder_tx(attempt.builder_id) as transaction:
            known = transaction.value("company_of_builder", builder_id=attempt.builder_id, provider=spec.key)
        return next((one for one in companies if one.company_id == known), companies)

    def _company(self, spec: ProviderSpec, tokens: TokenSet, chosen: CompanyFacts) -> Company:
        http = self._http(spec.key)
        # The id came through the browser: reading the company with the tokens proves that they open this one.
        access = FreshAccess(tokens, chosen, title=spec.title)
        surroundings = Surroundings(http, self._clock, OpenGate(), self._settings.public_base_url)
        try:
            return spec.build(access, surroundings).company()
        except ConnectError:
            raise
        except SyncError as error:
            reason = f"its {spec.company_word} could not be read ({error.user_message.rstrip('.')})"
            raise ConnectError(provider=spec.title, reason=reason, cause=error.code) from error

    def _store(self, spec: ProviderSpec, attempt: Attempt, tokens: TokenSet, company: Company) -> UUID:
        builder, now = attempt.builder_id, self._clock.now()
        try:
            with self._database.builder_tx(builder) as transaction:
                connection_id = self._row_for(transaction, spec, attempt, company)
                key = ConnectionKey(builder, connection_id, spec.key, spec.title)
                transaction.run(
                    "connection_connect",
                    builder_id=builder,
                    id=connection_id,
                    company_id=company.remote_id,
                    company_name=company.name,
                    currency=company.currency,
                    settings={"country": company.country},
                    now=now,
                    next_due_at=now + FIRST_SYNC_DUE,
                )
                self._keeper.stored.keep_consented(
                    transaction, key, tokens, consented_at=attempt.consented_at
                )
                for entity, direction in DEFAULT_DIRECTION.items():
                    transaction.run(
                        "connection_default_settings",
                        builder_id=builder,
                        id=connection_id,
                        entity=entity.value,
                        direction=direction,
                    )
                # With two ledgers, an account of the one is no gap in the other: charts are read, not copied across.
                transaction.run("accounts_of_several_ledgers", builder_id=builder)
                must_not_both_win_when_connected(
                    transaction, builder, connection_id=connection_id, provider=spec.title
                )
                after = {"company": company.name, "provider": spec.key}
                audit(
                    transaction,
                    key,
                    at=now,
                    actor=attempt.requested_by,
                    action="connection.connected",
                    after=after,
                )
        except sa.exc.IntegrityError as error:
            if "v2_integration_connections_company" in str(error.orig):
                raise CompanyTaken(provider=spec.title, company=company.name) from None
            if "v2_integration_connections_builder_id_provider" in str(error.orig):
                reason = "another consent of this builder was completed at the same moment"
                raise ConnectError(provider=spec.title, reason=reason) from None
            raise
        self._keeper.revive_others(key)
        return connection_id

    def _row_for(
        self, transaction: Transaction, spec: ProviderSpec, attempt: Attempt, company: Company
    ) -> UUID:
        """Return the connection's row for this company: the one there is, or a new one."""
        builder = attempt.builder_id
        row = transaction.row("connection_of_provider", builder_id=builder, provider=spec.key)
        if row is None:
            connection_id = uuid4()
            transaction.run(
                "connection_add",
                id=connection_id,
                builder_id=builder,
                provider=spec.key,
                now=self._clock.now(),
            )
            return connection_id
        connection_id = UUID(str(row["id"]))
        if row["provider_tenant_id"] in (None, company.remote_id):
            return connection_id
        old = row["provider_company_name"] or row["provider_tenant_id"]
        if row["status"] != "disconnected":
            reason = (
                f"this builder is connected to {old}, and you chose {company.name}; disconnect {old} first,"
                f" or choose {old} there"
            )
            raise ConnectError(provider=spec.title, reason=reason)
        if transaction.value("connection_has_history", builder_id=builder, id=connection_id):
            # One row per builder and provider, and its links, attempts and audit speak of the old company's ids.
            reason = (
                f"this builder's documents are linked to {old}, and you chose {company.name}; mixing two companies"
                f" would double documents, so choose {old} there, or set up a new builder for {company.name}"
            )
            raise ConnectError(provider=spec.title, reason=reason)
        for query in (
            "connection_forget_links",
            "connection_forget_mirror",
            "connection_forget_cursors",
            "connection_forget_census",
            "connection_forget_options",
        ):
            transaction.run(query, builder_id=builder, id=connection_id)
        return connection_id

    def _give_back(self, spec: ProviderSpec, tokens: TokenSet) -> None:
        if spec.release is not None:
            # Revoking would end this person's other companies too, perhaps other builders'. The tokens are nowhere
            # stored, so the grant lapses unused.
            log.info("grant_left_to_lapse", provider=spec.key)
            return
        try:
            self._oauth(spec.key).revoke(tokens.refresh_token)
        except (TokenCallFailed, AppRefused) as error:
            # The tokens are nowhere stored, so the grant ends unused; the person can remove it at the provider.
            log.warning("grant_not_given_back", provider=spec.key, reason=str(error))

    def _configured(self, provider: str) -> ProviderSpec:
        spec = spec_of(provider, providers=self._providers)
        for name in spec.credential_settings:
            value = getattr(self._settings, name)
            if not (value if isinstance(value, str) else value.get_secret_value()):
                reason = (
                    f"it is empty, so that {spec.title} cannot be connected; enter your app's value there"
                )
                raise InvalidSetting(name=PREFIX + name.upper(), reason=reason)
        return spec


def _consent_error(spec: ProviderSpec, error: str) -> ConnectError:
    if error == "access_denied":
        return ConsentDenied(provider=spec.title)
    # The word came through the browser: it is shown only as far as it is a word.
    word = error if error.isidentifier() and len(error) <= 40 else "an unknown error"
    return ConnectError(provider=spec.title, reason=f"it answered '{word}' instead of giving consent")


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one, other)

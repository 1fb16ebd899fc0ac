"""Third-party apps, as they are registered: for one builder's people, or by the operator for everybody's.

What people give them is in `app_access`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from resources.store.api_keys import SCOPES
from resources.store.audit import AuditEntry, write_audit
from resources.store.credentials import credential_hash, new_credential
from resources.store.database import Database, Transaction
from sync.errors import InvalidInput

SECRET_PREFIX = "tieoutx_"  # noqa: S105 - how a secret begins is none
_SECRET_CONTEXT = b"tieout app secret v1"
# An app that could make keys would outlive its own end.
APP_SCOPES = tuple(scope for scope in SCOPES if not scope.startswith("keys:"))
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
REDIRECTS_MAX = 20
ADDRESS_LENGTH_MAX = 1000


@dataclass(frozen=True, slots=True)
class App:
    """An app that may ask people for access."""

    id: UUID
    builder_id: UUID | None
    name: str
    secret_hash: str | None
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]

    def is_secret(self, text: str) -> bool:
        """Say whether this is the app's secret, in constant time."""
        return self.secret_hash is not None and hmac.compare_digest(
            self.secret_hash, credential_hash(text, context=_SECRET_CONTEXT)
        )


@dataclass(frozen=True, slots=True)
class AppView:
    """What may be seen of an app after it was registered."""

    id: UUID
    is_everybodys: bool
    name: str
    is_public: bool
    redirect_uris: list[str]
    scopes: list[str]
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app's id, and its secret as it is shown once; a public app has none."""

    id: UUID
    secret: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An app to be registered."""

    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    is_public: bool = False


def register_app(
    database: Database, builder_id: UUID | None, wanted: Wanted, *, registered_by: str, now: datetime
) -> NewApp:
    """Register an app for one builder's people, or for everybody's; its secret is never shown again."""
    _check(wanted)
    secret = None if wanted.is_public else new_credential(SECRET_PREFIX)
    with _owner_tx(database, builder_id) as tx:
        app_id: UUID = tx.value(
            "app_insert",
            name=wanted.name,
            secret_hash=credential_hash(secret, context=_SECRET_CONTEXT) if secret else None,
            redirect_uris=list(wanted.redirect_uris),
            scopes=sorted(set(wanted.scopes)),
            created_by=registered_by,
            now=now,
        )
        if builder_id is not None:
            made = {"app": str(app_id), "name": wanted.name, "redirect_uris": list(wanted.redirect_uris)}
            write_audit(tx, AuditEntry(actor=registered_by, action="app.registered", after=made))
    return NewApp(app_id, secret)


def list_apps(database: Database, builder_id: UUID) -> list[AppView]:
    """Return the apps that a builder's people may let in: its own, and those of the operator."""
    with database.builder_tx(builder_id) as tx:
        return [AppView(**row) for row in tx.rows("apps_open")]


def list_everybodys_apps(database: Database) -> list[AppView]:
    """Return the apps of the operator."""
    with database.shared_tx() as tx:
        return [AppView(**row) for row in tx.rows("apps_open")]


def revoke_app(
    database: Database, builder_id: UUID | None, *, app_id: UUID, revoked_by: str, now: datetime
) -> bool:
    """Let an app in no more, and end what it was given; False where there is no such app of this owner."""
    with _owner_tx(database, builder_id) as tx:
        is_revoked = tx.run("app_revoke", id=app_id, now=now) == 1
        # An app of everybody's opens nothing from here on, since each token is read together with its app.
        if is_revoked and builder_id is not None:
            tx.run("app_grants_revoke", app_id=app_id, now=now)
            told = {"app": str(app_id)}
            write_audit(tx, AuditEntry(actor=revoked_by, action="app.revoked", after=told))
    return is_revoked


def find_app(database: Database, app_id: str) -> App | None:
    """Return the app of a client id, or None for one that is let in no more."""
    try:
        wanted = UUID(app_id)
    except ValueError:
        return None
    with database.scheduler_tx() as tx:
        row = tx.row("app_by_id", id=wanted)
    if row is None:
        return None
    lists = {name: tuple(row[name]) for name in ("redirect_uris", "scopes")}
    return App(**{**row, **lists})


def _check(wanted: Wanted) -> None:
    if unknown := sorted(set(wanted.scopes) - set(APP_SCOPES)):
        raise InvalidInput(
            what=f"The scope {unknown[0]}",
            reason=f"apps cannot have it; choose of {', '.join(APP_SCOPES)}",
        )
    if not wanted.scopes:
        raise InvalidInput(what="The app", reason="it needs at least one scope")
    if not 0 < len(wanted.redirect_uris) <= REDIRECTS_MAX:
        raise InvalidInput(what="The app", reason=f"it needs 1 to {REDIRECTS_MAX} redirect addresses")
    for address in wanted.redirect_uris:
        if not _is_redirect(address):
            raise InvalidInput(
                what=f"The redirect address {address[:ADDRESS_LENGTH_MAX]}",
                reason="it must be an https address (or http on this machine) without a fragment, written as the app sends it",
            )


def _is_redirect(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS)
    is_plain = address.isascii() and address.isprintable() and not set(address) & set(" \"'<>\\#;,*")
    return (
        is_safe and is_plain and bool(host) and "@" not in parts.netloc and len(address) <= ADDRESS_LENGTH_MAX
    )


@contextmanager
def _owner_tx(database: Database, builder_id: UUID | None) -> Iterator[Transaction]:
    with database.shared_tx() if builder_id is None else database.builder_tx(builder_id) as tx:
        yield tx

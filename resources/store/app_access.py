"""What people gave third-party apps: grants, and their codes and tokens, of which only hashes are stored.

A grant is what one person gave one app: at most the person's role, and some scopes. A code is exchanged once and a
refresh token is used once; either of them coming twice means that somebody else has it too, and ends the grant with all
its tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from resources.store.api_keys import Caller, Role
from resources.store.apps import App
from resources.store.audit import AuditEntry, write_audit
from resources.store.credentials import credential_hash, is_credential, new_credential
from resources.store.database import Database, Transaction

ACCESS_PREFIX = "tieouta_"
REFRESH_PREFIX = "tieoutr_"
CODE_PREFIX = "tieoutc_"
_CONTEXTS = {
    ACCESS_PREFIX: b"tieout app access token v1",
    REFRESH_PREFIX: b"tieout app refresh token v1",
    CODE_PREFIX: b"tieout app code v1",
}
ACCESS_LASTS = timedelta(hours=1)
# Counted anew at each use: an app that is not used for so long has to ask again.
REFRESH_LASTS = timedelta(days=30)
CODE_LASTS = timedelta(minutes=1)
# How long one that was used stays known, so that its second use is recognised.
REUSE_SEEN_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GrantView:
    """What one person gave one app."""

    id: UUID
    app_id: UUID
    app_name: str
    person: str
    role: Role
    scopes: list[str]
    created_at: datetime
    renewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is exchanged."""

    builder_id: UUID
    code_hash: str
    grant_id: UUID
    app_id: UUID
    redirect_uri: str
    code_challenge: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """An access or refresh token, however it stands."""

    builder_id: UUID
    id: UUID
    grant_id: UUID
    kind: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    app_id: UUID
    app_name: str
    person: str
    role: Role

    def opens(self, *, now: datetime) -> bool:
        """Say whether the token is good for anything now."""
        return self.revoked_at is None and self.used_at is None and self.expires_at > now


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code, the address it goes to, and the S256 of what its app must show to exchange it."""

    code: str
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class TokenPair:
    """Two new tokens, as the app is given them."""

    access: str
    refresh: str


def give(
    database: Database, caller: Caller, *, app: App, scopes: Iterable[str], issued: Issued, now: datetime
) -> None:
    """Note what a person gives an app, and the code with which the app fetches its tokens."""
    given = sorted(set(scopes))
    with database.builder_tx(caller.builder_id) as tx:
        tx.run("codes_forget_old", before=now - REUSE_SEEN_FOR)
        grant_id = tx.value(
            "grant_insert", app_id=app.id, person=caller.name, role=caller.role, scopes=given, now=now
        )
        tx.run(
            "code_insert",
            code_hash=_hash(issued.code, CODE_PREFIX),
            grant_id=grant_id,
            redirect_uri=issued.redirect_uri,
            code_challenge=issued.code_challenge,
            now=now,
            expires_at=now + CODE_LASTS,
        )
        told = {"app": str(app.id), "name": app.name, "grant": str(grant_id), "scopes": given}
        write_audit(tx, AuditEntry(actor=caller.actor, action="app.let_in", after=told))


def list_grants(database: Database, builder_id: UUID) -> list[GrantView]:
    """Return what apps were given and still have."""
    with database.builder_tx(builder_id) as tx:
        return [GrantView(**row) for row in tx.rows("grants_open")]


def revoke_grant(
    database: Database, builder_id: UUID, *, grant_id: UUID, revoked_by: str, reason: str = "", now: datetime
) -> bool:
    """End what a person gave an app, with all its tokens; False where it had ended before."""
    with database.builder_tx(builder_id) as tx:
        is_revoked = tx.run("grant_revoke", id=grant_id, now=now) == 1
        if is_revoked:
            told = {"grant": str(grant_id)}
            write_audit(tx, AuditEntry(actor=revoked_by, action="app.grant_ended", reason=reason, after=told))
    return is_revoked


# ---------------------------------------------------------------- codes and tokens


def find_code(database: Database, text: str, *, now: datetime) -> Code | None:
    """Return a code that can be exchanged; one that was exchanged before ends its grant."""
    if not is_credential(text, prefix=CODE_PREFIX):
        return None
    code_hash = _hash(text, CODE_PREFIX)
    with database.scheduler_tx() as tx:
        builder_id = tx.value("code_by_hash", code_hash=code_hash)
    if builder_id is None:
        return None
    with database.builder_tx(builder_id) as tx:
        row = tx.row("code_read", code_hash=code_hash)
    if row is None or row["revoked_at"] is not None:
        return None
    if row["used_at"] is not None:
        _end_for_reuse(database, builder_id, row["grant_id"], what="code", now=now)
        return None
    if row["expires_at"] <= now:
        return None
    return Code(
        builder_id=builder_id,
        code_hash=code_hash,
        grant_id=row["grant_id"],
        app_id=row["app_id"],
        redirect_uri=row["redirect_uri"],
        code_challenge=row["code_challenge"],
        scopes=tuple(row["scopes"]),
    )


def exchange_code(database: Database, code: Code, pair: TokenPair, *, now: datetime) -> bool:
    """Store the tokens of a code, once; a second exchange at the same moment ends the grant and is False."""
    with database.builder_tx(code.builder_id) as tx:
        is_first = tx.run("code_use", code_hash=code.code_hash, now=now) == 1
        if is_first:
            _store(tx, code.grant_id, pair, access_scopes=code.scopes, grant_scopes=code.scopes, now=now)
    if not is_first:
        _end_for_reuse(database, code.builder_id, code.grant_id, what="code", now=now)
    return is_first


def find_token(database: Database, text: str) -> Token | None:
    """Return a token as it stands, or None for one that nobody was ever given."""
    prefix = next((each for each in (ACCESS_PREFIX, REFRESH_PREFIX) if text.startswith(each)), None)
    if prefix is None or not is_credential(text, prefix=prefix):
        return None
    with database.scheduler_tx() as tx:
        row = tx.row("token_by_hash", token_hash=_hash(text, prefix))
    return None if row is None else Token(**{**row, "scopes": tuple(row["scopes"])})


def find_app_caller(database: Database, text: str, *, now: datetime) -> Caller | None:
    """Return whom an access token lets in, or None for one that opens nothing (any more)."""
    token = find_token(database, text)
    if token is None or token.kind != "access" or not token.opens(now=now):
        return None
    name = f"{token.app_name} for {token.person}"
    return Caller(token.builder_id, None, name, token.role, frozenset(token.scopes), grant_id=token.grant_id)


def find_refresh(database: Database, text: str, *, now: datetime) -> Token | None:
    """Return a refresh token that can be used; one that was used before ends its grant."""
    token = find_token(database, text)
    if token is None or token.kind != "refresh":
        return None
    if token.used_at is not None and token.revoked_at is None:
        _end_for_reuse(database, token.builder_id, token.grant_id, what="refresh token", now=now)
        return None
    return token if token.opens(now=now) else None


def rotate(
    database: Database, token: Token, pair: TokenPair, *, access_scopes: tuple[str, ...], now: datetime
) -> bool:
    """Put new tokens in a refresh token's place, once; a second use at the same moment ends the grant and is False."""
    with database.builder_tx(token.builder_id) as tx:
        is_first = tx.run("token_use", id=token.id, now=now) == 1
        if is_first:
            _store(tx, token.grant_id, pair, access_scopes=access_scopes, grant_scopes=token.scopes, now=now)
    if not is_first:
        _end_for_reuse(database, token.builder_id, token.grant_id, what="refresh token", now=now)
    return is_first


def revoke_token(database: Database, token: Token, *, now: datetime) -> None:
    """End a token that its app gives back: an access token alone, a refresh token with everything it stands for."""
    if token.kind == "refresh":
        revoke_grant(
            database,
            token.builder_id,
            grant_id=token.grant_id,
            revoked_by=f"app {token.app_name} for {token.person}",
            now=now,
        )
        return
    with database.builder_tx(token.builder_id) as tx:
        tx.run("token_revoke", id=token.id, now=now)


def new_code() -> str:
    """Make a code that nobody has yet."""
    return new_credential(CODE_PREFIX)


def new_pair() -> TokenPair:
    """Make two tokens that nobody has yet."""
    return TokenPair(new_credential(ACCESS_PREFIX), new_credential(REFRESH_PREFIX))


def _store(
    tx: Transaction,
    grant_id: UUID,
    pair: TokenPair,
    *,
    access_scopes: tuple[str, ...],
    grant_scopes: tuple[str, ...],
    now: datetime,
) -> None:
    tx.run("tokens_forget_old", before=now - REUSE_SEEN_FOR)
    for kind, text, prefix, scopes, lasts in (
        ("access", pair.access, ACCESS_PREFIX, access_scopes, ACCESS_LASTS),
        ("refresh", pair.refresh, REFRESH_PREFIX, grant_scopes, REFRESH_LASTS),
    ):
        tx.run(
            "token_insert",
            grant_id=grant_id,
            kind=kind,
            token_hash=_hash(text, prefix),
            scopes=list(scopes),
            now=now,
            expires_at=now + lasts,
        )


def _end_for_reuse(database: Database, builder_id: UUID, grant_id: UUID, *, what: str, now: datetime) -> None:
    revoke_grant(
        database,
        builder_id,
        grant_id=grant_id,
        revoked_by="tieout",
        reason=f"A {what} was used twice: somebody else may have it.",
        now=now,
    )


def _hash(text: str, prefix: str) -> str:
    return credential_hash(text, context=_CONTEXTS[prefix])
